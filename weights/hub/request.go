package hub

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// maxRedirects are more than the hub's two.
const maxRedirects = 6

// errStalled ends a request on which nothing moves.
var errStalled = errors.New("nothing came for too long")

// A statusError is a server's refusal.
type statusError struct {
	code          int
	host          string
	reason, words string // X-Error-Code and X-Error-Message
	after         time.Duration
	second        bool // the host is one that the hub redirects to
	token         bool // one was sent
}

// Error says what the user can do about it.
func (e *statusError) Error() string {
	s := fmt.Sprintf("%s answers %d %s", e.host, e.code, http.StatusText(e.code))
	if e.words != "" {
		s += " (" + e.words + ")"
	}
	switch {
	case e.code == http.StatusTooManyRequests:
		return s + ": try again later"
	case e.code == http.StatusProxyAuthRequired:
		return s + ": the proxy wants a name and a password (HTTPS_PROXY)"
	case e.second: // which knows neither models nor tokens
		return s
	case e.code == http.StatusUnauthorized && e.token:
		return s + ": the token is not accepted, or the model does not exist"
	case e.code == http.StatusUnauthorized:
		return s + ": the model needs a token (HF_TOKEN), or does not exist"
	case e.reason == "GatedRepo" || e.code == http.StatusForbidden:
		return s + ": the model's terms must be accepted on its page first, and a token be given (HF_TOKEN)"
	case e.reason == "RevisionNotFound":
		return s + ": the model has no such revision"
	case e.code == http.StatusNotFound:
		return s + ": there is no such model, or the revision does not have the file"
	}
	return s
}

// An htmlError is a page in the place of what was asked for: of a proxy, of a
// network that wants a login, or of a server that is down.
type htmlError struct{ host string }

func (e *htmlError) Error() string {
	return e.host + " answers with a web page: a proxy or a login page is in between"
}

// transient reports whether the same request may succeed a little later.
func transient(err error) bool {
	var status *statusError
	var html *htmlError
	var permanent *permanentError
	switch {
	case errors.As(err, &status):
		return status.code >= 500 || status.code == http.StatusTooManyRequests || status.code == http.StatusRequestTimeout
	case errors.As(err, &html), errors.As(err, &permanent):
		return false
	}
	return !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded)
}

// An unreachableError says that there was no connection at all.
type unreachableError struct{ error }

// A permanentError is one that another attempt does not help.
type permanentError struct{ error }

func (e *permanentError) Unwrap() error { return e.error }

func permanentf(format string, args ...any) error {
	return &permanentError{fmt.Errorf(format, args...)}
}

// request sends a request and follows redirects. The token goes to the endpoint
// alone. The body's reader fails when nothing comes for c.Stall.
//
// With follow false a redirect to another host is the answer itself: the hub's
// headers about a file are in it.
func (c *Client) request(ctx context.Context, method, address string, follow bool, header http.Header) (*http.Response, error) {
	if c.Offline {
		return nil, permanentf("HF_HUB_OFFLINE is set: nothing is downloaded")
	}
	ctx, cancel := context.WithCancelCause(ctx)
	dog := time.AfterFunc(c.stall(), func() { cancel(errStalled) })
	stop := func() { dog.Stop(); cancel(nil) }
	for range maxRedirects {
		resp, err := c.send(ctx, method, address, header)
		if err != nil {
			err = unreachable(ctx, address, err)
			stop()
			return nil, err
		}
		next, err := redirect(resp)
		last := next == "" || !follow && !sameHost(next, address)
		if err == nil && next == "" {
			err = c.refused(resp)
		}
		if err != nil {
			resp.Body.Close()
			stop()
			return nil, err
		}
		if last {
			resp.Body = &watched{ReadCloser: resp.Body, ctx: ctx, dog: dog, wait: c.stall(), stop: stop}
			return resp, nil
		}
		resp.Body.Close()
		address = next
		dog.Reset(c.stall())
	}
	stop()
	return nil, permanentf("%s: too many redirects", host(address))
}

func (c *Client) send(ctx context.Context, method, address string, header http.Header) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, address, nil)
	if err != nil {
		return nil, &permanentError{err}
	}
	for k, v := range header {
		req.Header[k] = v
	}
	req.Header.Set("Accept-Encoding", "identity") // bytes as they are hashed
	req.Header.Set("User-Agent", or(c.UserAgent, "coclico"))
	if c.Token != "" && sameHost(address, c.Endpoint) {
		req.Header.Set("Authorization", "Bearer "+c.Token)
	}
	transport := c.Transport
	if transport == nil {
		transport = http.DefaultTransport
	}
	return transport.RoundTrip(req) // which follows nothing by itself
}

