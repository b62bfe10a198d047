package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestBuild: what another build of a working tree has painted is painted anew, and
// what the same build or release has painted is unchanged.
func TestBuild(t *testing.T) {
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	hash := fmt.Sprintf("%x", sha256.Sum256(data))[:8]
	streams, out := t.TempDir(), t.TempDir()
	succeed(t, "encode", photo, "-o", filepath.Join(streams, "a"+streamExt))
	painting := filepath.Join(out, "a.jpg")
	decode := func(want string) {
		t.Helper()
		if got := succeed(t, "decode", streams+"/.", "-o", out, "--steps", "1", "--size", "16", "--format", "jpg"); !strings.HasPrefix(got, want) {
			t.Errorf("decode: %s, want %s", got, want)
		}
	}
	defer func() { stamp = "" }()
	for _, c := range []struct{ stamp, build, other string }{
		{"", "(devel) " + hash, "(devel) 01234567"},
		{"v1.2.4-0.20261130000000-0123456789ab+dirty", "+dirty " + hash, "+dirty 01234567"},
		{"v1.2.3", "v1.2.3\n", "v1.2.2\n"},
	} {
		stamp = c.stamp
		decode("1 decoded")
		decode("0 decoded, 1 unchanged")
		data, err := os.ReadFile(painting)
		if err != nil || !bytes.Contains(data, []byte(c.build)) {
			t.Fatalf("%q is not in %s: %v", c.build, painting, err)
		}
		if err := os.WriteFile(painting, bytes.Replace(data, []byte(c.build), []byte(c.other), 1), 0o666); err != nil {
			t.Fatal(err)
		}
		decode("1 decoded")
	}
}
