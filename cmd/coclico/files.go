package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"

	"github.com/coclico/coclico/cmd/coclico/internal/batch"
	"github.com/coclico/coclico/weights"
)

// stdio is the name of standard input or output on the command line.
const stdio = "-"

// Limits of what is read into memory from a pipe.
const (
	maxInput   = 1 << 30  // a picture
	maxDecoded = 64 << 20 // more than the largest PNG that decode writes
)

// fileError names the file once, as the user does.
func fileError(path string, err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		err = p.Err
	}
	if path == stdio {
		path = "standard input"
	}
	return fmt.Errorf("%s: %w", path, err)
}

// openInput opens a file for reading. What cannot be read twice, a pipe, is read into memory, of which it may take limit bytes.
func (a *app) openInput(path string, limit int) (inputFile, error) {
	r := a.stdin
	if path != stdio {
		info, err := os.Stat(path)
		switch {
		case err != nil:
			return nil, fileError(path, err)
		case info.IsDir():
			if _, err := os.ReadDir(path); err != nil { // why it came here instead of what is in it
				return nil, fileError(path, err)
			}
			return nil, fileError(path, errors.New("is a directory, a file is needed"))
		case info.Mode().IsRegular():
			f, err := os.Open(path)
			if err != nil {
				return nil, fileError(path, err)
			}
			return f, nil
		}
		p := &pipe{path: path}
		defer p.close()
		r = stoppable{a.ctx, p}
	}
	data, err := io.ReadAll(io.LimitReader(r, int64(limit)+1))
	if err == nil && len(data) > limit {
		err = fmt.Errorf("more than %d bytes", limit)
	}
	if err != nil {
		return nil, fileError(path, err)
	}
	return struct {
		*bytes.Reader
		io.Closer
	}{bytes.NewReader(data), io.NopCloser(nil)}, nil
}

// A pipe is a file that is opened when it is first read, because opening one waits for somebody who writes.
type pipe struct {
	path string
	f    atomic.Pointer[os.File] // read by close while a Read that nobody waits for any more may open it
}

func (p *pipe) Read(b []byte) (int, error) {
	if p.f.Load() == nil {
		f, err := os.Open(p.path)
		if err != nil {
			return 0, err
		}
		p.f.Store(f)
	}
	return p.f.Load().Read(b)
}

func (p *pipe) close() {
	if f := p.f.Load(); f != nil {
		f.Close()
	}
}

// An inputFile is an opened input.
type inputFile interface {
	batch.File
	io.Closer
}

// readStream reads a stream, of which no valid one is longer than limit bytes.
func (a *app) readStream(path string, limit int) ([]byte, error) {
	r, err := a.openInput(path, limit)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	data, err := io.ReadAll(io.LimitReader(r, int64(limit)+1))
	if err != nil {
		return nil, fileError(path, err)
	}
	return data, nil
}

// writeOutput creates the output before the work that fills it begins, so that an output that
// cannot be written is known at once. A regular file appears under its name only when it is
// complete; after an error there is none.
func (a *app) writeOutput(path string, work func(w io.Writer) error) error {
	if path == stdio {
		return work(a.stdout)
	}
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target // a link stays one
	}
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		return fileError(path, errors.New("is a directory, the output must be a file"))
	case err == nil && !info.Mode().IsRegular():
		return writeDevice(path, work)
	}
	return weights.WriteFile(path, work)
}

// writeDevice writes to what cannot be replaced by a file: /dev/null, a named pipe.
func writeDevice(path string, work func(w io.Writer) error) (err error) {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return fileError(path, err)
	}
	defer func() {
		if e := f.Close(); err == nil && e != nil {
			err = fileError(path, e)
		}
	}()
	return work(f)
}
