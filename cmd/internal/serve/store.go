package serve

import (
	"slices"
	"sync"
	"time"
)

// A store has the decodes by their IDs: those that wait or run, and for some
// time those that have ended.
type store struct {
	maxAge   time.Duration
	maxBytes int64

	mu    sync.Mutex
	byID  map[string]*decode
	ended []*decode // the first to have ended first
	bytes int64     // of those that have ended
	timer *time.Timer
	shut  bool
}

func newStore(maxAge time.Duration, maxBytes int64) *store {
	return &store{maxAge: maxAge, maxBytes: maxBytes, byID: map[string]*decode{}}
}

// get returns a decode, or nil.
func (s *store) get(id string) *decode {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.byID[id]
}

// post returns the decode with an ID, or else adds the one that create returns,
// which failed and canceled ones make room for. The events of a new one follow
// those of the old.
func (s *store) post(id string, create func(seq int) *decode) (d *decode, created bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old, seq := s.byID[id], 0
	if old != nil {
		if !old.over() {
			return old, false
		}
		old.mu.Lock()
		seq = old.seq
		old.mu.Unlock()
		s.remove(old)
	}
	d = create(seq)
	s.byID[id] = d
	return d, true
}

// keep keeps a decode that has ended, for its time, and as long as there is room.
func (s *store) keep(d *decode) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byID[d.id] != d {
		return // discarded
	}
	d.mu.Lock()
	d.expires = time.Now().Add(s.maxAge)
	n := d.size()
	d.mu.Unlock()
	s.ended = append(s.ended, d)
	s.bytes += n
	for s.bytes > s.maxBytes && len(s.ended) > 1 {
		s.remove(s.ended[0])
	}
	s.schedule()
}

// discard forgets a decode.
func (s *store) discard(d *decode) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byID[d.id] == d {
		s.remove(d)
	}
}

// remove forgets a decode. The caller has locked the store.
func (s *store) remove(d *decode) {
	delete(s.byID, d.id)
	if i := slices.Index(s.ended, d); i >= 0 {
		s.ended = slices.Delete(s.ended, i, i+1)
		d.mu.Lock()
		s.bytes -= d.size()
		d.mu.Unlock()
	}
}

// schedule sets the timer to the next end of a decode's time. The caller has
// locked the store.
func (s *store) schedule() {
	if s.timer != nil || len(s.ended) == 0 || s.shut {
		return
	}
	s.timer = time.AfterFunc(time.Until(s.ended[0].expires), s.expire)
}

func (s *store) expire() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.timer = nil
	for now := time.Now(); len(s.ended) > 0 && !s.ended[0].expires.After(now); {
		s.remove(s.ended[0])
	}
	s.schedule()
}

// running returns the decode that runs, or nil.
func (s *store) running() *decode {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range s.byID {
		d.mu.Lock()
		is := d.state == running
		d.mu.Unlock()
		if is {
			return d
		}
	}
	return nil
}

// kept returns the number of bytes of the decodes that have ended.
func (s *store) kept() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bytes
}

// close stops the timer.
func (s *store) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shut = true
	if s.timer != nil {
		s.timer.Stop()
	}
}
