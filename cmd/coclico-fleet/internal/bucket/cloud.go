package bucket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/url"
	"slices"
	"strings"

	"gocloud.dev/blob"
	_ "gocloud.dev/blob/memblob" // mem://, for tests
	_ "gocloud.dev/blob/s3blob"  // s3://
)

// A cloud is a bucket of an object store.
type cloud struct{ blob *blob.Bucket }

// schemes are the object stores that this program was built with.
var schemes = []string{"mem", "s3"}

// openCloud opens a bucket of an object store. The path of a URL is the prefix of
// the objects' names; its query is gocloud.dev's.
func openCloud(ctx context.Context, where string) (*Bucket, error) {
	u, err := url.Parse(where)
	if err != nil {
		return nil, errors.New("not the URL of a bucket, such as s3://name/prefix")
	}
	if !slices.Contains(schemes, u.Scheme) {
		return nil, fmt.Errorf("%s: this program has no object store %q, but %s (build it with -tags gcs,azure for gs and azblob)", where, u.Scheme, strings.Join(schemes, ", "))
	}
	if u.User != nil {
		return nil, fmt.Errorf("%s: no password belongs in a URL", u.Redacted())
	}
	prefix := strings.Trim(u.Path, "/")
	if prefix != "" {
		if err := CheckName(prefix); err != nil {
			return nil, fmt.Errorf("%s: %w", where, err)
		}
		prefix += "/"
	}
	of := *u
	of.Path = ""
	b, err := blob.OpenBucket(ctx, of.String())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", where, err)
	}
	if prefix != "" {
		b = blob.PrefixedBucket(b, prefix)
	}
	return &Bucket{url: where, store: &cloud{b}}, nil
}

func (c *cloud) close() error { return c.blob.Close() }

func (c *cloud) get(ctx context.Context, name string, limit int64) ([]byte, Object, error) {
	r, err := c.blob.NewReader(ctx, name, nil)
	if err != nil {
		return nil, Object{}, err
	}
	defer r.Close()
	if r.Size() > limit {
		return nil, Object{}, ErrLong
	}
	data, err := io.ReadAll(io.LimitReader(r, limit))
	return data, Object{Name: name, Size: r.Size(), Time: r.ModTime()}, err
}

func (c *cloud) put(ctx context.Context, name string, fill func(io.Writer) error, absent bool) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // before Close, it discards what was written
	w, err := c.blob.NewWriter(ctx, name, &blob.WriterOptions{IfNotExist: absent, ContentType: "application/octet-stream"})
	if err != nil {
		return err
	}
	if err := fill(w); err != nil {
		cancel()
		w.Close()
		return err
	}
	return w.Close()
}

func (c *cloud) has(ctx context.Context, name string) (bool, error) { return c.blob.Exists(ctx, name) }

func (c *cloud) remove(ctx context.Context, name string) error { return c.blob.Delete(ctx, name) }

// tidy does nothing: an object store keeps no draft of an object.
func (c *cloud) tidy(context.Context, string) {}

func (c *cloud) list(ctx context.Context, prefix string) iter.Seq2[Object, error] {
	return func(yield func(Object, error) bool) {
		objects := c.blob.List(&blob.ListOptions{Prefix: prefix})
		for {
			o, err := objects.Next(ctx)
			if err == io.EOF {
				return
			}
			if err != nil {
				yield(Object{}, err)
				return
			}
			if !yield(Object{Name: o.Key, Size: o.Size, Time: o.ModTime, ETag: etag(o)}, nil) {
				return
			}
		}
	}
}
