package main

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestNode: the site's program makes the files and pictures that a program with
// the generic kernels makes, to the bit, with vectors and without.
func TestNode(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("no node on this machine: apt-get install nodejs")
	}
	all, err := files()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := write(dir, all); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		picture string
		vectors bool
		steps   int
	}{{photo, true, 20}, {river, false, 4}} {
		t.Run(filepath.Base(test.picture), func(t *testing.T) {
			output := filepath.Join(t.TempDir(), "got")
			cmd := exec.Command(node, "testdata/node.mjs", dir, test.picture, output, fmt.Sprint(test.vectors), fmt.Sprint(test.steps))
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			t.Logf("%s", out)
			want := filepath.Join(t.TempDir(), "want.coclico")
			encode := coclico(t, "encode", test.picture, "-o", want)
			encode.Env = append(os.Environ(), "COCLICO_KERNELS=generic")
			if out, err := encode.CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			file := readFile(t, output+".coclico")
			if !bytes.Equal(file, readFile(t, want)) {
				t.Error("another file than the command's")
			}
			samePixels(t, decodePNG(t, readFile(t, output+".png")), paint(t, file, "generic", test.steps))
		})
	}
}

// TestWorkerFiles: the worker keeps no file but the one that the site lists.
func TestWorkerFiles(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("no node on this machine: apt-get install nodejs")
	}
	if out, err := exec.Command(node, "testdata/worker.mjs", "../internal/page/worker.js").CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestSize: the site is small enough to be fetched by a phone, and its program has
// neither the model that the site has beside it, nor what only a server needs.
func TestSize(t *testing.T) {
	all, err := files()
	if err != nil {
		t.Fatal(err)
	}
	if _, packed := sizes(all); packed > 25e6 {
		t.Errorf("%d bytes as gzip, more than 25 MB", packed)
	}
	if n := len(all[programFile]); n > 10e6 {
		t.Errorf("the program has %d bytes, more than 10 MB", n)
	}
}

func readFile(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func decodePNG(t *testing.T, data []byte) image.Image {
	t.Helper()
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return img
}
