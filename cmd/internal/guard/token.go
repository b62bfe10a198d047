package guard

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"
)

// The lengths of a token. Sixteen random bytes cannot be guessed; what exceeds
// the largest is not a token but some other file.
const (
	minToken = 16
	maxToken = 4096
)

// A Token is a secret that a client must send as "Authorization: Bearer TOKEN".
// However it is printed or logged, it reads "token".
type Token struct {
	secret string
	sum    [sha256.Size]byte
}

// ReadToken reads a token from a file. One newline at its end is not part of
// it. A token has 16 characters or more, all of them printable ASCII except the
// space. On Unix the file must not be readable by everyone, nor writable by
// anyone but its owner; its group may read it, as Kubernetes arranges it for a
// secret.
func ReadToken(name string) (*Token, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if err := private(name, info.Mode()); err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(f, maxToken+2+1)) // "\r\n", and a byte too many
	if err != nil {
		return nil, err
	}
	t, err := newToken(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return t, nil
}

func newToken(data []byte) (*Token, error) {
	if line, ok := bytes.CutSuffix(data, []byte("\n")); ok {
		data = bytes.TrimSuffix(line, []byte("\r"))
	}
	switch {
	case len(data) == 0:
		return nil, errors.New("token file is empty")
	case len(data) < minToken:
		return nil, fmt.Errorf("token has %d bytes, fewer than %d", len(data), minToken)
	case len(data) > maxToken:
		return nil, fmt.Errorf("token has more than %d bytes", maxToken)
	}
	for _, b := range data {
		if b <= ' ' || b > '~' {
			return nil, errors.New("token has a byte that is not printable ASCII, or a space")
		}
	}
	return &Token{string(data), sha256.Sum256(data)}, nil
}

// Reveal returns the token itself, for a client or a library that must send it.
func (t *Token) Reveal() string { return t.secret }

// String returns "token".
func (*Token) String() string { return "token" }

// Format writes "token", whatever the verb.
func (*Token) Format(f fmt.State, _ rune) { io.WriteString(f, "token") }

// LogValue returns "token".
func (*Token) LogValue() slog.Value { return slog.StringValue("token") }

// Require lets in requests that carry the token and answers others with status
// 401. A nil Token lets in all.
func (t *Token) Require(next http.Handler) http.Handler {
	if t == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !t.carriedBy(r) {
			w.Header().Set("WWW-Authenticate", "Bearer")
			refuse(w, http.StatusUnauthorized, "send the server's token: Authorization: Bearer TOKEN")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// carriedBy compares hashes, whose lengths are equal: comparing takes the same
// time whatever was sent.
func (t *Token) carriedBy(r *http.Request) bool {
	sent := r.Header.Values("Authorization")
	if len(sent) != 1 {
		return false
	}
	scheme, secret, _ := strings.Cut(sent[0], " ")
	sum := sha256.Sum256([]byte(secret))
	return strings.EqualFold(scheme, "Bearer") && subtle.ConstantTimeCompare(sum[:], t.sum[:]) == 1
}
