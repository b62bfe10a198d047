package search

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"math"
	"os"
	"slices"
	"unsafe"

	"github.com/coclico/coclico/codec/format"
	"github.com/coclico/coclico/internal/mmap"
)

const (
	magic       = "CoCliCoI"
	version     = 2
	headerBytes = 128
	runBytes    = 16

	// maxDimensions is what the distance of two codes allows.
	maxDimensions = 1023 * 64
)

// A key is what an index was made of: a shard, and a model's statistics.
type key struct {
	shard [sha256.Size]byte
	prior [8]byte
}

// priorKey returns the first bytes of the SHA-256 of what a model knows.
func priorKey(p format.Prior) (k [8]byte) {
	b := binary.LittleEndian.AppendUint16(nil, p.Fingerprint)
	for _, m := range p.Moments {
		b = binary.LittleEndian.AppendUint64(b, uint64(m.Mean))
		b = binary.LittleEndian.AppendUint64(b, uint64(m.Std))
	}
	sum := sha256.Sum256(b)
	copy(k[:], sum[:])
	return k
}

// A kind of file is what the meaning of a code depends on.
type kind struct {
	profile       format.Profile
	dimensionBits uint8  // of the paper's profile
	vectorBits    uint32 // of the tuned one
}

func kindOf(h format.Header) kind {
	if h.Profile == format.Tuned {
		return kind{profile: format.Tuned, vectorBits: uint32(h.VectorBits)}
	}
	return kind{profile: h.Profile, dimensionBits: uint8(h.DimensionBits)}
}

// header returns the header of files of a kind.
func (k kind) header(dimensions int) format.Header {
	h := format.NewHeader(dimensions).WithProfile(k.profile)
	if k.profile == format.Tuned {
		h.VectorBits = int(k.vectorBits)
	} else {
		h.DimensionBits = int(k.dimensionBits)
	}
	return h
}

// valid reports whether there are such files.
func (k kind) valid(dimensions int) bool {
	if k.profile == format.Tuned && k.dimensionBits != 0 || k.profile == format.Paper && k.vectorBits != 0 {
		return false
	}
	return k.profile <= format.Tuned && k.header(dimensions).Validate() == nil && (k.profile == format.Tuned || k.dimensionBits > 0)
}

// A run is of rows that follow one another, and so do their codes.
type run struct {
	kind
	row, n uint32
	first  int // the code of the first row
}

// Counts are the rows of an archive, or of a part of it, by what became of them.
type Counts struct {
	Rows       int64 // all of them, replaced ones too
	Codes      int64 // in the index
	OtherModel int64 // whose file is of another model, or has other dimensions
	Unreadable int64 // whose file cannot be parsed
}

func (c *Counts) add(d Counts) {
	c.Rows += d.Rows
	c.Codes += d.Codes
	c.OtherModel += d.OtherModel
	c.Unreadable += d.Unreadable
}

// An index is the codes of a shard.
type index struct {
	Counts
	words int      // of a code
	codes []uint64 // all, one after the other
	runs  []run

	path    string
	mapping []byte // of the file, or nil
}

// errStale means that a file is not the index that is wanted, and is to be made
// again.
var errStale = errors.New("not the index of this shard")

// openIndex opens the index in a file. The error is errStale for anything but a
// whole index of this key, even if the disk fails to read it, and otherwise that
// of the file system or of ctx. All of the file is read.
func openIndex(ctx context.Context, path string, k key, dimensions int, rows int64) (*index, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, errStale // opening a FIFO would wait for somebody to write to it
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err = f.Stat(); err != nil {
		return nil, err
	}
	size := info.Size()
	if size < headerBytes || size > math.MaxInt {
		return nil, errStale
	}
	header := make([]byte, headerBytes)
	if _, err := f.ReadAt(header, 0); err != nil {
		return nil, errStale // every search would fail until somebody deleted it
	}
	x, err := parseHeader(header, k, dimensions, rows, size)
	if err != nil {
		return nil, err
	}
	x.path = path
	body, err := x.load(f, int(size))
	if err != nil {
		return nil, err
	}
	if err := mmap.Guard(func() error { return x.parse(ctx, header, body, dimensions) }); err != nil {
		x.close()
		return nil, cmp.Or(ctx.Err(), errStale)
	}
	return x, nil
}

