package job

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
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
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := n.load(ctx, chunk); err != nil {
		return nil, err
	}
	at := chunk % n.each() * n.job.Chunk
	objects := make([]bucket.Object, 0, n.job.Chunk)
	for _, r := range n.rows[at:min(at+n.job.Chunk, len(n.rows))] {
		objects = append(objects, r.object())
	}
	return objects, nil
}

// Sample returns at most count sources, evenly spread over the list that has the
// names of a chunk, and others each time.
func (n *Names) Sample(ctx context.Context, chunk, count int) ([]bucket.Object, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := n.load(ctx, chunk); err != nil {
		return nil, err
	}
	step := (len(n.rows) + count - 1) / count
	var objects []bucket.Object
	for at := rand.N(step); at < len(n.rows); at += step {
		objects = append(objects, n.rows[at].object())
	}
	return objects, nil
}

// each returns the number of chunks of a list.
func (n *Names) each() int { return n.job.Rows / n.job.Chunk }

// load reads the list of a chunk, unless it is in memory.
func (n *Names) load(ctx context.Context, chunk int) error {
	if chunk < 0 || chunk >= n.job.Chunks() {
		return fmt.Errorf("chunk %d: the job has %d", chunk, n.job.Chunks())
	}
	list := chunk / n.each()
	if list == n.last {
		return nil
	}
	l := n.job.Lists[list]
	data, _, err := n.out.Get(ctx, l.Name, maxList)
	if err != nil {
		return err
	}
	rows, err := decodeList(data, l)
	if err != nil {
		return fmt.Errorf("%s: %w", l.Name, err)
	}
	n.last, n.rows = list, rows
	return nil
}

// object returns the source of a row.
func (r nameRow) object() bucket.Object {
	return bucket.Object{Name: r.Name, Size: r.Size, Time: time.UnixMilli(r.Time).UTC(), ETag: r.ETag}
}
