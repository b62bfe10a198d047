package pack

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/coclico/coclico/cmd/internal/files"
)

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
