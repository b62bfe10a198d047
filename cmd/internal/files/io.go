// Package files opens what the command's arguments name, be it a file, a pipe
// or standard input, and writes its files, all of them in one way.
//
// # Whole files
//
// A file is written as .NAME.part in its folder, synced, and renamed when it is
// complete; then the folder is synced. A crash or a power failure leaves the
// old file or the new one, never a part under its name. The next run overwrites
// a .NAME.part that a killed run left. Two processes cannot write the same file
// at once, because the part is locked, on systems with flock.
package files

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
	"unicode/utf8"

	"github.com/coclico/coclico/weights"
)

// Stdio is the name of standard input and output on the command line.
const Stdio = "-"

// Output returns an output's name: [Stdio] if it is standard output under another
// name, such as /dev/stdout.
func Output(path string) string {
	if fd, ok := descriptor(path); ok && fd == 1 {
		return Stdio
	}
	return path
}

// An IO opens and writes the files of one run of the command.
type IO struct {
	stdin  io.Reader
	stdout io.Writer
	disk   Disk

	// Terminal reports whether standard output is a terminal, which can show no
	// file: then none is written there.
	Terminal bool

	// Member, if not nil, returns the bytes of a file in an archive, which
	// Open opens as FOLDER::NAME.
	Member func(folder, name string) ([]byte, error)
}

// New returns the IO of a run with the given standard input and output.
func New(stdin io.Reader, stdout io.Writer) *IO { return &IO{stdin: stdin, stdout: stdout, disk: OS{}} }

// Disk returns the disk on which the run's files are written.
func (f *IO) Disk() Disk { return f.disk }

// OnDisk returns an IO that writes on another disk.
func (f *IO) OnDisk(d Disk) *IO { return &IO{f.stdin, f.stdout, d, f.Terminal, f.Member} }

// A File is an open input. Its parts can be read in any order: a decoder of TIFF
// would read a mere stream into memory up to the farthest part.
type File interface {
	io.ReadSeeker
	io.ReaderAt
	io.Closer
}

// Open opens a file for reading. Reads fail when ctx ends, which stops a decoder
// that takes no context. What cannot be read twice, such as a pipe, is kept in
// memory as far as it is read, which may be limit bytes.
func (f *IO) Open(ctx context.Context, path string, limit int64) (File, error) {
	if path == Stdio {
		return newSpool(ctx, path, io.NopCloser(f.stdin), limit), nil
	}
	info, err := os.Stat(path)
	if folder, name, ok := SplitMember(path); ok && err != nil && f.Member != nil {
		data, err := f.Member(folder, name)
		if err != nil {
			return nil, Named(path, err)
		}
		return InMemory(data), nil
	}
	switch {
	case err != nil:
		return nil, Named(path, err)
	case info.IsDir():
		return nil, Named(path, errors.New("is a directory, not a file"))
	case !info.Mode().IsRegular():
		return newSpool(ctx, path, &pipe{path: path}, limit), nil
	}
	r, err := os.Open(path)
	if err != nil {
		return nil, Named(path, err)
	}
	return cancelable{ctx, r}, nil
}

// InMemory returns a file of these bytes.
func InMemory(data []byte) File { return inMemory{bytes.NewReader(data)} }

type inMemory struct{ *bytes.Reader }

func (inMemory) Close() error { return nil }

// memberMark stands between an archive's folder and a name in it.
const memberMark = "::"

// SplitMember splits FOLDER::NAME, if there is such a folder.
func SplitMember(path string) (folder, name string, ok bool) {
	for i := range path {
		folder, name, ok = path[:i], strings.TrimPrefix(path[i:], memberMark), strings.HasPrefix(path[i:], memberMark)
		if ok && name != "" && IsDir(folder) {
			return folder, name, true
		}
	}
	return "", "", false
}

// Member returns FOLDER::NAME.
func Member(folder, name string) string { return folder + memberMark + name }

// Stream opens a file, a pipe or standard input for reading once, from beginning
// to end, and keeps nothing of it. Reads fail when ctx ends. A regular file is a
// [File].
func (f *IO) Stream(ctx context.Context, path string) (io.ReadCloser, error) {
	if path == Stdio {
		return io.NopCloser(stoppable{ctx, f.stdin}), nil
	}
	if !IsRegular(path) && !IsDir(path) {
		if _, err := os.Stat(path); err != nil {
			return nil, Named(path, err)
		}
		p := &pipe{path: path}
		return struct {
			io.Reader
			io.Closer
		}{stoppable{ctx, p}, p}, nil
	}
	return f.Open(ctx, path, 0)
}

