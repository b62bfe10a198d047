package search

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"time"

	"github.com/coclico/coclico/codec/archive"
	"github.com/coclico/coclico/codec/format"
	"github.com/coclico/coclico/codec/quant"
	"github.com/coclico/coclico/internal/mmap"
)

const (
	// Folder is the name of the folder of an archive's indexes, if it is beside
	// the shards.
	Folder = "_search"

	extension = ".index"
)

// Options configures Open.
type Options struct {
	// Dir is the folder of the indexes, which is created if it is missing.
	// Indexes of shards that the archive does not have are deleted from it.
	// Where archives share the folder, Shared must be set: then indexes are
	// deleted that no archive has opened for 90 days.
	Dir    string
	Shared bool

	// Progress, if not nil, is called while indexes are made, with the rows
	// done and those of all shards that have no index.
	Progress func(done, total int64)
}

// A Set is an archive's codes. Its methods may be called concurrently.
type Set struct {
	Counts Counts

	archive *archive.Archive
	prior   format.Prior
	dim     int
	words   int
	shards  []shard
	kinds   []kindSet
}

// A shard is one of the archive's, with its index.
type shard struct {
	*index
	number  int // among the set's
	shard   *archive.Shard
	ordinal uint64 // of its first code, among those of all shards

	// Whether a newer shard may replace rows of it, or it those of an older one.
	replaced, replaces bool
}

// A kindSet is all codes of one kind.
type kindSet struct {
	sides    *quant.Sides
	segments []segment
	n        int64 // codes
	blocks   int
}

// A segment is a run of a shard. Its codes have the ordinals from ordinal on.
type segment struct {
	shard *shard
	run   run

	ordinal uint64
	block   int // number of its first block, among those of the kind
}

// Open opens the indexes of an archive, and makes those that are missing. prior
// is that of the archive's model. The archive must stay open while the set is
// used.
func Open(ctx context.Context, a *archive.Archive, prior format.Prior, o Options) (_ *Set, err error) {
	n := len(prior.Moments)
	if n < 1 || n > maxDimensions {
		return nil, fmt.Errorf("vectors of %d dimensions cannot be searched", n)
	}
	s := &Set{archive: a, prior: prior, dim: n, words: (n + 63) / 64}
	defer func() {
		if err != nil {
			s.Close()
		}
	}()
	if err := os.MkdirAll(o.Dir, 0o777); err != nil {
		return nil, err
	}
	b := builds{ctx: ctx, o: o, prior: prior, keep: map[string]bool{}}
	for _, sh := range a.Shards() {
		x, err := b.find(sh)
		if err != nil {
			return nil, err
		}
		s.shards = append(s.shards, shard{index: x, shard: sh})
	}
	s.overlap()
	for i := range s.shards {
		if sh := &s.shards[i]; sh.index == nil {
			if sh.index, err = b.build(sh.shard); err != nil {
				return nil, err
			}
		}
	}
	unused := abandonedAfter
	if o.Shared {
		unused = unusedAfter
	}
	removeOthers(o.Dir, b.keep, unused)
	s.arrange(prior)
	return s, nil
}

// Close releases the indexes. No call may be running or follow.
func (s *Set) Close() error {
	var errs []error
	for _, sh := range s.shards {
		if sh.index != nil {
			errs = append(errs, sh.close())
		}
	}
	s.shards, s.kinds = nil, nil
	return errors.Join(errs...)
}

// ErrUnreadable means that an index that was whole when it was opened cannot be
// read any more. When it is opened again, it is made again.
var ErrUnreadable = errors.New("cannot be read any more: it was cut, or the disk fails")

// guard calls f, which reads codes, and returns its error. If a code cannot be
// read, that is ErrUnreadable and names the index.
func (s *Set) guard(f func() error) error {
	err := mmap.Guard(f)
	var fault *mmap.Fault
	if !errors.As(err, &fault) {
		return err
	}
	for _, sh := range s.shards {
		if sh.maps(fault.Addr) {
			return inIndex(sh.path, ErrUnreadable)
		}
	}
	panic(fault) // a fault of the program, and not of a file
}

// builds are the indexes of one archive that are found or made.
type builds struct {
	ctx         context.Context
	o           Options
	prior       format.Prior
	keep        map[string]bool // names of their files
	done, total int64           // rows to be indexed
}

// file returns the key and the path of a shard's index.
func (b *builds) file(sh *archive.Shard) (k key, path string, err error) {
	sum, err := hex.DecodeString(sh.Info.SHA256)
	if err != nil || len(sum) != len(k.shard) {
		return k, "", fmt.Errorf("%s: no SHA-256 in the manifest", sh.Info.Name)
	}
	k = key{[32]byte(sum), priorKey(b.prior)}
	name := k.fileName()
	b.keep[name] = true
	return k, filepath.Join(b.o.Dir, name), nil
}

// fileName returns the name of the index of a key.
func (k *key) fileName() string {
	return hex.EncodeToString(k.shard[:16]) + "-" + hex.EncodeToString(k.prior[:]) + extension
}