// redirect returns where a response sends the client, "" if nowhere.
func redirect(resp *http.Response) (string, error) {
	switch resp.StatusCode {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
	default:
		return "", nil
	}
	from := resp.Request.URL
	to, err := from.Parse(resp.Header.Get("Location"))
	if err != nil || to.Host == "" || to.Scheme != "https" && (to.Scheme != "http" || from.Scheme != "http") {
		return "", permanentf("%s redirects to %q, where nothing is fetched from", from.Host, clip(resp.Header.Get("Location")))
	}
	return to.String(), nil
}

// refused returns the error that a response stands for, if it is one.
func (c *Client) refused(resp *http.Response) error {
	at := resp.Request.URL.Host
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	page := kind == "text/html" || kind == "application/xhtml+xml"
	switch {
	case resp.StatusCode < 300 && page:
		return &htmlError{at}
	case resp.StatusCode < 300:
		return nil
	}
	after, _ := strconv.Atoi(resp.Header.Get("Retry-After"))
	return &statusError{
		code: resp.StatusCode, host: at, reason: resp.Header.Get("X-Error-Code"), words: printable(resp.Header.Get("X-Error-Message")),
		after: time.Duration(min(max(after, 0), 60)) * time.Second, second: !sameHost(resp.Request.URL.String(), c.Endpoint), token: c.Token != "",
	}
}

func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, clip(s))
}

// unreachable makes one short line of the standard library's long ones.
func unreachable(ctx context.Context, address string, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		if errors.Is(cause, errStalled) {
			return fmt.Errorf("%s: no answer", host(address))
		}
		return cause
	}
	var dns *net.DNSError
	var op *net.OpError
	var cert *tls.CertificateVerificationError
	switch {
	case errors.As(err, &cert):
		return permanentf("%s cannot be trusted: %w (is a proxy in between?)", host(address), cert.Err)
	case errors.As(err, &op) && op.Op == "proxyconnect":
		return unreachableError{fmt.Errorf("%s: the proxy that HTTPS_PROXY or HTTP_PROXY names cannot be reached: %w", host(address), op.Err)}
	case errors.As(err, &dns):
		return unreachableError{fmt.Errorf("%s is not found: is there a network? (behind a proxy, set HTTPS_PROXY)", host(address))}
	case errors.As(err, &op) && op.Op == "dial":
		return unreachableError{fmt.Errorf("%s cannot be reached: %w (behind a proxy, set HTTPS_PROXY)", host(address), op.Err)}
	}
	return fmt.Errorf("%s: %w", host(address), err)
}

func host(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return clip(address)
	}
	return u.Host
}

// sameHost reports whether two addresses have scheme, host and port in common.
func sameHost(a, b string) bool {
	x, errX := url.Parse(a)
	y, errY := url.Parse(b)
	return errX == nil && errY == nil && x.Scheme == y.Scheme && strings.EqualFold(x.Host, y.Host)
}

func (c *Client) stall() time.Duration {
	if c.Stall > 0 {
		return c.Stall
	}
	return 30 * time.Second
}

// slowest is what must come in the time of a stall, or nothing has come.
const slowest = 4 << 10

// A watched body ends its request when nothing comes any more, or so little
// that it would never end.
type watched struct {
	io.ReadCloser
	ctx  context.Context
	dog  *time.Timer
	wait time.Duration
	stop func()
	came int // since the timer was set
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.ReadCloser.Read(p)
	if w.came += n; w.came >= slowest {
		w.dog.Reset(w.wait)
		w.came = 0
	}
	if err != nil && err != io.EOF && context.Cause(w.ctx) != nil {
		err = context.Cause(w.ctx)
	}
	return n, err
}

func (w *watched) Close() error {
	err := w.ReadCloser.Close()
	w.stop()
	return err
}

// patiently repeats an attempt that fails for reasons that may pass. attempt
// returns whether it got any further; five failures without that are enough.
func (c *Client) patiently(ctx context.Context, attempt func() (progress bool, err error)) error {
	const most = 5
	for n := 1; ; n++ {
		progress, err := attempt()
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case !transient(err):
			return err
		}
		if progress {
			n = 1
		}
		if n == most {
			return err
		}
		pause := time.Second << (n - 1)
		if c.Pause != nil {
			pause = c.Pause(n)
		}
		var status *statusError
		if errors.As(err, &status) {
			pause = max(pause, status.after)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}
