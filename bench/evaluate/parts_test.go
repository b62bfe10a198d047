package evaluate

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"image"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/coclico/coclico/bench/iqa"
)

// The hash and the picture of thumbhash-python 1.0.1, whose decoder rounds where
// the original truncates.
func TestThumbHash(t *testing.T) {
	const side = 20
	p := &Picture{side, make([]byte, side*side*3)}
	for i := range side * side {
		x, y := i%side, i/side
		p.RGB[3*i], p.RGB[3*i+1], p.RGB[3*i+2] = byte(x*12), byte(y*11+x*3), byte(255-x*5-y*4)
	}
	hash := thumbHash(p)
	if got := hex.EncodeToString(hash); got != "a2d609671470778772788887877787777878072777818f08" {
		t.Errorf("hash %s", got)
	}
	q := thumbPicture(hash)
	for _, want := range []struct {
		at  int
		rgb [3]int
	}{{0, [3]int{0, 0, 251}}, {31, [3]int{225, 50, 158}}, {32*16 + 16, [3]int{118, 152, 153}}, {1023, [3]int{203, 216, 68}}} {
		for c, v := range want.rgb {
			if d := int(q.RGB[3*want.at+c]) - v; d < -1 || d > 1 {
				t.Errorf("pixel %d: %v, want %v", want.at, q.RGB[3*want.at:3*want.at+3], want.rgb)
				break
			}
		}
	}
}

func TestAveraged(t *testing.T) {
	p := &Picture{3, make([]byte, 27)}
	for i := range 9 {
		p.RGB[3*i] = byte(i * 20) // 0 20 40, 60 80 100, 120 140 160
	}
	// Each pixel of 2 x 2 covers 1.5 x 1.5 of 3 x 3.
	want := []int{
		(0 + 20/2 + 60/2 + 80/4) * 4 / 9, (20/2 + 40 + 80/4 + 100/2) * 4 / 9,
		(60/2 + 80/4 + 120 + 140/2) * 4 / 9, (80/4 + 100/2 + 140/2 + 160) * 4 / 9,
	}
	q := p.averaged(2)
	for i, v := range want {
		if d := int(q.RGB[3*i]) - v; d < 0 || d > 1 {
			t.Errorf("pixel %d: %d, want about %d", i, q.RGB[3*i], v)
		}
	}
	gray := &Picture{100, bytes.Repeat([]byte{77}, 30000)}
	for _, side := range []int{1, 7, 32, 64, 99, 100} {
		if q := gray.averaged(side); q.Side != side || !bytes.Equal(q.RGB, bytes.Repeat([]byte{77}, side*side*3)) {
			t.Errorf("a flat picture at %d is not flat", side)
		}
	}
}

// Planes come back as well as rounding and halved chroma allow: exactly for
// grays.
func TestYUV(t *testing.T) {
	p := scene(1, 64)
	for i := range 64 * 64 {
		p.RGB[3*i+1], p.RGB[3*i+2] = p.RGB[3*i], p.RGB[3*i]
	}
	path := filepath.Join(t.TempDir(), "p.yuv")
	if err := writeTo(path, writeYUV, p); err != nil {
		t.Fatal(err)
	}
	q, err := readYUV(path, 64)
	if err != nil || !bytes.Equal(p.RGB, q.RGB) {
		t.Errorf("grays do not come back: %v", err)
	}
	for _, c := range []struct {
		rgb  [3]byte
		want [3]uint16
	}{ // BT.709's codes of 10 bits
		{[3]byte{255, 255, 255}, [3]uint16{940, 512, 512}}, {[3]byte{0, 0, 0}, [3]uint16{64, 512, 512}},
		{[3]byte{255, 0, 0}, [3]uint16{250, 409, 960}}, {[3]byte{0, 0, 255}, [3]uint16{127, 960, 471}},
	} {
		var b bytes.Buffer
		if err := writeYUV(&b, &Picture{2, bytes.Repeat(c.rgb[:], 4)}); err != nil {
			t.Fatal(err)
		}
		var got [6]uint16
		if _, err := binary.Decode(b.Bytes(), binary.LittleEndian, &got); err != nil || [3]uint16(got[3:]) != c.want {
			t.Errorf("%v is %v, want %v (%v)", c.rgb, got[3:], c.want, err)
		}
	}
	if _, err := readYUV(path, 32); err == nil {
		t.Error("planes of another size are read")
	}
}