// isIndexName reports whether a name is one of fileName's.
func isIndexName(name string) bool {
	var k key
	shard, prior, found := strings.Cut(strings.TrimSuffix(name, extension), "-")
	s, err := hex.DecodeString(shard)
	p, err2 := hex.DecodeString(prior)
	if !found || err != nil || err2 != nil || len(s) != 16 || len(p) != len(k.prior) {
		return false
	}
	copy(k.shard[:], s)
	copy(k.prior[:], p)
	return name == k.fileName()
}

// find opens the index of a shard. It returns nil if the shard has no index.
func (b *builds) find(sh *archive.Shard) (*index, error) {
	k, path, err := b.file(sh)
	if err != nil {
		return nil, err
	}
	x, err := openIndex(b.ctx, path, k, len(b.prior.Moments), sh.Info.Rows)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, errStale) {
		b.total += sh.Info.Rows
		return nil, nil
	}
	if err == nil && b.o.Shared {
		_ = os.Chtimes(path, time.Time{}, time.Now()) // it is in use, see unusedAfter
	}
	return x, inIndex(path, err)
}

// inIndex returns an error of reading an index that begins with its file's name,
// and that of a context as it is.
func inIndex(path string, err error) error {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	var p *fs.PathError
	if errors.As(err, &p) {
		err = p.Err
	}
	return fmt.Errorf("index %s: %w; if it is deleted, it is made again", path, err)
}

// build makes the index of a shard and opens it.
func (b *builds) build(sh *archive.Shard) (*index, error) {
	k, path, err := b.file(sh)
	if err != nil {
		return nil, err
	}
	err = buildIndex(b.ctx, path, k, b.prior, sh.Entries(), func(rows int) {
		b.done += int64(rows)
		if b.o.Progress != nil {
			b.o.Progress(b.done, b.total)
		}
	})
	if err != nil {
		return nil, err
	}
	x, err := openIndex(b.ctx, path, k, len(b.prior.Moments), sh.Info.Rows)
	return x, inIndex(path, err)
}

// overlap finds out which shards may replace rows of others.
func (s *Set) overlap() {
	for i := range s.shards {
		older := &s.shards[i]
		for j := range s.shards[i+1:] {
			newer := &s.shards[i+1+j]
			a, b := &older.shard.Info, &newer.shard.Info
			if a.First <= b.Last && b.First <= a.Last {
				older.replaced, newer.replaces = true, true
			}
		}
	}
}

// arrange numbers all codes and sorts them by kind.
func (s *Set) arrange(prior format.Prior) {
	ordinal := uint64(0)
	at := map[kind]int{}
	for i := range s.shards {
		sh := &s.shards[i]
		sh.number, sh.ordinal = i, ordinal
		for _, r := range sh.runs {
			k, ok := at[r.kind]
			if !ok {
				k = len(s.kinds)
				at[r.kind] = k
				s.kinds = append(s.kinds, kindSet{sides: quant.NewSides(r.header(s.dim), prior)})
			}
			s.kinds[k].add(segment{shard: sh, run: r, ordinal: ordinal + uint64(r.first)})
		}
		ordinal += uint64(sh.Codes)
		s.Counts.add(sh.Counts)
	}
}

func (k *kindSet) add(s segment) {
	s.block = k.blocks
	k.blocks += (int(s.run.n) + blockCodes - 1) / blockCodes
	k.segments = append(k.segments, s)
	k.n += int64(s.run.n)
}

// codes returns some codes of a segment.
func (s *segment) codes(from, n int) []uint64 {
	w := s.shard.words
	return s.shard.codes[(s.run.first+from)*w:][:n*w]
}

// A place is a code's picture.
type place struct {
	shard *shard
	kind  kind
	row   int64
}

// place returns the picture of the code with an ordinal.
func (s *Set) place(ordinal uint64) place {
	i := sort.Search(len(s.shards), func(i int) bool { return s.shards[i].ordinal > ordinal }) - 1
	sh := &s.shards[i]
	code := int(ordinal - sh.ordinal)
	r := sh.runs[sort.Search(len(sh.runs), func(i int) bool { return sh.runs[i].first > code })-1]
	return place{sh, r.kind, int64(r.row) + int64(code-r.first)}
}

// code returns the code with an ordinal.
func (s *Set) code(ordinal uint64) []uint64 {
	i := sort.Search(len(s.shards), func(i int) bool { return s.shards[i].ordinal > ordinal }) - 1
	sh := &s.shards[i]
	return sh.codes[int(ordinal-sh.ordinal)*s.words:][:s.words]
}

// read returns the row of a picture, or nil if a newer shard has replaced or
// removed it.
func (s *Set) read(p place) (*archive.Row, error) {
	row, err := p.shard.shard.Row(p.row)
	if err != nil || !p.shard.replaced {
		return row, err
	}
	sh, n, _, err := s.archive.Find(row.Name)
	if errors.Is(err, fs.ErrNotExist) || err == nil && (sh != p.shard.shard || n != p.row) {
		return nil, nil
	}
	return row, err
}