// Read returns the contents of a file that is of no use if it has more than
// limit bytes. It returns limit+1 bytes of a longer file, and an error for a
// longer pipe.
func (f *IO) Read(ctx context.Context, path string, limit int64) ([]byte, error) {
	r, err := f.Open(ctx, path, limit)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, Named(path, err)
	}
	return data, nil
}

// Write opens an output and calls work to fill it, so that an output that cannot
// be written is an error before the work. A file is replaced as a whole, see
// [Replace]; the target of a link is replaced and the link kept; a device, a pipe
// or a file that the shell has opened, such as /dev/stdout, is written to, until a
// second after the end of ctx: what remains of interrupted work, a partial
// picture, is written if somebody reads it.
func (f *IO) Write(ctx context.Context, path string, work func(w io.Writer) error) error {
	ctx, cancel := lasting(ctx, time.Second)
	defer cancel()
	if Output(path) == Stdio {
		if f.Terminal {
			return WriteError{errors.New("standard output is a terminal, which cannot show the file: give it to another program, or write it to a file")}
		}
		return work(stoppableWriter{ctx, f.stdout})
	}
	if fd, ok := descriptor(path); ok {
		return writeOpen(ctx, path, work, func() (*os.File, error) { return openDescriptor(fd, path) })
	}
	if info, err := os.Stat(path); err == nil && !info.IsDir() && !info.Mode().IsRegular() {
		return writeOpen(ctx, path, work, func() (*os.File, error) { return os.OpenFile(path, os.O_WRONLY, 0) })
	}
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	} else if target, err := os.Readlink(path); err == nil {
		return WriteError{Named(path, fmt.Errorf("is a link to %s, which does not exist", target))}
	}
	return Replace(f.disk, path, work)
}

// writeOpen writes to a file that cannot be replaced: /dev/null, or a named pipe,
// whose opening waits for a reader.
func writeOpen(ctx context.Context, path string, work func(w io.Writer) error, open func() (*os.File, error)) (err error) {
	f, err := await(ctx, open)
	if err != nil {
		return Named(path, err)
	}
	defer func() {
		if e := f.Close(); err == nil && e != nil {
			err = Named(path, e)
		}
	}()
	return work(stoppableWriter{ctx, f})
}

// Stdin returns standard input.
func (f *IO) Stdin() io.Reader { return f.stdin }

// ReadLine reads a line from standard input. The last line may lack its end.
func (f *IO) ReadLine(ctx context.Context) (string, error) {
	line, err := bufio.NewReader(stoppable{ctx, f.stdin}).ReadString('\n')
	if err == io.EOF {
		err = nil
	}
	return line, err
}

// Named returns an error that begins with a file's name, as the user gave it.
func Named(path string, err error) error {
	return fmt.Errorf("%s: %w", Name(path), weights.Cause(err))
}

// Name returns an input's name in messages.
func Name(path string) string {
	if path == Stdio {
		return "standard input"
	}
	return path
}

// Lookup returns what path, which may be a link, leads to, and nil if that does not
// exist, as below a file.
func Lookup(path string) (fs.FileInfo, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return nil, nil
	}
	return info, err
}

// IsDir reports whether path is a folder, or a link to one.
func IsDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// IsRegular reports whether path is a regular file, or a link to one.
func IsRegular(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// Same reports whether two names, which may be links, are of one file.
func Same(a, b string) bool {
	x, err := os.Stat(a)
	if err != nil {
		return false
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y)
}

// Inside reports whether folder is dir or below it. The folder need not exist.
func Inside(folder, dir string) bool {
	dir, folder = resolve(dir), resolve(folder)
	rel, err := filepath.Rel(dir, folder)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}

// resolve returns the absolute path, without links, of as much of path as
// exists, followed by the rest.
func resolve(path string) string {
	path, err := filepath.Abs(path)
	if err != nil {
		return path
	}
	rest := ""
	for p := path; ; p = filepath.Dir(p) {
		if real, err := filepath.EvalSymlinks(p); err == nil {
			return filepath.Join(real, rest)
		}
		if filepath.Dir(p) == p {
			return path
		}
		rest = filepath.Join(filepath.Base(p), rest)
	}
}

// FullName returns a file's absolute name, whether the file exists or not.
func FullName(path string) string {
	if full, err := filepath.Abs(path); err == nil {
		return full
	}
	return filepath.Clean(path)
}

// Bytes returns the bytes of a name that is not UTF-8 and so has no JSON string.
// It returns nil for any other name.
func Bytes(name string) []byte {
	if utf8.ValidString(name) {
		return nil
	}
	return []byte(name)
}
