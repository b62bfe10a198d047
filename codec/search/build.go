package search

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"hash/crc32"
	"io/fs"
	"iter"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"
	"unsafe"

	"github.com/coclico/coclico/codec/archive"
	"github.com/coclico/coclico/codec/format"
	"github.com/coclico/coclico/codec/quant"
)

// A batch is some rows of a shard on their way to being codes.
type batch struct {
	data []byte // of all files
	ends []int  // of each file in data
	err  error  // that ended the shard, behind these rows

	codes []uint64
	kinds []kind // of each row; rows without a code have the zero kind
	index Counts
	done  chan struct{} // closed when the codes are there
}

// A batch ends with the row that makes it so large. 4,096 usual files have half
// as many bytes.
const (
	batchRows  = 4096
	batchBytes = 1 << 20
)

// buildIndex writes the index of a shard's entries: beside its path, and then
// under its name. progress is called with rows as they are done.
func buildIndex(ctx context.Context, path string, k key, prior format.Prior, entries iter.Seq2[archive.Entry, error], progress func(rows int)) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), tempPrefix+"*"+tempSuffix)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	b := &builder{prior: prior, progress: progress, out: bufio.NewWriterSize(f, 1<<20)}
	b.index.words = (len(prior.Moments) + 63) / 64
	if _, err := b.out.Write(make([]byte, headerBytes)); err != nil {
		return err
	}
	if err := b.run(ctx, entries); err != nil {
		return err
	}
	if err := b.put(encodeRuns(b.index.runs)); err != nil {
		return err
	}
	if err := b.out.Flush(); err != nil {
		return err
	}
	if _, err := f.WriteAt(b.index.encodeHeader(k, len(prior.Moments), b.sum), 0); err != nil {
		return err
	}
	if err := errors.Join(f.Chmod(0o644), f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// A builder makes one index.
type builder struct {
	prior    format.Prior
	progress func(rows int)
	out      *bufio.Writer
	sum      uint32 // CRC of what put has written
	index    index
}

// put writes some of what follows the header.
func (b *builder) put(data []byte) error {
	b.sum = crc32.Update(b.sum, crc32.IEEETable, data)
	_, err := b.out.Write(data)
	return err
}

// run reads batches, has them decoded by as many goroutines as there are
// processors, and writes them in their order.
func (b *builder) run(ctx context.Context, entries iter.Seq2[archive.Entry, error]) error {
	var running sync.WaitGroup
	defer running.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	workers := runtime.GOMAXPROCS(0)
	work, order := make(chan *batch), make(chan *batch, 2*workers)
	running.Go(func() {
		defer close(order)
		defer close(work)
		for next := range batches(ctx, entries) {
			next.done = make(chan struct{})
			for _, c := range []chan *batch{order, work} {
				select {
				case c <- next:
				case <-ctx.Done():
					return
				}
			}
		}
	})
	for range workers {
		running.Go(func() { b.decode(work) })
	}
	for batch := range order {
		select {
		case <-batch.done:
		case <-ctx.Done():
			return ctx.Err()
		}
		if err := b.write(batch); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// batches divides the entries of a shard, up to the end of ctx.
func batches(ctx context.Context, entries iter.Seq2[archive.Entry, error]) iter.Seq[*batch] {
	return func(yield func(*batch) bool) {
		b := new(batch)
		for e, err := range entries {
			if b.err = cmp.Or(err, ctx.Err()); b.err != nil {
				break
			}
			b.data = append(b.data, e.Data...)
			b.ends = append(b.ends, len(b.data))
			if len(b.ends) == batchRows || len(b.data) >= batchBytes {
				if !yield(b) {
					return
				}
				b = new(batch)
			}
		}
		yield(b)
	}
}

// decode makes codes of the files of batches.
func (b *builder) decode(work <-chan *batch) {
	n := len(b.prior.Moments)
	reader := format.NewVectorReader(b.prior)
	codes, sides := make([]uint16, n), map[kind]*quant.Sides{}
	for batch := range work {
		batch.codes = make([]uint64, 0, len(batch.ends)*b.index.words)
		batch.kinds = make([]kind, len(batch.ends))
		begin := 0
		for i, end := range batch.ends {
			data := batch.data[begin:end]
			begin = end
			batch.index.Rows++
			if len(data) == 0 {
				continue
			}
			f, err := format.Parse(data)
			if err != nil {
				batch.index.Unreadable++
				continue
			}
			if f.Dimensions != n || reader.Vector(codes, f) != nil {
				batch.index.OtherModel++
				continue
			}
			k := kindOf(f.Header)
			s := sides[k]
			if s == nil {
				if len(sides) >= maxSides {
					clear(sides)
				}
				s = quant.NewSides(f.Header, b.prior)
				sides[k] = s
			}
			at := len(batch.codes)
			batch.codes = batch.codes[:at+b.index.words]
			s.Put(batch.codes[at:], codes)
			batch.kinds[i] = k
			batch.index.Codes++
		}
		close(batch.done)
	}
}

// maxSides bounds the memory that files of many kinds take.
const maxSides = 64

// write adds a batch to the index.
func (b *builder) write(batch *batch) error {
	for i, k := range batch.kinds {
		row := b.index.Rows + int64(i)
		if row >= math.MaxUint32 {
			return errors.New("a shard of more than 2^32 rows")
		}
		if k == (kind{}) {
			continue
		}
		runs := b.index.runs
		if last := len(runs) - 1; last >= 0 && runs[last].kind == k && int64(runs[last].row+runs[last].n) == row {
			runs[last].n++
		} else {
			b.index.runs = append(runs, run{kind: k, row: uint32(row), n: 1})
		}
	}
	b.index.Counts.add(batch.index)
	data := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(batch.codes))), 8*len(batch.codes))
	if err := b.put(data); err != nil {
		return err
	}
	if b.progress != nil {
		b.progress(len(batch.ends))
	}
	return batch.err
}

