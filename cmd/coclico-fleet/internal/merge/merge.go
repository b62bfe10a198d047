// Package merge makes an archive of the parts of a job: shards of a million rows,
// in the order of the names, and their manifest, as package archive specifies.
package merge

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"

	"github.com/coclico/coclico/cmd/coclico-fleet/internal/bucket"
	"github.com/coclico/coclico/cmd/coclico-fleet/internal/job"
	"github.com/coclico/coclico/cmd/coclico-fleet/internal/worker"
	"github.com/coclico/coclico/codec/archive"
)

// ErrIncomplete means that chunks of a job are not done.
var ErrIncomplete = errors.New("the job is not done")

// maxShard is more than a shard can have.
const maxShard = 4 << 30

// A Stage is a half of a merge.
type Stage string

const (
	Checking Stage = "checking" // all parts are read before anything is written
	Writing  Stage = "writing"
)

// Merge writes the archive of a job beside its parts: the shards, and then the
// manifest. It reads each shard back. It needs the memory of one shard and no
// disk.
//
// An archive of an earlier merge is replaced: its manifest is removed first, and
// its surplus shards last. A part that is wrong is an error before that. If Merge
// is interrupted it can be called again, and writes the same.
// Progress, if not nil, is called after each chunk of a stage.
func Merge(ctx context.Context, j *job.Job, out *bucket.Bucket, shardRows int64, progress func(s Stage, chunk int)) (*archive.Manifest, error) {
	missing, err := job.Missing(ctx, j, out)
	if err != nil {
		return nil, err
	}
	if len(missing) > 0 {
		return nil, fmt.Errorf("%w: %d of %d chunks are missing", ErrIncomplete, len(missing), j.Chunks())
	}
	m := &merger{job: j, out: out, names: j.Names(out), progress: progress}
	shards, err := m.plan(ctx, int(max(1, shardRows/int64(j.Chunk))))
	if err != nil {
		return nil, err
	}
	if err := out.Remove(ctx, archive.ManifestName); err != nil {
		return nil, err
	}
	infos := make([]archive.ShardInfo, len(shards))
	for i, s := range shards {
		if infos[i], err = m.write(ctx, archive.ShardName(i), s); err != nil {
			return nil, err
		}
	}
	if err := removeFrom(ctx, out, len(shards)); err != nil {
		return nil, err
	}
	manifest, data, err := archive.NewManifest(j.Fingerprint, infos)
	if err != nil {
		return nil, err
	}
	if err := out.Replace(ctx, archive.ManifestName, data); err != nil {
		return nil, err
	}
	for _, prefix := range []string{"", job.PartPrefix, job.ErrorPrefix, job.TryPrefix, job.Pictures} {
		out.Tidy(ctx, prefix)
	}
	return manifest, nil
}

// removeFrom removes the shards of an earlier merge from a number on. Whoever
// adds to the archive would take them for its newest.
func removeFrom(ctx context.Context, out *bucket.Bucket, first int) error {
	var names []string
	for o, err := range out.List(ctx, "part-") {
		if err != nil {
			return err
		}
		var n int
		if _, err := fmt.Sscanf(o.Name, "part-%8d", &n); err == nil && n >= first && o.Name == archive.ShardName(n) {
			names = append(names, o.Name)
		}
	}
	for _, name := range names {
		if err := out.Remove(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

type merger struct {
	job      *job.Job
	out      *bucket.Bucket
	names    *job.Names
	progress func(Stage, int)
}

// done reports a chunk.
func (m *merger) done(s Stage, chunk int) {
	if m.progress != nil {
		m.progress(s, chunk)
	}
}

// A shard is some chunks, and how their rows were made.
type shard struct {
	from, to int
	origin   archive.Origin
}

// plan reads all parts and returns the shards of so many chunks each.
func (m *merger) plan(ctx context.Context, each int) (shards []shard, err error) {
	for from := 0; from < m.job.Chunks(); from += each {
		s := shard{from: from, to: min(from+each, m.job.Chunks())}
		if s.origin, err = m.origin(ctx, s.from, s.to); err != nil {
			return nil, err
		}
		shards = append(shards, s)
	}
	return shards, nil
}

// origin returns how the rows of some chunks were made: with all their kernels.
func (m *merger) origin(ctx context.Context, from, to int) (all archive.Origin, err error) {
	var kernels []string
	for chunk := from; chunk < to; chunk++ {
		o, _, err := m.chunk(ctx, chunk)
		if err != nil {
			return all, err
		}
		if chunk == from {
			all = o
		}
		kernels = append(kernels, o.Kernels)
		m.done(Checking, chunk)
	}
	slices.Sort(kernels)
	all.Kernels = strings.Join(slices.Compact(kernels), ", ")
	return all, nil
}

// write writes a shard and reads it back.
func (m *merger) write(ctx context.Context, name string, s shard) (info archive.ShardInfo, err error) {
	err = m.out.ReplaceFrom(ctx, name, func(w io.Writer) (err error) {
		info, err = archive.WriteShard(w, &s.origin, m.rows(ctx, s.from, s.to))
		return err
	})
	if err != nil {
		return info, err
	}
	info.Name = name
	data, _, err := m.out.Get(ctx, name, maxShard)
	if err != nil {
		return info, err
	}
	if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != info.SHA256 {
		return info, fmt.Errorf("%s: was not written as it was meant", name)
	}
	return info, nil
}

// rows yields the rows of some chunks.
func (m *merger) rows(ctx context.Context, from, to int) iter.Seq2[*archive.Row, error] {
	return func(yield func(*archive.Row, error) bool) {
		for chunk := from; chunk < to; chunk++ {
			_, rows, err := m.chunk(ctx, chunk)
			if err != nil {
				yield(nil, err)
				return
			}
			for _, r := range rows {
				if !yield(r, nil) {
					return
				}
			}
			m.done(Writing, chunk)
		}
	}
}

// chunk returns the rows of a chunk, which must be the job's, name by name, and
// how they were made.
func (m *merger) chunk(ctx context.Context, chunk int) (o archive.Origin, rows []*archive.Row, err error) {
	sources, err := m.names.Chunk(ctx, chunk)
	if err != nil {
		return o, nil, err
	}
	if o, rows, err = worker.ReadPart(ctx, m.out, chunk); err != nil {
		return o, nil, err
	}
	switch {
	case o.Fingerprint != m.job.Fingerprint:
		err = archive.ErrModel
	case len(rows) != len(sources):
		err = fmt.Errorf("has %d rows of %d", len(rows), len(sources))
	default:
		for i, r := range rows {
			if r.Name != sources[i].Name {
				err = fmt.Errorf("row %d is of another name than the job's", i)
				break
			}
		}
	}
	if err != nil {
		return o, nil, &worker.PartError{Name: job.PartName(chunk), Err: err}
	}
	return o, rows, nil
}
