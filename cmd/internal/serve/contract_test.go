package serve

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image/png"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/coclico/coclico/cmd/internal/picture"
	"github.com/coclico/coclico/codec"
)

// TestJourney: a picture is encoded and painted again, the answers are those of
// the contract, and the picture is the codec's, which says how it was made.
func TestJourney(t *testing.T) {
	s := start(t, nil)
	file := s.encode(1, "")
	f, err := codec.Parse(file)
	if err != nil {
		t.Fatal(err)
	}
	var e struct {
		File   string
		Map    mapJSON
		Info   fileInfo
		Source sourceJSON
	}
	s.do(200, "POST", "/v1/encode", photo(t, 1), "Content-Type: image/png", "Accept: application/json").json(t, &e)
	if got, err := base64.RawURLEncoding.DecodeString(e.File); err != nil || !bytes.Equal(got, file) {
		t.Errorf("the file in JSON is %x (%v), want %x", got, err, file)
	}
	if e.Map.Size != 8 || len(e.Map.RGB) != 8*8*3 || e.Source.Width != 96 || e.Source.Height != 64 || e.Info.Profile != "tuned" {
		t.Errorf("%+v", e)
	}
	d := s.post(200, "", file, "Prefer: wait=60")
	if d.State != done || d.Picture != "/v1/decodes/"+d.ID+"/picture.png" || d.Width != 128 || d.Height != 128 {
		t.Fatalf("%+v", d)
	}
	if again := s.post(200, "", file); again.ID != d.ID {
		t.Errorf("the same file has IDs %s and %s", d.ID, again.ID)
	}
	got := s.do(200, "GET", d.Picture, nil)
	img, err := png.Decode(bytes.NewReader(got.body))
	if err != nil {
		t.Fatal(err)
	}
	want, err := s.Model.Codec.Paint(t.Context(), f, nil)
	if err != nil {
		t.Fatal(err)
	}
	for y := range 128 {
		for x := range 128 {
			if r, g, b, _ := img.At(x, y).RGBA(); true {
				if wr, wg, wb, _ := want.At(x, y).RGBA(); r != wr || g != wg || b != wb {
					t.Fatalf("pixel %d,%d is not the codec's", x, y)
				}
			}
		}
	}
	if kept, err := picture.Stream(bytes.NewReader(got.body)); err != nil || !bytes.Equal(kept, file) {
		t.Errorf("the picture holds %x (%v), want the file", kept, err)
	}
	if !picture.Ours(bytes.NewReader(got.body)) {
		t.Error("the picture does not say that it is generated")
	}
	if back := s.do(200, "POST", "/v1/encode", got.body, "Content-Type: image/png"); !bytes.Equal(back.body, file) {
		t.Error("encoding the painting does not return its file")
	}
	s.do(304, "GET", d.Picture, nil, "If-None-Match: "+got.Header.Get("ETag"))
	s.do(200, "GET", d.Picture, nil, `If-None-Match: "another"`)
	for _, header := range []string{"Range: bytes=0-3", "Range: bytes=9999999-", `If-Match: "another"`} {
		if whole := s.do(200, "GET", d.Picture, nil, header); !bytes.Equal(whole.body, got.body) || whole.Header.Get("Accept-Ranges") != "" {
			t.Errorf("%s: %d bytes, not all, %v", header, len(whole.body), whole.Header)
		}
	}
	jpg := s.do(200, "GET", strings.Replace(d.Picture, ".png", ".jpg", 1), nil)
	if !picture.Ours(bytes.NewReader(jpg.body)) {
		t.Error("the JPEG does not say that it is generated")
	}
	for accept, ending := range map[string]string{"image/png": "png", "image/jpeg, image/png;q=0.5": "jpg"} {
		a := s.do(303, "POST", "/v1/decodes", file, "Content-Type: "+fileType, "Accept: "+accept)
		if want := "/v1/decodes/" + d.ID + "/picture." + ending; a.Header.Get("Location") != want {
			t.Errorf("Accept %s: Location %q, want %q", accept, a.Header.Get("Location"), want)
		}
	}
	if gone := s.deleted(d.ID, ""); gone.State != canceled {
		t.Errorf("deleted, it is %+v", gone)
	}
	s.do(404, "GET", d.Picture, nil)
}

// deleted deletes a decode.
func (s *testServer) deleted(id, query string) (d decodeJSON) {
	s.t.Helper()
	s.do(200, "DELETE", "/v1/decodes/"+id+query, nil).json(s.t, &d)
	return d
}

