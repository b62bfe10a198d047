package serve

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coclico/coclico/cmd/internal/guard"
)

// TestToken: with a token nothing but the probes is answered without it. A
// browser sends it as a password.
func TestToken(t *testing.T) {
	const secret = "0123456789abcdef"
	name := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(name, []byte(secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	token, err := guard.ReadToken(name)
	if err != nil {
		t.Fatal(err)
	}
	s := start(t, func(c *Config) { c.Token = token })
	for _, header := range []string{"X: y", "Authorization: Bearer wrong-wrong-wrong-", "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte("me:wrong")), "Authorization: Basic !"} {
		for _, path := range []string{"/", "/v1/info", "/openapi.yaml", "/v1/decodes/x"} {
			a := s.unchecked(401, s.request("GET", path, nil, header))
			a.problem(t)
			if ways := strings.Join(a.Header.Values("WWW-Authenticate"), ", "); !strings.Contains(ways, "Bearer") || !strings.Contains(ways, "Basic realm=") {
				t.Errorf("WWW-Authenticate: %s", ways)
			}
		}
		s.unchecked(401, s.request("POST", "/v1/encode", photo(t, 1), header)).problem(t)
	}
	s.do(200, "GET", "/healthz", nil)
	s.do(200, "GET", "/readyz", nil)
	for _, header := range []string{"Authorization: Bearer " + secret, "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte("me:"+secret))} {
		s.do(200, "GET", "/v1/info", nil, header)
		s.do(200, "POST", "/v1/encode", photo(t, 1), "Content-Type: image/png", header)
	}
	if strings.Contains(s.log.String(), secret) {
		t.Error("the log has the token")
	}
}
