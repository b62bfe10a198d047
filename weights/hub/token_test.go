package hub

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A refusing transport is a hub that wants another token, and keeps the one that
// it was sent.
type refusing struct {
	code int
	sent string
}

func (r *refusing) RoundTrip(req *http.Request) (*http.Response, error) {
	r.sent = req.Header.Get("Authorization")
	w := httptest.NewRecorder()
	w.WriteHeader(r.code)
	resp := w.Result()
	resp.Request = req
	return resp, nil
}

// TestTokenGoes: a login's token goes to the hub alone, one in the environment to
// the endpoint, and none goes where others could read it. The error says when one
// was held back, and does not show it.
func TestTokenGoes(t *testing.T) {
	dir := t.TempDir()
	login := filepath.Join(dir, "token")
	if err := os.WriteFile(login, []byte("hf_login\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	const mirror, clear = "https://mirror.example", "http://mirror.example"
	for _, c := range []struct{ variable, endpoint, sent, says string }{
		{"", "", "hf_login", "the token is not accepted"},
		{"", "https://HuggingFace.co/", "hf_login", "the token is not accepted"},
		{"", mirror, "", login + " was held back, since a login's is sent to https://huggingface.co alone: set HF_TOKEN"},
		{"", "http://127.0.0.1:9", "", login + " was held back, since a login's"},
		{"", clear, "", login + " was held back, since none is sent by plain http: set HF_ENDPOINT to an https address and HF_TOKEN"},
		{"HF_TOKEN", mirror, "hf_env", "the token is not accepted"},
		{"HUGGING_FACE_HUB_TOKEN", mirror, "hf_env", "the token is not accepted"},
		{"HF_TOKEN", "http://127.0.0.1:9", "hf_env", "the token is not accepted"},
		{"HF_TOKEN", "http://[::1]:9", "hf_env", "the token is not accepted"},
		{"HF_TOKEN", "http://localhost:9", "hf_env", "the token is not accepted"},
		{"HF_TOKEN", clear, "", "the token of HF_TOKEN was held back, since none is sent by plain http"},
		{"HUGGING_FACE_HUB_TOKEN", clear, "", "the token of HUGGING_FACE_HUB_TOKEN was held back"},
		{"HF_TOKEN", "http://127.0.0.1.example", "", "was held back"},
		{"HF_TOKEN", "http://192.168.1.2", "", "was held back"},
	} {
		env := map[string]string{"HF_HOME": dir, "HF_ENDPOINT": c.endpoint, c.variable: "hf_env"}
		client, err := FromEnv(func(name string) string { return env[name] })
		if err != nil {
			t.Fatal(err)
		}
		for _, code := range []int{http.StatusUnauthorized, http.StatusForbidden} {
			hub := &refusing{code: code}
			client.Transport = hub
			_, err = client.Plan(t.Context(), Repo{"a", "b"}, "main", Everything)
			if sent := strings.TrimPrefix(hub.sent, "Bearer "); sent != c.sent {
				t.Errorf("%s to %s: %q is sent, not %q", c.variable, c.endpoint, sent, c.sent)
			}
			held := strings.Contains(c.says, "held back")
			if err == nil || (held || code == http.StatusUnauthorized) && !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "hf_") {
				t.Errorf("%s to %s: error %v, not one with %q", c.variable, c.endpoint, err, c.says)
			}
		}
	}
}
