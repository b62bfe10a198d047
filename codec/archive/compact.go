package archive

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

const (
	manyParts = 16 // small shards are merged when there are so many
	maxMerge  = 64 // shards that are merged at once, for each takes half a megabyte
)

// gather merges the newest shards into one, if there are at least so many that
// are small: none has more rows than twice those after it together. So a row is
// written again about as often as the number of rows has doubled.
func (w *Writer) gather(least int) error {
	n, rows := 0, int64(0)
	for _, s := range slices.Backward(w.manifest.Shards) {
		if n > 0 && s.Rows > 2*rows || s.Rows > w.opt.ShardRows/2 || n == maxMerge || shardNumber(s.Name) < w.first {
			break
		}
		n, rows = n+1, rows+s.Rows
	}
	if n < max(2, least) {
		return nil
	}
	return w.merge(context.Background(), n, nil)
}

// merge replaces the newest n shards by what they hold, in order and without
// rows that newer ones replace. Tombstones go if no older shard is left.
func (w *Writer) merge(ctx context.Context, n int, m *meter) error {
	a := w.Archive()
	defer a.Close()
	old := a.shards[len(a.shards)-n:]
	all := n == len(a.shards)
	origin, err := common(old)
	if err != nil {
		return err
	}
	out := &merged{w: w, origin: origin}
	defer out.discard()
	for row, err := range newest(old, "", m) {
		switch {
		case err != nil:
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		case all && row.Removed():
			continue
		}
		if err := out.add(row); err != nil {
			return err
		}
	}
	if err := out.seal(); err != nil {
		return err
	}
	var dropped []string
	for _, s := range old {
		dropped = append(dropped, s.Info.Name)
	}
	return w.commit(out.infos, dropped)
}

// common returns what the origins of shards have in common.
func common(shards []*Shard) (o Origin, err error) {
	for i, s := range shards {
		next, err := s.Origin()
		if err != nil {
			return o, s.located(err)
		}
		if i > 0 {
			next = o.both(next)
		}
		o = next
	}
	return o, nil
}

// merged is the shards that a merge writes.
type merged struct {
	w      *Writer
	origin Origin
	part   *part
	infos  []ShardInfo
}

func (m *merged) add(r *Row) (err error) {
	if m.part != nil && m.part.info.Rows >= m.w.opt.ShardRows {
		if err := m.seal(); err != nil {
			return err
		}
	}
	if m.part == nil {
		if m.part, err = newPart(m.w.dir, &m.origin); err != nil {
			return err
		}
	}
	return m.part.add(r)
}

func (m *merged) seal() error {
	if m.part == nil {
		return nil
	}
	err := m.part.finish()
	if err == nil {
		err = m.part.publish(m.w.manifest.Next)
	}
	if err != nil {
		return err
	}
	m.infos = append(m.infos, m.part.info)
	m.part = nil
	return nil
}

func (m *merged) discard() {
	if m.part != nil {
		m.part.discard()
	}
}

// Compact rewrites the archive as full shards in one order, without what was
// replaced or removed. It needs as much free space as the archive takes. What it
// replaces is deleted at the end; an archive that somebody has open loses it.
// If ctx ends, the archive is as it was. progress, if not nil, is called with the
// rows read so far and in all. Rows that are read twice count twice.
func (w *Writer) Compact(ctx context.Context, progress func(done, total int64)) error {
	if err := w.Flush(); err != nil {
		return err
	}
	m := &meter{progress: progress}
	for w.manifest.Overlap() > maxMerge {
		if err := w.merge(ctx, min(maxMerge, len(w.manifest.Shards)), m); err != nil {
			return err
		}
	}
	if len(w.manifest.Shards) == 0 {
		return nil
	}
	for _, s := range w.manifest.Shards {
		m.total += s.Rows
	}
	return w.merge(ctx, len(w.manifest.Shards), m)
}

// Overlap returns the greatest number of shards that may have one name, as far as
// their first and last names tell.
func (m *Manifest) Overlap() int {
	type edge struct {
		name string
		step int
	}
	var edges []edge
	for _, s := range m.Shards {
		edges = append(edges, edge{s.First, 1}, edge{s.Last, -1})
	}
	slices.SortFunc(edges, func(a, b edge) int {
		if c := strings.Compare(a.name, b.name); c != 0 {
			return c
		}
		return b.step - a.step
	})
	depth, now := 0, 0
	for _, e := range edges {
		now += e.step
		depth = max(depth, now)
	}
	return depth
}

// Merge adds the rows of archives to the one in a folder. It creates that one if
// necessary, and it must not be among the others. Of several rows of one name, that
// of the last archive counts. See [Options.Damaged] for shards that cannot be
// read. progress, if not nil, is called with the rows read so far and in all.
func Merge(ctx context.Context, dir string, from []*Archive, o *Options, progress func(done, total int64)) error {
	if len(from) == 0 {
		panic("archive: Merge of nothing")
	}
	opt := *o
	opt.Origin.Fingerprint = from[0].manifest.Fingerprint
	var shards []*Shard
	for _, a := range from {
		if a.manifest.Fingerprint != opt.Origin.Fingerprint {
			return fmt.Errorf("%w: %s and %s", ErrModel, a.manifest.Fingerprint, opt.Origin.Fingerprint)
		}
		shards = append(shards, a.shards...)
	}
	if o.Damaged != nil {
		shards = slices.DeleteFunc(shards, func(s *Shard) bool {
			_, err := s.Origin()
			if err != nil {
				o.Damaged(withFolder(s.located(err)))
			}
			return err != nil
		})
	}
	origin, err := common(shards)
	if err != nil {
		return withFolder(err)
	}
	origin.Fingerprint = opt.Origin.Fingerprint
	opt.Origin = origin
	w, err := NewWriter(dir, &opt)
	if err != nil {
		return err
	}
	defer w.Close()
	m := &meter{total: rowsIn(shards), progress: progress}
	for row, err := range newest(shards, "", m) {
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil && o.Damaged != nil:
			o.Damaged(withFolder(err))
			continue
		case err != nil:
			return withFolder(err)
		case row.Removed():
			continue
		}
		if err := w.Add(row); err != nil {
			return err
		}
	}
	return w.Close()
}
