package main

import (
	"context"
	"io"

	"github.com/coclico/coclico/cmd/coclico/internal/files"
	"github.com/coclico/coclico/cmd/coclico/internal/terminal"
)

// An app is what info and compare still hang on.
type app struct {
	ctx    context.Context
	files  *files.IO
	screen *terminal.Screen
	stdout io.Writer
}

func (a *app) complain(message string) { a.screen.Complain(message) }

func (a *app) openInput(path string, limit int64) (files.File, error) {
	return a.files.Open(a.ctx, path, limit)
}

func printJSON(w io.Writer, v any) error { return terminal.New(w, nil, nil).JSON(v) }

func fileError(path string, err error) error { return files.Named(path, err) }

func printable(s string) string { return terminal.Printable(s) }

const (
	stdio      = files.Stdio
	maxDecoded = 64 << 20 // more than the largest PNG that decode writes
)
