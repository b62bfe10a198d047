package hub

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// maxRedirects is more than the hub's two.
const maxRedirects = 6

// errStalled ends a request when its connection is idle.
var errStalled = errors.New("answers too slowly: try again later")

// A statusError is a server's refusal.
type statusError struct {
	code          int
	host          string
	reason, words string    // X-Error-Code and X-Error-Message
	until         time.Time // when a busy server wants to be asked again; may be zero
	second        bool      // the host is one that the hub redirects to
	token         bool      // a token was sent
	heldBack      string    // why a token was not sent, if there is one
	page          string    // address of the model's page; may be empty
}

// Error also tells the user what to do about it.
func (e *statusError) Error() string {
	s := fmt.Sprintf("%s answers %d %s", e.host, e.code, http.StatusText(e.code))
	if e.words != "" {
		s += " (" + e.words + ")"
	}
	switch {
	case !e.until.IsZero():
		return s + ": try again after " + clock(e.until, time.Now())
	case e.code == http.StatusTooManyRequests:
		return s + ": try again later"
	case e.code == http.StatusProxyAuthRequired:
		return s + ": the proxy wants a name and a password (HTTPS_PROXY)"
	case e.second: // which knows neither models nor tokens
		return s
	case e.heldBack != "" && slices.Contains([]int{http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound}, e.code):
		return s + ": " + e.heldBack
	case e.reason == "GatedRepo":
		return s + ": " + e.gated()
	case e.code == http.StatusUnauthorized && e.token:
		return s + ": the token is not accepted, or the model does not exist"
	case e.code == http.StatusUnauthorized:
		return s + ": the model needs a token (HF_TOKEN), or does not exist"
	case e.code == http.StatusForbidden:
		return s + ": the token has no access to the model, or the model is not public"
	case e.reason == "RevisionNotFound":
		return s + ": the model has no such revision"
	case e.code == http.StatusNotFound:
		return s + ": no such model, or the revision does not have the file"
	}
	return s
}

// gated returns how to get access to a model whose owner grants it one by one.
func (e *statusError) gated() string {
	page := cmp.Or(e.page, "its page")
	if e.token {
		return "the model is gated, and the token's account has no access: ask for it on " + page + " and accept the model's terms"
	}
	return "the model is gated: log in on " + page + ", accept the model's terms to ask for access, and set HF_TOKEN to a token of that account (Settings, Access Tokens)"
}

// Refused reports whether a hub has answered that it does not have a model, or
// does not give it to this user.
func Refused(err error) bool {
	var status *statusError
	if !errors.As(err, &status) || status.second {
		return false
	}
	switch status.code {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusGone, http.StatusUnavailableForLegalReasons:
		return true
	}
	return false
}

// stale reports whether the second host does not accept a signed address, as
// when it has expired.
func stale(err error) bool {
	var status *statusError
	return errors.As(err, &status) && status.second && status.code == http.StatusForbidden
}

// An htmlError is a web page instead of a file: of a proxy, of a network that
// wants a login, or of a server that is down.
type htmlError struct{ host string }

func (e *htmlError) Error() string {
	return e.host + " answers with a web page: is a proxy or a login page in between?"
}

// An unreachableError means that there was no connection at all.
type unreachableError struct{ error }

// A permanentError is an error that a second attempt would only repeat.
type permanentError struct{ error }

func (e *permanentError) Unwrap() error { return e.error }

func permanentf(format string, args ...any) error {
	return &permanentError{fmt.Errorf(format, args...)}
}

