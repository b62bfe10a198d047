package hub

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/coclico/coclico/weights"
)

// maxRanges bounds the requests for an excerpt. The tensors of one network lie
// side by side in nearly every file, and are then one range or two.
const maxRanges = 256

// A Selection is the part of a model that a use needs.
type Selection struct {
	File             string                 // a safetensors file
	Keep             func(name string) bool // whether a tensor of it is needed
	Needed, Optional []string               // small files that belong to the tensors
}

// An Excerpt is a plan of the small files of a selection, which belong into the
// cache, and of its tensors, which become a safetensors file elsewhere.
type Excerpt struct {
	Plan   *Plan  // the small files
	Of     File   // the file with all tensors
	Header string // SHA-256 of what that begins with, its header's length and its header
	Path   string // of the file that the tensors become
	Item   Item   // that file, as a plan would list it; its hash is unknown

	begin  []byte // of the new file
	ranges []weights.Range
	etag   string // the second host's, as of the first answer
}

// PlanExcerpt asks the hub for a model's listing, its card and the header of the
// safetensors file, and determines which bytes of it a file at path needs.
func (c *Client) PlanExcerpt(ctx context.Context, r Repo, revision string, s Selection, path string) (*Excerpt, error) {
	plan, err := c.planFiles(ctx, r, revision, func(l *Listing) ([]string, error) { return s.texts(l) })
	if err != nil {
		return nil, err
	}
	e := &Excerpt{Plan: plan, Path: path}
	if err := c.excerpt(ctx, e, s); err != nil {
		return nil, fmt.Errorf("%s: %w", r, err)
	}
	return e, nil
}

// texts returns the small files that a model has, and an error if one is
// missing or not small.
func (s Selection) texts(l *Listing) (paths []string, err error) {
	for i, name := range append(s.Needed[:len(s.Needed):len(s.Needed)], s.Optional...) {
		f, ok := l.find(name)
		switch {
		case ok && f.Size > small:
			return nil, fmt.Errorf("%s has %d bytes", name, f.Size)
		case ok:
			paths = append(paths, name)
		case i < len(s.Needed):
			return nil, fmt.Errorf("no %s in it", name)
		}
	}
	return paths, nil
}

// excerpt reads the header of the safetensors file.
func (c *Client) excerpt(ctx context.Context, e *Excerpt, s Selection) error {
	p := e.Plan
	f, ok := p.listing.find(s.File)
	if !ok {
		return fmt.Errorf("no %s in it", s.File)
	}
	f, err := (&selection{ctx: ctx, c: c, plan: p}).complete(f)
	if err != nil {
		return err
	}
	if err := c.Pins.check(p.Commit, f); err != nil {
		return err
	}
	e.Of = f
	head, err := c.header(ctx, e)
	if err == nil {
		e.begin, e.ranges, err = weights.Excerpt(head, f.Size, s.Keep)
	}
	if err == nil && len(e.ranges) > maxRanges {
		err = fmt.Errorf("the tensors lie in %d places, at most %d are read", len(e.ranges), maxRanges)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", f.Path, c.about(p.Repo, err))
	}
	e.Header = fmt.Sprintf("%x", sha256.Sum256(head))
	e.Item = Item{File: File{Path: f.Path + " (in part)", Size: int64(len(e.begin))}}
	for _, r := range e.ranges {
		e.Item.Size += r.Len()
	}
	e.Item.Have = e.have()
	return nil
}

// header downloads what the safetensors file begins with.
func (c *Client) header(ctx context.Context, e *Excerpt) ([]byte, error) {
	first, err := c.bytes(ctx, e, weights.Range{Start: 0, End: min(8, e.Of.Size)})
	if err != nil {
		return nil, err
	}
	n, err := weights.HeaderSize(first, e.Of.Size)
	if err != nil || n == 8 {
		return first, err
	}
	rest, err := c.bytes(ctx, e, weights.Range{Start: 8, End: n})
	return append(first, rest...), err
}

// bytes downloads a short range into memory.
func (c *Client) bytes(ctx context.Context, e *Excerpt, r weights.Range) (data []byte, err error) {
	if r.Len() == 0 {
		return nil, nil
	}
	err = c.patiently(ctx, func() (bool, error) {
		body, err := c.section(ctx, e, r)
		if err != nil {
			return false, err
		}
		defer body.Close()
		data = make([]byte, r.Len())
		n, err := io.ReadFull(body, data)
		if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
			err = fmt.Errorf("cut short after %d of %d bytes", n, r.Len())
		}
		return false, err
	})
	return data, err
}

