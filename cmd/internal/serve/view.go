package serve

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/coclico/coclico/codec/archive"
	"github.com/coclico/coclico/codec/format"
	"github.com/coclico/coclico/codec/search"
)

// An Archive is what the gallery shows and searches. When another process has
// written to it, it is opened again.
type Archive struct {
	Prior format.Prior // of the archive's model

	// Words returns the direction of words among the pictures' vectors. It is
	// nil if words cannot be searched for. An error is the client's.
	Words func(ctx context.Context, text string) ([]float32, error)

	open func() (*View, error)
	stop context.CancelFunc // of open

	mu      sync.Mutex
	newest  *lent
	opening chan struct{} // closed when the next view is open or has failed; nil if none is being opened
	err     error         // of the last that could not be
}

// A View is an archive and its index as they were when they were opened.
type View struct {
	Rows *archive.Archive
	Set  *search.Set
}

// Close closes both.
func (v *View) Close() error { return errors.Join(v.Set.Close(), v.Rows.Close()) }

// A lent view is closed when it is no longer the newest and nobody reads it.
type lent struct {
	*View
	readers int
	old     bool
}

// NewArchive returns an archive that is closed with [Archive.Close]. Open opens
// it again.
func NewArchive(v *View, open func(context.Context) (*View, error)) *Archive {
	ctx, stop := context.WithCancel(context.Background())
	return &Archive{newest: &lent{View: v}, open: func() (*View, error) { return open(ctx) }, stop: stop}
}

// Close closes the archive, which nobody may read any more.
func (a *Archive) Close() error {
	a.stop()
	a.mu.Lock()
	opening := a.opening
	a.mu.Unlock()
	if opening != nil {
		<-opening
	}
	return a.newest.Close()
}

// patience is how long a request waits for an archive that has changed. Then it
// reads it as it was: the index of many new pictures takes longer.
const patience = 250 * time.Millisecond

// read calls f with the archive. If what f wants to read has been replaced
// meanwhile, or an index cut, it calls f again with the archive as it is then.
func (a *Archive) read(ctx context.Context, f func(*View) error) error {
	a.refresh(ctx)
	for {
		v := a.borrow()
		err := f(v.View)
		a.release(v)
		if !errors.Is(err, archive.ErrChanged) && !errors.Is(err, search.ErrUnreadable) {
			return err
		}
		select {
		case <-a.renew(v):
		case <-ctx.Done():
			return ctx.Err()
		}
		a.mu.Lock()
		same, err := a.newest == v, a.err
		a.mu.Unlock()
		if same {
			return err
		}
	}
}

// refresh opens the archive again if it has changed.
func (a *Archive) refresh(ctx context.Context) {
	v := a.borrow()
	changed := v.Rows.Changed()
	a.release(v)
	if !changed {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	select {
	case <-a.renew(v):
	case <-ctx.Done():
	}
}

func (a *Archive) borrow() *lent {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.newest.readers++
	return a.newest
}

func (a *Archive) release(v *lent) {
	a.mu.Lock()
	v.readers--
	done := v.old && v.readers == 0
	a.mu.Unlock()
	if done {
		v.Close()
	}
}

// renew begins to open the archive again, unless a newer view than v exists or is
// being opened. The channel is closed when that has ended.
func (a *Archive) renew(v *lent) <-chan struct{} {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.newest != v:
		there := make(chan struct{})
		close(there)
		return there
	case a.opening == nil:
		a.opening = make(chan struct{})
		go a.openAgain(v, a.opening)
	}
	return a.opening
}

func (a *Archive) openAgain(before *lent, opening chan struct{}) {
	defer close(opening)
	v, err := a.open()
	a.mu.Lock()
	a.opening, a.err = nil, err
	done := false
	if err == nil {
		a.newest, before.old = &lent{View: v}, true
		done = before.readers == 0
	}
	a.mu.Unlock()
	if done {
		before.Close()
	}
}

// rows returns the number of rows, replaced ones too.
func (a *Archive) rows() (n int64) {
	v := a.borrow()
	defer a.release(v)
	for _, s := range v.Rows.Shards() {
		n += s.Info.Rows
	}
	return n
}
