package serve

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"image"
	"sync"
	"time"

	"github.com/coclico/coclico/cmd/internal/options"
	"github.com/coclico/coclico/cmd/internal/picture"
	"github.com/coclico/coclico/codec"
)

// A state is where a decode is in its life.
type state string

const (
	queued   state = "queued"
	running  state = "running"
	done     state = "done"
	failed   state = "failed"
	canceled state = "canceled"
)

// A decode is the painting of a file's picture, as a resource. It implements
// [task].
type decode struct {
	server *Server
	id     string
	file   *codec.File
	how    *options.Decoding
	source *fileJSON
	width  int
	height int

	mu       sync.Mutex
	state    state
	position int
	at       step
	begun    time.Time       // its first step
	clients  map[string]bool // who want it
	problem  *problem
	pictures map[string][]byte // by ending
	expires  time.Time
	cancel   context.CancelFunc // of one that runs
	fetched  chan struct{}      // closed when a picture was
	took     bool               // fetched is closed
	gone     bool               // all clients have deleted it

	seq     int // of the last event
	events  [len(eventOrder)]event
	changed chan struct{} // closed at the next event
}

// A step is how far a painting is.
type step struct {
	Step        int      `json:"step"`
	Steps       int      `json:"steps"`
	SecondsLeft *float64 `json:"seconds_left,omitempty"`
	Preview     string   `json:"preview,omitempty"`
}

// A decodeJSON is what a decode looks like to a client.
type decodeJSON struct {
	ID          string    `json:"id"`
	State       state     `json:"state"`
	Position    int       `json:"position,omitempty"`
	Step        *int      `json:"step,omitempty"`
	Steps       int       `json:"steps,omitempty"`
	SecondsLeft *float64  `json:"seconds_left,omitempty"`
	Picture     string    `json:"picture,omitempty"`
	Expires     string    `json:"expires,omitempty"`
	Problem     *problem  `json:"problem,omitempty"`
	Width       int       `json:"width"`
	Height      int       `json:"height"`
	Source      *fileJSON `json:"source"`
}

func (d *decode) json() decodeJSON {
	d.mu.Lock()
	defer d.mu.Unlock()
	j := decodeJSON{ID: d.id, State: d.state, Width: d.width, Height: d.height, Source: d.source, Problem: d.problem}
	switch d.state {
	case queued:
		j.Position = d.position
	case running:
		j.Step, j.Steps, j.SecondsLeft = &d.at.Step, d.at.Steps, d.at.SecondsLeft
	case done:
		j.Step, j.Steps, j.Picture = &d.at.Step, d.at.Steps, d.picturePath()
	}
	if j.Step != nil {
		j.Step = new(*j.Step)
	}
	if !d.expires.IsZero() {
		j.Expires = d.expires.UTC().Format(time.RFC3339)
	}
	return j
}

func (d *decode) path() string        { return "/v1/decodes/" + d.id }
func (d *decode) picturePath() string { return d.path() + "/picture.png" }

// moved implements [task].
func (d *decode) moved(position int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.state == queued && d.position != position {
		d.position = position
		d.emit(eventPosition, struct {
			Position int `json:"position"`
		}{position})
	}
}

// dropped implements [task].
func (d *decode) dropped() { d.end(canceled, nil) }

// run implements [task].
func (d *decode) run(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if !d.start(cancel) {
		return
	}
	begun := time.Now()
	err := d.paint(ctx)
	switch {
	case err == nil:
		d.server.metrics.decodeSeconds.Observe(time.Since(begun).Seconds())
		d.end(done, nil)
	case ctx.Err() != nil:
		d.end(canceled, nil)
	default:
		p := problemOf(err)
		if p == nil || errors.As(err, new(codec.MemoryError)) {
			d.server.Log.Error("decode", "id", d.id, "error", err)
		}
		if p == nil {
			p = internal.problem("the server's log says more, decode %s", d.id)
		}
		d.end(failed, p)
	}
}

// paint makes the pictures. A panic is an error: other clients wait for the
// painter.
func (d *decode) paint(ctx context.Context) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = panicked(v)
		}
	}()
	o := d.how.For(d.file)
	o.LowMemory = d.server.LowMemory
	o.Preview = d.preview
	img, err := d.server.Model.Codec.Paint(ctx, d.file, &o)
	if err != nil {
		return err
	}
	return d.draw(img)
}

// start makes a decode run, unless it was canceled.
func (d *decode) start(cancel context.CancelFunc) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.state != queued {
		return false
	}
	d.state, d.position, d.cancel = running, 0, cancel
	d.events[eventPosition.slot()] = event{} // history
	return true
}

// preview takes the codec's report of a step.
func (d *decode) preview(p codec.Preview) {
	now := time.Now()
	s := step{Step: p.Step, Steps: p.Steps, Preview: previewURL(p.Image)}
	d.mu.Lock()
	defer d.mu.Unlock()
	if p.Step == 0 {
		d.begun = now
	} else {
		left := now.Sub(d.begun).Seconds() / float64(p.Step) * float64(p.Steps-p.Step)
		s.SecondsLeft = &left
		d.server.metrics.decodeSteps.Inc()
	}
	d.at = s
	d.emit(eventStep, s)
}

// previewURL returns a small picture as a data URL.
func previewURL(img image.Image) string {
	var b bytes.Buffer
	if err := encodeJPEG(&b, img, picture.Options{Quality: 85, Notes: []picture.Note{{Key: "Comment", Text: "Generated picture: preview"}}}); err != nil {
		return ""
	}
	return "data:image/jpeg;base64," + base64.StdEncoding.EncodeToString(b.Bytes())
}

