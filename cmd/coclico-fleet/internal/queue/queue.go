// Package queue hands out the chunks of a job by NATS JetStream: from a server in
// this process, or from the user's own.
//
// A message holds the numbers of a job and a chunk, and nothing else. It may be
// lost, delivered twice, or acknowledged late without harm: a chunk is done when
// its part is in the bucket, and a [Feeder] publishes every chunk without a part.
package queue

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"time"
	"unicode"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/coclico/coclico/cmd/internal/guard"
)

// DefaultStream is the name of the stream of a server that has one job.
const DefaultStream = "COCLICO"

// MaxStreamName is the length of the longest name of a stream in bytes.
const MaxStreamName = server.JSMaxNameLen

// IsStreamName reports whether a stream may have a name, which is also the name of
// a folder and the first part of a subject.
func IsStreamName(name string) bool {
	bad := func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || strings.ContainsRune(`.*>/\`, r)
	}
	return name != "" && len(name) <= MaxStreamName && name[0] != '$' && strings.IndexFunc(name, bad) < 0
}

// A task is what a message says.
type task struct {
	Job     string `json:"job"`
	Chunk   int    `json:"chunk"`
	Careful bool   `json:"careful,omitempty"` // it was lost before
}

// Keys of a stream's metadata, by which a worker finds the job.
const (
	keyJob         = "coclico_job"
	keyDestination = "coclico_destination"
)

// A Dial says how to connect to a server.
type Dial struct {
	URL   string
	Token *guard.Token // nil for none
	Creds string       // file of NATS's credentials, "" for none
	CA    string       // file of the certificates to trust, "" for the system's
	NoTLS bool         // send the token to another machine in the clear
	Log   *slog.Logger
}

// Connect connects to a server. It waits for one that cannot be reached yet, as
// long as ctx lets it, but not for one that refuses.
func (d *Dial) Connect(ctx context.Context, more ...nats.Option) (*nats.Conn, error) {
	o := []nats.Option{
		nats.Name("coclico-fleet"), nats.MaxReconnects(-1), nats.ReconnectWait(500 * time.Millisecond), nats.Timeout(5 * time.Second),
		nats.PingInterval(10 * time.Second), nats.MaxPingsOutstanding(2),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil {
				d.Log.Warn("the connection to the queue is lost; it is tried again", "error", err)
			}
		}),
		nats.ReconnectHandler(func(*nats.Conn) { d.Log.Info("connected to the queue again") }),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { d.Log.Debug("queue", "error", err) }),
	}
	local := d.URL == ""
	if !local {
		u, err := url.Parse(d.URL)
		switch {
		case err != nil || u.Host == "":
			return nil, errors.New("not the URL of a queue, such as nats://host:4222")
		case u.User != nil:
			return nil, errors.New("a token or password belongs in a file, not in the URL of a queue, which everyone on this machine can see")
		}
		local = IsLocal(d.URL)
	}
	if d.Token != nil {
		o = append(o, nats.TokenHandler(d.Token.Reveal))
		switch {
		case d.NoTLS:
		case local:
			// What a server of this machine advertises may be another machine.
			o = append(o, nats.IgnoreDiscoveredServers())
		default:
			// Without it, who answers decides whether the token is encrypted.
			o = append(o, nats.Secure())
		}
	}
	if d.Creds != "" {
		o = append(o, nats.UserCredentials(d.Creds))
	}
	if d.CA != "" {
		pem, err := os.ReadFile(d.CA)
		if err != nil {
			return nil, err
		}
		roots := x509.NewCertPool()
		if !roots.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s: no certificates", d.CA)
		}
		o = append(o, nats.Secure(&tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}))
	}
	told := false
	for {
		nc, err := nats.Connect(d.URL, append(o, more...)...)
		if err == nil {
			return nc, nil
		}
		if errors.Is(err, nats.ErrSecureConnWanted) {
			return nil, fmt.Errorf("%s: the queue has no TLS, without which the token could be read on its way; --no-tls allows that", d.URL)
		}
		if refused(err) {
			return nil, fmt.Errorf("%s: %w", cmp.Or(d.URL, "the queue"), err)
		}
		if !told {
			told = true
			d.Log.Warn("the queue cannot be reached yet", "url", d.URL, "error", err)
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("%s: %w (%w)", d.URL, err, ctx.Err())
		case <-time.After(time.Second):
		}
	}
}

// IsLocal reports whether the URL of a queue names this machine by a loopback
// address.
func IsLocal(queue string) bool {
	u, err := url.Parse(queue)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return err == nil && ip.Unmap().IsLoopback() || u.Hostname() == "localhost"
}

// refused reports whether a server does not want this client, or this client the
// server.
func refused(err error) bool {
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	return errors.Is(err, nats.ErrAuthorization) || errors.Is(err, nats.ErrAuthExpired) || errors.Is(err, nats.ErrSecureConnRequired) ||
		errors.Is(err, nats.ErrSecureConnWanted) || errors.As(err, &unknown) || errors.As(err, &name) || errors.As(err, &invalid)
}

// Find waits for a stream and returns the job that it is for, and the URL of the
// bucket of the job's results. It logs why it waits, again when the reason changes.
func Find(ctx context.Context, js jetstream.JetStream, stream string, log *slog.Logger) (id, destination string, err error) {
	for told := ""; ; {
		s, err := js.Stream(ctx, stream)
		if err == nil {
			about := s.CachedInfo().Config.Metadata
			if about[keyJob] == "" || about[keyDestination] == "" {
				return "", "", fmt.Errorf("the stream %s is not one of coclico-fleet", stream)
			}
			return about[keyJob], about[keyDestination], nil
		}
		if reason := unfound(err).Error(); reason != told && ctx.Err() == nil {
			told = reason
			log.Warn("the queue has no job yet", "stream", stream, "error", reason)
		}
		select {
		case <-ctx.Done():
			return "", "", ctx.Err()
		case <-time.After(time.Second):
		}
	}
}

// unfound returns why a stream was not found, in words that say what to do.
func unfound(err error) error {
	switch {
	case errors.Is(err, jetstream.ErrStreamNotFound):
		return errors.New("no such stream: it appears when serve starts, under the name that serve has as its --stream")
	case errors.Is(err, nats.ErrNoResponders), errors.Is(err, jetstream.ErrJetStreamNotEnabled), errors.Is(err, jetstream.ErrJetStreamNotEnabledForAccount):
		return errors.New("the queue has no JetStream: its server or account must have it enabled")
	}
	return err
}
