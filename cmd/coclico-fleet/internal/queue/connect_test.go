package queue

import (
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/coclico/coclico/cmd/internal/guard"
)

// A redirect dials one address, whatever is asked for.
type redirect string

func (r redirect) Dial(network, _ string) (net.Conn, error) { return net.Dial(network, string(r)) }

// TestTokenInTheClear: a token goes to another machine by TLS alone, unless the
// user allows otherwise, and to this machine in any case.
func TestTokenInTheClear(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "token")
	if err := os.WriteFile(file, []byte("0123456789abcdef0123456789abcdef\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	token, err := guard.ReadToken(file)
	if err != nil {
		t.Fatal(err)
	}
	server, err := Start(&ServerOptions{
		Folder: filepath.Join(dir, "queue"), Address: netip.MustParseAddrPort("127.0.0.1:0"), Policy: guard.Policy{Token: token}, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	here := strings.TrimPrefix(server.URL(), "nats://")
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
