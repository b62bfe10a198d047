package archive

import (
	"bufio"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

const tempSuffix = ".tmp"

// A part is a shard that is being written, under a temporary name.
type part struct {
	dir, temp string
	file      *os.File
	buffer    *bufio.Writer
	bytes     int64
	writer    *tableWriter
	info      ShardInfo
	sum       rowSum
}

func newPart(dir string, o *Origin) (*part, error) {
	file, err := createTemp(dir, "shard-")
	if err != nil {
		return nil, err
	}
	p := &part{dir: dir, temp: filepath.Base(file.Name()), file: file}
	p.buffer = bufio.NewWriterSize(p, 1<<20)
	p.writer = newTableWriter(p.buffer, o.notes())
	return p, nil
}

// createTemp creates a file of a name that no other has.
func createTemp(dir, prefix string) (*os.File, error) {
	return os.OpenFile(filepath.Join(dir, prefix+rand.Text()+tempSuffix), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
}

// Write counts what is written to the file.
func (p *part) Write(b []byte) (int, error) {
	n, err := p.file.Write(b)
	p.bytes += int64(n)
	return n, err
}

// add adds a row, whose name must be greater than that of the row before.
func (p *part) add(r *Row) error {
	if p.info.Rows++; p.info.First == "" {
		p.info.First = r.Name
	}
	p.info.Last = r.Name
	p.sum.add(r)
	return p.writer.add(r)
}

// finish completes the file, syncs it, and reads it back: what was written must
// be what was meant.
func (p *part) finish() error {
	err := p.writer.close()
	if err == nil {
		err = p.buffer.Flush()
	}
	if err == nil {
		err = p.file.Sync()
	}
	if err != nil {
		return err
	}
	p.info.Bytes = p.bytes
	hashed := make(chan error, 1)
	go func() {
		var err error
		p.info.SHA256, err = hashFile(io.NewSectionReader(p.file, 0, p.bytes))
		hashed <- err
	}()
	err = p.verify()
	return errors.Join(err, <-hashed)
}

// verify reads the rows back.
func (p *part) verify() error {
	foot, err := readFooter(p.file, p.bytes)
	if err != nil {
		return err
	}
	var sum rowSum
	n := int64(0)
	for r, err := range scan(p.file, foot, 0, allColumns) {
		if err != nil {
			return err
		}
		sum.add(&r.row)
		n++
	}
	if n != p.info.Rows || sum.crc != p.sum.crc {
		return errors.New("was not written as it was meant")
	}
	return nil
}

// discard removes the temporary file. It may have another name by then.
func (p *part) discard() {
	p.file.Close()
	os.Remove(filepath.Join(p.dir, p.temp))
}

// publish gives the file the first free number from n on. It never replaces a
// file.
func (p *part) publish(n int) error {
	temp := filepath.Join(p.dir, p.temp)
	p.file.Close()
	for ; ; n++ {
		if n >= maxShards {
			return errNoNumber
		}
		p.info.Name = shardName(n)
		name := filepath.Join(p.dir, p.info.Name)
		err := os.Link(temp, name)
		switch {
		case err == nil:
			return os.Remove(temp)
		case errors.Is(err, fs.ErrExist):
			continue
		}
		// A file system without links. The empty file that claims the number is
		// replaced at once; if the process is killed before, it is not adopted.
		claim, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		switch {
		case errors.Is(err, fs.ErrExist):
			continue
		case err != nil:
			return err
		}
		claim.Close()
		return os.Rename(temp, name)
	}
}

// A rowSum is a checksum of rows.
type rowSum struct {
	crc uint32
	buf []byte
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func (s *rowSum) add(r *Row) {
	b := s.buf[:0]
	b = binary.LittleEndian.AppendUint32(b, uint32(len(r.Name)))
	b = append(b, r.Name...)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(r.Data)))
	b = append(b, r.Data...)
	b = binary.LittleEndian.AppendUint32(b, uint32(r.Width))
	b = binary.LittleEndian.AppendUint32(b, uint32(r.Height))
	b = binary.LittleEndian.AppendUint64(b, uint64(r.Size))
	b = binary.LittleEndian.AppendUint64(b, uint64(r.Time.UnixMilli()))
	b = append(b, r.Error...)
	s.crc = crc32.Update(s.crc, castagnoli, b)
	s.buf = b
}

// hashFile returns the SHA-256 of a file in hex.
func hashFile(r io.Reader) (string, error) {
	h := sha256.New()
	if _, err := io.Copy(h, r); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