// draw writes the picture files.
func (d *decode) draw(img image.Image) error {
	notes := d.how.Notes(d.file, d.server.software(), d.server.Model.Label, "")
	pictures := map[string][]byte{}
	for ending, encode := range map[string]picture.Encoder{"png": encodePNG, "jpg": encodeJPEG} {
		o := picture.Options{Notes: notes}
		if ending == "png" {
			o.Stream = d.file.Bytes()
		}
		var b bytes.Buffer
		if err := encode(&b, img, o); err != nil {
			return err
		}
		pictures[ending] = bytes.Clone(b.Bytes())
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.pictures = pictures
	return nil
}

// end ends a decode, once.
func (d *decode) end(s state, p *problem) {
	if d.ended(s, p) {
		d.server.decodes.keep(d)
	}
}

func (d *decode) ended(s state, p *problem) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.state != queued && d.state != running {
		return false
	}
	if d.cancel != nil {
		d.cancel() // it may have started since it was found waiting
	}
	d.state, d.problem, d.position, d.cancel = s, p, 0, nil
	switch {
	case s == done:
		d.emit(eventDone, struct {
			Picture string `json:"picture"`
		}{d.picturePath()})
	case s == failed:
		d.emit(eventError, struct {
			Problem *problem `json:"problem"`
		}{p})
	case d.server.isDraining():
		d.emit(eventShutdown, shutdownJSON{})
	default:
		d.emit(eventCanceled, struct{}{})
	}
	return true
}

// leave ends a client's interest, and cancels the decode if it was the last. It
// reports whether nobody wants the decode.
func (d *decode) leave(client string) bool {
	d.mu.Lock()
	delete(d.clients, client)
	last := len(d.clients) == 0
	d.mu.Unlock()
	if !last {
		return false
	}
	if d.server.queue.remove(d) || !d.stop() {
		d.end(canceled, nil)
	}
	return true
}

// stop makes a decode that runs end within a block of a network.
func (d *decode) stop() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.cancel == nil {
		return false
	}
	d.cancel()
	return true
}

// maxClients is the number of clients that a decode remembers. It is not
// canceled before all of these have left it.
const maxClients = 1000

// join adds a client to those who want a decode, unless the last of them has
// left it.
func (d *decode) join(client string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.clients) == 0 && (d.gone || d.state == queued || d.state == running) {
		return false
	}
	if len(d.clients) < maxClients {
		d.clients[client] = true
	}
	return true
}

// forsaken reports whether a decode has ended and nobody wants it. Then nobody
// can join it any more.
func (d *decode) forsaken() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.gone = len(d.clients) == 0 && d.state != queued && d.state != running
	return d.gone
}

// over reports whether a decode ended without a picture.
func (d *decode) over() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.state == failed || d.state == canceled
}

// drain tells who watches that the server stops, and reports whether the decode
// is to be finished: whether that is known to take at most so long. If not, it
// will be canceled.
func (d *decode) drain(grace time.Duration) (finish bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.state != running || d.at.SecondsLeft == nil || *d.at.SecondsLeft > grace.Seconds() {
		return false
	}
	d.emit(eventShutdown, shutdownJSON{Finishing: true})
	return true
}

// picture returns a picture file of a decode that is done.
func (d *decode) picture(ending string) ([]byte, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.state != done {
		return nil, notDone.problem("the decode is %s", d.state)
	}
	return d.pictures[ending], nil
}

// noteFetched notes that a client has got a picture.
func (d *decode) noteFetched() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.took {
		d.took = true
		close(d.fetched)
	}
}

// awaitFetch waits until a picture was fetched, for some time, if there is one.
func (d *decode) awaitFetch(limit time.Duration) {
	if _, err := d.picture("png"); err != nil {
		return
	}
	t := time.NewTimer(limit)
	defer t.Stop()
	select {
	case <-d.fetched:
	case <-t.C:
	}
}

// size returns the bytes that a decode takes.
func (d *decode) size() (n int64) {
	for _, data := range d.pictures {
		n += int64(len(data))
	}
	return n + int64(d.file.Len()) + 16<<10
}

// A shutdownJSON is the data of a shutdown event.
type shutdownJSON struct {
	Finishing bool `json:"finishing"`
}

// emit makes an event the newest of its kind. The caller has locked the decode.
func (d *decode) emit(k eventKind, v any) {
	d.seq++
	d.events[k.slot()] = newEvent(d.seq, k, v)
	close(d.changed)
	d.changed = make(chan struct{})
}

// since returns the newest events of their kinds that follow one, in order, and
// a channel that is closed when there are more. last reports whether there will
// be none. An ID that is none of the decode's is that of another server: all
// events follow it.
func (d *decode) since(id int) (events []event, more <-chan struct{}, last bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if id < 0 || id > d.seq {
		id = 0
	}
	for _, e := range d.events {
		if e.id > id {
			events = append(events, e)
		}
	}
	sortEvents(events)
	return events, d.changed, d.state != queued && d.state != running
}

// wait waits until a decode has ended, or a context has.
func (d *decode) wait(ctx context.Context) {
	for id := 0; ; {
		events, more, last := d.since(id)
		if last {
			return
		}
		for _, e := range events {
			id = e.id
		}
		select {
		case <-more:
		case <-ctx.Done():
			return
		}
	}
}
