package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/coclico/coclico/cmd/coclico/internal/terminal"
)

// A depth is how many colours a terminal has.
type depth int

const (
	noColours   depth = iota
	cubeColours       // 256, of which 216 are a cube and 24 a ramp of greys
	trueColours
)

// colourDepth returns what may be shown on w.
func colourDepth(w io.Writer) depth {
	if !terminal.IsTerminal(w) {
		return noColours
	}
	return depthOf(os.Getenv)
}

// depthOf reads the environment as terminals and programs agree on it: no-color.org, and COLORTERM.
func depthOf(env func(string) string) depth {
	switch colorTerm, term := env("COLORTERM"), env("TERM"); {
	case env("NO_COLOR") != "", term == "dumb":
		return noColours
	case colorTerm == "truecolor", colorTerm == "24bit":
		return trueColours
	case strings.Contains(term, "256color"):
		return cubeColours
	}
	return noColours
}

// drawMap draws a colour map ("#rrggbb") of a w x h picture in half blocks, the upper pixel in front and the lower one behind,
// its longer side about 32 columns. It returns false if there are no colours to draw with.
func drawMap(out io.Writer, rgb [][]string, w, h int, d depth) bool {
	if d == noColours || len(rgb) == 0 {
		return false
	}
	n := len(rgb)
	side := max(32, n)
	columns, rows := max(side*w/max(w, h), 1), max(side*h/max(w, h)/2*2, 2)
	at := func(x, y int) string { return rgb[y*n/rows][x*n/columns] }
	for y := 0; y < rows; y += 2 {
		fmt.Fprint(out, "  ")
		for x := range columns {
			fmt.Fprintf(out, "\x1b[38;%s;48;%sm▀", colourCode(at(x, y), d), colourCode(at(x, y+1), d))
		}
		fmt.Fprintln(out, "\x1b[0m")
	}
	return true
}

// colourCode returns the parameters of a colour in a terminal's escape sequence.
func colourCode(hex string, d depth) string {
	var r, g, b int
	if _, err := fmt.Sscanf(hex, "#%02x%02x%02x", &r, &g, &b); err != nil {
		panic("coclico: colour is not #rrggbb")
	}
	if d == trueColours {
		return fmt.Sprintf("2;%d;%d;%d", r, g, b)
	}
	return fmt.Sprintf("5;%d", cube(r, g, b))
}

// cube returns the nearest of xterm's colours 16 to 255: a cube with sides 0, 95, 135, 175, 215, 255 and greys 8, 18 .. 238.
func cube(r, g, b int) int {
	sides := [6]int{0, 95, 135, 175, 215, 255}
	best, at := 1<<30, 0
	try := func(i, x, y, z int) {
		if d := (r-x)*(r-x) + (g-y)*(g-y) + (b-z)*(b-z); d < best {
			best, at = d, i
		}
	}
	for i := range 216 {
		try(16+i, sides[i/36], sides[i/6%6], sides[i%6])
	}
	for i := range 24 {
		try(232+i, 8+10*i, 8+10*i, 8+10*i)
	}
	return at
}
