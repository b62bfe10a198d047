package serve

import (
	"cmp"
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
	data []byte // JSON
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
		// Another number than ours may be that of a server before this one.
		seen, _ = strconv.Atoi(id)
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
	if err := out.send("retry: 1000\n\n"); err != nil {
		return err
	}
	tick := time.NewTicker(keepAlive)
	defer tick.Stop()
	for {
		text := ""
		for _, e := range events {
			text += fmt.Sprintf("id: %d\nevent: %s\ndata: %s\n\n", e.id, e.kind, e.data)
			seen = e.id
		}
		if err := out.send(text); err != nil || last {
			return err
		}
		select {
		case <-more:
		case <-tick.C:
			if err := out.send(": keep-alive\n\n"); err != nil {
				return err
			}
		case <-r.Context().Done():
			return r.Context().Err()
		}
		events, more, last = d.since(seen)
	}
}

// A stream sends text at once, or fails: the client that does not take it is
// gone.
type stream struct {
	w       http.ResponseWriter
	control *http.ResponseController
}

func (s *stream) send(text string) error {
	if text == "" {
		return nil
	}
	if _, err := s.w.Write([]byte(text)); err != nil {
		return err
	}
	err := s.control.Flush()
	// A deadline that passes between two events would reset a stream of HTTP/2.
	_ = s.control.SetWriteDeadline(time.Time{})
	return err
}
