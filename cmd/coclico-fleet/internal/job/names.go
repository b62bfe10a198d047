package job

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/parquet-go/parquet-go"

	"github.com/coclico/coclico/cmd/coclico-fleet/internal/bucket"
)

// A nameRow is a source as a list has it.
type nameRow struct {
	Name string `parquet:"name,plain,zstd"`
	Size int64  `parquet:"size,plain,zstd"`
	Time int64  `parquet:"time,timestamp(millisecond),plain,zstd"`
	ETag string `parquet:"etag,plain,zstd"`
}

func listName(id string, n int) string { return fmt.Sprintf("_job/names-%s-%08d.parquet", id, n) }

// maxList is the size of the largest list: of the longest names.
const maxList = 128 << 20

// encodeList returns the file of a list.
func encodeList(rows []nameRow) ([]byte, error) {
	var b bytes.Buffer
	w := parquet.NewGenericWriter[nameRow](&b)
	if _, err := w.Write(rows); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// decodeList reads the file of a list whose SHA-256 is the job's, so that it is
// what Write has written: parquet-go trusts the sizes in a file.
func decodeList(data []byte, l List) (rows []nameRow, err error) {
	sum := sha256.Sum256(data)
	if hex.EncodeToString(sum[:]) != l.SHA256 {
		return nil, errors.New("is damaged: its SHA-256 is not the job's")
	}
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("is damaged: %v", r)
		}
	}()
	rows, err = parquet.Read[nameRow](bytes.NewReader(data), int64(len(data)))
	if err == nil && len(rows) != l.Rows {
		err = errors.New("is damaged: it has another number of names")
	}
	return rows, err
}

// Names reads the names of a job's chunks. Its methods may be called
// concurrently.
type Names struct {
	job *Job
	out *bucket.Bucket

	mu   sync.Mutex
	last int // the list in memory
	rows []nameRow
}

// Names returns the names of the job of a bucket.
func (j *Job) Names(out *bucket.Bucket) *Names { return &Names{job: j, out: out, last: -1} }

// Chunk returns the sources of a chunk, in the order of their names.
func (n *Names) Chunk(ctx context.Context, chunk int) ([]bucket.Object, error) {
	j := n.job
	if chunk < 0 || chunk >= j.Chunks() {
		return nil, fmt.Errorf("chunk %d: the job has %d", chunk, j.Chunks())
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	each := j.Rows / j.Chunk
	if list := chunk / each; list != n.last {
		l := j.Lists[list]
		data, _, err := n.out.Get(ctx, l.Name, maxList)
		if err != nil {
			return nil, err
		}
		rows, err := decodeList(data, l)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", l.Name, err)
		}
		n.last, n.rows = list, rows
	}
	at := chunk % each * j.Chunk
	objects := make([]bucket.Object, 0, j.Chunk)
	for _, r := range n.rows[at:min(at+j.Chunk, len(n.rows))] {
		objects = append(objects, bucket.Object{Name: r.Name, Size: r.Size, Time: time.UnixMilli(r.Time).UTC(), ETag: r.ETag})
	}
	return objects, nil
}
