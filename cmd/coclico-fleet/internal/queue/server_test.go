package queue

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"log/slog"
	"math/big"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/coclico/coclico/cmd/internal/guard"
)

// TestFolder: one server at a time has a folder, until it is closed, and what it
// acknowledges is on the disk.
func TestFolder(t *testing.T) {
	o := &ServerOptions{Folder: t.TempDir(), Address: netip.MustParseAddrPort("127.0.0.1:0"), Log: slog.New(slog.DiscardHandler)}
	for range 2 {
		server, err := Start(o)
		if err != nil {
			t.Fatal(err)
		}
		if c := server.nats.JetStreamConfig(); !c.SyncAlways {
			t.Error("messages are acknowledged before they are synced")
		}
		if err := server.Room(); err != nil {
			t.Errorf("no room: %v", err)
		}
		if second, err := Start(o); !errors.Is(err, ErrBusy) {
			t.Errorf("second server: error %v", err)
			if err == nil {
				second.Close()
			}
		}
		server.Close()
	}
}

// certificate returns a certificate of a host, and a file with it.
func certificate(t *testing.T, host string) (tls.Certificate, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	if ip := net.ParseIP(host); ip != nil {
		template.IPAddresses = []net.IP{ip}
	} else {
		template.DNSNames = []string{host}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o666); err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, file
}

// TestCertificate: a queue whose certificate is for another name, or of an unknown
// authority, is an error at once.
func TestCertificate(t *testing.T) {
	_, stranger := certificate(t, "127.0.0.1")
	for _, host := range []string{"127.0.0.1", "queue.example"} {
		cert, ca := certificate(t, host)
		server, err := Start(&ServerOptions{
			Folder: t.TempDir(), Address: netip.MustParseAddrPort("127.0.0.1:0"), Log: slog.New(slog.DiscardHandler),
			Policy: guard.Policy{TLS: &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}},
		})
		if err != nil {
			t.Fatal(err)
		}
		defer server.Close()
		for _, trusted := range []string{ca, stranger} {
			var log bytes.Buffer
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			d := &Dial{URL: "tls://" + server.nats.Addr().String(), CA: trusted, Log: slog.New(slog.NewTextHandler(&log, nil))}
			nc, err := d.Connect(ctx)
			if ok := host == "127.0.0.1" && trusted == ca; ok != (err == nil) || log.Len() > 0 {
				t.Errorf("certificate for %s, trusted %v: error %v, and the log has %q", host, trusted == ca, err, log.String())
			}
			if err == nil {
				nc.Close()
			}
			cancel()
		}
	}
}

// TestRefusals has errors of a connection that no wait mends, and others.
func TestRefusals(t *testing.T) {
	for err, want := range map[error]bool{
		nats.ErrAuthorization: true, nats.ErrAuthExpired: true, nats.ErrSecureConnRequired: true, nats.ErrSecureConnWanted: true,
		&tls.CertificateVerificationError{Err: x509.CertificateInvalidError{Reason: x509.Expired}}: true,
		nats.ErrNoServers: false, nats.ErrTimeout: false,
	} {
		if refused(err) != want {
			t.Errorf("%v: refused is %v", err, !want)
		}
	}
}