func TestPPM(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "p.ppm")
	p := scene(2, 16)
	if err := writeTo(path, writePPM, p); err != nil {
		t.Fatal(err)
	}
	if q, err := readPPM(path, 16); err != nil || !bytes.Equal(p.RGB, q.RGB) {
		t.Error("a PPM does not come back:", err)
	}
	gray := append([]byte("P5\n2 2\n255\n"), 1, 2, 3, 4)
	bad := map[string]string{"short": "P6\n16 16\n255\nabc", "kind": "P3\n16 16\n255\n", "deep": "P6\n16 16\n65535\n", "size": "P6\n999999999 999999999\n255\n", "empty": ""}
	for name, data := range bad {
		if err := os.WriteFile(path, []byte(data), 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := readPPM(path, 16); err == nil {
			t.Errorf("a bad PPM is read: %s", name)
		}
	}
	if err := os.WriteFile(path, gray, 0o666); err != nil {
		t.Fatal(err)
	}
	if q, err := readPPM(path, 2); err != nil || !bytes.Equal(q.RGB, []byte{1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4}) {
		t.Error("a gray PPM:", err)
	}
}

func TestMean(t *testing.T) {
	if c := mean(nil); c.Known {
		t.Error("a mean of nothing")
	}
	if c := mean([]float64{3}); !c.Known || c.Mean != 3 || c.Interval {
		t.Errorf("a mean of one: %+v", c)
	}
	// The interval of the mean of many normal values is 1.96 deviations of
	// the mean to both sides.
	var values []float64
	for i := range 400 {
		values = append(values, math.Sqrt2*math.Erfinv(2*(float64(i)+0.5)/400-1))
	}
	c := mean(values)
	if want := 1.96 / 20; math.Abs(c.High-want) > 0.012 || math.Abs(c.Low+want) > 0.012 || math.Abs(c.Mean) > 1e-9 {
		t.Errorf("%+v, want 0 within %.3f", c, want)
	}
	if again := mean(values); again != c {
		t.Error("equal values have other intervals")
	}
}

// Names cannot break out of their place in a report.
func TestEscapes(t *testing.T) {
	dir := t.TempDir()
	const name = `<script>alert(1)<!--" onerror="x|y&$_%`
	savePNG(t, filepath.Join(dir, name+".png"), scene(0, 64))
	if err := os.WriteFile(filepath.Join(dir, name+"2.png"), []byte("broken"), 0o666); err != nil {
		t.Fatal(err)
	}
	peer := filepath.Join(dir, "peer")
	savePNG(t, filepath.Join(peer, name+".png"), scene(1, 64))
	e := evaluation(dir, t.TempDir(), "thumbhash", "peer-script")
	e.Peers = []Peer{{Name: "<script>|_$&", Pictures: peer}}
	r := run(t, e)
	var html, md, tex strings.Builder
	if err := r.HTML(&html); err != nil {
		t.Fatal(err)
	}
	if err := r.Markdown(&md); err != nil {
		t.Fatal(err)
	}
	if err := r.LaTeX(&tex); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(html.String(), "<script") || strings.Contains(html.String(), `" onerror="`) || strings.Contains(html.String(), "ZgotmplZ") {
		t.Error("HTML has an unescaped name")
	}
	if strings.Count(html.String(), `src="data:image/jpeg;base64,`) != 2 || strings.Contains(html.String(), `src="http`) {
		t.Error("HTML does not hold the pictures itself")
	}
	if strings.Contains(md.String(), "<script") {
		t.Error("Markdown has an unescaped name")
	}
	if !strings.Contains(tex.String(), `$<$script$>$|\_\$\&`) {
		t.Error("LaTeX lacks the escaped name")
	}
}

