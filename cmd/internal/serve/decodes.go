package serve

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/coclico/coclico/cmd/internal/options"
	"github.com/coclico/coclico/codec"
)

// postDecode answers POST /v1/decodes.
func (s *Server) postDecode(w http.ResponseWriter, r *http.Request) error {
	if !s.Model.Decodes {
		return halfModel.problem("the server's model, %s, only encodes: coclico pull --for both gets a whole one", s.Model.Name)
	}
	query, err := queryOf(r)
	if err != nil {
		return err
	}
	who, err := takeClient(r, query)
	if err != nil {
		return err
	}
	how, err := decodingOf(query)
	if err != nil {
		return err
	}
	if how.Options.Size > s.Limits.Size {
		return badParameter.problem("size %d: at most %d; --max-size allows more", how.Options.Size, s.Limits.Size).of("size")
	}
	if err := checkMediaType(r, "application/vnd.coclico"); err != nil {
		return err
	}
	body, err := s.readBody(w, r, r.Body, maxFile, "the longest file is shorter")
	if err != nil {
		return err
	}
	defer body.release()
	d, err := s.post(r.Context(), bytes.Clone(body.data), how, who, sharer(r))
	body.release() // before the client waits
	if err != nil {
		return err
	}
	if wait := waitOf(r); wait > 0 {
		s.await(r.Context(), d, wait)
	}
	return s.answerDecode(w, r, d)
}

// await waits for a decode, unless too many clients do: then the answer comes at
// once.
func (s *Server) await(ctx context.Context, d *decode, wait time.Duration) {
	defer s.waits.Add(-1)
	if s.waits.Add(1) > int64(s.Limits.Streams) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	d.wait(ctx)
}

// answerDecode answers with a decode. Who prefers pictures gets the way to its
// picture, or the reason why there will never be one: they may save whatever comes
// with a status of success.
func (s *Server) answerDecode(w http.ResponseWriter, r *http.Request, d *decode) error {
	j := d.json()
	h := w.Header()
	h.Set("Location", d.path())
	h.Set("Cache-Control", "no-store")
	if media := accepted(r, "application/json", "image/png", "image/jpeg"); media != "application/json" {
		switch {
		case j.State == done:
			h.Set("Location", d.path()+"/picture."+map[string]string{"image/png": "png", "image/jpeg": "jpg"}[media])
			w.WriteHeader(http.StatusSeeOther)
			return nil
		case j.State == failed:
			return j.Problem
		case j.State == canceled && s.isDraining():
			return stopping.problem("the decode was canceled")
		case j.State == canceled:
			return notDone.problem("the decode is %s", j.State)
		}
	}
	status := http.StatusAccepted
	if j.State != queued && j.State != running {
		status = http.StatusOK
	}
	writeJSON(w, "application/json", status, j)
	return nil
}

// post returns the decode of a file. It creates one if necessary.
func (s *Server) post(ctx context.Context, data []byte, how *options.Decoding, who, address string) (*decode, error) {
	f, err := codec.Parse(data)
	if err != nil {
		return nil, err
	}
	if err := how.CheckFile(f); err != nil {
		return nil, usageProblem(err)
	}
	id := s.idOf(f, how)
	if d := s.decodes.get(id); d == nil || d.over() {
		if s.isDraining() {
			return nil, stopping.problem("it takes no more work")
		}
		if err := s.checkDecode(f, how); err != nil {
			return nil, err
		}
	}
	create := func(seq int) *decode { return s.newDecode(id, f, how, who, seq) }
	for {
		d, created := s.decodes.post(id, create)
		if created {
			if err := s.queue.add(address, d); err != nil {
				s.decodes.discard(d)
				d.end(failed, problemOf(err)) // for who has found it in the meantime
				return nil, err
			}
			return d, nil
		}
		if d.join(who) {
			return d, nil
		}
		// Its last client is leaving it.
		if d.wait(ctx); ctx.Err() != nil {
			return nil, ctx.Err()
		}
		s.decodes.discard(d)
	}
}

func (s *Server) newDecode(id string, f *codec.File, how *options.Decoding, who string, seq int) *decode {
	source := s.describe(f)
	width, height := source.Width, source.Height
	if how.Options.Size != 0 {
		width, height = s.sizeOf(f, how.Options.Size)
	}
	return &decode{
		server: s, id: id, file: f, how: how, source: source, width: width, height: height, state: queued, seq: seq,
		clients: map[string]bool{who: true}, changed: make(chan struct{}), fetched: make(chan struct{}),
	}
}

