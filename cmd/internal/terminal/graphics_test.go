package terminal

import (
	"bytes"
	"encoding/base64"
	"image"
	"image/color"
	"image/color/palette"
	"image/draw"
	"image/png"
	"math/rand/v2"
	"strings"
	"testing"
)

// four is a picture of 4 x 4 pixels: red and green above blue and white.
func four() *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, 4, 4))
	for y := range 4 {
		for x := range 4 {
			img.SetRGBA(x, y, []color.RGBA{{255, 0, 0, 255}, {0, 255, 0, 255}, {0, 0, 255, 255}, {255, 255, 255, 255}}[y/2*2+x/2])
		}
	}
	return img
}

// TestFour: what each way of drawing writes of a small picture. Of the sixels,
// sixel2png of libsixel 1.10 makes the picture again.
func TestFour(t *testing.T) {
	want := "\x1bP0;1q\"1;1;4;4#54;2;0;0;100#63;2;0;100;0#240;2;100;0;0#255;2;100;100;100" +
		"#54KK$#63??BB$#240BB$#255??KK-\x1b\\"
	if got := string(appendSixel(nil, four())); got != want {
		t.Errorf("sixel:\n%q, want\n%q", got, want)
	}
	text := inBase64(four())
	want = "\x1b_Ga=T,f=100,i=7,p=1,q=2,C=1,c=4,r=2,m=0;" + text + "\x1b\\"
	if got := string(appendKitty(nil, four(), 7, 4, 2)); got != want {
		t.Errorf("kitty:\n%q, want\n%q", got, want)
	}
	want = "\x1b]1337;File=inline=1;width=4;height=2;preserveAspectRatio=0:" + text + "\a"
	if got := string(appendITerm2(nil, four(), 4, 2)); got != want {
		t.Errorf("iTerm2:\n%q, want\n%q", got, want)
	}
	const upper = "\x1b[38;2;255;0;0;48;2;255;0;0m▀\x1b[38;2;255;0;0;48;2;255;0;0m▀\x1b[38;2;0;255;0;48;2;0;255;0m▀\x1b[38;2;0;255;0;48;2;0;255;0m▀\x1b[0m\n"
	const lower = "\x1b[38;2;0;0;255;48;2;0;0;255m▀\x1b[38;2;0;0;255;48;2;0;0;255m▀\x1b[38;2;255;255;255;48;2;255;255;255m▀\x1b[38;2;255;255;255;48;2;255;255;255m▀\x1b[0m\n"
	c := &canvas{screen: New(nil, nil, environ("COLORTERM=truecolor", "LANG=C.UTF-8")), graphics: Blocks, columns: 4, rows: 2}
	if got := string(c.append(nil, four())); got != upper+lower {
		t.Errorf("blocks:\n%q, want\n%q", got, upper+lower)
	}
}

// TestSixel decodes sixels of pictures of all heights around a stripe's.
func TestSixel(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for h := range 14 {
		img := image.NewRGBA(image.Rect(0, 0, 5+3*h, 1+h))
		for i := range img.Pix {
			img.Pix[i] = uint8(random.Uint32()) | 0xff*uint8(i&3/3)
		}
		if h%2 == 0 { // runs
			draw.Draw(img, image.Rect(2, 0, 30, 3), image.White, image.Point{}, draw.Src)
		}
		want := image.NewPaletted(img.Rect, palette.Plan9)
		draw.FloydSteinberg.Draw(want, want.Rect, img, image.Point{})
		got := decodeSixel(t, string(appendSixel(nil, img)))
		if got.Rect != want.Rect {
			t.Fatalf("%v became %v", want.Rect, got.Rect)
		}
		for i, c := range want.Pix {
			r, g, b, _ := want.Palette[c].RGBA()
			p := got.Pix[4*i:]
			if near := func(a uint8, b uint32) bool { return max(int(a), int(b>>8))-min(int(a), int(b>>8)) <= 2 }; !near(p[0], r) || !near(p[1], g) || !near(p[2], b) {
				t.Fatalf("%v: pixel %d is %v, want %v", want.Rect, i, p[:3], want.Palette[c])
			}
		}
	}
}

