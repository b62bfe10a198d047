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

	"github.com/parquet-go/parquet-go"
)

// A parquetRow is a row as Parquet has it. Names and bytes are PLAIN: other
// encodings of byte arrays are read wrongly, or not at all, by some versions of
// Spark. The bytes are not compressed, for they are entropy-coded already.
type parquetRow struct {
	Name   string  `parquet:"name,plain,zstd"`
	Data   []byte  `parquet:"coclico,plain"`
	Width  int32   `parquet:"width,dict,zstd"`
	Height int32   `parquet:"height,dict,zstd"`
	Size   int64   `parquet:"source_bytes,plain,zstd"`
	Time   int64   `parquet:"source_time,timestamp(millisecond),plain,zstd"`
	Error  *string `parquet:"error,optional,plain,zstd"`
}

// Layout of a shard.
const (
	groupRows  = 131072
	pageBytes  = 64 << 10
	bloomBits  = 10 // for each name
	batchRows  = 1024
	batchBytes = 512 << 10 // a page has those of a batch at most, and pageBytes
	tempSuffix = ".tmp"
)

// A part is a shard that is being written, under a temporary name.
type part struct {
	dir, temp string
	file      *os.File
	buffer    *bufio.Writer
	bytes     int64
	writer    *parquet.GenericWriter[parquetRow]
	batch     []parquetRow
	inBatch   int // bytes
	info      ShardInfo
	sum       rowSum
}

func newPart(dir string, o *Origin) (*part, error) {
	file, err := createTemp(dir, "shard-")
	if err != nil {
		return nil, err
	}
	p := &part{dir: dir, temp: filepath.Base(file.Name()), file: file, batch: make([]parquetRow, 0, batchRows)}
	p.buffer = bufio.NewWriterSize(p, 1<<20)
	p.writer = parquet.NewGenericWriter[parquetRow](p.buffer, shardOptions(o)...)
	return p, nil
}

// shardOptions returns how a shard of an origin is written.
func shardOptions(o *Origin) []parquet.WriterOption {
	options := []parquet.WriterOption{
		parquet.CreatedBy("coclico", "1", ""),
		parquet.MaxRowsPerRowGroup(groupRows),
		parquet.PageBufferSize(pageBytes),
		// A page's header would hold its least and its greatest picture, twice.
		parquet.DataPageStatistics(false),
		parquet.BloomFilters(parquet.SplitBlockFilter(bloomBits, columns[colName].name)),
		parquet.SortingWriterConfig(parquet.SortingColumns(parquet.Ascending(columns[colName].name))),
	}
	for key, value := range o.notes() {
		options = append(options, parquet.KeyValueMetadata(key, value))
	}
	return options
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
	row := parquetRow{Name: r.Name, Data: r.Data, Width: int32(r.Width), Height: int32(r.Height), Size: r.Size, Time: millis(r.Time)}
	if r.Error != "" {
		text := r.Error
		row.Error = &text
	}
	p.inBatch += len(r.Name) + len(r.Data) + len(r.Error)
	if p.batch = append(p.batch, row); len(p.batch) == batchRows || p.inBatch >= batchBytes {
		return p.flush()
	}
	return nil
}

func (p *part) flush() error {
	_, err := p.writer.Write(p.batch)
	clear(p.batch)
	p.batch, p.inBatch = p.batch[:0], 0
	return err
}

// finish completes the file, syncs it, and reads it back: what was written must
// be what was meant.
func (p *part) finish() error {
	err := p.flush()
	if err == nil {
		err = p.writer.Close()
	}
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
	b = binary.LittleEndian.AppendUint64(b, uint64(millis(r.Time)))
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
