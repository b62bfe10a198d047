package hub

import (
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

// readToken sets the user's token: from the environment, or from the file that
// huggingface_hub's login writes.
func (c *Client) readToken(getenv func(string) string) error {
	name, t := first(getenv, "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")
	c.tokenFrom = name
	if t == "" {
		c.tokenFrom, c.login = loginFile(getenv), true
		t = readLogin(c.tokenFrom)
	}
	c.Token = strings.TrimSpace(t)
	if strings.ContainsFunc(c.Token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return fmt.Errorf("%s: not a token: one line of printable characters", c.tokenFrom)
	}
	return nil
}

// loginFile returns the path of the login's token, "" if there is no home folder.
func loginFile(getenv func(string) string) string {
	if path := expand(getenv("HF_TOKEN_PATH"), getenv); path != "" {
		return path
	}
	home, err := homeDir(getenv)
	if err != nil {
		return ""
	}
	return filepath.Join(home, "token")
}

// readLogin returns the text of a login's file, "" if it cannot be read: most
// users have none.
func readLogin(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, 4096))
	if err != nil {
		return ""
	}
	return string(data)
}

// heldBack returns why the token is not sent to the endpoint, and what to do
// about it; "" if it is sent, or if the client has no token.
//
// A login is to the hub itself, so whoever sets HF_ENDPOINT for a mirror does not
// thereby give the mirror the account. A token in the environment is set beside
// the endpoint, and meant for it.
func (c *Client) heldBack() string {
	if c.Token == "" {
		return ""
	}
	from := "the token"
	if c.tokenFrom != "" {
		from = "the token of " + c.tokenFrom
	}
	elsewhere := c.login && !sameHost(c.Endpoint, DefaultEndpoint)
	switch {
	case inTheClear(c.Endpoint) && elsewhere:
		return from + " was held back, since none is sent by plain http: set HF_ENDPOINT to an https address and HF_TOKEN to a token for that host"
	case inTheClear(c.Endpoint):
		return from + " was held back, since none is sent by plain http: set HF_ENDPOINT to an https address"
	case elsewhere:
		return from + " was held back, since a login's is sent to " + DefaultEndpoint + " alone: set HF_TOKEN to a token for this host"
	}
	return ""
}

// sendsToken reports whether requests to the endpoint have a token.
func (c *Client) sendsToken() bool { return c.Token != "" && c.heldBack() == "" }

// inTheClear reports whether others could read what is sent to an address: by
// http, to another machine.
func inTheClear(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Scheme == "https" {
		return err != nil
	}
	ip := net.ParseIP(u.Hostname())
	return !strings.EqualFold(u.Hostname(), "localhost") && (ip == nil || !ip.IsLoopback())
}
