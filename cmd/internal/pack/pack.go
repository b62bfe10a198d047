// Package pack reads the files in tar and zip files, WebDataset's among them,
// and writes such files.
package pack

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/coclico/coclico/cmd/internal/files"
)

// maxFile is the size of the largest file that is read from a tar or zip file,
// which is kept in memory.
const maxFile = 256 << 20

// An Entry is a file in a tar or zip file.
type Entry struct {
	Name    string // its path, without "." and a leading '/'
	Outside bool   // the path leads out of the root, or is the root
	Size    int64
	Time    time.Time

	// Open opens the file. It stays readable when the next entry is read.
	Open func(context.Context) (files.File, error)

	// Head returns the first n bytes of the file, or fewer if it is shorter or
	// cannot be read. It reads no more.
	Head func(n int) []byte
}

// IsForeign reports whether a file is named like one that holds others and is
// neither read nor written.
func IsForeign(name string) bool {
	return slices.ContainsFunc([]string{".tar.xz", ".txz", ".tar.bz2", ".tbz2", ".tar.zst", ".tar.lz4", ".7z", ".rar"}, func(ending string) bool { return hasEnding(name, ending) })
}

// IsPack reports whether a file is named like a tar or zip file.
func IsPack(name string) bool { return IsZip(name) || isTar(name) }

// IsZip reports whether a file is named like a zip file.
func IsZip(name string) bool { return hasEnding(name, ".zip") }

// isTar reports whether a file is named like a tar file, compressed or not.
func isTar(name string) bool { return hasEnding(name, ".tar") || IsGzip(name) }

// IsGzip reports whether a file is named like a compressed tar file.
func IsGzip(name string) bool { return hasEnding(name, ".tar.gz") || hasEnding(name, ".tgz") }

func hasEnding(name, ending string) bool {
	return len(name) > len(ending) && strings.EqualFold(name[len(name)-len(ending):], ending)
}

// Entries returns the regular files in a tar file, compressed or not, or a zip
// file, whatever its name, and what cannot be opened: links, devices, and files
// that are encrypted. A zip file that
// is no [files.File] is kept in memory. Errors do not name the file.
func Entries(r io.Reader) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		b := bufio.NewReaderSize(r, 1<<20)
		magic, err := b.Peek(10)
		if err != nil && err != io.EOF {
			yield(Entry{}, err)
			return
		}
		switch {
		case bytes.HasPrefix(magic, []byte("PK\x03\x04")) || bytes.HasPrefix(magic, []byte("PK\x05\x06")):
			err = eachZip(r, b, yield)
		case bytes.HasPrefix(magic, []byte(gzipMagic)):
			err = eachGzip(b, yield)
		case unpacker(magic) != "":
			err = fmt.Errorf("compressed by another program than gzip: give what %s -dc writes to standard input, -", unpacker(magic))
		default:
			err = eachTar(b, yield)
		}
		if err != nil && err != errStop {
			yield(Entry{}, err)
		}
	}
}

// unpacker returns the program that unpacks a file that begins like this, if it
// is one of those that compress tar files and whose files are not read. A tar file
// begins with a name, which may be BZhang: behind bzip2's "BZh" and a digit is pi.
func unpacker(magic []byte) string {
	if bytes.HasPrefix(magic, []byte("BZh")) && bytes.HasSuffix(magic, []byte("1AY&SY")) {
		return "bzip2"
	}
	for program, begin := range map[string]string{"xz": "\xfd7zX", "zstd": "\x28\xb5\x2f\xfd", "lz4": "\x04\x22\x4d\x18"} {
		if strings.HasPrefix(string(magic), begin) {
			return program
		}
	}
	return ""
}

// errStop means that the caller of an iterator wants no more.
var errStop = errors.New("stop")

// unread returns the entry of a file that cannot be read, and why.
func unread(name string, size int64, t time.Time, err error) Entry {
	e := newEntry(name, size, t)
	e.Open = func(context.Context) (files.File, error) { return nil, err }
	e.Head = func(int) []byte { return nil }
	return e
}

// readAll reads a file of a known size, which is allocated once. It reads on up
// to the end, where a zip file's checksum is compared.
func readAll(r io.Reader, size int64) ([]byte, error) {
	data := make([]byte, size)
	if _, err := io.ReadFull(r, data); err != nil {
		return nil, err
	}
	switch n, err := r.Read(make([]byte, 1)); {
	case n > 0:
		return nil, errLonger
	case err != io.EOF:
		return nil, err
	}
	return data, nil
}

var (
	errTooLarge = fmt.Errorf("more than %d MiB in a tar or zip file", maxFile>>20)
	errSparse   = errors.New("a sparse file, which is not read in a tar file: tar without --sparse writes all of it")
	errDevice   = errors.New("a device or a pipe, which has no contents in a tar file")
	errLonger   = errors.New("longer than it says")
	errLinked   = errors.New("a link, which is not followed in a zip file")
	errLocked   = errors.New("encrypted: unpack the zip file first")
)

// newEntry returns the entry of a name as the file has it. Some programs on
// Windows write backslashes.
func newEntry(name string, size int64, t time.Time) Entry {
	clean := path.Clean(strings.TrimLeft(strings.ReplaceAll(name, `\`, "/"), "/"))
	if clean == "." || clean == ".." || strings.HasPrefix(clean, "../") {
		return Entry{Name: name, Outside: true, Size: size, Time: t}
	}
	return Entry{Name: clean, Size: size, Time: t}
}
