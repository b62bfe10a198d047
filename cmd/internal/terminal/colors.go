package terminal

import (
	"cmp"
	"fmt"
	"image"
	"image/color"
	"io"
	"runtime"
	"strings"
)

// A depth is how many colors a terminal has.
type depth int

const (
	noColors   depth = iota
	cubeColors       // 256: a cube of 216 and a ramp of 24 grays
	trueColors
)

// depthOf reads the environment as terminals and programs agree on it: NO_COLOR
// (no-color.org), COLORTERM and TERM.
func depthOf(getenv func(string) string) depth {
	switch colorTerm, term := getenv("COLORTERM"), getenv("TERM"); {
	case getenv("NO_COLOR") != "", term == "dumb":
		return noColors
	case colorTerm == "truecolor", colorTerm == "24bit":
		return trueColors
	case strings.Contains(term, "256color"):
		return cubeColors
	}
	return noColors
}

// hasBlocks reports whether the locale's character set has block elements,
// which is whether it is UTF-8. LC_ALL goes before LC_CTYPE, and that before
// LANG; without any of them the locale is C. Windows has no such variables, and
// its console takes all of Unicode.
func hasBlocks(getenv func(string) string) bool {
	if runtime.GOOS == "windows" {
		return true
	}
	locale := strings.ToLower(cmp.Or(getenv("LC_ALL"), getenv("LC_CTYPE"), getenv("LANG")))
	return strings.HasSuffix(locale, "utf-8") || strings.HasSuffix(locale, "utf8") || strings.Contains(locale, "utf-8@") || strings.Contains(locale, "utf8@")
}

// ColorMap draws a color map in the shape of a picture of w x h pixels on
// standard output. It returns false, and draws nothing, if the terminal lacks
// colors, or if standard output is no terminal.
func (s *Screen) ColorMap(m image.Image, w, h int) bool {
	if !IsTerminal(s.Out) {
		return false
	}
	return drawMap(s.Out, m, w, h, depthOf(s.getenv), hasBlocks(s.getenv))
}

// drawMap draws a map, its longer side about 32 columns.
func drawMap(out io.Writer, m image.Image, w, h int, d depth, blocks bool) bool {
	b := m.Bounds()
	if d == noColors || b.Empty() {
		return false
	}
	side := max(32, b.Dx())
	columns, rows := max(side*w/max(w, h), 1), max(side*h/max(w, h)/2*2, 2)
	for y := 0; y < rows; y += 2 {
		fmt.Fprint(out, "  ")
		drawLine(out, func(x, below int) color.Color {
			return m.At(b.Min.X+x*b.Dx()/columns, b.Min.Y+(y+below)*b.Dy()/rows)
		}, columns, d, blocks)
	}
	return true
}

// drawLine draws two rows of pixels as a line of the terminal: in half blocks,
// the upper pixel in front and the lower one behind, or else the upper row in
// colored spaces.
func drawLine(out io.Writer, at func(x, below int) color.Color, columns int, d depth, blocks bool) {
	for x := range columns {
		code := func(below int) string { return colorCode(at(x, below), d) }
		if blocks {
			fmt.Fprintf(out, "\x1b[38;%s;48;%sm▀", code(0), code(1))
		} else {
			fmt.Fprintf(out, "\x1b[48;%sm ", code(0))
		}
	}
	fmt.Fprintln(out, "\x1b[0m")
}

// colorCode returns a color's parameters in a terminal's escape sequence.
func colorCode(c color.Color, d depth) string {
	p := color.NRGBAModel.Convert(c).(color.NRGBA)
	if d == trueColors {
		return fmt.Sprintf("2;%d;%d;%d", p.R, p.G, p.B)
	}
	return fmt.Sprintf("5;%d", cube(int(p.R), int(p.G), int(p.B)))
}

// cube returns the nearest of xterm's colors 16 to 255: a cube with sides 0,
// 95, 135, 175, 215, 255 and grays 8, 18 .. 238.
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