// A file of a build has a name of its own between these.
const (
	tempPrefix = "coclico-search-"
	tempSuffix = ".tmp"
)

// isBuild reports whether a name is that of a build's file, which has nothing but
// digits where [os.CreateTemp] puts them.
func isBuild(name string) bool {
	digits, ok := strings.CutPrefix(name, tempPrefix)
	digits, ok2 := strings.CutSuffix(digits, tempSuffix)
	return ok && ok2 && digits != "" && strings.Trim(digits, "0123456789") == ""
}

// removeOthers deletes indexes of other shards that have not been used for a
// time, and what killed builds left, but no other files: in a stranger's archive
// the folder may be a link to another. What cannot be deleted stays, and so does
// what is new: the archive may have changed since this process read its manifest,
// and another one be about to open the index that it made.
func removeOthers(dir string, keep map[string]bool, unused time.Duration) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		name := e.Name()
		gone := isIndexName(name) && !keep[name] && older(e, unused)
		build := isBuild(name) && older(e, abandonedAfter)
		if (gone || build) && e.Type().IsRegular() {
			os.Remove(filepath.Join(dir, name))
		}
	}
}

func older(e fs.DirEntry, age time.Duration) bool {
	info, err := e.Info()
	return err == nil && info.ModTime().Before(time.Now().Add(-age))
}

const (
	// abandonedAfter is the age from which on a file of a build is taken for
	// one whose build was killed, and an index beside an archive's shards for
	// one that no other process wants.
	abandonedAfter = time.Hour

	// unusedAfter is how long an index that nobody opens stays in a folder that
	// archives share, where nothing tells whether its shard still exists.
	// Building it again takes a pass over all rows; keeping it costs 100 MB for
	// a million pictures. An archive that is searched once a month keeps its
	// index.
	unusedAfter = 90 * 24 * time.Hour
)
