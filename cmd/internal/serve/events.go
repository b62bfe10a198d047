package serve

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// An eventKind is the name of an event. A decode keeps the newest of each place
// in eventOrder: the kinds that end it share one.
type eventKind string

const (
	eventPosition eventKind = "position"
	eventStep     eventKind = "step"
	eventShutdown eventKind = "shutdown"
	eventDone     eventKind = "done"
	eventError    eventKind = "error"
	eventCanceled eventKind = "canceled"
)

var eventOrder = [...]eventKind{eventPosition, eventStep, eventShutdown, eventDone}

// slot returns the place of a kind.
func (k eventKind) slot() int {
	if i := slices.Index(eventOrder[:], k); i >= 0 {
		return i
	}
	return len(eventOrder) - 1
}

// An event is what happened to a decode.
type event struct {
	id   int
	kind eventKind
	wire []byte // as streams have it
}

// newEvent returns an event whose data is JSON. All streams share its bytes.
func newEvent(id int, k eventKind, v any) event {
	data, err := json.Marshal(v)
	if err != nil {
		panic("serve: an event that is not JSON: " + err.Error())
	}
	return event{id, k, fmt.Appendf(nil, "id: %d\nevent: %s\ndata: %s\n\n", id, k, data)}
}

func sortEvents(events []event) {
	slices.SortFunc(events, func(a, b event) int { return cmp.Compare(a.id, b.id) })
}

// keepAlive is the time between comments in a stream without events.
const keepAlive = 15 * time.Second

// watch answers with the events of a decode.
func (s *Server) watch(w http.ResponseWriter, r *http.Request) error {
	d, err := s.decode(r)
	if err != nil {
		return err
	}
	seen := 0
	if id := r.Header.Get("Last-Event-ID"); id != "" {
		seen, _ = strconv.Atoi(id) // 0 if it is none of ours
	}
	events, more, last := d.since(seen)
	if last && len(events) == 0 {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	if n := s.streams.Add(1); n > int64(s.Limits.Streams) {
		s.streams.Add(-1)
		return busy.problem("%d streams of events are open", n-1)
	}
	defer s.streams.Add(-1)
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // of nginx
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodHead {
		return nil
	}
	out := stream{w: w, control: http.NewResponseController(w)}
	if err := out.send([]byte("retry: 1000\n\n")); err != nil {
		return err
	}
	tick := time.NewTicker(keepAlive)
	defer tick.Stop()
	for {
		for _, e := range events {
			if err := out.send(e.wire); err != nil {
				return err
			}
			seen = e.id
		}
		if last {
			return nil
		}
		select {
		case <-more:
		case <-tick.C:
			if err := out.send([]byte(": keep-alive\n\n")); err != nil {
				return err
			}
		case <-r.Context().Done():
			return r.Context().Err()
		}
		events, more, last = d.since(seen)
	}
}

// A stream sends bytes at once, or fails: the client that does not take it is
// gone.
type stream struct {
	w       http.ResponseWriter
	control *http.ResponseController
}

func (s *stream) send(b []byte) error {
	if _, err := s.w.Write(b); err != nil {
		return err
	}
	err := s.control.Flush()
	// A deadline that passes between two events would reset a stream of HTTP/2.
	_ = s.control.SetWriteDeadline(time.Time{})
	return err
}
