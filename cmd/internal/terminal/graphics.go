package terminal

import (
	"context"
	"os"
	"slices"
	"strings"

	"golang.org/x/term"
)

// Graphics is a way to draw pictures on a terminal.
type Graphics string

// The ways to draw. Terminal stands for the best that the terminal has.
const (
	Terminal Graphics = "terminal"
	Sixel    Graphics = "sixel"  // DEC's, of the VT340; xterm, foot, Konsole, mlterm, Windows Terminal
	Kitty    Graphics = "kitty"  // kitty, Ghostty
	ITerm2   Graphics = "iterm2" // iTerm2, WezTerm, mintty
	Blocks   Graphics = "blocks" // colored half blocks; every terminal with colors
)

// AllGraphics are all ways to draw.
var AllGraphics = []Graphics{Terminal, Sixel, Kitty, ITerm2, Blocks}

// Graphics returns the way to draw on standard error: want itself unless it is
// Terminal. If nothing can be drawn it returns the reason.
func (s *Screen) Graphics(ctx context.Context, want Graphics) (g Graphics, why string) {
	switch {
	case !s.Watched():
		return "", "standard error is not a terminal"
	case !s.movable():
		return "", "the terminal is dumb"
	case s.getenv("NO_COLOR") != "":
		return "", "NO_COLOR is set"
	case want != Terminal:
		return want, ""
	}
	if g = graphicsOf(s.getenv); g == "" && hasSixel(ctx, s.Err.(*os.File)) {
		g = Sixel
	}
	switch {
	case g != "":
		return g, ""
	case depthOf(s.getenv) == noColors:
		return "", "the terminal has no colors"
	}
	return Blocks, ""
}

// graphicsOf recognizes terminals by the environment. Under tmux and screen it
// may name the terminal around them, which they hide.
func graphicsOf(getenv func(string) string) Graphics {
	name, program := getenv("TERM"), getenv("TERM_PROGRAM")
	switch {
	case getenv("TMUX") != "", strings.HasPrefix(name, "tmux"), strings.HasPrefix(name, "screen"):
		return ""
	case getenv("KITTY_WINDOW_ID") != "", name == "xterm-kitty", name == "xterm-ghostty":
		return Kitty
	case slices.Contains([]string{"iTerm.app", "WezTerm", "mintty"}, program), getenv("LC_TERMINAL") == "iTerm2":
		return ITerm2
	}
	return ""
}

// saysSixel reports whether a terminal's primary device attributes, its answer
// to ESC [ c, have 4 among them: ESC [ ? 62 ; 4 ; 6 c.
func saysSixel(answer string) bool {
	_, rest, found := strings.Cut(answer, "\x1b[?")
	attributes, _, whole := strings.Cut(rest, "c")
	return found && whole && slices.Contains(strings.Split(attributes, ";")[1:], "4")
}

// size returns the columns and rows of standard error, or 80 and 24 if they are
// unknown.
func (s *Screen) size() (columns, rows int) {
	if f, ok := s.Err.(*os.File); ok {
		if w, h, err := term.GetSize(int(f.Fd())); err == nil && w > 0 && h > 0 {
			return w, h
		}
	}
	return 80, 24
}
