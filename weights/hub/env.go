package hub

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// DefaultEndpoint is the hub.
const DefaultEndpoint = "https://huggingface.co"

// A Client talks to a hub and keeps what it gets in a cache. Its methods may be
// called concurrently.
type Client struct {
	Endpoint   string // URL of the hub
	Token      string // sent to the endpoint alone; may be empty
	Cache      Cache
	Offline    bool // every request is an error
	NoSymlinks bool // snapshots without symbolic links
	UserAgent  string

	// Transport makes the connections; nil stands for http.DefaultTransport,
	// which honours HTTPS_PROXY and NO_PROXY.
	Transport http.RoundTripper

	// Stall is how long a connection may do nothing; 0 stands for 30 s.
	Stall time.Duration

	// Pause returns how long to wait before the attempt after the n-th
	// failure in a row; nil stands for 1, 2, 4, 8 s.
	Pause func(n int) time.Duration
}

// FromEnv returns the client that the variables ask for which the hub's own
// programs know: those of CacheFromEnv, and HF_ENDPOINT, HF_TOKEN,
// HF_TOKEN_PATH, HF_HUB_OFFLINE, HF_HUB_DISABLE_SYMLINKS.
func FromEnv(getenv func(string) string) (*Client, error) {
	c := &Client{
		Endpoint:   strings.TrimRight(or(getenv("HF_ENDPOINT"), DefaultEndpoint), "/"),
		Offline:    isTrue(or(getenv("HF_HUB_OFFLINE"), getenv("TRANSFORMERS_OFFLINE"))),
		NoSymlinks: isTrue(getenv("HF_HUB_DISABLE_SYMLINKS")),
	}
	if u, err := url.Parse(c.Endpoint); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.User != nil {
		said := c.Endpoint
		if err == nil {
			said = u.Redacted()
		}
		return nil, fmt.Errorf("HF_ENDPOINT is %q, which is no address like %s", said, DefaultEndpoint)
	}
	var err error
	if c.Cache, err = CacheFromEnv(getenv); err != nil {
		return nil, err
	}
	if c.Token, err = token(getenv); err != nil {
		return nil, err
	}
	return c, nil
}

// CacheFromEnv returns the cache that the variables HF_HUB_CACHE, HF_HOME and
// XDG_CACHE_HOME ask for, in this order.
func CacheFromEnv(getenv func(string) string) (Cache, error) {
	if cache := or(getenv("HF_HUB_CACHE"), getenv("HUGGINGFACE_HUB_CACHE")); cache != "" {
		return Cache(expand(cache, getenv)), nil
	}
	home, err := homeDir(getenv)
	if err != nil {
		return "", err
	}
	return Cache(filepath.Join(home, "hub")), nil
}

// homeDir returns HF_HOME or what stands in for it.
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

// token finds the user's token, as huggingface_hub's login leaves it.
func token(getenv func(string) string) (string, error) {
	t := or(getenv("HF_TOKEN"), getenv("HUGGING_FACE_HUB_TOKEN"))
	from := "HF_TOKEN"
	if t == "" {
		if from = expand(getenv("HF_TOKEN_PATH"), getenv); from == "" {
			home, err := homeDir(getenv)
			if err != nil {
				return "", nil
			}
			from = filepath.Join(home, "token")
		}
		f, err := os.Open(from)
		if err != nil {
			return "", nil // most have none
		}
		defer f.Close()
		data, err := io.ReadAll(io.LimitReader(f, 4096))
		if err != nil {
			return "", nil
		}
		t = string(data)
	}
	t = strings.TrimSpace(t)
	if strings.ContainsFunc(t, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", fmt.Errorf("%s: what is in it is no token: one line of printable characters", from)
	}
	return t, nil
}

// expand replaces ~ and variables, as Python does, which leaves those that are
// not set.
func expand(path string, getenv func(string) string) string {
	if path == "~" || strings.HasPrefix(path, "~/") {
		if home, err := os.UserHomeDir(); err == nil {
			path = home + path[1:]
		}
	}
	return os.Expand(path, func(name string) string { return or(getenv(name), "$"+name) })
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func isTrue(s string) bool {
	switch strings.ToUpper(s) {
	case "1", "ON", "YES", "TRUE":
		return true
	}
	return false
}