// decodeSixel decodes sixels by the manual.
func decodeSixel(t *testing.T, s string) *image.RGBA {
	t.Helper()
	s, ok := strings.CutPrefix(s, "\x1bP0;1q\"1;1;")
	if !ok || !strings.HasSuffix(s, "\x1b\\") {
		t.Fatalf("not sixels: %q", s)
	}
	s = strings.TrimSuffix(s, "\x1b\\")
	number := func() (n int) {
		for s != "" && '0' <= s[0] && s[0] <= '9' {
			n, s = 10*n+int(s[0]-'0'), s[1:]
		}
		return n
	}
	numbers := func() (all []int) {
		for all = []int{number()}; strings.HasPrefix(s, ";"); all = append(all, number()) {
			s = s[1:]
		}
		return all
	}
	size := numbers()
	img := image.NewRGBA(image.Rect(0, 0, size[0], size[1]))
	colors := map[int]color.RGBA{}
	var now color.RGBA
	x, y, repeat := 0, 0, 1
	for s != "" {
		c := s[0]
		s = s[1:]
		switch {
		case c == '#':
			n := numbers()
			if len(n) == 5 {
				part := func(percent int) uint8 { return uint8((percent*255 + 50) / 100) }
				colors[n[0]] = color.RGBA{part(n[2]), part(n[3]), part(n[4]), 255}
			}
			now, ok = colors[n[0]]
			if !ok {
				t.Fatalf("color %d is unknown", n[0])
			}
		case c == '!':
			repeat = number()
		case c == '$':
			x = 0
		case c == '-':
			x, y = 0, y+6
		case '?' <= c && c <= '~':
			for ; repeat > 0; repeat-- {
				for k := range 6 {
					if (c-'?')>>k&1 != 0 {
						if !(image.Point{x, y + k}).In(img.Rect) {
							t.Fatalf("pixel (%d, %d) of %v", x, y+k, img.Rect)
						}
						img.SetRGBA(x, y+k, now)
					}
				}
				x++
			}
			repeat = 1
		default:
			t.Fatalf("character %q", c)
		}
	}
	return img
}

// TestKitty: a large picture comes in pieces, which a terminal puts together.
func TestKitty(t *testing.T) {
	img := image.NewRGBA(image.Rect(0, 0, 64, 64))
	random := rand.New(rand.NewPCG(3, 4))
	for i := range img.Pix {
		img.Pix[i] = uint8(random.Uint32()) | 0xff*uint8(i&3/3)
	}
	rest := string(appendKitty(nil, img, 9, 20, 10))
	text, pieces := "", 0
	for rest != "" {
		keys, piece, ok := strings.Cut(strings.TrimPrefix(rest, "\x1b_G"), ";")
		piece, rest, _ = strings.Cut(piece, "\x1b\\")
		last := strings.HasSuffix(keys, "m=0")
		if !ok || len(piece) > 4096 || last != (rest == "") || (pieces == 0) != strings.HasPrefix(keys, "a=T,") || !last && len(piece)%4 != 0 {
			t.Fatalf("piece %d: keys %q, %d characters", pieces, keys, len(piece))
		}
		text += piece
		pieces++
	}
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil || pieces < 2 {
		t.Fatalf("%d pieces (%v)", pieces, err)
	}
	got, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	for i := range 64 * 64 {
		if got.At(i%64, i/64) != img.At(i%64, i/64) {
			t.Fatalf("pixel %d differs", i)
		}
	}
}