// TestParameters: those of a query are the command's flags: they change the file
// and the picture, and a wrong one is named.
func TestParameters(t *testing.T) {
	s := start(t, func(c *Config) { c.Limits.Size = 256 })
	base := s.encode(1, "")
	for _, q := range []string{"?profile=paper", "?bytes=60", "?fit=whole", "?seed=18446744073709551615", "?steps=9&strength=0.5", "?color_guidance=0.2", "?map_size=6"} {
		if got := s.encode(1, q); bytes.Equal(got, base) || len(got) == 0 {
			t.Errorf("%s does not change the file", q)
		}
	}
	if got := s.encode(1, "?bytes=60"); len(got) > 60 {
		t.Errorf("%d bytes of 60", len(got))
	}
	two := s.encode(1, "?candidates=2&steps=4")
	if f, err := codec.Parse(two); err != nil || f.Sampling().Steps != 4 {
		t.Errorf("with candidates: %v", err)
	}
	ids := map[string]string{}
	for _, q := range []string{"", "?seed=1", "?steps=4", "?size=64", "?sampler=ddim&steps=4", "?apg=0&steps=4", "?guidance_interval=0-0.5&steps=4", "?noise_level=10", "?no_projection=true", "?precision=exact"} {
		d := s.post(200, q, base, "Prefer: wait=60")
		if d.State != done {
			t.Errorf("%s: %+v", q, d)
		}
		if other, ok := ids[d.ID]; ok {
			t.Errorf("%q and %q are one decode", q, other)
		}
		ids[d.ID] = q
	}
	// A form sends what it has: a parameter with its default is refused nowhere.
	s.post(202, "?strength=0&sampler=model&schedule=model&guidance_rescale=0&noise_level=0&no_projection=false", base)
	if d := s.post(200, "?size=64", base); d.Width != 64 || d.Height != 64 {
		t.Errorf("size 64: %d x %d", d.Width, d.Height)
	}
	for _, c := range []struct{ method, path, parameter, says string }{
		{"encode", "steps=0", "steps", "must be a whole number from 1 to 1000"},
		{"encode", "profile=best", "profile", "must be tuned or paper"},
		{"encode", "bytes=50&profile=paper", "bytes", "bytes has no effect: the paper's profile has one size"},
		{"encode", "antialias=true", "antialias", "antialias has no effect"},
		{"encode", "raw=true", "raw", "no such parameter"},
		{"encode", "color-guidance=0.1", "color-guidance", "no such parameter"},
		{"encode", "stepps=4", "stepps", "no such parameter"},
		{"encode", "seed=1&seed=2", "seed", "given 2 times"},
		{"encode", "candidates=17", "candidates", "at most 16; --max-candidates allows more"},
		{"encode", "from_pixels=perhaps", "from_pixels", "must be true or false"},
		{"encode", "strength=0.5;seed=7", "", "the query: invalid semicolon"},
		{"encode", "seed=%zz7", "", "the query: invalid URL escape"},
		{"encode", "prompt=%ff", "prompt", "not UTF-8"},
		{"encode", "prompt=a%00b", "prompt", "control characters"},
		{"encode", "color_guidance=0.123", "color_guidance", "a file holds hundredths"},
		{"decodes", "negative_prompt=%ff", "negative_prompt", "not UTF-8"},
		{"decodes", "seed=7;size=64", "", "the query"},
		{"decodes", "size=100", "size", "a multiple of 8"},
		{"decodes", "size=512", "size", "at most 256; --max-size allows more"},
		{"decodes", "strength=nan", "strength", "must be a number from 0 to 1"},
		{"decodes", "client=a+b", "client", "must be 1 to 64"},
		{"decodes", "profile=tuned", "profile", "no such parameter"},
		{"decodes", "guidance=1&apg=0", "apg", "apg has no effect: guidance 1"},
		{"decodes", "strength=0&noise_level=10", "noise_level", "strength 0 runs none"},
		{"decodes", "steps=1&guidance_interval=0-0.5", "guidance_interval", "none of the 1 steps"},
		{"encode", "strength=0&candidates=2", "candidates", "none of the 20 steps"},
	} {
		body, media := base, fileType
		if c.method == "encode" {
			body, media = photo(t, 1), "image/png"
		}
		r := s.request("POST", "/v1/"+c.method+"?"+c.path, body, "Content-Type: "+media)
		p := s.unchecked(400, r).problem(t)
		if p.Type != "urn:coclico:problem:parameter" || p.Parameter != c.parameter || !strings.Contains(p.Detail, c.says) {
			t.Errorf("%s: %+v", c.path, p)
		}
	}
	if p := s.unchecked(422, s.request("POST", "/v1/decodes?prompt=a+river", base, "Content-Type: "+fileType)).problem(t); p.Type != "urn:coclico:problem:prompt" {
		t.Errorf("prompt: %+v", p)
	}
}