// request sends a request and follows redirects. The token is sent only to the
// endpoint, and not even there if heldBack has a reason. Reading the body fails
// when nothing comes for c.Stall.
//
// If follow is false, a redirect to another host is the answer: it has the
// hub's headers about a file.
func (c *Client) request(ctx context.Context, method, address string, follow bool, header http.Header) (*http.Response, error) {
	if c.Offline {
		return nil, permanentf("nothing is downloaded while %s is set", cmp.Or(c.offlineVar, "HF_HUB_OFFLINE"))
	}
	ctx, cancel := context.WithCancelCause(ctx)
	dog := time.AfterFunc(c.stall(), func() { cancel(errStalled) })
	stop := func() { dog.Stop(); cancel(nil) }
	for range maxRedirects + 1 {
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
			resp.Body = &watched{ReadCloser: resp.Body, ctx: ctx, dog: dog, wait: c.stall(), stop: stop, host: host(address)}
			return resp, nil
		}
		resp.Body.Close()
		address = next
		dog.Reset(c.stall())
	}
	stop()
	return nil, permanentf("%s: too many redirects", host(address))
}

// get requests a file, by another address if the second host does not accept the
// first: the hub signs another each time it is asked.
func (c *Client) get(ctx context.Context, address string, header http.Header) (*http.Response, error) {
	resp, err := c.request(ctx, http.MethodGet, address, true, header)
	if stale(err) {
		resp, err = c.request(ctx, http.MethodGet, address, true, header)
	}
	return resp, err
}

func (c *Client) send(ctx context.Context, method, address string, header http.Header) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, address, nil)
	if err != nil {
		return nil, &permanentError{err}
	}
	for k, v := range header {
		req.Header[k] = v
	}
	req.Header.Set("Accept-Encoding", "identity") // hashes are of the plain bytes
	req.Header.Set("User-Agent", cmp.Or(c.UserAgent, "coclico"))
	if c.sendsToken() && sameHost(address, c.Endpoint) {
		req.Header.Set("Authorization", "Bearer "+c.Token)
	}
	transport := c.Transport
	if transport == nil {
		transport = http.DefaultTransport
	}
	return transport.RoundTrip(req) // which does not follow redirects
}

// redirect returns the address to which a response redirects, "" if it does
// not.
func redirect(resp *http.Response) (string, error) {
	switch resp.StatusCode {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
	default:
		return "", nil
	}
	from := resp.Request.URL
	to, err := from.Parse(resp.Header.Get("Location"))
	if err != nil || to.Host == "" || to.Scheme != "https" && (to.Scheme != "http" || from.Scheme != "http") {
		return "", permanentf("%s redirects to %q, which is not allowed", from.Host, clip(resp.Header.Get("Location")))
	}
	return to.String(), nil
}

// refused returns the error that a response stands for, or nil.
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
	e := &statusError{
		code: resp.StatusCode, host: at, reason: resp.Header.Get("X-Error-Code"), words: printable(resp.Header.Get("X-Error-Message")),
		second: !sameHost(resp.Request.URL.String(), c.Endpoint), token: c.sendsToken(), heldBack: c.heldBack(),
	}
	if busy(e.code) {
		e.until = retryAfter(resp.Header, time.Now())
	}
	return e
}

// printable removes what a terminal would not print from a server's short text.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, clip(s))
}

// unreachable shortens an error of the standard library to one line for users.
func unreachable(ctx context.Context, address string, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		if errors.Is(cause, errStalled) {
			return fmt.Errorf("%s: no answer: try again later", host(address))
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

// sameHost reports whether two addresses have the same scheme, host and port.
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

// slowest is the number of bytes that must come within the time of a stall for
// the connection not to count as idle.
const slowest = 4 << 10

// A watched body ends its request when nothing more comes, or so little that it
// would never end.
type watched struct {
	io.ReadCloser
	ctx  context.Context
	dog  *time.Timer
	wait time.Duration
	stop func()
	host string
	came int // bytes since the timer was set
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.ReadCloser.Read(p)
	if w.came += n; w.came >= slowest {
		w.dog.Reset(w.wait)
		w.came = 0
	}
	if err != nil && err != io.EOF && context.Cause(w.ctx) != nil {
		if err = context.Cause(w.ctx); errors.Is(err, errStalled) {
			err = fmt.Errorf("%s %w", w.host, err)
		}
	}
	return n, err
}

func (w *watched) Close() error {
	err := w.ReadCloser.Close()
	w.stop()
	return err
}
