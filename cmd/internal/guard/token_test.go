package guard

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

const secret = "0123456789abcdef-._~+/="

// tokenFile writes a file that its owner alone can read.
func tokenFile(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func readToken(t *testing.T, text string) *Token {
	t.Helper()
	token, err := ReadToken(tokenFile(t, text))
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestReadToken(t *testing.T) {
	long := strings.Repeat("x", maxToken)
	for _, test := range []struct {
		file, want string // the token, or else
		err        string // a part of the error
	}{
		{secret, secret, ""},
		{secret + "\n", secret, ""},
		{secret + "\r\n", secret, ""},
		{long, long, ""},
		{long + "\r\n", long, ""},
		{"", "", "empty"},
		{"\n", "", "empty"},
		{"\r\n", "", "empty"},
		{"0123456789abcde", "", "15 bytes, fewer than 16"},
		{"0123456789abcde\n", "", "15 bytes, fewer than 16"},
		{secret + "\n\n", "", "not printable"},
		{secret + "\r", "", "not printable"},
		{" " + secret, "", "a space"},
		{"two tokens in a line", "", "a space"},
		{"0123456789abcd\x00f", "", "not printable"},
		{"0123456789abcdéf", "", "not printable"},
		{long + "x", "", "more than 4096"},
		{strings.Repeat(long, 1000), "", "more than 4096"},
	} {
		name := tokenFile(t, test.file)
		token, err := ReadToken(name)
		if test.err == "" {
			if err != nil || token.Reveal() != test.want {
				t.Errorf("%.40q: token %v, error %v", test.file, token, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), test.err) || !strings.HasPrefix(err.Error(), name+": ") {
			t.Errorf("%.40q: error %v, want one of the file that says %q", test.file, err, test.err)
		} else if len(test.file) > 4 && strings.Contains(err.Error(), strings.TrimSpace(test.file)) {
			t.Errorf("%.40q: error shows the token", test.file)
		}
	}
	if _, err := ReadToken(filepath.Join(t.TempDir(), "none")); !os.IsNotExist(err) {
		t.Errorf("missing file: error %v", err)
	}
}

// TestTokenMode: a file that others could read or change is refused with the
// command that helps, and the command helps.
func TestTokenMode(t *testing.T) {
	if runtime.GOOS == "windows" || runtime.GOOS == "plan9" {
		t.Skip("modes do not say here who can read a file")
	}
	for mode, ok := range map[os.FileMode]bool{
		0o600: true, 0o400: true, 0o440: true, 0o640: true,
		0o644: false, 0o604: false, 0o602: false, 0o601: false, 0o660: false, 0o620: false, 0o666: false,
	} {
		name := filepath.Join(t.TempDir(), "my token")
		if err := os.WriteFile(name, []byte(secret), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(name, mode); err != nil {
			t.Fatal(err)
		}
		_, err := ReadToken(name)
		if ok {
			if err != nil {
				t.Errorf("mode %04o: %v", mode, err)
			}
			continue
		}
		if err == nil || !strings.HasSuffix(err.Error(), "; run: chmod 600 '"+name+"'") {
			t.Errorf("mode %04o: error %v, want the command to run", mode, err)
		}
	}
}

// TestTokenModeQuoted has names that chmod or the shell would take for something
// else.
func TestTokenModeQuoted(t *testing.T) {
	if runtime.GOOS == "windows" || runtime.GOOS == "plan9" {
		t.Skip("modes do not say here who can read a file")
	}
	t.Chdir(t.TempDir())
	for name, want := range map[string]string{
		"-R": "chmod 600 ./-R", "-my token": "chmod 600 './-my token'", "it's": `chmod 600 'it'\''s'`, "$HOME": "chmod 600 '$HOME'", "token-1.txt": "chmod 600 token-1.txt",
	} {
		if err := os.WriteFile(name, []byte(secret), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(name, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadToken(name); err == nil || !strings.HasSuffix(err.Error(), "; run: "+want) {
			t.Errorf("%s: error %v, want the command %s", name, err, want)
		}
	}
}

// TestTokenPrinted: no verb, log handler or encoder shows a token.
func TestTokenPrinted(t *testing.T) {
	token := readToken(t, secret)
	type config struct {
		Address string
		Token   *Token
	}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%c", "%t"} {
		fmt.Fprintf(&out, verb+"\n", token)
		fmt.Fprintf(&out, verb+"\n", config{"a", token})
		fmt.Fprintf(&out, verb+"\n", Policy{Token: token})
	}
	fmt.Fprintln(&out, token.String(), fmt.Errorf("it is %v", token))
	for _, h := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
		slog.New(h).Info("start", "token", token, "config", config{"a", token}, "group", slog.GroupValue(slog.Any("t", token)))
	}
	if err := json.NewEncoder(&out).Encode(config{"a", token}); err != nil {
		t.Fatal(err)
	}
	for _, form := range []string{secret, fmt.Sprintf("%x", secret), fmt.Sprintf("%X", secret), fmt.Sprintf("%x", token.sum[:4]), fmt.Sprint(token.sum[:4])} {
		if strings.Contains(out.String(), strings.Trim(form, "[]")) {
			t.Errorf("%q is in the output:\n%s", form, out.String())
		}
	}
	if got := token.String(); got != "token" {
		t.Errorf("String is %q", got)
	}
}

// respond sends a request to a handler that answers "in" to those it lets in.
func respond(guard func(http.Handler) http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	guard(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("in")) })).ServeHTTP(w, r)
	return w
}

// checkRefused checks a problem's form, and that its detail says a text.
func checkRefused(t *testing.T, w *httptest.ResponseRecorder, status int, says string) {
	t.Helper()
	var problem struct {
		Title, Detail string
		Status        int
	}
	err := json.Unmarshal(w.Body.Bytes(), &problem)
	if err != nil || w.Code != status || problem.Status != status || problem.Title != http.StatusText(status) ||
		w.Header().Get("Content-Type") != "application/problem+json" || !strings.Contains(problem.Detail, says) {
		t.Errorf("answer is %d %v %q, error %v; want %d with %q", w.Code, w.Header(), w.Body, err, status, says)
	}
}

func TestRequire(t *testing.T) {
	token := readToken(t, secret+"\n")
	for _, test := range []struct {
		sent []string
		in   bool
	}{
		{[]string{"Bearer " + secret}, true},
		{[]string{"bearer " + secret}, true}, // RFC 9110, 11.1
		{[]string{"BEARER " + secret}, true},
		{nil, false},
		{[]string{""}, false},
		{[]string{"Bearer"}, false},
		{[]string{"Bearer "}, false},
		{[]string{secret}, false},
		{[]string{"Basic " + secret}, false},
		{[]string{"Bearer  " + secret}, false},
		{[]string{"Bearer " + secret + "\n"}, false},
		{[]string{"Bearer " + secret + "x"}, false},
		{[]string{"Bearer " + secret[:len(secret)-1]}, false},
		{[]string{"Bearer " + strings.ToUpper(secret)}, false},
		{[]string{"Bearer token"}, false}, // what String returns
		{[]string{"Bearer " + secret, "Bearer " + secret}, false},
		{[]string{"Bearer wrong-wrong-wrong", "Bearer " + secret}, false},
	} {
		r := httptest.NewRequest("POST", "/?token="+secret+"&access_token="+secret, nil)
		r.Header["Authorization"] = test.sent
		w := respond(token.Require, r)
		if test.in {
			if w.Code != http.StatusOK || w.Body.String() != "in" {
				t.Errorf("%q: answer is %d %q", test.sent, w.Code, w.Body)
			}
			continue
		}
		checkRefused(t, w, http.StatusUnauthorized, "Authorization: Bearer")
		if w.Header().Get("WWW-Authenticate") != "Bearer" || strings.Contains(w.Body.String(), secret) {
			t.Errorf("%q: answer is %v %q", test.sent, w.Header(), w.Body)
		}
	}
	if w := respond((*Token)(nil).Require, httptest.NewRequest("GET", "/", nil)); w.Body.String() != "in" {
		t.Errorf("without a token: answer is %d %q", w.Code, w.Body)
	}
}