// TestLengths: what is longer than the contract's maxLength is an error.
func TestLengths(t *testing.T) {
	s := start(t, withArchive(t, 1))
	doc, err := openapi3.NewLoader().LoadFromData(Document)
	if err != nil {
		t.Fatal(err)
	}
	bodies := map[string][]byte{"/v1/encode": photo(t, 1), "/v1/decodes": s.encode(1, "")}
	found := 0
	for path, item := range doc.Paths.Map() {
		for method, operation := range item.Operations() {
			for _, p := range operation.Parameters {
				most := p.Value.Schema.Value.MaxLength
				if most == nil {
					continue
				}
				found++
				query := "?" + p.Value.Name + "=" + strings.Repeat("a", int(*most)+1)
				problem := s.unchecked(400, s.request(method, path+query, bodies[path])).problem(t)
				if problem.Parameter != p.Value.Name || !strings.Contains(problem.Detail, fmt.Sprintf("at most %d", *most)) {
					t.Errorf("%s %s, %s: %+v", method, path, p.Value.Name, problem)
				}
			}
		}
	}
	long := s.encode(1, "?profile=paper&map_size=64&color_bits=8&clip_bits=16") // most have 110 bytes
	if file := base64.RawURLEncoding.EncodeToString(long); len(file) < 5600 {
		t.Errorf("a long file has %d characters", len(file))
	} else {
		s.unchecked(200, s.request("GET", "/v1/search?file="+file, nil))
	}
	if found != 8 {
		t.Errorf("%d parameters have a length", found)
	}
}

// TestNoPicture: who prefers a picture and waits for one that there will never be
// gets the reason, and who prefers JSON the decode.
func TestNoPicture(t *testing.T) {
	s := start(t, nil)
	for _, c := range []struct {
		state   state
		problem *problem
		status  int
	}{{failed, internal.problem("no luck"), 500}, {canceled, nil, 409}} {
		file := s.encode(1, "")
		d := s.Server.decodes.get(s.post(202, slow, file).ID)
		ask := func(headers ...string) <-chan answer {
			got := make(chan answer, 1)
			r := s.request("POST", "/v1/decodes"+slow, file, append(headers, "Content-Type: "+fileType, "Prefer: wait=60")...)
			go func() {
				defer close(got)
				if response, err := s.http.Do(r); err != nil {
					t.Error(err)
				} else {
					got <- readAnswer(t, response)
				}
			}()
			return got
		}
		asPicture, asJSON := ask("Accept: image/png"), ask()
		for s.waits.Load() < 2 {
			time.Sleep(time.Millisecond)
		}
		d.end(c.state, c.problem)
		if got, ok := <-asPicture; ok && (got.StatusCode != c.status || c.problem != nil && got.problem(t).Detail != c.problem.Detail) {
			t.Errorf("%s: status %d, %s", c.state, got.StatusCode, got.body)
		}
		var j decodeJSON
		if got, ok := <-asJSON; ok {
			if got.json(t, &j); got.StatusCode != 200 || j.State != c.state {
				t.Errorf("%s: status %d, %s", c.state, got.StatusCode, got.body)
			}
		}
	}
}

// TestQueries: a query that is not by the contract is an error whatever the path,
// and a client whose name is misspelled does not leave as another.
func TestQueries(t *testing.T) {
	s := start(t, nil)
	d := s.post(200, "", s.encode(1, ""), "Prefer: wait=60")
	path := "/v1/decodes/" + d.ID
	for _, c := range []struct{ method, path string }{
		{"GET", path}, {"HEAD", path}, {"DELETE", path}, {"GET", path + "/events"}, {"GET", path + "/picture.png"}, {"GET", path + "/picture.jpg"}, {"GET", "/v1/info"}, {"GET", "/openapi.yaml"},
	} {
		for query, parameter := range map[string]string{"?clinet=me": "clinet", "?a=%zz": "", "?a;b": ""} {
			a := s.unchecked(400, s.request(c.method, c.path+query, nil))
			if c.method == "HEAD" {
				continue
			}
			if p := a.problem(t); p.Type != "urn:coclico:problem:parameter" || p.Parameter != parameter {
				t.Errorf("%s %s%s: %+v", c.method, c.path, query, p)
			}
		}
	}
	s.do(200, "GET", d.Picture, nil) // nobody has left it
}

// unchecked sends a request that may or may not be by the contract.
func (s *testServer) unchecked(status int, r *http.Request) answer {
	s.t.Helper()
	response, err := s.http.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	a := readAnswer(s.t, response)
	if a.StatusCode != status {
		s.t.Fatalf("%s %s: status %d, want %d: %.500s", r.Method, r.URL, a.StatusCode, status, a.body)
	}
	return a
}

