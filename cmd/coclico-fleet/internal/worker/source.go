package worker

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"time"

	"github.com/coclico/coclico/cmd/coclico-fleet/internal/bucket"
)

// A Source is the bucket of a job's pictures, or of the files to paint.
type Source struct{ Bucket *bucket.Bucket }

// A withheldError is the reason why a source did not return a picture. It is the
// picture's only if the source returns others: a worker without the right to read
// a bucket, or whose bucket or disk is gone, is told the same of every picture.
type withheldError struct {
	reason PictureError
	err    error
}

func (e *withheldError) Error() string { return e.err.Error() }
func (e *withheldError) Unwrap() error { return e.err }

// read reads a picture, which must be what was listed. It reads no more than the
// size that was listed, for which the caller has reserved memory.
func (s Source) read(ctx context.Context, o bucket.Object, limit int64) ([]byte, error) {
	if o.Size > limit {
		return nil, PictureError(fmt.Sprintf("has %d bytes; at most %d are read", o.Size, limit))
	}
	data, now, err := s.Bucket.Get(ctx, o.Name, o.Size)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, &withheldError{"is no longer in the source", err}
	case errors.Is(err, fs.ErrPermission):
		return nil, &withheldError{"may not be read: permission denied", err}
	case errors.Is(err, bucket.ErrLong): // it has grown
		return nil, PictureError("has changed since the job was planned")
	case err != nil:
		return nil, err
	case now.Size != o.Size || !sameSecond(now.Time, o.Time):
		return nil, PictureError("has changed since the job was planned")
	}
	return data, nil
}

// sameSecond compares times of stores that say more in a listing than elsewhere.
func sameSecond(a, b time.Time) bool { return a.Unix() == b.Unix() }

// Reads implements [Maker].
func (s Source) Reads(ctx context.Context, name string) bool {
	_, _, err := s.Bucket.Get(ctx, name, 0) // none of its bytes
	return err == nil || errors.Is(err, bucket.ErrLong)
}

// probes is how many pictures of a list are asked for, to learn whether the source
// returns any.
const probes = 10

// blame returns the error of a picture that the source did not return: a
// [PictureError] if the source returns another one now, whether it is the one
// that this worker has read last, or one of a few of the chunk's list and of
// another, at random.
func (w *Worker) blame(ctx context.Context, t *attempt, i int, withheld *withheldError) error {
	if last := w.read.Load(); last != nil && w.Maker.Reads(ctx, *last) {
		return withheld.reason
	}
	for _, chunk := range []int{t.chunk, rand.N(w.Job.Chunks())} {
		others, err := w.names.Sample(ctx, chunk, probes)
		if err != nil {
			return err
		}
		for _, o := range others {
			if o.Name != t.sources[i].Name && w.Maker.Reads(ctx, o.Name) {
				w.read.Store(&o.Name)
				return withheld.reason
			}
		}
	}
	return fmt.Errorf("the source returns none of those asked for, so that no picture is blamed; see to its place and this worker's right to read it: %w", withheld)
}
