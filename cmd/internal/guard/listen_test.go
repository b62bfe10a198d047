package guard

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"
)

// keyPair writes a certificate for 127.0.0.1 and its key.
func keyPair(t *testing.T) (certFile, keyFile string, pool *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(time.Hour),
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool = x509.NewCertPool()
	pool.AddCert(cert)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for name, block := range map[string]*pem.Block{
		certFile: {Type: "CERTIFICATE", Bytes: der},
		keyFile:  {Type: "PRIVATE KEY", Bytes: pkcs8},
	} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certFile, keyFile, pool
}

// TestResolve: who may listen where. An error says what to do.
func TestResolve(t *testing.T) {
	token, conf := readToken(t, secret), new(tls.Config)
	var (
		none      = Policy{}
		withToken = Policy{Token: token}
		withTLS   = Policy{TLS: conf}
		both      = Policy{Token: token, TLS: conf}
		plain     = Policy{Token: token, Plain: true}
		open      = Policy{Open: true, TLS: conf}
		anything  = Policy{Open: true, Plain: true}
	)
	for _, test := range []struct {
		address string
		policy  Policy
		want    string // the address, or else
		err     string // a part of the error
	}{
		{"127.0.0.1:7788", none, "127.0.0.1:7788", ""},
		{"127.8.9.10:0", none, "127.8.9.10:0", ""},
		{"[::1]:7788", none, "[::1]:7788", ""},
		{"[::ffff:127.0.0.1]:7788", none, "127.0.0.1:7788", ""},
		{"[::ffff:7f00:1]:7788", none, "127.0.0.1:7788", ""},
		{"localhost:7788", none, "127.0.0.1:7788", ""},
		{"localhost.:7788", none, "127.0.0.1:7788", ""},
		{"LOCALHOST:7788", none, "127.0.0.1:7788", ""},
		{"127.0.0.1:7788", both, "127.0.0.1:7788", ""},

		{"0.0.0.0:7788", none, "", "--token-file"},
		{"[::]:7788", none, "", "--token-file"},
		{"[::ffff:0.0.0.0]:7788", none, "", "--token-file"},
		{"192.168.1.5:7788", none, "", "--token-file"},
		{"[2001:db8::7]:7788", none, "", "--token-file"},
		{"[fe80::1%lo]:7788", none, "", "--token-file"},
		{"[::ffff:192.168.1.5]:7788", none, "", "--token-file"},
		{"169.254.169.254:80", none, "", "--token-file"},
		{"0.0.0.0:7788", withTLS, "", "--no-auth"},
		{"0.0.0.0:7788", withToken, "", "--tls-cert"},
		{"0.0.0.0:7788", Policy{Open: true}, "", "--no-tls"},
		{"0.0.0.0:7788", Policy{Plain: true}, "", "--token-file"},
		{"0.0.0.0:7788", both, "0.0.0.0:7788", ""},
		{"0.0.0.0:7788", plain, "0.0.0.0:7788", ""},
		{"0.0.0.0:7788", open, "0.0.0.0:7788", ""},
		{"[::]:7788", both, "[::]:7788", ""},
		{"[::ffff:192.168.1.5]:7788", both, "192.168.1.5:7788", ""},
		{"[fe80::1%lo]:7788", both, "[fe80::1%lo]:7788", ""},

		// All interfaces must be written out, whatever else was given.
		{":7788", none, "", "write 0.0.0.0"},
		{":7788", both, "", "write 0.0.0.0"},
		{":7788", anything, "", "write 0.0.0.0"},
		{":0", anything, "", "write 0.0.0.0"},

		{"", anything, "", "HOST:PORT"},
		{"localhost", anything, "", "HOST:PORT"},
		{"7788", anything, "", "HOST:PORT"},
		{"::1:7788", anything, "", "HOST:PORT"},
		{"127.0.0.1:", anything, "", "whole number"},
		{"127.0.0.1:http", anything, "", "whole number"},
		{"127.0.0.1:-1", anything, "", "whole number"},
		{"127.0.0.1:65536", anything, "", "whole number"},
		{"http://127.0.0.1:7788", anything, "", "HOST:PORT"},
	} {
		got, err := Resolve(t.Context(), test.address, test.policy)
		if test.err == "" {
			if err != nil || got.String() != test.want {
				t.Errorf("%s, %+v: %v, error %v; want %s", test.address, test.policy, got, err, test.want)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), test.err) || !strings.HasPrefix(err.Error(), test.address+": ") {
			t.Errorf("%s, %+v: %v, error %v; want one that says %q", test.address, test.policy, got, err, test.err)
		}
		if ln, err := Listen(t.Context(), test.address, test.policy); err == nil {
			ln.Close()
			t.Errorf("%s, %+v: listens", test.address, test.policy)
		}
	}
}

// TestPrefer has the addresses of one host.
func TestPrefer(t *testing.T) {
	for list, want := range map[string]string{
		"::1 192.0.2.1 192.0.2.2":      "192.0.2.1",
		"192.0.2.2 ::1":                "192.0.2.2",
		"2001:db8::1 ::ffff:192.0.2.3": "192.0.2.3",
		"2001:db8::1 2001:db8::2":      "2001:db8::1",
	} {
		var ips []netip.Addr
		for text := range strings.FieldsSeq(list) {
			ips = append(ips, netip.MustParseAddr(text))
		}
		if got := prefer(ips).String(); got != want {
			t.Errorf("%s: %s, want %s", list, got, want)
		}
	}
}

