package hub

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// DefaultEndpoint is the hub.
const DefaultEndpoint = "https://huggingface.co"

// A Client downloads from a hub into a cache. Its methods may be called
// concurrently.
type Client struct {
	Endpoint   string // URL of the hub
	Token      string // sent only to the endpoint, by https or within this machine; may be empty
	Cache      Cache
	Offline    bool // if set, every request is an error
	NoSymlinks bool // if set, snapshots have no symbolic links
	UserAgent  string
	Pins       Pins // hashes of files that are known

	// Transport makes the connections. If nil, it is http.DefaultTransport,
	// which honors HTTPS_PROXY and NO_PROXY.
	Transport http.RoundTripper

	// Stall is how long a connection may be idle. If 0, it is 30 s.
	Stall time.Duration

	// Pause returns how long to wait after the n-th failure in a row; a failure
	// after some progress counts as the first. If nil, it is 1, 2, 4 and 8 s.
	Pause func(n int) time.Duration

	// Waiting, if not nil, is called when a pull begins to wait for another one
	// that is downloading the same file, from any goroutine.
	Waiting func(path string)

	// Busy, if not nil, is called before a long wait that a server has asked
	// for, from any goroutine.
	Busy func(host string, until time.Time)

	tokenFrom  string // the variable or file that has Token; "" if the caller set it
	login      bool   // Token is of a login to DefaultEndpoint
	offlineVar string // the variable that set Offline; "" if the caller did
}

// FromEnv returns a client that is configured by the environment variables of
// the hub's own programs: those of [CacheFromEnv], HF_ENDPOINT,
// HF_HUB_DISABLE_SYMLINKS, and
//
//   - HF_TOKEN or HUGGING_FACE_HUB_TOKEN, a token for the endpoint; else the file
//     at HF_TOKEN_PATH or HF_HOME/token, which a login writes and whose token is
//     sent to [DefaultEndpoint] alone;
//   - HF_HUB_OFFLINE or TRANSFORMERS_OFFLINE.
//
// Of two names for one thing, the first that is set counts.
func FromEnv(getenv func(string) string) (*Client, error) {
	offlineVar, offline := first(getenv, "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
	c := &Client{
		Endpoint:   strings.TrimRight(cmp.Or(getenv("HF_ENDPOINT"), DefaultEndpoint), "/"),
		Offline:    isTrue(offline),
		NoSymlinks: isTrue(getenv("HF_HUB_DISABLE_SYMLINKS")),
		Pins:       KnownPins(),
		offlineVar: offlineVar,
	}
	if u, err := url.Parse(c.Endpoint); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.User != nil {
		shown := c.Endpoint
		if err == nil {
			shown = u.Redacted()
		}
		return nil, fmt.Errorf("HF_ENDPOINT is %q, which is not an address like %s", shown, DefaultEndpoint)
	}
	var err error
	if c.Cache, err = CacheFromEnv(getenv); err != nil {
		return nil, err
	}
	if err := c.readToken(getenv); err != nil {
		return nil, err
	}
	return c, nil
}

// CacheFromEnv returns the cache at the place that the environment variable
// HF_HUB_CACHE, HUGGINGFACE_HUB_CACHE, HF_HOME or XDG_CACHE_HOME specifies; the
// first of them that is set counts.
func CacheFromEnv(getenv func(string) string) (Cache, error) {
	if _, cache := first(getenv, "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"); cache != "" {
		return Cache(expand(cache, getenv)), nil
	}
	home, err := homeDir(getenv)
	if err != nil {
		return "", err
	}
	return Cache(filepath.Join(home, "hub")), nil
}

// homeDir returns HF_HOME or its default.
func homeDir(getenv func(string) string) (string, error) {
	if home := getenv("HF_HOME"); home != "" {
		return expand(home, getenv), nil
	}
	if cache := getenv("XDG_CACHE_HOME"); cache != "" {
		return filepath.Join(expand(cache, getenv), "huggingface"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", errors.New("no home folder for the hub's cache: set HF_HOME")
	}
	return filepath.Join(home, ".cache", "huggingface"), nil
}

// first returns the first of some variables that is set, and its value.
func first(getenv func(string) string, names ...string) (name, value string) {
	for _, name := range names {
		if value := getenv(name); value != "" {
			return name, value
		}
	}
	return "", ""
}

// expand replaces ~ and variables as Python does: a variable that is not set
// stays as it is.
func expand(path string, getenv func(string) string) string {
	if path == "~" || strings.HasPrefix(path, "~/") {
		if home, err := os.UserHomeDir(); err == nil {
			path = home + path[1:]
		}
	}
	return os.Expand(path, func(name string) string { return cmp.Or(getenv(name), "$"+name) })
}

func isTrue(s string) bool {
	switch strings.ToUpper(s) {
	case "1", "ON", "YES", "TRUE":
		return true
	}
	return false
}