// TestGraphicsOf: terminals are recognized by the environment and by their
// attributes.
func TestGraphicsOf(t *testing.T) {
	for _, c := range []struct {
		vars string
		want Graphics
	}{
		{"TERM=xterm-kitty", Kitty}, {"TERM=xterm-256color KITTY_WINDOW_ID=1", Kitty}, {"TERM=xterm-ghostty TERM_PROGRAM=ghostty", Kitty},
		{"TERM=xterm-256color TERM_PROGRAM=iTerm.app", ITerm2}, {"TERM=xterm-256color TERM_PROGRAM=WezTerm", ITerm2}, {"TERM=xterm LC_TERMINAL=iTerm2", ITerm2},
		{"TERM=tmux-256color TERM_PROGRAM=tmux LC_TERMINAL=iTerm2", ""}, {"TERM=screen KITTY_WINDOW_ID=1", ""}, {"TERM=xterm TMUX=/tmp/x KITTY_WINDOW_ID=1", ""},
		{"TERM=xterm-256color TERM_PROGRAM=Apple_Terminal", ""}, {"", ""},
	} {
		if got := graphicsOf(environ(strings.Fields(c.vars)...)); got != c.want {
			t.Errorf("%s: %q, want %q", c.vars, got, c.want)
		}
	}
	for answer, want := range map[string]bool{
		"\x1b[?62;4;6c": true, "\x1b[?64;1;2;4c": true, "\x1b[?4c": false, "\x1b[?62;44;6c": false, "\x1b[?1;2c": false, "q\x1b[?62;4c": true, "c": false, "\x1b[?62;4": false, "": false,
	} {
		if saysSixel(answer) != want {
			t.Errorf("%q says sixel: %v", answer, !want)
		}
	}
	var err bytes.Buffer
	if g, why := New(nil, &err, environ("TERM=xterm-kitty")).Graphics(t.Context(), Terminal); g != "" || why == "" {
		t.Errorf("%q on a pipe", g)
	}
}

// TestCanvas: a picture makes itself room once, is drawn over, and is left alone
// when the next one is of another shape or comes after other lines. It fits the
// terminal and has the picture's shape.
func TestCanvas(t *testing.T) {
	var b bytes.Buffer
	s := New(nil, &b, environ("LANG=C.UTF-8")) // 80 x 24
	c := &canvas{screen: s, graphics: Kitty}
	drawn := func(img image.Image) string {
		b.Reset()
		c.draw(img)
		return b.String()
	}
	square := image.NewRGBA(image.Rect(3, 5, 3+96, 5+96))
	room := "\r\x1b[K" + strings.Repeat("\n", 21) + "\x1b[21A\x1b7\x1b_Ga=T,f=100,i=1,p=1,q=2,C=1,c=42,r=21,"
	if got := drawn(square); !strings.HasPrefix(got, room) || !strings.HasSuffix(got, "\x1b\\\x1b8\x1b[21B\r") {
		t.Errorf("the first picture is %q", got)
	}
	over := "\r\x1b[K\x1b[21A\x1b7\x1b_Ga=T,f=100,i=1,"
	if got := drawn(square); !strings.HasPrefix(got, over) {
		t.Errorf("the second is %q", got)
	}
	c.forget()
	if got := drawn(square); !strings.HasPrefix(got, strings.Replace(room, "i=1,", "i=2,", 1)) {
		t.Errorf("after other lines: %q", got)
	}
	c.screenW-- // a terminal of another size
	if got := drawn(square); !strings.HasPrefix(got, strings.Replace(room, "i=1,", "i=3,", 1)) {
		t.Errorf("on another terminal: %q", got)
	}
	for _, shape := range []struct{ w, h, columns, rows int }{{96, 16, 64, 6}, {16, 96, 7, 21}, {600, 1, 64, 1}, {1, 600, 1, 21}, {96, 64, 63, 21}} {
		drawn(image.NewRGBA(image.Rect(0, 0, shape.w, shape.h)))
		if c.columns != shape.columns || c.rows != shape.rows {
			t.Errorf("%+v: %d columns and %d rows", shape, c.columns, c.rows)
		}
	}
	if got := drawn(image.NewRGBA(image.Rect(0, 0, 0, 5))); got != "" {
		t.Errorf("no picture is %q", got)
	}
	c = &canvas{screen: s, graphics: Sixel}
	if got := drawn(square); !strings.Contains(got, "\x1bP0;1q\"1;1;252;252#") { // 42 x 6 and 21 x 12 pixels
		t.Errorf("sixels: %.60q", got)
	}
	c = &canvas{screen: s, graphics: Blocks}
	if got := drawn(square); strings.Count(got, "▀") != 42*21 || strings.Count(got, "\n") != 2*21 {
		t.Errorf("blocks: %d in %d lines", strings.Count(got, "▀"), strings.Count(got, "\n"))
	}
}
