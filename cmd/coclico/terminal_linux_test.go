package main

import (
	"bytes"
	"context"
	"image"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/coclico/coclico/cmd/internal/process"
)

// onTerminal runs the program with a terminal for standard output and standard
// error, and returns what its user sees.
func onTerminal(t *testing.T, args ...string) (status int, seen string) {
	t.Helper()
	return onAnsweringTerminal(t, t.Context(), "", args...)
}

// onAnsweringTerminal is onTerminal with a terminal that answers the question
// for its attributes, unless answer is empty. The program must leave the
// terminal as it was.
func onAnsweringTerminal(t *testing.T, ctx context.Context, answer string, args ...string) (status int, seen string) {
	t.Helper()
	program, user := newTerminal(t)
	before, err := unix.IoctlGetTermios(int(program.Fd()), unix.TCGETS)
	if err != nil {
		t.Skip(err)
	}
	done := make(chan int, 1)
	go func() {
		done <- run(ctx, args, bytes.NewReader(nil), program, program)
		if after, err := unix.IoctlGetTermios(int(program.Fd()), unix.TCGETS); err != nil || *after != *before {
			t.Errorf("%v: the terminal was left as %+v, it was %+v (%v)", args, after, before, err)
		}
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
		if answer != "" && bytes.Contains(b.Bytes(), []byte("\x1b[c")) {
			if _, err := user.WriteString(answer); err != nil {
				t.Fatal(err)
			}
			answer = ""
		}
	}
	return <-done, strings.ReplaceAll(strings.TrimSuffix(b.String(), "\x00"), "\r\n", "\n")
}

// TestFileOnTerminal: a file is not written where it would be shown as letters.
func TestFileOnTerminal(t *testing.T) {
	status, seen := onTerminal(t, "encode", photo, "-o", "-")
	if status != process.Failed || !strings.Contains(seen, "standard output is a terminal") || strings.Count(seen, "\n") != 1 {
		t.Errorf("status %d, %q", status, seen)
	}
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
	// 640 x 427 pixels; the crop leaves out 33.3 % of them: no word about it.
	if want := "a.coclico: "; status != process.OK || !strings.Contains(seen, want) || !strings.Contains(seen, " bytes, ") || !strings.Contains(seen, " bits per pixel at 128 x 128") ||
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
	if status, seen := onTerminal(t, decode...); status != process.OK || seen != note {
		t.Errorf("decode: status %d, %q", status, seen)
	}
	succeed(t, decode...) // in silence
	many := []string{"decode", filepath.Join(dir, "many"), "-o", filepath.Join(dir, "again"), "--steps", "1", "--size", "16"}
	if _, seen := onTerminal(t, many...); strings.Count(seen, builtInNote) != 1 || !strings.Contains(seen, "2 decoded") {
		t.Errorf("decode of many: %q", seen)
	}
	succeed(t, "encode", photo, "-o", file, "--model", model)
	if status, seen := onTerminal(t, append(decode[:6:6], "--model", model)...); status != process.OK || seen != "" {
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

// TestPreviewTerminal: previews are drawn when they are asked for, in the way
// that the terminal has, and the picture in their place.
func TestPreviewTerminal(t *testing.T) {
	dir := t.TempDir()
	file, out := filepath.Join(dir, "a.coclico"), filepath.Join(dir, "a.png")
	succeed(t, "encode", photo, "-o", file)
	const kitty, iterm2, sixel, blocks = "\x1b_Ga=T,", "\x1b]1337;File=", "\x1bP0;1q", "▀"
	for _, c := range []struct {
		preview, term, program, noColor, answer string
		want                                    string // what is drawn, or said
		asked                                   bool
	}{
		{"terminal", "xterm-kitty", "", "", "", kitty, false},
		{"terminal", "xterm-256color", "WezTerm", "", "", iterm2, false},
		{"terminal", "xterm-256color", "", "", "\x1b[?62;4;22c", sixel, true},
		{"terminal", "xterm-256color", "", "", "x\x1b[?1;2c", blocks, true},
		{"terminal", "xterm-256color", "", "", "", blocks, true}, // after a second
		{"terminal", "xterm", "", "", "\x1b[?1;2c", "coclico: no previews: the terminal has no colors\n", true},
		{"blocks", "xterm-kitty", "", "", "", blocks, false},
		{"sixel", "xterm", "", "", "", sixel, false},
		{"kitty", "xterm", "", "1", "", "coclico: no previews: NO_COLOR is set\n", false},
		{"blocks", "dumb", "", "", "", "coclico: no previews: the terminal is dumb\n", false},
		{"", "xterm-kitty", "", "", "", "", false},
	} {
		t.Setenv("TERM", c.term)
		t.Setenv("TERM_PROGRAM", c.program)
		t.Setenv("COLORTERM", "")
		t.Setenv("NO_COLOR", c.noColor)
		t.Setenv("LC_ALL", "C.UTF-8")
		for _, name := range []string{"TMUX", "KITTY_WINDOW_ID", "LC_TERMINAL"} {
			t.Setenv(name, "")
		}
		args := []string{"decode", file, "-o", out}
		if c.preview != "" {
			args = append(args, "--preview", c.preview)
		}
		status, seen := onAnsweringTerminal(t, t.Context(), c.answer, args...)
		if status != process.OK || strings.Contains(seen, "\x1b[c") != c.asked || !strings.Contains(seen, c.want) {
			t.Errorf("%+v: status %d, asked %v, %.200q", c, status, strings.Contains(seen, "\x1b[c"), seen)
		}
		for _, way := range []string{kitty, iterm2, sixel, blocks} {
			drawn := strings.Count(seen, "\x1b7"+way)
			if way == blocks {
				drawn = strings.Count(seen, "\x1b7\x1b[38;")
			}
			// The map, the picture, and what there was time for.
			if way == c.want && (drawn < 2 || drawn > 19) || way != c.want && drawn > 0 {
				t.Errorf("%+v: %d pictures by %q", c, drawn, way)
			}
		}
	}
}
