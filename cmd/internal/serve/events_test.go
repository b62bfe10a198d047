package serve

import (
	"bufio"
	"encoding/json"
	"image/jpeg"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"encoding/base64"
)

// A watcher reads the events of a decode.
type watcher struct {
	t      testing.TB
	answer *http.Response
	lines  *bufio.Reader
}

// A seen is an event as a client gets it.
type seen struct {
	id   int
	kind string
	data struct {
		Position, Step, Steps int
		Preview, Picture      string
		Problem               *problem
		Finishing             bool
	}
}

func (s *testServer) watchDecode(id string, headers ...string) *watcher {
	s.t.Helper()
	answer, err := s.http.Do(s.request("GET", "/v1/decodes/"+id+"/events", nil, headers...))
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { answer.Body.Close() })
	if answer.StatusCode != 200 || answer.Header.Get("Content-Type") != "text/event-stream" {
		s.t.Fatalf("status %d, %s", answer.StatusCode, answer.Header.Get("Content-Type"))
	}
	return &watcher{s.t, answer, bufio.NewReader(answer.Body)}
}

// next returns the next event; ok is false at the end of the stream.
func (w *watcher) next() (e seen, ok bool) {
	w.t.Helper()
	for {
		line, err := w.lines.ReadString('\n')
		if err == io.EOF {
			return e, false
		}
		if err != nil {
			w.t.Fatal(err)
		}
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		switch name {
		case "id":
			if e.id, err = strconv.Atoi(value); err != nil {
				w.t.Fatal(err)
			}
		case "event":
			e.kind = value
		case "data":
			if err := json.Unmarshal([]byte(value), &e.data); err != nil {
				w.t.Fatalf("%v: %s", err, value)
			}
		case "":
			if e.kind != "" {
				return e, true
			}
		}
	}
}

// until returns the events up to the first of a kind, which must come.
func (w *watcher) until(kind string) (events []seen) {
	w.t.Helper()
	for {
		e, ok := w.next()
		if !ok {
			w.t.Fatalf("the stream ends without %s: %+v", kind, events)
		}
		events = append(events, e)
		if e.kind == kind {
			return events
		}
	}
}

func (w *watcher) close() { w.answer.Body.Close() }

// TestEvents: a painting is watched from its color map to its picture; the
// events have rising ids, and previews are pictures.
func TestEvents(t *testing.T) {
	s := start(t, nil)
	blocker := s.post(202, slow, s.encode(0, ""))
	s.watchDecode(blocker.ID).until("step")
	d := s.post(202, "", s.encode(1, ""))
	if d.State != queued || d.Position != 1 {
		t.Errorf("behind another: %+v", d)
	}
	w := s.watchDecode(d.ID)
	if e, ok := w.next(); !ok || e.kind != "position" || e.data.Position != 1 {
		t.Errorf("the first event is %+v", e)
	}
	s.deleted(blocker.ID, "")
	events := w.until("done")
	last, steps := 1, 0
	for _, e := range events {
		if e.id <= last {
			t.Errorf("id %d after %d", e.id, last)
		}
		last = e.id
		if e.kind == "step" {
			steps++
			text, ok := strings.CutPrefix(e.data.Preview, "data:image/jpeg;base64,")
			data, err := base64.StdEncoding.DecodeString(text)
			if !ok || err != nil {
				t.Fatalf("preview %.40q (%v)", e.data.Preview, err)
			}
			if img, err := jpeg.Decode(strings.NewReader(string(data))); err != nil || img.Bounds().Dx() != 16 || e.data.Steps != 17 {
				t.Errorf("%v: step %d of %d", err, e.data.Step, e.data.Steps)
			}
		}
	}
	if steps == 0 || events[len(events)-1].data.Picture != "/v1/decodes/"+d.ID+"/picture.png" {
		t.Errorf("%d steps, then %+v", steps, events[len(events)-1])
	}
	if e, ok := w.next(); ok {
		t.Errorf("after the last event comes %+v", e)
	}
}

