package job

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"path"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/coclico/coclico/cmd/coclico-fleet/internal/bucket"
)

// pictureEndings are the endings of the names that are taken for a picture's: a
// bucket of millions of objects is listed, not read.
var pictureEndings = []string{".png", ".jpg", ".jpeg", ".gif", ".webp", ".tif", ".tiff", ".bmp", ".heic", ".heif", ".hif", ".avif"}

// FileExt is the ending of the names that are taken for a file's, to be painted.
const FileExt = ".coclico"

// wants reports whether a name is of a source.
func (j *Job) wants(name string) bool {
	if strings.HasPrefix(path.Base(name), ".") {
		return false
	}
	ext := strings.ToLower(path.Ext(name))
	if j.Decode {
		return ext == FileExt
	}
	return slices.Contains(pictureEndings, ext)
}

// A Summary is what a listing found besides the sources.
type Summary struct {
	Others  int64  // objects that are no sources by their names
	Unnamed int64  // sources whose names are not UTF-8, or too long
	Example string // one of them
}

// defaultChunk returns the pictures of a chunk, if the user gives none: ten
// minutes of work of a machine with the real model, but enough chunks for a small
// job to be shared.
func (j *Job) defaultChunk() int {
	most := int64(256)
	if j.Paints {
		most = 8
	}
	return int(max(1, min(most, j.Pictures/64)))
}

// ErrNothing means that a source has nothing to do.
var ErrNothing = errors.New("nothing to do")

// Write writes the job of a listing, see [bucket.Bucket.List], to the bucket of
// its results. The caller has set what is not counted, and Chunk, or 0 for a
// default. A bucket has one job: for a second the error is [fs.ErrExist].
func Write(ctx context.Context, j *Job, listing iter.Seq2[bucket.Object, error], out *bucket.Bucket, progress func(int64)) (Summary, error) {
	var sum Summary
	if found, err := out.Has(ctx, Name); err != nil || found {
		if err == nil {
			err = fmt.Errorf("%s: %w", Name, fs.ErrExist)
		}
		return sum, err
	}
	j.Version, j.ID = Version, strings.ToLower(rand.Text()[:10])
	j.Planned = time.Now().UTC().Truncate(time.Second)
	w := &listWriter{ctx: ctx, job: j, out: out}
	last := ""
	for o, err := range listing {
		if err != nil {
			return sum, err
		}
		switch {
		case !j.wants(o.Name):
			sum.Others++
			continue
		case !utf8.ValidString(o.Name) || strings.ContainsRune(o.Name, utf8.RuneError) || len(o.Name) > bucket.MaxName:
			sum.Unnamed++
			sum.Example = o.Name
			continue
		case o.Name <= last:
			return sum, fmt.Errorf("%s: not listed in the order of the names: %q after %q", j.Source, o.Name, last)
		}
		last = o.Name
		if err := w.add(o); err != nil {
			return sum, err
		}
		if progress != nil && j.Pictures%1000 == 0 {
			progress(j.Pictures)
		}
	}
	if err := w.close(); err != nil {
		return sum, err
	}
	data, err := j.encode()
	if err != nil {
		return sum, err
	}
	return sum, out.Put(ctx, Name, data)
}

// A listWriter writes the lists of a job. The names of the first one are in
// memory until the size of a chunk is known.
type listWriter struct {
	ctx  context.Context
	job  *Job
	out  *bucket.Bucket
	rows []nameRow
}

func (w *listWriter) add(o bucket.Object) error {
	w.rows = append(w.rows, nameRow{o.Name, o.Size, o.Time.UnixMilli(), o.ETag})
	w.job.Pictures++
	w.job.Bytes += o.Size
	if len(w.rows) < listRows {
		return nil
	}
	w.decide()
	return w.flush(w.job.Rows)
}

// decide chooses the size of a chunk, and of a list.
func (w *listWriter) decide() {
	j := w.job
	if j.Rows != 0 {
		return
	}
	if j.Chunk == 0 {
		j.Chunk = j.defaultChunk()
	}
	j.Rows = listRows / j.Chunk * j.Chunk
}

// flush writes the first n rows as a list.
func (w *listWriter) flush(n int) error {
	data, err := encodeList(w.rows[:n])
	if err != nil {
		return err
	}
	j := w.job
	sum := sha256.Sum256(data)
	l := List{Name: listName(j.ID, len(j.Lists)), Rows: n, SHA256: hex.EncodeToString(sum[:])}
	if err := w.out.Put(w.ctx, l.Name, data); err != nil && !errors.Is(err, fs.ErrExist) {
		return err // the name has the job's ID: if it exists, a try that failed has written it
	}
	j.Lists = append(j.Lists, l)
	w.rows = append(w.rows[:0], w.rows[n:]...)
	return nil
}

func (w *listWriter) close() error {
	if w.job.Pictures == 0 {
		return ErrNothing
	}
	w.decide()
	for len(w.rows) > 0 {
		if err := w.flush(min(len(w.rows), w.job.Rows)); err != nil {
			return err
		}
	}
	if w.job.Pictures > maxChunks*int64(w.job.Chunk) {
		return fmt.Errorf("more than %d chunks: make them larger", maxChunks)
	}
	return nil
}