// section requests a range of the safetensors file. All answers must be from one
// version of it, by the second host's ETag.
func (c *Client) section(ctx context.Context, e *Excerpt, r weights.Range) (io.ReadCloser, error) {
	header := http.Header{"Range": {fmt.Sprintf("bytes=%d-%d", r.Start, r.End-1)}}
	if strings.HasPrefix(e.etag, `"`) { // a weak one never matches
		header.Set("If-Range", e.etag)
	}
	resp, err := c.get(ctx, c.resolve(e.Plan.Repo, e.Plan.Commit, e.Of.Path), header)
	if err != nil {
		return nil, err
	}
	if err := e.fits(resp, r); err != nil {
		resp.Body.Close()
		return nil, err
	}
	e.etag = resp.Header.Get("ETag")
	return resp.Body, nil
}

// ErrChanged means that a file is another than when its excerpt was planned.
var ErrChanged = errors.New("the file has changed on the hub since the first bytes came; they were thrown away")

// fits checks the headers of the answer to a request for a range.
func (e *Excerpt) fits(resp *http.Response, r weights.Range) error {
	at := resp.Request.URL.Host
	if tag := resp.Header.Get("ETag"); e.etag != "" && tag != e.etag {
		return &permanentError{ErrChanged}
	}
	if resp.StatusCode != http.StatusPartialContent {
		return permanentf("%s does not send parts of files", at)
	}
	var first, last int64
	var total string
	sent := resp.Header.Get("Content-Range")
	_, err := fmt.Sscanf(sent, "bytes %d-%d/%s", &first, &last, &total)
	if err != nil || first != r.Start || last != r.End-1 || total != "*" && total != fmt.Sprint(e.Of.Size) {
		return permanentf("%s sends %q, not the bytes from %d to %d of %d", at, clip(sent), r.Start, r.End-1, e.Of.Size)
	}
	if resp.ContentLength >= 0 && resp.ContentLength != r.Len() {
		return permanentf("%s sends %d bytes, %d were asked for", at, resp.ContentLength, r.Len())
	}
	return nil
}

// partial returns the name of the file in which the tensors are gathered. The
// hash is the whole file's, so that no two versions are mixed.
func (e *Excerpt) partial() string {
	return fmt.Sprintf("%s.%s%s", e.Path, e.Of.Hash, incomplete)
}

// block is after how many bytes the gathered ones are synced. There is no hash
// to compare them with, so a pull resumes at a multiple of it, where the bytes
// before are those that came, whatever ended the last one.
const block = 4 << 20

// have returns how many bytes of the new file exist: all of them, or those of an
// earlier pull that are on the disk for sure.
func (e *Excerpt) have() int64 {
	if e.begun(e.Path) == e.Item.Size {
		return e.Item.Size
	}
	have := max(0, e.begun(e.partial())-1) / block * block
	if have < int64(len(e.begin)) {
		return 0
	}
	return have
}

// begun returns the size of a file that begins as the new one does, 0 if it does
// not.
func (e *Excerpt) begun(name string) int64 {
	info, err := os.Lstat(name)
	if err != nil || !info.Mode().IsRegular() || info.Size() > e.Item.Size {
		return 0
	}
	f, err := os.Open(name)
	if err != nil {
		return 0
	}
	defer f.Close()
	begin := make([]byte, len(e.begin))
	if _, err := io.ReadFull(f, begin); err != nil || !bytes.Equal(begin, e.begin) {
		return 0
	}
	return info.Size()
}

// PullExcerpt downloads the missing bytes of an excerpt's tensors, and returns
// the SHA-256 of the file that they have become. A file of that name, size and
// header is taken to be it. What has come stays after an error, except where the
// file has changed. progress, which may be nil, is
// called with the number of bytes that the new file has.
//
// The hash of the whole file, which the hub's listing has, cannot be compared
// with that of a part. The answers are of one commit and one ETag, their lengths
// and places are checked, and the header proves that they are whole tensors.
// What is in the tensors is for the caller to check.
func (c *Client) PullExcerpt(ctx context.Context, e *Excerpt, progress func(done int64)) (sum string, err error) {
	if err := c.room(filepath.Dir(e.Path), e.Item.Size-e.Item.Have); err != nil {
		return "", err
	}
	if err := os.MkdirAll(filepath.Dir(e.Path), 0o777); err != nil {
		return "", err
	}
	unlock, err := c.lockFile(ctx, c.Cache.lock(e.Plan.Repo, e.Of.Hash+".excerpt"), e.Of.Path)
	if err != nil {
		return "", err
	}
	defer unlock()
	if e.have() == e.Item.Size { // by another pull, or one that was killed at its end
		return sumOf(ctx, e.Path)
	}
	g := &gathering{c: c, e: e, progress: progress}
	if err := g.open(); err != nil {
		return "", err
	}
	defer g.f.Close()
	if err := g.run(ctx); err != nil {
		if errors.Is(err, ErrChanged) {
			g.f.Close()
			err = errors.Join(err, os.Remove(e.partial()))
		}
		return "", fmt.Errorf("%s: %w", e.Of.Path, c.about(e.Plan.Repo, err))
	}
	return g.finish(ctx)
}

