package hub

import (
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
)

// fetch downloads a file's blob unless the cache has it. advance is called with
// the number of bytes as they come, with that of the bytes that were there
// before, and with a negative number for bytes that are thrown away.
func (c *Client) fetch(ctx context.Context, r Repo, commit string, f File, advance func(int64)) error {
	if c.Cache.has(r, commit, f) { // without a lock, which a cache that is read-only does not have
		advance(f.Size)
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(c.Cache.blob(r, f.Hash)), 0o777); err != nil {
		return err
	}
	unlock, err := c.lockFile(ctx, c.Cache.lock(r, f.Hash), f.Path)
	if err != nil {
		return err
	}
	defer unlock()
	if c.Cache.has(r, commit, f) { // by another pull
		advance(f.Size)
		return nil
	}
	d := &download{c: c, address: c.resolve(r, commit, f.Path), file: f, path: c.Cache.blob(r, f.Hash) + incomplete, advance: advance}
	if err := d.all(ctx); err != nil {
		return fmt.Errorf("%s: %w", f.Path, c.about(r, err))
	}
	return os.Rename(d.path, strings.TrimSuffix(d.path, incomplete))
}

// ErrWrongBytes means that the downloaded bytes have another hash than the hub
// or the caller promised.
var ErrWrongBytes = errors.New("the downloaded bytes do not have the hash that was promised; they were thrown away")

var err416 = errors.New("the server does not have the rest of the file")

// A download is a file that is being downloaded.
type download struct {
	c       *Client
	address string
	file    File
	path    string
	advance func(int64)

	f    *os.File
	have int64 // bytes on the disk and in sum
	sum  hash.Hash
}

// all downloads the file, or the rest of it after an earlier download.
func (d *download) all(ctx context.Context) error {
	defer d.close()
	if err := d.open(ctx); err != nil {
		return err
	}
	resumed := d.have > 0
	err := d.run(ctx)
	if resumed && errors.Is(err, ErrWrongBytes) { // perhaps it was the old ones
		err = d.run(ctx)
	}
	return err
}

// newSum returns the hash function by which a blob of n bytes got its name.
func newSum(name string, n int64) hash.Hash {
	if len(name) == 64 {
		return sha256.New()
	}
	h := sha1.New()
	fmt.Fprintf(h, "blob %d\x00", n)
	return h
}

// open takes over the bytes that an earlier download has left. A link or a pipe
// of that name is deleted: nothing is written through it.
func (d *download) open(ctx context.Context) error {
	if info, err := os.Lstat(d.path); err == nil && !info.Mode().IsRegular() {
		if err := os.Remove(d.path); err != nil {
			return err
		}
	}
	f, err := os.OpenFile(d.path, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return err
	}
	d.f, d.sum = f, newSum(d.file.Hash, d.file.Size)
	d.have, err = io.Copy(d.sum, &reporting{ctx, io.LimitReader(f, d.file.Size+1), d.advance})
	if err != nil {
		return err
	}
	if d.have > d.file.Size {
		return d.restart(ctx)
	}
	return nil
}

// restart begins again with a new file, and leaves the old one to other
// processes that may have it open where locks do not work.
func (d *download) restart(ctx context.Context) error {
	d.close()
	if err := os.Remove(d.path); err != nil {
		return err
	}
	d.advance(-d.have)
	return d.open(ctx)
}

func (d *download) close() {
	if d.f != nil {
		d.f.Close()
		d.f = nil
	}
}

// run downloads the rest of the file and compares its hash.
func (d *download) run(ctx context.Context) error {
	err := d.c.patiently(ctx, func() (bool, error) {
		before := d.have
		err := d.stream(ctx)
		return d.have-before >= slowest, err // a drip is no progress, or this would never end
	})
	if err != nil {
		return err
	}
	if fmt.Sprintf("%x", d.sum.Sum(nil)) != d.file.Hash {
		return errors.Join(ErrWrongBytes, d.restart(ctx))
	}
	if err := d.f.Sync(); err != nil {
		return err
	}
	err = d.f.Close()
	d.f = nil
	return err
}

// stream requests the rest of the file once.
func (d *download) stream(ctx context.Context) error {
	if d.have == d.file.Size {
		return nil
	}
	header := http.Header{}
	if d.have > 0 {
		header.Set("Range", fmt.Sprintf("bytes=%d-", d.have))
	}
	resp, err := d.c.get(ctx, d.address, header)
	var status *statusError
	if errors.As(err, &status) && status.code == http.StatusRequestedRangeNotSatisfiable && d.have > 0 {
		if err := d.restart(ctx); err != nil {
			return &permanentError{err}
		}
		return err416
	}
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if d.have > 0 && resp.StatusCode != http.StatusPartialContent { // no ranges here
		if err := d.restart(ctx); err != nil {
			return &permanentError{err}
		}
	}
	if err := d.fits(resp); err != nil {
		return err
	}
	return d.copy(resp.Body)
}

// fits checks the answer's headers against the rest of the file.
func (d *download) fits(resp *http.Response) error {
	left := d.file.Size - d.have
	if resp.StatusCode == http.StatusPartialContent {
		var first, last int64
		if _, err := fmt.Sscanf(resp.Header.Get("Content-Range"), "bytes %d-%d/", &first, &last); err != nil || first != d.have || last != d.file.Size-1 {
			return permanentf("%s sends %q, not the bytes from %d", resp.Request.URL.Host, clip(resp.Header.Get("Content-Range")), d.have)
		}
	}
	if resp.ContentLength >= 0 && resp.ContentLength != left {
		return permanentf("%s sends %d bytes, not the promised %d", resp.Request.URL.Host, resp.ContentLength, left)
	}
	return nil
}

// copy writes the answer's body to the file, and no more than its size.
func (d *download) copy(body io.Reader) error {
	buf := make([]byte, 256<<10)
	for d.have < d.file.Size {
		n, err := body.Read(buf[:min(int64(len(buf)), d.file.Size-d.have)])
		if n > 0 {
			if _, err := d.f.Write(buf[:n]); err != nil {
				return &permanentError{err}
			}
			d.sum.Write(buf[:n])
			d.have += int64(n)
			d.advance(int64(n))
		}
		switch {
		case err == io.EOF && d.have < d.file.Size:
			return fmt.Errorf("cut short after %d of %d bytes", d.have, d.file.Size)
		case err != nil && err != io.EOF:
			return err
		}
	}
	return nil
}
