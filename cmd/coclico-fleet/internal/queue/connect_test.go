package queue

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/coclico/coclico/cmd/internal/guard"
)

// A redirect dials one address, whatever is asked for.
type redirect string

func (r redirect) Dial(network, _ string) (net.Conn, error) { return net.Dial(network, string(r)) }

func token(t *testing.T) *guard.Token {
	t.Helper()
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("0123456789abcdef0123456789abcdef\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	token, err := guard.ReadToken(file)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// TestTokenInTheClear: a token goes to another machine by TLS alone, unless the
// user allows otherwise, and to this machine in any case.
func TestTokenInTheClear(t *testing.T) {
	dir, token := t.TempDir(), token(t)
	queue, err := Start(&ServerOptions{
		Folder: filepath.Join(dir, "queue"), Address: netip.MustParseAddrPort("127.0.0.1:0"), Policy: guard.Policy{Token: token}, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer queue.Close()
	here := strings.TrimPrefix(queue.URL(), "nats://")
	for _, c := range []struct {
		url   string
		noTLS bool
		want  string
	}{
		{"nats://" + here, false, ""},
		{"nats://192.0.2.1:4222", true, ""},
		{"nats://192.0.2.1:4222", false, "--no-tls"},
		{"nats://[2001:db8::1]:4222", false, "--no-tls"},
		{"nats://queue.invalid:4222", false, "--no-tls"},
	} {
		d := &Dial{URL: c.url, Token: token, NoTLS: c.noTLS, Log: slog.New(slog.DiscardHandler)}
		nc, err := d.Connect(t.Context(), nats.SetCustomDialer(redirect(here)))
		switch {
		case err == nil:
			nc.Close()
			if c.want != "" {
				t.Errorf("%s: connected without TLS", c.url)
			}
		case c.want == "" || !strings.Contains(err.Error(), c.want):
			t.Errorf("%s: error %v, want one with %q", c.url, err, c.want)
		}
	}
}

// TestAdvertised: a server of this machine cannot send the token to another one,
// unless the user allows that.
func TestAdvertised(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			fmt.Fprintf(c, "INFO {\"auth_required\":true,\"max_payload\":1024,\"connect_urls\":[\"192.0.2.1:4222\"]}\r\n")
			for in := bufio.NewScanner(c); in.Scan(); {
				if in.Text() == "PING" {
					fmt.Fprint(c, "PONG\r\n")
				}
			}
		}
	}()
	for _, noTLS := range []bool{false, true} {
		d := &Dial{URL: "nats://" + ln.Addr().String(), Token: token(t), NoTLS: noTLS, Log: slog.New(slog.DiscardHandler)}
		nc, err := d.Connect(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if servers := nc.DiscoveredServers(); (len(servers) > 0) != noTLS {
			t.Errorf("--no-tls %v: the token may go to %q", noTLS, servers)
		}
		nc.Close()
	}
}

// TestUnfound waits for a stream that does not exist, and on a server without
// JetStream, and says why, once.
func TestUnfound(t *testing.T) {
	plain, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, NoSigs: true, NoLog: true})
	if err != nil {
		t.Fatal(err)
	}
	plain.Start()
	defer plain.Shutdown()
	if !plain.ReadyForConnections(20 * time.Second) {
		t.Fatal("the server does not start")
	}
	bare, err := nats.Connect(plain.ClientURL())
	if err != nil {
		t.Fatal(err)
	}
	defer bare.Close()
	for want, nc := range map[string]*nats.Conn{
		"no such stream":             queueOf(t, t.TempDir(), slog.New(slog.DiscardHandler)),
		"the queue has no JetStream": bare,
	} {
		js, err := jetstream.New(nc)
		if err != nil {
			t.Fatal(err)
		}
		var log bytes.Buffer
		ctx, cancel := context.WithTimeout(t.Context(), 2500*time.Millisecond) // two looks
		defer cancel()
		if _, _, err := Find(ctx, js, "WRONG", slog.New(slog.NewTextHandler(&log, nil))); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
		if text := log.String(); strings.Count(text, "\n") != 1 || !strings.Contains(text, want) || !strings.Contains(text, "stream=WRONG") {
			t.Errorf("the log has %q, want one line with %q", text, want)
		}
	}
}

// A looks is a server that has an error for each look at a stream.
type looks struct {
	jetstream.JetStream
	errs []error
}

func (l *looks) Stream(ctx context.Context, _ string) (jetstream.Stream, error) {
	if len(l.errs) == 0 {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	err := l.errs[0]
	l.errs = l.errs[1:]
	return nil, err
}

// TestUnfoundLater learns why there is no stream only after looks that time out.
func TestUnfoundLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		late, none := context.DeadlineExceeded, jetstream.ErrStreamNotFound
		var log bytes.Buffer
		if _, _, err := Find(ctx, &looks{errs: []error{late, late, none, none}}, "S", slog.New(slog.NewTextHandler(&log, nil))); !errors.Is(err, late) {
			t.Errorf("error %v", err)
		}
		lines := strings.Split(strings.TrimSpace(log.String()), "\n")
		if len(lines) != 2 || !strings.Contains(lines[0], late.Error()) || !strings.Contains(lines[1], "no such stream") {
			t.Errorf("the log has %q, want a line for each reason", lines)
		}
	})
}

func TestIsLocal(t *testing.T) {
	for queue, want := range map[string]bool{
		"nats://127.0.0.1:4222": true, "nats://127.9.9.9": true, "tls://[::1]:4222": true, "nats://[::ffff:127.0.0.1]:1": true, "nats://localhost:4222": true,
		"nats://10.0.0.1:4222": false, "nats://localhost.example:4222": false, "nats://head:4222": false, "nats://0.0.0.0:4222": false, "": false, "%": false,
	} {
		if got := IsLocal(queue); got != want {
			t.Errorf("IsLocal(%q) is %v", queue, got)
		}
	}
}
