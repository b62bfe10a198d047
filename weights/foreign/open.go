package foreign

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/coclico/coclico/weights"
)

// Open opens a .pth or an .npz file; its content decides which. The tensors of
// a .pth file are those of its dictionary, or of the dictionary params or
// state_dict in it, without the prefix "module." if all have it. The tensors of
// an .npz file have the names of its arrays. Errors are one line that begins
// with the path.
func Open(path string) (*weights.Store, error) { return weights.OpenAs(path, parse) }

// parse returns the tensors in the content of a file, most of them as views.
func parse(data []byte) ([]weights.Tensor, error) {
	a, err := openArchive(data)
	if err != nil {
		return nil, err
	}
	for name := range a.entries {
		if path.Base(name) == pickleName {
			return a.checkpoint()
		}
	}
	for name := range a.entries {
		if strings.HasSuffix(name, ".npy") {
			return a.arrays()
		}
	}
	return nil, errors.New("a zip archive that is neither a PyTorch checkpoint nor a NumPy file")
}

// An archive is an opened zip archive.
type archive struct {
	entries map[string]entry
	names   []string // in the directory's order
	room    int64    // bytes that tensors may still take
}

// An entry is a stored file in an archive.
type entry struct {
	data []byte
	at   int // where data begins in the archive
}

// legacyMagic begins a file that PyTorch before 1.6 wrote: a pickle of the
// number 0x1950a86a20f9469cfc6c.
const legacyMagic = "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20"

// maxDirectory bounds the directory of an archive.
const maxDirectory = 16 << 20

func openArchive(data []byte) (*archive, error) {
	switch {
	case bytes.HasPrefix(data, []byte(legacyMagic)):
		return nil, errors.New("PyTorch's old format, from before version 1.6: torch.save(torch.load(OLD), NEW) writes the new one")
	case !bytes.HasPrefix(data, []byte("PK")):
		return nil, errors.New("neither a PyTorch checkpoint nor a NumPy file: not a zip archive")
	}
	r := &budget{bytes.NewReader(data), maxDirectory}
	z, err := zip.NewReader(r, int64(len(data)))
	if err != nil {
		if r.left < 0 {
			err = errors.New("the directory of the zip archive is too large")
		}
		return nil, fmt.Errorf("truncated or corrupt: %w", err)
	}
	r.left = maxDirectory // for the entries' headers
	a := &archive{entries: make(map[string]entry), room: 4 * int64(len(data))}
	for _, f := range z.File {
		at, err := f.DataOffset()
		size := f.UncompressedSize64
		switch {
		case err != nil:
			return nil, fmt.Errorf("entry %s: %w", show(f.Name), err)
		case f.Method != zip.Store || f.CompressedSize64 != size:
			return nil, fmt.Errorf("entry %s is compressed: entries must be stored, as torch.save and numpy.savez do", show(f.Name))
		case at < 0 || at > int64(len(data)) || size > uint64(int64(len(data))-at):
			return nil, fmt.Errorf("entry %s is larger than the file", show(f.Name))
		}
		if _, ok := a.entries[f.Name]; ok {
			return nil, fmt.Errorf("entry %s appears twice", show(f.Name))
		}
		a.entries[f.Name] = entry{data[at : at+int64(size) : at+int64(size)], int(at)}
		a.names = append(a.names, f.Name)
	}
	return a, nil
}

// A budget is a reader that fails when it has read a number of bytes.
type budget struct {
	r    io.ReaderAt
	left int64
}

func (b *budget) ReadAt(p []byte, off int64) (int, error) {
	if b.left -= int64(len(p)); b.left < 0 {
		return 0, errors.New("too large")
	}
	return b.r.ReadAt(p, off)
}

// take returns a tensor's bytes as a view of an entry, or as a copy if the view
// would not begin at a multiple of 8 bytes.
func (a *archive) take(e entry, first, size int) ([]byte, error) {
	if err := a.reserve(size); err != nil {
		return nil, err
	}
	b := e.data[first : first+size : first+size]
	if (e.at+first)%8 != 0 {
		b = bytes.Clone(b)
	}
	return b, nil
}

// reserve accounts for a tensor's bytes.
func (a *archive) reserve(size int) error {
	if a.room -= int64(size); a.room < 0 {
		return errors.New("the tensors are many times larger than the file")
	}
	return nil
}

// show quotes a name in a file, shortened, for a message.
func show(s string) string {
	const most = 60
	if len(s) > most {
		return fmt.Sprintf("%q...", s[:most])
	}
	return fmt.Sprintf("%q", s)
}
