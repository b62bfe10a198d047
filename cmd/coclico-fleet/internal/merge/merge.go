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

// Merge writes the archive of a job beside its parts: the shards, and then the
// manifest. It reads each shard back. It needs the memory of one shard and no
// disk. If it is interrupted it can be called again, and writes the same.
func Merge(ctx context.Context, j *job.Job, out *bucket.Bucket, shardRows int64, progress func(chunk int)) (*archive.Manifest, error) {
	missing, err := job.Missing(ctx, j, out)
	if err != nil {
		return nil, err
	}
	if len(missing) > 0 {
		return nil, fmt.Errorf("%w: %d of %d chunks are missing", ErrIncomplete, len(missing), j.Chunks())
	}
	m := &merger{ctx: ctx, job: j, out: out, names: j.Names(out), progress: progress}
	var shards []archive.ShardInfo
	each := int(max(1, shardRows/int64(j.Chunk))) // chunks of a shard
	for from := 0; from < j.Chunks(); from += each {
		info, err := m.shard(archive.ShardName(len(shards)), from, min(from+each, j.Chunks()))
		if err != nil {
			return nil, err
		}
		shards = append(shards, info)
	}
	manifest, data, err := archive.NewManifest(j.Fingerprint, shards)
	if err != nil {
		return nil, err
	}
	return manifest, out.Replace(ctx, archive.ManifestName, data)
}

type merger struct {
	ctx      context.Context
	job      *job.Job
	out      *bucket.Bucket
	names    *job.Names
	progress func(int)
}

// shard writes the shard of some chunks, and reads it back.
func (m *merger) shard(name string, from, to int) (info archive.ShardInfo, err error) {
	origin, err := m.origin(from, to)
	if err != nil {
		return info, err
	}
	err = m.out.ReplaceFrom(m.ctx, name, func(w io.Writer) (err error) {
		info, err = archive.WriteShard(w, &origin, m.rows(from, to))
		return err
	})
	if err != nil {
		return info, err
	}
	info.Name = name
	data, _, err := m.out.Get(m.ctx, name, maxShard)
	if err != nil {
		return info, err
	}
	if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != info.SHA256 {
		return info, fmt.Errorf("%s: was not written as it was meant", name)
	}
	return info, nil
}

// origin returns how the rows of some chunks were made: with all their kernels.
func (m *merger) origin(from, to int) (archive.Origin, error) {
	var all archive.Origin
	var kernels []string
	for chunk := from; chunk < to; chunk++ {
		o, _, err := worker.ReadPart(m.ctx, m.out, chunk)
		if err != nil {
			return all, broken(err)
		}
		if chunk == from {
			all = o
		}
		if o.Fingerprint != m.job.Fingerprint {
			return all, fmt.Errorf("%s: %w", job.PartName(chunk), archive.ErrModel)
		}
		kernels = append(kernels, o.Kernels)
	}
	slices.Sort(kernels)
	all.Kernels = strings.Join(slices.Compact(kernels), ", ")
	return all, nil
}

// rows yields the rows of some chunks. They must be the job's, name by name.
func (m *merger) rows(from, to int) iter.Seq2[*archive.Row, error] {
	return func(yield func(*archive.Row, error) bool) {
		for chunk := from; chunk < to; chunk++ {
			rows, err := m.chunk(chunk)
			if err != nil {
				yield(nil, err)
				return
			}
			for _, r := range rows {
				if !yield(r, nil) {
					return
				}
			}
			if m.progress != nil {
				m.progress(chunk)
			}
		}
	}
}

func (m *merger) chunk(chunk int) ([]*archive.Row, error) {
	sources, err := m.names.Chunk(m.ctx, chunk)
	if err != nil {
		return nil, err
	}
	_, rows, err := worker.ReadPart(m.ctx, m.out, chunk)
	if err != nil {
		return nil, broken(err)
	}
	if len(rows) != len(sources) {
		return nil, broken(fmt.Errorf("%s: has %d rows of %d", job.PartName(chunk), len(rows), len(sources)))
	}
	for i, r := range rows {
		if r.Name != sources[i].Name {
			return nil, broken(fmt.Errorf("%s: row %d is of another name than the job's", job.PartName(chunk), i))
		}
	}
	return rows, nil
}

// broken adds what to do to an error of a part.
func broken(err error) error {
	return fmt.Errorf("%w: remove it, and coclico-fleet run makes it again", err)
}