func readAnswer(t testing.TB, response *http.Response) answer {
	t.Helper()
	defer response.Body.Close()
	var b bytes.Buffer
	if _, err := b.ReadFrom(response.Body); err != nil {
		t.Fatal(err)
	}
	return answer{response, b.Bytes()}
}

// TestForm: a form without a script encodes.
func TestForm(t *testing.T) {
	s := start(t, nil)
	var b bytes.Buffer
	form := multipart.NewWriter(&b)
	form.WriteField("note", "ignored")
	part, err := form.CreateFormFile("picture", "photo.png")
	if err != nil {
		t.Fatal(err)
	}
	part.Write(photo(t, 1))
	form.Close()
	got := s.unchecked(200, s.request("POST", "/v1/encode", b.Bytes(), "Content-Type: "+form.FormDataContentType()))
	if !bytes.Equal(got.body, s.encode(1, "")) {
		t.Error("the form's picture has another file")
	}
	if strings.Contains(s.log.String(), "photo.png") {
		t.Error("the log names the file")
	}
	for _, body := range []string{"", "--x--\r\n", "--x\r\nContent-Disposition: form-data; name=other\r\n\r\nabc\r\n--x--\r\n", "--x\r\nbroken"} {
		p := s.unchecked(400, s.request("POST", "/v1/encode", []byte(body), "Content-Type: multipart/form-data; boundary=x")).problem(t)
		if p.Type != "urn:coclico:problem:body" {
			t.Errorf("%q: %+v", body, p)
		}
	}
}

// TestServerInfo: the server describes itself, its document and its page.
func TestServerInfo(t *testing.T) {
	s := start(t, nil)
	var v serverJSON
	s.do(200, "GET", "/v1/info", nil).json(t, &v)
	if v.Version != "test" || !v.Model.BuiltIn || v.Model.ID != "241" || v.Model.Size != 128 || v.Limits.Queue != 16 || v.Limits.ClientQueue != 8 || v.Archive != nil {
		t.Errorf("%+v", v)
	}
	if got := s.do(200, "GET", "/openapi.yaml", nil); !bytes.Equal(got.body, Document) {
		t.Error("the document is another")
	}
	s.do(200, "GET", "/healthz", nil)
	s.do(200, "GET", "/readyz", nil)
	page := s.unchecked(200, s.request("GET", "/", nil))
	if !strings.Contains(string(page.body), "<html") || !strings.Contains(page.Header.Get("Content-Security-Policy"), "default-src 'self'") ||
		page.Header.Get("X-Content-Type-Options") != "nosniff" || page.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("%v", page.Header)
	}
	s.unchecked(304, s.request("GET", "/", nil, "If-None-Match: "+page.Header.Get("ETag")))
	for _, c := range []struct {
		status       int
		method, path string
	}{
		{405, "GET", "/v1/encode"}, {405, "PUT", "/v1/decodes"}, {405, "POST", "/v1/info"}, {405, "POST", "/"}, {405, "PUT", "/v1/decodes/x"}, {405, "TRACE", "/healthz"}, {405, "GE", "/v1/info"}, {405, "ET", "/v1/info"}, {405, "POST", "/readyz"},
		{404, "GET", "/v1/search?q=x"}, {404, "GET", "/v1/archive"}, {404, "GET", "/v2"}, {404, "POST", "/v1/other"}, {404, "GET", "/v1/decodes/x"}, {404, "DELETE", "/v1/decodes/x"},
		{404, "GET", "/v1/decodes/x/events"}, {404, "GET", "/v1/decodes/x/picture.png"}, {404, "GET", "/v1/decodes/x/picture.gif"},
	} {
		s.unchecked(c.status, s.request(c.method, c.path, nil)).problem(t)
	}
}

// TestHalfModels: a half model answers 501 to what it lacks.
func TestHalfModels(t *testing.T) {
	whole := start(t, nil)
	file := whole.encode(1, "")
	s := start(t, func(c *Config) { c.Model.Decodes = false })
	s.encode(1, "")
	p := s.do(501, "POST", "/v1/decodes", file, "Content-Type: "+fileType).problem(t)
	if p.Type != "urn:coclico:problem:half-model" || !strings.Contains(p.Detail, "coclico pull") {
		t.Errorf("%+v", p)
	}
	s = start(t, func(c *Config) { c.Model.Encodes = false })
	s.do(501, "POST", "/v1/encode", photo(t, 1), "Content-Type: image/png").problem(t)
	if d := s.post(200, "", file, "Prefer: wait=60"); d.State != done {
		t.Errorf("%+v", d)
	}
}
