package archive

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"slices"
	"sort"
	"strings"
)

const (
	manyParts = 16 // small shards are merged when there are so many
	maxMerge  = 64 // shards that are merged at once, for each takes 1.7 MB, most of it read ahead
)

// gather merges the newest shards into one, if there are at least so many that
// are small: none has more rows than twice those after it together. So a row is
// written again about as often as the number of rows has doubled. Without a lock
// it merges none: the result would be newer than what another process has added
// meanwhile.
func (w *Writer) gather(least int) error {
	if !w.held {
		return nil
	}
	n, rows := 0, int64(0)
	for _, s := range slices.Backward(w.manifest.Shards) {
		if n > 0 && s.Rows > 2*rows || s.Rows > w.opt.ShardRows/2 || n == maxMerge || shardNumber(s.Name) < w.first {
			break
		}
		n, rows = n+1, rows+s.Rows
	}
	least = max(2, least)
	if n >= least {
		n = w.newestKnown(n)
	}
	if n < least {
		return nil
	}
	err := w.merge(w.opt.Context, n, &meter{})
	var damaged *ShardError
	if errors.As(err, &damaged) && w.manifest.has(damaged.Shard) {
		return nil // it stays as it is: the rows that were added are committed
	}
	if ended := w.opt.Context.Err(); ended != nil && errors.Is(err, ended) {
		return nil
	}
	return err
}

// newestKnown returns how many of the newest n shards follow the last that has
// columns of a later program, and so stays as it is.
func (w *Writer) newestKnown(n int) int {
	a := w.Archive()
	defer a.Close()
	shards := a.shards[len(a.shards)-n:]
	for i, s := range slices.Backward(shards) {
		if _, err := s.originToMerge(); errors.Is(err, errOthers) {
			return len(shards) - 1 - i
		}
	}
	return n
}

// merge replaces the newest n shards by what they hold, in order and without
// rows that newer ones replace. Tombstones go if no older shard is left.
//
// Where more than maxMerge shards may have one name, groups of neighbors are
// merged first, into temporary files: a shard of theirs would replace newer rows
// of another group if it were adopted.
func (w *Writer) merge(ctx context.Context, n int, m *meter) error {
	old := w.manifest.Shards[len(w.manifest.Shards)-n:]
	shards, before := old, &merged{}
	for {
		groups := neighbors(shards)
		last := len(groups) == 1
		if m.total = m.done + rowsIn(shards); !last {
			m.total += rowsIn(shards)
		}
		out := &merged{w: w}
		defer out.discard()
		for _, group := range groups {
			if err := out.merge(ctx, group, last && n == len(w.manifest.Shards), m); err != nil {
				return err
			}
		}
		before.discard()
		if last {
			if err := out.publish(); err != nil {
				return err
			}
			var dropped []string
			for _, s := range old {
				dropped = append(dropped, s.Name)
			}
			return w.commit(out.infos(), dropped)
		}
		shards, before = out.infos(), out
	}
}

// neighbors divides shards into groups of neighbors. Of a group, at most
// maxMerge may have one name.
func neighbors(shards []ShardInfo) (groups [][]ShardInfo) {
	for len(shards) > 0 {
		n := sort.Search(len(shards), func(i int) bool { return overlap(shards[:i+1]) > maxMerge })
		groups = append(groups, shards[:n])
		shards = shards[n:]
	}
	return groups
}