// A gathering is a file in which tensors are gathered.
type gathering struct {
	c        *Client
	e        *Excerpt
	progress func(int64)

	f    *os.File
	have int64 // bytes in f
}

// open takes over the bytes that an earlier pull has left. A link or a pipe of
// that name is deleted: nothing is written through it.
func (g *gathering) open() error {
	name := g.e.partial()
	g.have = g.e.have()
	if g.have == 0 {
		if err := os.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return err
	}
	if err = f.Truncate(g.have); err == nil {
		_, err = f.Seek(g.have, io.SeekStart)
	}
	g.f = f
	if err == nil && g.have == 0 {
		err = g.write(g.e.begin)
	}
	if err != nil {
		f.Close()
	}
	return err
}

// write appends bytes, and syncs the file at the end of a block.
func (g *gathering) write(p []byte) error {
	for len(p) > 0 {
		n, err := g.f.Write(p[:min(int64(len(p)), block-g.have%block)])
		g.have += int64(n)
		p = p[n:]
		if err == nil && g.have%block == 0 {
			err = g.f.Sync()
		}
		if err != nil {
			return err
		}
	}
	if g.progress != nil {
		g.progress(g.have)
	}
	return nil
}

// run downloads the ranges that are missing, and the rest of a range that has
// come in part.
func (g *gathering) run(ctx context.Context) error {
	at := int64(len(g.e.begin)) // where a range is in the new file
	for _, r := range g.e.ranges {
		end := at + r.Len()
		err := g.c.patiently(ctx, func() (bool, error) {
			before := g.have
			if before >= end {
				return false, nil
			}
			err := g.stream(ctx, weights.Range{Start: r.Start + before - at, End: r.End})
			return g.have-before >= slowest, err
		})
		if err != nil {
			return err
		}
		at = end
	}
	return nil
}

// stream requests a range once, and appends no more than its bytes.
func (g *gathering) stream(ctx context.Context, r weights.Range) error {
	body, err := g.c.section(ctx, g.e, r)
	if err != nil {
		return err
	}
	defer body.Close()
	buf := make([]byte, 256<<10)
	for left := r.Len(); left > 0; {
		n, err := body.Read(buf[:min(int64(len(buf)), left)])
		if err := g.write(buf[:n]); err != nil {
			return &permanentError{err}
		}
		left -= int64(n)
		switch {
		case ctx.Err() != nil: // which the body notices later
			return ctx.Err()
		case err == io.EOF && left > 0:
			return fmt.Errorf("cut short after %d of %d bytes", r.Len()-left, r.Len())
		case err != nil && err != io.EOF:
			return err
		}
	}
	return nil
}

// finish gives the file its name, deletes what pulls of other versions have
// left, and returns the hash.
func (g *gathering) finish(ctx context.Context) (string, error) {
	if err := errors.Join(g.f.Sync(), g.f.Close()); err != nil {
		return "", err
	}
	sum, err := sumOf(ctx, g.e.partial())
	if err != nil {
		return "", err
	}
	if err := os.Rename(g.e.partial(), g.e.Path); err != nil {
		return "", err
	}
	dir, name := filepath.Split(g.e.Path)
	entries, _ := os.ReadDir(filepath.Clean(dir))
	for _, other := range entries {
		if strings.HasPrefix(other.Name(), name+".") && strings.HasSuffix(other.Name(), incomplete) {
			os.Remove(filepath.Join(dir, other.Name()))
		}
	}
	return sum, nil
}

// sumOf returns the SHA-256 of a file.
func sumOf(ctx context.Context, name string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, &reporting{ctx: ctx, r: f}); err != nil {
		return "", err
	}
	return fmt.Sprintf("%x", sum.Sum(nil)), nil
}