// TestListen: what listens is where Resolve says.
func TestListen(t *testing.T) {
	for address, want := range map[string]string{
		"127.0.0.1:0":          "127.0.0.1",
		"localhost:0":          "127.0.0.1",
		"[::ffff:127.0.0.1]:0": "127.0.0.1",
	} {
		ln, err := Listen(t.Context(), address, Policy{})
		if err != nil {
			t.Errorf("%s: %v", address, err)
			continue
		}
		if ip := ln.Addr().(*net.TCPAddr).IP.String(); ip != want {
			t.Errorf("%s: listens at %s, want %s", address, ip, want)
		}
		if second, err := Listen(t.Context(), ln.Addr().String(), Policy{}); err == nil {
			second.Close()
			t.Errorf("%s: two listen at one port", address)
		}
		ln.Close()
	}
}

// TestTLS: a client that trusts the certificate speaks HTTP/2, and nobody speaks
// plain HTTP.
func TestTLS(t *testing.T) {
	certFile, keyFile, pool := keyPair(t)
	conf, err := loadTLS(certFile, keyFile)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := Listen(t.Context(), "127.0.0.1:0", Policy{TLS: conf})
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Proto) }),
		ErrorLog: log.New(io.Discard, "", 0)}
	go srv.Serve(ln)
	defer srv.Close()
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true}}
	defer client.CloseIdleConnections()
	resp, err := client.Get("https://" + ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, err := io.ReadAll(resp.Body); err != nil || string(body) != "HTTP/2.0" {
		t.Errorf("answer is %q, error %v", body, err)
	}
	if resp, err := client.Get("http://" + ln.Addr().String()); err == nil {
		if resp.Body.Close(); resp.StatusCode != http.StatusBadRequest {
			t.Errorf("plain HTTP is answered with %s", resp.Status)
		}
	}
}

// TestLoadTLS: an error names the file that is to blame.
func TestLoadTLS(t *testing.T) {
	certFile, keyFile, _ := keyPair(t)
	_, otherKey, _ := keyPair(t)
	missing := filepath.Join(t.TempDir(), "missing.pem")
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ cert, key, name string }{
		{certFile, "", certFile},
		{"", keyFile, keyFile},
		{missing, keyFile, missing},
		{certFile, missing, missing},
		{empty, keyFile, empty},
		{certFile, empty, empty},
		{certFile, otherKey, otherKey},
		{keyFile, certFile, keyFile},
	} {
		if _, err := loadTLS(test.cert, test.key); err == nil || !strings.Contains(err.Error(), test.name) {
			t.Errorf("%q, %q: error %v, want one with %s", test.cert, test.key, err, test.name)
		}
	}
	if conf, err := loadTLS("", ""); conf != nil || err != nil {
		t.Errorf("without files: %v, %v", conf, err)
	}
}

func TestFlags(t *testing.T) {
	certFile, keyFile, _ := keyPair(t)
	token := tokenFile(t, secret)
	for _, test := range []struct {
		args             []string
		token, tls, open bool
		err              string
	}{
		{nil, false, false, false, ""},
		{[]string{"--token-file", token}, true, false, false, ""},
		{[]string{"--token-file", token, "--tls-cert", certFile, "--tls-key", keyFile}, true, true, false, ""},
		{[]string{"--no-auth"}, false, false, true, ""},
		{[]string{"--no-auth", "--token-file", token}, false, false, false, "exclude"},
		{[]string{"--no-tls", "--tls-cert", certFile, "--tls-key", keyFile}, false, false, false, "exclude"},
		{[]string{"--no-tls", "--tls-cert", certFile}, false, false, false, "--tls-cert and --no-tls exclude"},
		{[]string{"--no-tls", "--tls-key", keyFile}, false, false, false, "--tls-key and --no-tls exclude"},
		{[]string{"--tls-cert", certFile}, false, false, false, "needs --tls-key"},
		{[]string{"--tls-key", keyFile}, false, false, false, "needs --tls-cert"},
		{[]string{"--token-file", token + ".none"}, false, false, false, token},
		{[]string{"--tls-cert", certFile + ".none", "--tls-key", keyFile}, false, false, false, certFile},
	} {
		set := pflag.NewFlagSet("", pflag.ContinueOnError)
		flags := AddFlags(set)
		if err := set.Parse(test.args); err != nil {
			t.Fatal(err)
		}
		p, err := flags.Policy()
		if test.err != "" {
			if err == nil || !strings.Contains(err.Error(), test.err) {
				t.Errorf("%q: error %v, want one that says %q", test.args, err, test.err)
			}
			if isFile := filepath.IsAbs(test.err); errors.As(err, new(FlagError)) == isFile {
				t.Errorf("%q: error %v is a %T", test.args, err, err)
			}
			continue
		}
		if err != nil || (p.Token != nil) != test.token || (p.TLS != nil) != test.tls || p.Open != test.open {
			t.Errorf("%q: %+v, error %v", test.args, p, err)
		}
	}
}
