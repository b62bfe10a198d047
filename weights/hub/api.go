package hub

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// list returns the listing of a model.
func (c *Client) list(ctx context.Context, r Repo, revision string) (*Listing, error) {
	address := fmt.Sprintf("%s/api/models/%s/revision/%s?blobs=true", c.Endpoint, r, url.PathEscape(revision))
	var data []byte
	err := c.patiently(ctx, func() (bool, error) {
		ctx, cancel := context.WithTimeout(ctx, 4*c.stall()) // or a drip would never end
		defer cancel()
		resp, err := c.request(ctx, http.MethodGet, address, true, nil)
		if err == nil {
			defer resp.Body.Close()
			data, err = io.ReadAll(io.LimitReader(resp.Body, maxListing+1))
		}
		var none unreachableError
		switch {
		case errors.As(err, &none): // report it at once
			err = &permanentError{err}
		case errors.Is(err, context.DeadlineExceeded):
			err = permanentf("%s: the listing does not end", host(address))
		case err == nil && len(data) > maxListing:
			err = permanentf("%s: the listing has more than %d bytes", host(address), maxListing)
		}
		return false, err
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", r, c.about(r, err))
	}
	l, err := parseListing(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %s: %w", r, host(address), err)
	}
	if isCommit(revision) && revision != l.Commit {
		return nil, fmt.Errorf("%s: the listing is of commit %[3]s, not %[2]s", r, revision, l.Commit)
	}
	return l, nil
}

// about adds the address of a model's page to a refusal, for the user to visit.
func (c *Client) about(r Repo, err error) error {
	var status *statusError
	if errors.As(err, &status) {
		status.page = c.Endpoint + "/" + r.String()
	}
	return err
}

// resolve returns the address of a file.
func (c *Client) resolve(r Repo, commit, path string) string {
	words := strings.Split(path, "/")
	for i, w := range words {
		words[i] = url.PathEscape(w)
	}
	return fmt.Sprintf("%s/%s/resolve/%s/%s", c.Endpoint, r, commit, strings.Join(words, "/"))
}

// stat returns a file with its size and hash, which the listings of some
// mirrors lack.
func (c *Client) stat(ctx context.Context, r Repo, commit string, f File) (File, error) {
	err := c.patiently(ctx, func() (bool, error) {
		resp, err := c.request(ctx, http.MethodHead, c.resolve(r, commit, f.Path), false, nil)
		if err != nil {
			return false, err
		}
		resp.Body.Close()
		etag := cmp.Or(resp.Header.Get("X-Linked-Etag"), resp.Header.Get("ETag"))
		f.Hash = strings.Trim(strings.TrimPrefix(etag, "W/"), `"`)
		size := cmp.Or(resp.Header.Get("X-Linked-Size"), resp.Header.Get("Content-Length"))
		f.Size, err = strconv.ParseInt(size, 10, 64)
		if err != nil || f.Hash == "" {
			return false, permanentf("%s does not give the size and the hash of %s", host(c.Endpoint), f.Path)
		}
		if err := f.check(); err != nil {
			return false, &permanentError{err}
		}
		return false, nil
	})
	if err != nil {
		return f, fmt.Errorf("%s: %w", f.Path, c.about(r, err))
	}
	return f, nil
}