// A name that begins with [ or * is no option of the LaTeX row before it.
func TestLaTeXRows(t *testing.T) {
	r := Report{Columns: []Column{{Name: "bytes"}}}
	for _, name := range []string{"[1ex] mine", "*", "a [b] *"} {
		r.Lines = append(r.Lines, Line{Name: name, Cells: []Cell{{}}})
	}
	var b strings.Builder
	if err := r.LaTeX(&b); err != nil {
		t.Fatal(err)
	}
	_, rows, _ := strings.Cut(b.String(), " & bytes \\\\\n\\hline\n")
	want := "{[}1ex] mine & - \\\\\n{*} & - \\\\\na {[}b] {*} & - \\\\\n\\hline\n\\end{tabular}\n"
	if rows != want {
		t.Errorf("%s\nwant\n%s", rows, want)
	}
}

// The page shows so many pictures, and says when it does not show all.
func TestRest(t *testing.T) {
	many := Evaluation{tasks: slices.Repeat([]*task{{path: "a.png"}}, mostShown+1)}
	if n := len(many.shown()); n != mostShown {
		t.Errorf("%d pictures are shown, want %d", n, mostShown)
	}
	for n, want := range map[int]bool{mostShown: false, mostShown + 1: true} {
		r := Report{pictures: make([]shown, mostShown), evaluated: n}
		var page strings.Builder
		if err := r.HTML(&page); err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(page.String(), "The first pictures only"); got != want {
			t.Errorf("%d pictures: some are missing: %t, want %t", n, got, want)
		}
	}
}

func TestSets(t *testing.T) {
	if _, err := SetOf("imagenet"); err == nil || !strings.Contains(err.Error(), "set imagenet: must be of any, kodak, clic, div2k, landscape") {
		t.Errorf("an unknown set: %v", err)
	}
	kodak, err := SetOf("kodak")
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, stem := range kodak.stem {
		all = append(all, "/k/"+stem+".png")
	}
	if got := kodak.missing(all); got != "" {
		t.Errorf("all of Kodak: %s", got)
	}
	all[4] = "/k/05.png"
	if got := kodak.missing(all); got != "" {
		t.Errorf("Kodak's other names: %s", got)
	}
	if got, want := kodak.missing(all[:22]), "pictures of kodak are missing: kodim23, kodim24"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := kodak.missing(all[:1]), "23 of the 24 pictures of kodak are missing: kodim02, ... kodim24"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	// The crop is cut out, not scaled.
	img := image.NewGray(image.Rect(10, 10, 778, 522))
	img.Pix[128] = 200 // the crop's first pixel
	p, err := kodak.square(img, 512)
	if err != nil || p.Side != 512 || !slices.Equal(p.RGB[:4], []byte{200, 200, 200, 0}) {
		t.Errorf("the crop: %v", err)
	}
	landscape, _ := SetOf("landscape")
	if _, err := landscape.square(img, 768); err == nil || err.Error() != "768 x 512 pixels: the set's rule needs 768 x 768" {
		t.Errorf("a small landscape: %v", err)
	}
}

func TestColorScore(t *testing.T) {
	s := func(v byte) Seen { return Seen{Picture: &Picture{64, bytes.Repeat([]byte{v}, 64*64*3)}} }
	m := colorScore()
	got, err := m.Score(t.Context(), Subject{s(0), s(51)})
	if err != nil || math.Abs(got-0.04) > 1e-7 {
		t.Errorf("color score %g, %v; want 0.04", got, err)
	}
}