// parseHeader checks a header against the key and the size of the file.
func parseHeader(b []byte, k key, dimensions int, rows, size int64) (*index, error) {
	le := binary.LittleEndian
	x := &index{words: (dimensions + 63) / 64}
	x.Rows, x.Codes = int64(le.Uint64(b[16:])), int64(le.Uint64(b[24:]))
	x.OtherModel, x.Unreadable = int64(le.Uint32(b[36:])), int64(le.Uint32(b[40:]))
	runs := int64(le.Uint32(b[32:]))
	switch {
	case string(b[:8]) != magic || le.Uint32(b[8:]) != version || int64(le.Uint32(b[12:])) != int64(dimensions):
	case !bytes.Equal(b[44:52], k.prior[:]) || !bytes.Equal(b[52:84], k.shard[:]):
	case x.Rows != rows || rows > math.MaxUint32 || x.Codes < 0 || x.Codes > rows || runs > x.Codes:
	case size != headerBytes+x.Codes*int64(8*x.words)+runs*runBytes:
	default:
		x.runs = make([]run, runs)
		return x, nil
	}
	return nil, errStale
}

// load maps the file, or reads it, and returns what follows the header.
func (x *index) load(f *os.File, size int) ([]byte, error) {
	data, err := mmap.Map(f, size)
	switch {
	case err == nil:
		x.mapping = data
	case errors.Is(err, errors.ErrUnsupported):
		words := make([]uint64, (size+7)/8)
		data = unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(words))), size)
		if _, err := io.ReadFull(io.NewSectionReader(f, 0, int64(size)), data); err != nil {
			return nil, errStale
		}
	default:
		return nil, err
	}
	n := int(x.Codes) * x.words
	x.codes = unsafe.Slice((*uint64)(unsafe.Pointer(&data[headerBytes-8])), n+1)[1:]
	return data[headerBytes:size], nil
}

// parse compares the checksum of codes and runs, which body consists of, and
// reads the runs.
func (x *index) parse(ctx context.Context, header, body []byte, dimensions int) error {
	sum := uint32(0)
	for part := range slices.Chunk(body, 1<<20) {
		if err := ctx.Err(); err != nil { // a slow disk takes seconds for all of it
			return err
		}
		sum = crc32.Update(sum, crc32.IEEETable, part)
	}
	le := binary.LittleEndian
	if le.Uint32(header[124:]) != checksum(sum, header) {
		return errStale
	}
	b := body[8*len(x.codes):]
	row, first := int64(0), 0
	for i := range x.runs {
		b := b[i*runBytes:][:runBytes]
		r := run{kind{format.Profile(b[8]), b[9], le.Uint32(b[12:])}, le.Uint32(b), le.Uint32(b[4:]), first}
		if int64(r.row) < row || r.n == 0 || le.Uint16(b[10:]) != 0 || !r.valid(dimensions) {
			return errStale
		}
		row, first = int64(r.row)+int64(r.n), first+int(r.n)
		if row > x.Rows || int64(first) > x.Codes {
			return errStale
		}
		x.runs[i] = r
	}
	if int64(first) != x.Codes {
		return errStale
	}
	return nil
}

// maps reports whether an address is one of the file's mapping.
func (x *index) maps(addr uintptr) bool {
	return addr-uintptr(unsafe.Pointer(unsafe.SliceData(x.mapping))) < uintptr(len(x.mapping))
}

func (x *index) close() error {
	if x.mapping == nil {
		return nil
	}
	data := x.mapping
	x.mapping, x.codes = nil, nil
	return mmap.Unmap(data)
}

// checksum returns the checksum of an index for that of its codes and runs,
// which are written before the header is known.
func checksum(body uint32, header []byte) uint32 {
	return crc32.Update(body, crc32.IEEETable, header[:124])
}

// encodeHeader returns the header of an index. body is the checksum of its codes
// and runs.
func (x *index) encodeHeader(k key, dimensions int, body uint32) []byte {
	le := binary.LittleEndian
	b := make([]byte, headerBytes)
	copy(b, magic)
	le.PutUint32(b[8:], version)
	le.PutUint32(b[12:], uint32(dimensions))
	le.PutUint64(b[16:], uint64(x.Rows))
	le.PutUint64(b[24:], uint64(x.Codes))
	le.PutUint32(b[32:], uint32(len(x.runs)))
	le.PutUint32(b[36:], uint32(x.OtherModel))
	le.PutUint32(b[40:], uint32(x.Unreadable))
	copy(b[44:], k.prior[:])
	copy(b[52:], k.shard[:])
	le.PutUint32(b[124:], checksum(body, b))
	return b
}

func encodeRuns(runs []run) []byte {
	le := binary.LittleEndian
	var b []byte
	for _, r := range runs {
		b = le.AppendUint32(b, r.row)
		b = le.AppendUint32(b, r.n)
		b = append(b, byte(r.profile), r.dimensionBits, 0, 0)
		b = le.AppendUint32(b, r.vectorBits)
	}
	return b
}
