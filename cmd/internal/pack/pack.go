// Package pack reads the files in tar and zip files, WebDataset's among them,
// and writes such files.
package pack

import (
	"archive/tar"
	"archive/zip"
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
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

// maxZip is the size of the largest zip file that is read from a pipe.
const maxZip = 1 << 30

// maxDirectory is the size of the largest directory of a zip file. A file
// takes some 120 bytes there, and three times as many in memory.
const maxDirectory = 256 << 20

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
func IsPack(name string) bool { return IsZip(name) || IsTar(name) }

// IsZip reports whether a file is named like a zip file.
func IsZip(name string) bool { return hasEnding(name, ".zip") }

// IsTar reports whether a file is named like a tar file, compressed or not.
func IsTar(name string) bool { return hasEnding(name, ".tar") || IsGzip(name) }

// IsGzip reports whether a file is named like a compressed tar file.
func IsGzip(name string) bool { return hasEnding(name, ".tar.gz") || hasEnding(name, ".tgz") }

func hasEnding(name, ending string) bool {
	return len(name) > len(ending) && strings.EqualFold(name[len(name)-len(ending):], ending)
}

// Entries returns the regular files in a tar file, compressed or not, or a zip
// file, whatever its name, and the links, which cannot be opened. A zip file that
// is no [files.File] is kept in memory. Errors do not name the file.
func Entries(r io.Reader) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		b := bufio.NewReaderSize(r, 1<<20)
		magic, err := b.Peek(4)
		if err != nil && err != io.EOF {
			yield(Entry{}, err)
			return
		}
		switch {
		case bytes.Equal(magic, []byte("PK\x03\x04")) || bytes.Equal(magic, []byte("PK\x05\x06")):
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
// is one of those that compress tar files and whose files are not read.
func unpacker(magic []byte) string {
	for program, begin := range map[string]string{"xz": "\xfd7zX", "bzip2": "BZh", "zstd": "\x28\xb5\x2f\xfd", "lz4": "\x04\x22\x4d\x18"} {
		if strings.HasPrefix(string(magic), begin) {
			return program
		}
	}
	return ""
}

// errStop means that the caller of an iterator wants no more.
var errStop = errors.New("stop")

// eachGzip reads the tar file that one member of a gzip file is, or several
// together. What follows them and is no member, as a tape's padding, does not count.
func eachGzip(b *bufio.Reader, yield func(Entry, error) bool) error {
	z, err := gzip.NewReader(b)
	if err != nil {
		return err
	}
	members := &memberReader{b: b, z: z}
	z.Multistream(false)
	if err := eachTar(members, yield); err != nil {
		return err
	}
	// The checksum follows what the tar file ends with.
	if _, err := io.Copy(io.Discard, members); err != nil {
		return fmt.Errorf("damaged: %w", err)
	}
	return nil
}

// A memberReader reads the members of a gzip file, up to what is no member.
type memberReader struct {
	b *bufio.Reader
	z *gzip.Reader
}

func (m *memberReader) Read(p []byte) (int, error) {
	n, err := m.z.Read(p)
	if err != io.EOF {
		return n, err
	}
	if magic, _ := m.b.Peek(len(gzipMagic)); string(magic) != gzipMagic {
		return n, io.EOF
	}
	err = m.z.Reset(m.b)
	m.z.Multistream(false)
	return n, err
}

const gzipMagic = "\x1f\x8b"

func eachTar(r io.Reader, yield func(Entry, error) bool) error {
	zeros := &zeroReader{r: r}
	t := tar.NewReader(zeros)
	for {
		zeros.n = 0
		h, err := t.Next()
		switch {
		case err == io.EOF && zeros.n < tarBlock:
			return errCut
		case err == io.EOF:
			return nil
		case err != nil:
			return fmt.Errorf("not a tar or zip file, or damaged: %w", err)
		case refuse(h) != nil:
			// Its data is not read here: a file that is cut within it, after
			// zeros, is taken for one that ends.
			if !yield(unread(h.Name, h.Size, h.ModTime, refuse(h)), nil) {
				return errStop
			}
			continue
		case h.Typeflag != tar.TypeReg && h.Typeflag != tar.TypeCont:
			// What Next would skip may be zeros.
			if _, err := io.Copy(io.Discard, t); err != nil {
				return fmt.Errorf("damaged at %s: %w", h.Name, err)
			}
			continue
		}
		e := unread(h.Name, h.Size, h.ModTime, errTooLarge)
		if h.Size <= maxFile {
			data, err := readAll(t, h.Size)
			if err != nil {
				return fmt.Errorf("damaged at %s: %w", e.Name, err)
			}
			e.Open = func(context.Context) (files.File, error) { return files.InMemory(data), nil }
			e.Head = func(n int) []byte { return data[:min(n, len(data))] }
		} else if _, err := io.Copy(io.Discard, t); err != nil {
			return fmt.Errorf("damaged at %s: %w", e.Name, err)
		}
		if !yield(e, nil) {
			return errStop
		}
	}
}

// refuse returns why a file in a tar file is not to be read, or nil. The holes of
// a sparse file may be of any size.
func refuse(h *tar.Header) error {
	sparse := h.Typeflag == tar.TypeGNUSparse
	for key := range h.PAXRecords {
		sparse = sparse || strings.HasPrefix(key, "GNU.sparse.")
	}
	switch {
	case sparse:
		return errSparse
	case h.Typeflag == tar.TypeFifo || h.Typeflag == tar.TypeChar || h.Typeflag == tar.TypeBlock:
		return errDevice
	case h.Typeflag == tar.TypeLink || h.Typeflag == tar.TypeSymlink:
		return fmt.Errorf("a link to %s, which is not followed in a tar file: tar --dereference --hard-dereference writes no links", h.Linkname)
	}
	return nil
}

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

// tarBlock is the size of a tar file's blocks. Two of zeros are its end; some
// programs write one.
const tarBlock = 512

var errCut = errors.New("not a tar or zip file, or cut short: it has no end of a tar file")

// A zeroReader counts the zeros at the end of what was read.
type zeroReader struct {
	r io.Reader
	n int64
}

func (z *zeroReader) Read(p []byte) (int, error) {
	n, err := z.r.Read(p)
	rest := len(bytes.TrimRight(p[:n], "\x00"))
	if rest > 0 {
		z.n = 0
	}
	z.n += int64(n - rest)
	return n, err
}

var (
	errTooLarge = fmt.Errorf("more than %d MiB in a tar or zip file", maxFile>>20)
	errSparse   = errors.New("a sparse file, which is not read in a tar file: tar without --sparse writes all of it")
	errDevice   = errors.New("a device or a pipe, which has no contents in a tar file")
	errLonger   = errors.New("longer than it says")
	errLinked   = errors.New("a link, which is not followed in a zip file")
	errLocked   = errors.New("encrypted: unpack the zip file first")
)

// zipFile returns a zip file: r if it is a File, and otherwise all of b, at most
// limit bytes, in memory.
func zipFile(r, b io.Reader, limit int64) (files.File, error) {
	if f, ok := r.(files.File); ok {
		return f, nil
	}
	data, err := io.ReadAll(io.LimitReader(b, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = fmt.Errorf("a zip file of more than %d MiB from a pipe: its directory is at the end", limit>>20)
	}
	return files.InMemory(data), err
}

// eachZip reads a zip file: r if it is a File, and otherwise all of b.
func eachZip(r, b io.Reader, yield func(Entry, error) bool) error {
	f, err := zipFile(r, b, maxZip)
	if err != nil {
		return err
	}
	z, err := openZip(f, maxDirectory)
	if err != nil {
		return err
	}
	for _, file := range z.File {
		e := unread(file.Name, int64(file.UncompressedSize64), file.Modified, errTooLarge)
		switch mode := file.Mode(); {
		case mode&fs.ModeSymlink != 0:
			e = unread(file.Name, 0, file.Modified, errLinked)
		case !mode.IsRegular():
			continue
		case file.Flags&zipEncrypted != 0:
			e = unread(file.Name, e.Size, file.Modified, errLocked)
		case file.UncompressedSize64 <= maxFile:
			e.Open, e.Head = fromZip(file)
		}
		if !yield(e, nil) {
			return errStop
		}
	}
	return nil
}

// zipEncrypted is the bit of a zip file's general purpose flags for a file that
// takes a password.
const zipEncrypted = 1

// openZip reads the directory of a zip file, of at most limit bytes.
func openZip(f files.File, limit int64) (*zip.Reader, error) {
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, err
	}
	r := &budget{f, limit, true}
	z, err := zip.NewReader(r, size)
	if errors.Is(err, errSpent) {
		err = fmt.Errorf("a zip file whose directory has more than %d MiB, which is enough for two million files: divide it", limit>>20)
	}
	r.counts = false // what is read of the files
	return z, err
}

// A budget is a reader that, as long as it counts, fails when it has read a
// number of bytes.
type budget struct {
	r      io.ReaderAt
	left   int64
	counts bool
}

var errSpent = errors.New("the budget is spent")

func (b *budget) ReadAt(p []byte, off int64) (int, error) {
	if b.counts {
		if b.left -= int64(len(p)); b.left < 0 {
			return 0, errSpent
		}
	}
	return b.r.ReadAt(p, off)
}

// fromZip returns the functions of the [Entry] of a file in a zip file.
func fromZip(file *zip.File) (open func(context.Context) (files.File, error), head func(n int) []byte) {
	open = func(context.Context) (files.File, error) {
		r, err := file.Open()
		if errors.Is(err, zip.ErrAlgorithm) {
			err = fmt.Errorf("%w (method %d): unpack the zip file first", err, file.Method)
		}
		if err != nil {
			return nil, err
		}
		defer r.Close()
		data, err := readAll(r, int64(file.UncompressedSize64)) // a longer one is an error
		return files.InMemory(data), err
	}
	head = func(n int) []byte {
		r, err := file.Open()
		if err != nil {
			return nil
		}
		defer r.Close()
		head, _ := io.ReadAll(io.LimitReader(r, int64(n)))
		return head
	}
	return open, head
}

// newEntry returns the entry of a name as the file has it. Some programs on
// Windows write backslashes.
func newEntry(name string, size int64, t time.Time) Entry {
	clean := path.Clean(strings.TrimLeft(strings.ReplaceAll(name, `\`, "/"), "/"))
	if clean == "." || clean == ".." || strings.HasPrefix(clean, "../") {
		return Entry{Name: name, Outside: true, Size: size, Time: t}
	}
	return Entry{Name: clean, Size: size, Time: t}
}

// A Writer writes files to a tar or zip file.
type Writer interface {
	Add(name string, data []byte, t time.Time) error
	Close() error // completes the file
}

// NewTar returns a Writer of a tar file.
func NewTar(w io.Writer) Writer { return &tarWriter{w: tar.NewWriter(w)} }

// NewGzip returns a Writer of a compressed tar file.
func NewGzip(w io.Writer) Writer {
	z := gzip.NewWriter(w)
	return &tarWriter{tar.NewWriter(z), z}
}

// NewZip returns a Writer of a zip file. The files are stored as they are: they
// cannot be compressed.
func NewZip(w io.Writer) Writer { return zipWriter{zip.NewWriter(w)} }

type tarWriter struct {
	w *tar.Writer
	z *gzip.Writer // below, or nil
}

func (t *tarWriter) Add(name string, data []byte, when time.Time) error {
	h := &tar.Header{Typeflag: tar.TypeReg, Name: name, Size: int64(len(data)), Mode: 0o644, ModTime: when.Truncate(time.Second)}
	if err := t.w.WriteHeader(h); err != nil {
		return err
	}
	_, err := t.w.Write(data)
	return err
}

func (t *tarWriter) Close() error {
	err := t.w.Close()
	if t.z != nil {
		err = errors.Join(err, t.z.Close())
	}
	return err
}

type zipWriter struct{ w *zip.Writer }

func (z zipWriter) Add(name string, data []byte, when time.Time) error {
	h := &zip.FileHeader{Name: name, Method: zip.Store, Modified: when}
	h.SetMode(fs.FileMode(0o644))
	w, err := z.w.CreateHeader(h)
	if err == nil {
		_, err = w.Write(data)
	}
	return err
}

func (z zipWriter) Close() error { return z.w.Close() }
