package serve

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/coclico/coclico/cmd/internal/picture"
)

var encodePNG, encodeJPEG = encoderFor(".png"), encoderFor(".jpg")

func encoderFor(ending string) picture.Encoder {
	e, err := picture.EncoderFor(ending)
	if err != nil {
		panic("serve: " + err.Error())
	}
	return e
}

// An asset is a file of the page.
type asset struct {
	data      []byte
	mediaType string
	etag      string
}

// newPage returns the handler of the page's files, which are read once.
func newPage(files fs.FS) (http.Handler, error) {
	assets := map[string]*asset{}
	add := func(name string, data []byte) {
		media := mime.TypeByExtension(path.Ext(name))
		if known, ok := mediaTypes[path.Ext(name)]; ok {
			media = known // whatever this machine's tables say
		}
		assets["/"+name] = &asset{data, media, fmt.Sprintf(`"%x"`, sha256.Sum256(data))}
	}
	if err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(files, name)
		add(name, data)
		return err
	}); err != nil {
		return nil, err
	}
	assets["/"] = assets["/index.html"]
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a := assets[r.URL.Path]
		if a == nil && !strings.HasSuffix(r.URL.Path, "/") {
			a = assets[r.URL.Path+".html"]
		}
		switch {
		case a == nil:
			notFound.problem("nothing is at this path").write(w)
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			w.Header().Set("Allow", "GET, HEAD")
			badMethod.problem("%s: this path has GET and HEAD", r.Method).write(w)
		default:
			h := w.Header()
			h.Set("Content-Type", a.mediaType)
			h.Set("ETag", a.etag)
			h.Set("Cache-Control", "no-cache") // ask, and get 304
			serveWhole(w, r, a.data)
		}
	}), nil
}

// serveWhole answers with data whose ETag is set, or with 304. Parts are no part
// of the API.
func serveWhole(w http.ResponseWriter, r *http.Request, data []byte) {
	r.Header.Del("Range")
	r.Header.Del("If-Match")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
}

var mediaTypes = map[string]string{
	".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".wasm": "application/wasm",
	".svg": "image/svg+xml", ".png": "image/png", ".json": "application/json", ".webmanifest": "application/manifest+json",
}