// checkDecode finds out whether a decode can be begun. Paint checks everything
// before it works, and with a context that has ended it does not work.
func (s *Server) checkDecode(f *codec.File, how *options.Decoding) error {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	o := how.For(f)
	_, err := s.Model.Codec.Paint(ctx, f, &o)
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// idOf returns the ID of a decode. The notes are the same whenever the picture
// is: they have the program, the model, the file and the parameters. A picture
// of another model's file is for those alone who asked for any model.
func (s *Server) idOf(f *codec.File, how *options.Decoding) string {
	h := sha256.New()
	fmt.Fprintf(h, "%s\n", s.kernels)
	for _, n := range how.Notes(f, s.software(), s.Model.Label, "") {
		fmt.Fprintf(h, "%s %q\n", n.Key, n.Text)
	}
	if how.Options.AnyModel && f.ModelID() != s.Model.ID {
		fmt.Fprintln(h, "any model")
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

func (s *Server) software() string { return "coclico " + s.Version }

// decode returns the decode that a path names.
func (s *Server) decode(r *http.Request) (*decode, error) {
	if d := s.decodes.get(r.PathValue("id")); d != nil {
		return d, nil
	}
	return nil, notFound.problem("there is no such decode; its picture is kept for %v, and as long as there is room", s.Limits.Keep)
}

// getDecode answers GET /v1/decodes/{id}.
func (s *Server) getDecode(w http.ResponseWriter, r *http.Request) error {
	d, err := s.decode(r)
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	writeJSON(w, "application/json", http.StatusOK, d.json())
	return nil
}

// deleteDecode answers DELETE /v1/decodes/{id}.
func (s *Server) deleteDecode(w http.ResponseWriter, r *http.Request) error {
	query, err := queryOf(r)
	if err != nil {
		return err
	}
	who, err := takeClient(r, query)
	if err != nil {
		return err
	}
	if err := checkNames(query); err != nil {
		return err
	}
	d, err := s.decode(r)
	if err != nil {
		return err
	}
	if d.leave(who) {
		d.wait(r.Context())
	}
	j := d.json()
	if d.forsaken() {
		s.decodes.discard(d)
		j.State, j.Picture, j.Expires = canceled, "", ""
	}
	w.Header().Set("Cache-Control", "no-store")
	writeJSON(w, "application/json", http.StatusOK, j)
	return nil
}

// picturePNG answers GET /v1/decodes/{id}/picture.png.
func (s *Server) picturePNG(w http.ResponseWriter, r *http.Request) error {
	return s.picture(w, r, "png", "image/png")
}

// pictureJPEG answers GET /v1/decodes/{id}/picture.jpg.
func (s *Server) pictureJPEG(w http.ResponseWriter, r *http.Request) error {
	return s.picture(w, r, "jpg", "image/jpeg")
}

func (s *Server) picture(w http.ResponseWriter, r *http.Request, ending, mediaType string) error {
	d, err := s.decode(r)
	if err != nil {
		return err
	}
	data, err := d.picture(ending)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", mediaType)
	h.Set("ETag", `"`+d.id+"-"+ending+`"`)
	h.Set("Cache-Control", "private, max-age=3600")
	serveWhole(w, r, data)
	if r.Method == http.MethodGet {
		d.noteFetched()
	}
	return nil
}

// client returns a client's address.
func client(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

var clientName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// takeClient removes the parameter that tells clients of one address apart, and
// returns their name.
func takeClient(r *http.Request, query map[string][]string) (string, error) {
	names := query["client"]
	delete(query, "client")
	if len(names) > 1 || len(names) == 1 && !clientName.MatchString(names[0]) {
		return "", badParameter.problem("client: must be 1 to 64 letters, digits, - and _").of("client")
	}
	return client(r) + " " + strings.Join(names, ""), nil
}

// waitOf returns how long the client wants to wait: Prefer: wait=10 (RFC 7240).
func waitOf(r *http.Request) time.Duration {
	for _, header := range r.Header.Values("Prefer") {
		for preference := range strings.FieldsFuncSeq(header, func(c rune) bool { return c == ',' || c == ';' }) {
			name, value, _ := strings.Cut(strings.TrimSpace(preference), "=")
			if n, err := strconv.Atoi(strings.TrimSpace(value)); err == nil && n > 0 && strings.EqualFold(strings.TrimSpace(name), "wait") {
				return min(time.Duration(min(n, 1<<20))*time.Second, maxWait)
			}
		}
	}
	return 0
}