// PSNR and MS-SSIM need no weights; what is missing has a column, and of
// synthetic weights the report warns.
func TestNetworks(t *testing.T) {
	byName := func(metrics []Metric) map[string]*Metric {
		all := map[string]*Metric{}
		for i := range metrics {
			all[metrics[i].Name] = &metrics[i]
		}
		return all
	}
	set, err := iqa.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer set.Close()
	none := byName(Networks(set, true, noWeights))
	for _, name := range []string{"DBCNN", "MUSIQ", "LPIPS-vgg", "LPIPS-alex", "DISTS", "aesthetics"} {
		if m := none[name]; m == nil || m.Missing != noWeights {
			t.Errorf("%s: %+v", name, m)
		}
	}
	if len(none) != 9 || none["CMMD-224"] == nil || none["CMMD-224"].AtLeast != 100 {
		t.Errorf("%d metrics", len(none))
	}
	p, q := scene(1, 64), scene(1, 64)
	q.RGB[0]++
	s := Subject{Seen{p, nil}, Seen{q, make([]float32, 768)}}
	s.Picture.Vector[0] = 1
	score := func(m *Metric, s Subject) float64 {
		t.Helper()
		v, err := m.Score(t.Context(), s)
		if err != nil {
			t.Errorf("%s: %v", m.Name, err)
		}
		return v
	}
	if got, want := score(none["PSNR"], s), 10*math.Log10(255*255*64*64*3); math.Abs(got-want) > 1e-9 {
		t.Errorf("PSNR %g, want %g", got, want)
	}
	if got := score(none["PSNR"], Subject{Seen{p, nil}, Seen{p, nil}}); got != maxPSNR {
		t.Errorf("PSNR of equal pictures: %g", got)
	}
	if _, err := none["MS-SSIM"].Score(t.Context(), s); err == nil || !strings.HasPrefix(err.Error(), "a picture of 64x64 is too small") {
		t.Errorf("MS-SSIM of a small picture: %v", err)
	}
	all := byName(Networks(iqa.Synthetic(1), true, noWeights))
	for name, m := range all {
		weightless := name == "PSNR" || name == "MS-SSIM" || name == "CMMD-224"
		if m.Synthetic == weightless || m.Missing != "" {
			t.Errorf("%s: synthetic %t, %s", name, m.Synthetic, m.Missing)
		}
	}
	for _, m := range iqa.Synthetic(1).Metrics {
		if got := all[m.Name].Better == Lower; got != m.Lower || none[m.Name] != nil && none[m.Name].Better != all[m.Name].Better {
			t.Errorf("%s: less is better: %t, want %t", m.Name, got, m.Lower)
		}
	}
	if v := score(all["DISTS"], s); v <= 0 || v > 0.01 {
		t.Errorf("DISTS of pictures that differ by a byte: %g", v)
	}
	score(all["aesthetics"], s)
	if all["DISTS"].Weights != "" {
		t.Errorf("synthetic weights are from %s", all["DISTS"].Weights)
	}
	real := network(&iqa.Metric{Name: "DBCNN", Origin: iqa.Origin{File: "/m/DBCNN_KonIQ10k-2de81c0a.safetensors", Version: "0123abcd"}})
	e := Evaluation{metrics: []Metric{real, {Name: "DISTS", Weights: "none", Missing: "lost"}}}
	r, err := e.report()
	if err != nil {
		t.Fatal(err)
	}
	if n, want := len(r.Facts), "Weights of DBCNN: DBCNN_KonIQ10k-2de81c0a.safetensors, SHA-256 0123abcd..."; r.Facts[n-1] != want {
		t.Errorf("the last fact is %q, want %q", r.Facts[n-1], want)
	}
	if own := byName(Networks(iqa.Synthetic(1), false, noWeights)); own["CMMD-224"] != nil || own["aesthetics"].Missing == "" {
		t.Error("another tower's vectors pass for CLIP's")
	}
}
