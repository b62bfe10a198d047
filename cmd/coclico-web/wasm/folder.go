//go:build js && wasm

package main

import (
	"bytes"
	"io/fs"
	"path"
	"strings"
	"time"
)

// A folder is a model's folder in memory: the contents of its files by their
// names, which are those of two levels at most.
type folder map[string][]byte

func (f folder) Open(name string) (fs.File, error) {
	if data, ok := f[name]; ok {
		return &file{info{path.Base(name), int64(len(data)), 0o444}, bytes.NewReader(data), data}, nil
	}
	for n := range f {
		if strings.HasPrefix(n, name+"/") {
			return &file{info{path.Base(name), 0, fs.ModeDir | 0o555}, bytes.NewReader(nil), nil}, nil
		}
	}
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

// A file is opened. Package weights uses its Bytes in place.
type file struct {
	info
	*bytes.Reader
	data []byte
}

func (f *file) Stat() (fs.FileInfo, error) { return f.info, nil }
func (f *file) Close() error               { return nil }
func (f *file) Bytes() []byte              { return f.data }
func (f *file) Size() int64                { return f.info.size }

type info struct {
	name string
	size int64
	mode fs.FileMode
}

func (i info) Name() string       { return i.name }
func (i info) Size() int64        { return i.size }
func (i info) Mode() fs.FileMode  { return i.mode }
func (i info) ModTime() time.Time { return time.Time{} }
func (i info) IsDir() bool        { return i.mode.IsDir() }
func (i info) Sys() any           { return nil }
