package main

import (
	"path/filepath"
	"slices"
	"strings"
)

// streamExt is the ending of a stream's file.
const streamExt = ".coclico"

// pictureEndings are the endings of the names that encode takes for a picture's.
var pictureEndings = []string{"png", "jpg", "jpeg", "gif", "webp", "tif", "tiff", "bmp", "heic", "heif", "hif", "avif"}

// isPictureName reports whether a file's name has the ending of a picture's.
func isPictureName(path string) bool { return hasEnding(path, pictureEndings) }

// isStreamName reports whether a file in a folder is taken for a stream.
func isStreamName(path string) bool { return strings.EqualFold(filepath.Ext(path), streamExt) }

// hasEnding reports whether a file's name has one of some endings, whatever
// their case.
func hasEnding(path string, endings []string) bool {
	ext, found := strings.CutPrefix(strings.ToLower(filepath.Ext(path)), ".")
	return found && slices.Contains(endings, ext)
}
