package worker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"

	"github.com/coclico/coclico/cmd/coclico-fleet/internal/bucket"
	"github.com/coclico/coclico/cmd/coclico-fleet/internal/job"
	"github.com/coclico/coclico/codec/archive"
)

// maxPart is the size of the largest part: of the largest chunk, of the longest
// files.
const maxPart = 1 << 30

// A PartError reports a part that is damaged, or not the job's.
type PartError struct {
	Name string
	Err  error
}

func (e *PartError) Error() string {
	return fmt.Sprintf("%s: %v: remove it, and coclico-fleet run makes it again", e.Name, e.Err)
}

func (e *PartError) Unwrap() error { return e.Err }

// ReadPart returns the rows of a chunk that is done, and how they were made. The
// error of a part that can be read and is wrong is a [*PartError].
func ReadPart(ctx context.Context, out *bucket.Bucket, chunk int) (archive.Origin, []*archive.Row, error) {
	name := job.PartName(chunk)
	data, _, err := out.Get(ctx, name, maxPart)
	if err == nil && len(data) == 0 {
		err = fmt.Errorf("%s: %w", name, fs.ErrNotExist) // as for job.Missing
	}
	if err != nil {
		return archive.Origin{}, nil, err
	}
	o, seq, err := archive.ReadShard(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return o, nil, &PartError{name, err}
	}
	var rows []*archive.Row
	for r, err := range seq {
		if err != nil {
			return o, nil, &PartError{name, err}
		}
		rows = append(rows, r)
	}
	return o, rows, nil
}

// A FailedChunk is a chunk that has rows with errors.
type FailedChunk struct {
	Chunk    int
	Failures []Failure

	origin archive.Origin
	rows   []*archive.Row
}

// FailedChunks returns the chunks that are done and have rows with errors. A list
// of errors may be of a worker that another one was faster than: the part's rows
// count.
func FailedChunks(ctx context.Context, j *job.Job, out *bucket.Bucket) iter.Seq2[*FailedChunk, error] {
	return func(yield func(*FailedChunk, error) bool) {
		for o, err := range out.List(ctx, job.ErrorPrefix) {
			if err != nil {
				yield(nil, err)
				return
			}
			chunk, ok := j.ChunkOf(o.Name)
			if !ok {
				continue
			}
			f := &FailedChunk{Chunk: chunk}
			if f.origin, f.rows, err = ReadPart(ctx, out, chunk); errors.Is(err, fs.ErrNotExist) {
				continue
			} else if err != nil {
				yield(nil, err)
				return
			}
			for _, r := range f.rows {
				if r.Error != "" {
					f.Failures = append(f.Failures, Failure{r.Name, r.Error})
				}
			}
			if f.Failures != nil && !yield(f, nil) {
				return
			}
		}
	}
}

// CountFailed returns the number of rows with errors.
func CountFailed(ctx context.Context, j *job.Job, out *bucket.Bucket) (n int, err error) {
	for f, err := range FailedChunks(ctx, j, out) {
		if err != nil {
			return n, err
		}
		n += len(f.Failures)
	}
	return n, nil
}

// Retry has a chunk done again, except the rows without errors. If it is
// interrupted it can be called again.
func (f *FailedChunk) Retry(ctx context.Context, out *bucket.Bucket) error {
	if err := Forget(ctx, out, f.Chunk); err != nil {
		return err
	}
	t := &attempt{out: out, origin: &f.origin, chunk: f.Chunk, rows: f.rows}
	if err := t.keep(ctx); err != nil {
		return err
	}
	for _, name := range []string{job.DoneName, job.PartName(f.Chunk), job.ErrorName(f.Chunk)} {
		if err := out.Remove(ctx, name); err != nil {
			return err
		}
	}
	return nil
}