// TestResume: Last-Event-ID leaves out what was seen. A client that comes late
// gets the newest of each kind, one that has seen the end is told to stop.
func TestResume(t *testing.T) {
	s := start(t, nil)
	d := s.post(202, slow, s.encode(1, ""))
	w := s.watchDecode(d.ID)
	w.until("step")
	first := w.until("step")[0]
	w.close()
	again := s.watchDecode(d.ID, "Last-Event-ID: "+strconv.Itoa(first.id))
	if e, ok := again.next(); !ok || e.id <= first.id || e.kind != "step" || e.data.Step <= first.data.Step {
		t.Errorf("after %d comes %+v", first.id, e)
	}
	again.close()
	for _, id := range []string{"nonsense", "-1", "123456789", "99999999999999999999"} { // of nobody: all of it
		strange := s.watchDecode(d.ID, "Last-Event-ID: "+id)
		if e, ok := strange.next(); !ok || e.kind != "step" {
			t.Errorf("Last-Event-ID %s: %+v", id, e)
		}
		strange.close()
	}
	other := s.watchDecode(d.ID)
	s.deleted(d.ID, "")
	end := other.until("canceled")
	if _, ok := other.next(); ok {
		t.Error("more events after canceled")
	}
	s.do(404, "GET", "/v1/decodes/"+d.ID+"/events", nil, "Last-Event-ID: "+strconv.Itoa(end[len(end)-1].id))

	d = s.post(200, "", s.encode(2, ""), "Prefer: wait=60")
	late := s.watchDecode(d.ID)
	events := late.until("done")
	if len(events) != 2 || events[0].kind != "step" || events[0].data.Step != events[0].data.Steps {
		t.Errorf("who comes late gets %+v", events)
	}
	s.do(204, "GET", "/v1/decodes/"+d.ID+"/events", nil, "Last-Event-ID: "+strconv.Itoa(events[1].id))
}

// TestShared: two clients that post the same file share its decode. One that
// leaves does not take it from the other; when both have left, it ends.
func TestShared(t *testing.T) {
	s := start(t, nil)
	file := s.encode(1, "")
	a, b := s.post(202, slow+"&client=a", file), s.post(202, slow+"&client=b", file)
	if a.ID != b.ID {
		t.Fatalf("%s and %s", a.ID, b.ID)
	}
	s.post(202, slow+"&client=a", file) // a reload is not another client
	w := s.watchDecode(a.ID)
	w.until("step")
	if d := s.deleted(a.ID, "?client=a"); d.State != running {
		t.Errorf("when one has left, it is %s", d.State)
	}
	w.until("step")
	if d := s.deleted(a.ID, "?client=nobody"); d.State != running {
		t.Errorf("when a stranger has left, it is %s", d.State)
	}
	if d := s.deleted(a.ID, "?client=b"); d.State != canceled {
		t.Errorf("when both have left, it is %s", d.State)
	}
	w.until("canceled")
	s.do(404, "GET", "/v1/decodes/"+a.ID, nil)
	if again := s.post(202, slow+"&client=b", file); again.ID != a.ID || again.State == canceled {
		t.Errorf("posted again, it is %+v", again)
	}
}

// TestKept: nobody needs to stay. A painting whose clients are gone is done, and
// kept until its time or until others need the room.
func TestKept(t *testing.T) {
	s := start(t, func(c *Config) { c.Limits.KeepBytes = 100_000 })
	first := s.post(202, "", s.encode(1, ""))
	w := s.watchDecode(first.ID)
	w.close() // the phone is locked
	s.decodes.get(first.ID).wait(t.Context())
	s.do(200, "GET", "/v1/decodes/"+first.ID+"/picture.png", nil)
	for n := 2; ; n++ {
		s.post(200, "", s.encode(n, ""), "Prefer: wait=60")
		if kept := s.decodes.kept(); kept > 100_000 {
			t.Fatalf("%d bytes are kept", kept)
		}
		if s.decodes.get(first.ID) == nil {
			break
		}
		if n == 20 {
			t.Fatal("20 pictures fit into 100,000 bytes")
		}
	}
	s.do(404, "GET", "/v1/decodes/"+first.ID+"/picture.png", nil)
}
