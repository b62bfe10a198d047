package main

import (
	"bytes"
	"image"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// onTerminal runs the program with a terminal for standard output and standard
// error, and returns what its user sees.
func onTerminal(t *testing.T, args ...string) (status int, seen string) {
	t.Helper()
	program, user := newTerminal(t)
	done := make(chan int, 1)
	go func() {
		done <- run(t.Context(), args, bytes.NewReader(nil), program, program)
		program.WriteString("\x00") // the end of what is read
	}()
	var b bytes.Buffer
	buf := make([]byte, 1<<12)
	for !bytes.Contains(b.Bytes(), []byte{0}) {
		if err := user.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
			t.Skip(err)
		}
		n, err := user.Read(buf)
		if err != nil {
			t.Fatalf("%v after %q", err, b.String())
		}
		b.Write(buf[:n])
	}
	return <-done, strings.ReplaceAll(strings.TrimSuffix(b.String(), "\x00"), "\r\n", "\n")
}

// TestNotes: what a user is told at a terminal, and nobody in a pipe.
func TestNotes(t *testing.T) {
	t.Setenv("TERM", "dumb") // no bars among the notes
	dir, model := t.TempDir(), tinyModel(t)
	file := filepath.Join(dir, "a.coclico")
	status, seen := onTerminal(t, "encode", photo, "-o", file)
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	// 640 x 427 pixels, of which the crop leaves out 33.3 %: no word about it.
	if want := "a.coclico: "; status != statusOK || !strings.Contains(seen, want) || !strings.Contains(seen, " bytes, ") || !strings.Contains(seen, " bits per pixel at 128 x 128") ||
		strings.Contains(seen, "crop") || strings.Count(seen, "\n") != 1 || info.Size() > 120 {
		t.Errorf("encode: status %d, %q", status, seen)
	}
	wide := filepath.Join(dir, "wide.png")
	writePNG(t, wide, image.NewGray(image.Rect(0, 0, 160, 90)))
	if _, seen := onTerminal(t, "encode", wide, "-o", file); !strings.Contains(seen, "the crop left out 44 % of the picture (--fit whole keeps all of it)\n") {
		t.Errorf("encode of a wide picture: %q", seen)
	}
	if _, seen := onTerminal(t, "encode", wide, "-o", file, "--fit", "whole"); strings.Contains(seen, "crop") || !strings.Contains(seen, " bits per pixel at 128 x 7") {
		t.Errorf("encode of all of a wide picture: %q", seen)
	}
	if _, seen := onTerminal(t, "encode", wide, photo, "-o", filepath.Join(dir, "many")); !strings.Contains(seen, "more than a third of 1 of the pictures (--fit whole ") {
		t.Errorf("encode of many: %q", seen)
	}
	note := builtInNote + "\n"
	decode := []string{"decode", file, "-o", filepath.Join(dir, "a.png"), "--steps", "1", "--size", "16"}
	if status, seen := onTerminal(t, decode...); status != statusOK || seen != note {
		t.Errorf("decode: status %d, %q", status, seen)
	}
	succeed(t, decode...) // in silence
	many := []string{"decode", filepath.Join(dir, "many"), "-o", filepath.Join(dir, "again"), "--steps", "1", "--size", "16"}
	if _, seen := onTerminal(t, many...); strings.Count(seen, builtInNote) != 1 || !strings.Contains(seen, "2 decoded") {
		t.Errorf("decode of many: %q", seen)
	}
	succeed(t, "encode", photo, "-o", file, "--model", model)
	if status, seen := onTerminal(t, append(decode[:6:6], "--model", model)...); status != statusOK || seen != "" {
		t.Errorf("decode with another model: status %d, %q", status, seen)
	}
}

// TestTerminals: a terminal gets what it has: bars where its cursor moves,
// colors where it has them, blocks where its characters are Unicode.
func TestTerminals(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "a.coclico")
	succeed(t, "encode", photo, "-o", file)
	for _, c := range []struct {
		term, color, lang  string
		bar, colors, block bool
	}{
		{"xterm-256color", "", "en_US.UTF-8", true, true, true}, {"xterm", "truecolor", "C", true, true, false},
		{"xterm", "", "en_US.UTF-8", true, false, false}, {"dumb", "truecolor", "en_US.UTF-8", false, false, false},
	} {
		t.Setenv("TERM", c.term)
		t.Setenv("COLORTERM", c.color)
		t.Setenv("NO_COLOR", "")
		t.Setenv("LC_ALL", c.lang)
		_, info := onTerminal(t, "info", file)
		if strings.Contains(info, "\x1b[") != c.colors || strings.Contains(info, "▀") != c.block || strings.Contains(info, "  #") == c.colors {
			t.Errorf("%+v: info prints %q", c, info)
		}
		_, decode := onTerminal(t, "decode", file, "-o", filepath.Join(dir, "a.png"), "--steps", "3", "--size", "16")
		if strings.Contains(decode, "\x1b") != c.bar || !c.bar && strings.Contains(decode, "step") || strings.Contains(decode, "█") && !strings.Contains(c.lang, "UTF") {
			t.Errorf("%+v: decode prints %q", c, decode)
		}
	}
}