// common returns the origin of the rows of shards that are to be merged.
func common(shards []*Shard) (o Origin, err error) {
	for i, s := range shards {
		next, err := s.originToMerge()
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

// merged is the shards that a merge writes. They have temporary names until
// publish.
type merged struct {
	w     *Writer
	part  *part   // being written
	parts []*part // finished
}

// merge adds what shards hold.
func (m *merged) merge(ctx context.Context, infos []ShardInfo, all bool, read *meter) error {
	a := newArchive(os.DirFS(m.w.dir), &Manifest{Fingerprint: m.w.manifest.Fingerprint, Shards: infos})
	defer a.Close()
	origin, err := common(a.shards)
	if err != nil {
		return err
	}
	for row, err := range newest(a.shards, "", read) {
		switch {
		case err != nil:
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		case all && row.Removed():
			continue
		}
		if err := m.add(row, &origin); err != nil {
			return err
		}
	}
	return m.seal()
}

func (m *merged) add(r *Row, o *Origin) (err error) {
	if m.part != nil && m.part.info.Rows >= m.w.opt.ShardRows {
		if err := m.seal(); err != nil {
			return err
		}
	}
	if m.part == nil {
		if m.part, err = newPart(m.w.dir, o); err != nil {
			return err
		}
	}
	return m.part.add(r)
}

func (m *merged) seal() error {
	p := m.part
	if p == nil {
		return nil
	}
	if err := p.finish(); err != nil {
		return err
	}
	p.file.Close()
	p.info.Name = p.temp
	m.parts = append(m.parts, &part{dir: p.dir, temp: p.temp, file: p.file, info: p.info}) // without the buffers
	m.part = nil
	return nil
}

// publish gives the shards their numbers.
func (m *merged) publish() error {
	next := m.w.manifest.Next
	for _, p := range m.parts {
		if err := p.publish(next); err != nil {
			return err
		}
		next = shardNumber(p.info.Name) + 1
	}
	return nil
}

func (m *merged) infos() (infos []ShardInfo) {
	for _, p := range m.parts {
		infos = append(infos, p.info)
	}
	return infos
}

// discard removes what was not published.
func (m *merged) discard() {
	if m.part != nil {
		m.part.discard()
	}
	for _, p := range m.parts {
		p.discard()
	}
}

// Compact rewrites the archive as full shards in one order, without what was
// replaced or removed. It needs as much free space as the archive takes, or twice
// as much where more than 64 shards may have one name. What it replaces is
// deleted at the end; an archive that somebody has open loses it. If ctx ends, the
// archive is as it was, and so it is if a shard has columns of a later program,
// which is a [VersionError]. progress, if not nil, is called with the rows read so
// far and in all. Rows that are read twice count twice.
func (w *Writer) Compact(ctx context.Context, progress func(done, total int64)) error {
	if err := w.Flush(); err != nil {
		return err
	}
	if len(w.manifest.Shards) == 0 {
		return nil
	}
	a := w.Archive()
	defer a.Close()
	if _, err := common(a.shards); err != nil { // before hours of merging
		return inFolder(w.dir, err)
	}
	err := w.merge(ctx, len(w.manifest.Shards), &meter{progress: progress})
	if err == nil || ctx.Err() != nil {
		return err
	}
	w.err = inFolder(w.dir, err) // or Close would try the like again
	return w.err
}

// MaxOverlap is the number of shards that may have one name, as far as
// [Manifest.Overlap] tells, where rows are read in order: each takes a few
// megabytes. [Archive.Find] and [Writer.Compact] work with any number.
const MaxOverlap = 512

// Overlap returns the greatest number of shards that may have one name, as far as
// their first and last names tell.
func (m *Manifest) Overlap() int { return overlap(m.Shards) }

func overlap(shards []ShardInfo) int {
	type edge struct {
		name string
		step int
	}
	var edges []edge
	for _, s := range shards {
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
// of the last archive counts; what one archive has removed, another still has. See
// [Options.Damaged] for shards that cannot be read. A shard with columns of a later
// program is a [VersionError]. progress, if not nil, is called with the rows read
// so far and in all. Nil options are the zero ones. Merge panics if there are no
// archives to merge.
//
// A Merge that fails, or whose ctx ends, commits the rows that it has copied so
// far. The same Merge, called again, copies all of them.
func Merge(ctx context.Context, dir string, from []*Archive, o *Options, progress func(done, total int64)) error {
	if len(from) == 0 {
		panic("archive: Merge of nothing")
	}
	opt := *cmp.Or(o, &Options{})
	opt.Context = ctx
	opt.Origin.Fingerprint = from[0].manifest.Fingerprint
	m := &meter{progress: progress}
	var all []*Shard
	var runs []*run
	for _, a := range from {
		if a.manifest.Fingerprint != opt.Origin.Fingerprint {
			return fmt.Errorf("%w: %s and %s", ErrModel, a.manifest.Fingerprint, opt.Origin.Fingerprint)
		}
		if a.manifest.Overlap() > MaxOverlap { // which is not damage to skip
			return fmt.Errorf("%s: %w", cmp.Or(a.dir, ManifestName), ErrOverlap)
		}
		shards := a.Shards()
		if opt.Damaged != nil {
			shards = slices.DeleteFunc(shards, func(s *Shard) bool { return s.skipped(opt.Damaged) })
		}
		all = append(all, shards...)
		for _, s := range shards {
			m.total += s.Info.Rows
		}
		// A tombstone removes names from its own archive alone.
		runs = append(runs, &run{rows: live(shards, "", m)})
	}
	origin, err := common(all)
	if err != nil {
		return withFolder(err)
	}
	origin.Fingerprint = opt.Origin.Fingerprint
	opt.Origin = origin
	w, err := NewWriter(dir, &opt)
	if err != nil {
		return err
	}
	err = w.addAll(latest(runs))
	if e := w.Close(); e != nil && !errors.Is(err, e) {
		err = errors.Join(err, e)
	}
	return err
}

// skipped reports whether a shard cannot be read, and calls damaged if so.
func (s *Shard) skipped(damaged func(error)) bool {
	_, err := s.Origin()
	if err == nil || errors.Is(err, ErrChanged) {
		return false
	}
	damaged(withFolder(s.located(err)))
	return true
}

// addAll adds rows of other archives.
func (w *Writer) addAll(rows iter.Seq2[*Row, error]) error {
	for row, err := range rows {
		switch {
		case w.opt.Context.Err() != nil:
			return w.opt.Context.Err()
		case err != nil && w.opt.Damaged != nil && !errors.Is(err, ErrChanged):
			w.opt.Damaged(withFolder(err))
			continue
		case err != nil:
			return withFolder(err)
		}
		if err := w.Add(row); err != nil {
			return err
		}
	}
	return nil
}
