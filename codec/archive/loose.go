package archive

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/parquet-go/parquet-go"
)

// WriteShard writes rows, which must be in the order of their names, as a shard
// that belongs to no folder: for an archive in an object store, whose objects
// appear whole or not at all, and which no [Writer] can lock. The ShardInfo has
// no name yet. An error of rows ends the shard and is returned; what was written
// must then be thrown away. A shard needs at least one row.
func WriteShard(w io.Writer, o *Origin, rows iter.Seq2[*Row, error]) (ShardInfo, error) {
	if err := o.check(); err != nil {
		return ShardInfo{}, err
	}
	hash := sha256.New()
	p := &part{batch: make([]parquetRow, 0, batchRows)}
	p.buffer = bufio.NewWriterSize(countingWriter{io.MultiWriter(w, hash), &p.bytes}, pageBytes)
	p.writer = parquet.NewGenericWriter[parquetRow](p.buffer, shardOptions(o)...)
	for r, err := range rows {
		if err == nil {
			err = r.check()
		}
		if err == nil && r.Name <= p.info.Last {
			err = errOrder
		}
		if err == nil {
			err = p.add(r)
		}
		if err != nil {
			return ShardInfo{}, err
		}
	}
	if p.info.Rows == 0 {
		return ShardInfo{}, errEmpty
	}
	if err := p.flush(); err != nil {
		return ShardInfo{}, err
	}
	if err := p.writer.Close(); err != nil {
		return ShardInfo{}, err
	}
	if err := p.buffer.Flush(); err != nil {
		return ShardInfo{}, err
	}
	p.info.Bytes, p.info.SHA256 = p.bytes, hex.EncodeToString(hash.Sum(nil))
	return p.info, nil
}

// A countingWriter counts what is written.
type countingWriter struct {
	io.Writer
	n *int64
}

func (w countingWriter) Write(b []byte) (int, error) {
	n, err := w.Writer.Write(b)
	*w.n += int64(n)
	return n, err
}

// ReadShard reads a shard that belongs to no folder, as WriteShard writes it. The
// rows are those of [Shard.Rows].
func ReadShard(r io.ReaderAt, size int64) (Origin, iter.Seq2[*Row, error], error) {
	foot, err := readFooter(r, size)
	if err != nil {
		return Origin{}, nil, err
	}
	o, err := originOf(foot.notes)
	if err != nil {
		return Origin{}, nil, err
	}
	return o, func(yield func(*Row, error) bool) {
		for n, err := range scan(r, foot, 0, allColumns) {
			if err != nil {
				yield(nil, err)
				return
			}
			row := n.row
			if !yield(&row, nil) {
				return
			}
		}
	}, nil
}

// NewManifest returns the manifest of shards that [WriteShard] wrote, the oldest
// first, and its JSON. The shards' names are numbered from 0, see [ShardName].
func NewManifest(fingerprint string, shards []ShardInfo) (*Manifest, []byte, error) {
	m := &Manifest{Version: Version, Fingerprint: fingerprint, Next: len(shards), Shards: shards}
	for i := range m.Shards {
		if m.Shards[i].Name != ShardName(i) {
			return nil, nil, errNumbers
		}
	}
	if err := m.check(); err != nil {
		return nil, nil, err
	}
	data, err := m.encode()
	return m, data, err
}

// ShardName returns the name of a shard's file. It panics if an archive has no
// such number.
func ShardName(n int) string {
	if n < 0 || n >= maxShards {
		panic(fmt.Sprintf("archive: shard number %d", n))
	}
	return shardName(n)
}

var errEmpty = errors.New("a shard without rows")
