package verify

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/coclico/coclico/codec/format"
	"github.com/coclico/coclico/codec/quant"
	"github.com/coclico/coclico/nn"
	"github.com/coclico/coclico/solver"
)

// arithmeticBound is the bound of the cases without a network: random numbers,
// schedules, the class vector and the codec's quantizers. It does not depend on
// the precision.
const arithmeticBound = 1e-5

// randn judges draws of random numbers. "seed<n>/<shape>" is the first draw of
// a generator with seed n, and "two_draws" are two draws of one generator.
func (v *verifier) randn(c *goldenCase) {
	name := regexp.MustCompile(`^seed([0-9]+)/`)
	for _, n := range c.store.Names() {
		m := name.FindStringSubmatch(n)
		if m == nil {
			continue
		}
		seed, err := strconv.ParseUint(m[1], 10, 64)
		if err != nil {
			c.fail("tensor %s: its name has no seed", n)
			return
		}
		t, _ := c.store.Lookup(n)
		want, _ := c.floats(n, t.Shape...)
		got := make([]float32, len(want))
		solver.NewGenerator(seed).Randn(got)
		v.report(compare(n, got, want, arithmeticBound))
	}
	if !c.has("two_draws/first") {
		return
	}
	g := solver.NewGenerator(12345)
	for _, n := range []string{"two_draws/first", "two_draws/second"} {
		t, _ := c.store.Lookup(n)
		want, _ := c.floats(n, t.Shape...)
		got := make([]float32, len(want))
		g.Randn(got)
		v.report(compare(n, got, want, arithmeticBound))
	}
}

// A trajectory is one of golden.py's schedules: the number of steps, the index
// of the first one, and a change of the options.
type trajectory struct {
	name         string
	steps, start int
	change       func(*solver.Config)
}

func trajectories() []trajectory {
	none := func(*solver.Config) {}
	return []trajectory{
		{"default20", 20, 0, none},
		{"strength088", 20, 3, none},
		{"steps25", 25, 3, none},
		{"steps10", 10, 0, none},
		{"steps4", 4, 0, none},
		{"sigma_min", 20, 3, func(c *solver.Config) { c.FinalSigmasType = "sigma_min" }},
		{"order1", 12, 0, func(c *solver.Config) { c.SolverOrder = 1 }},
		{"order3", 20, 0, func(c *solver.Config) { c.SolverOrder = 3 }},
		{"epsilon", 20, 0, func(c *solver.Config) { c.PredictionType = "epsilon" }},
		{"sample", 20, 0, func(c *solver.Config) { c.PredictionType = "sample" }},
		{"leading", 20, 0, func(c *solver.Config) { c.TimestepSpacing = "leading" }},
		{"trailing", 20, 0, func(c *solver.Config) { c.TimestepSpacing = "trailing" }},
		{"karras", 20, 0, func(c *solver.Config) { c.UseKarrasSigmas = true }},
		{"heun", 20, 2, func(c *solver.Config) { c.SolverType = "heun" }},
	}
}

// schedules judges whole trajectories, with sin(x) (0.3 + t/2000) in place of
// the network, and the noise of the vector.
func (v *verifier) schedules(c *goldenCase) error {
	x, shape := c.floats("in/x", -1, -1, -1, -1)
	noise, _ := c.floats("in/noise", shape...)
	cfg, err := v.model.Scheduler()
	if err != nil {
		return err
	}
	for _, t := range trajectories() {
		if !c.has(t.name+"/trajectory") || c.err != nil {
			continue
		}
		with := cfg
		t.change(&with)
		if err := v.trajectory(c, t, with, x, noise); err != nil {
			return err
		}
	}
	if c.err == nil && c.has("noising/alphas_cumprod") {
		n, err := v.model.Noising()
		if err != nil {
			return err
		}
		want, _ := c.floats("noising/alphas_cumprod", -1)
		v.report(compare("noising/alphas_cumprod", n.AlphasCumprod(), want, arithmeticBound))
	}
	return nil
}

func (v *verifier) trajectory(c *goldenCase, t trajectory, cfg solver.Config, x, noise []float32) error {
	s, err := solver.New(cfg, t.steps)
	if err != nil {
		return err
	}
	steps := s.Timesteps()
	wantSteps, _ := c.ints(t.name+"/timesteps", -1)
	wantSigmas, _ := c.floats(t.name+"/sigmas", -1)
	want, _ := c.floats(t.name+"/trajectory", -1, -1, -1, -1, -1)
	if c.err != nil || t.start >= len(steps) {
		return nil
	}
	x = append([]float32(nil), x...)
	if t.start > 0 {
		s.AddNoise(x, x, noise, t.start)
	}
	s.Begin(t.start)
	var gotSteps []int64
	var sigmas []float32
	for _, sigma := range s.Sigmas()[t.start:] {
		sigmas = append(sigmas, float32(sigma))
	}
	got := append([]float32(nil), x...)
	m := make([]float32, len(x))
	for _, ts := range steps[t.start:] {
		gotSteps = append(gotSteps, int64(ts))
		for i := range m {
			m[i] = float32(math.Sin(float64(x[i])) * (0.3 + float64(ts)/2000))
		}
		s.Step(x, m, x)
		got = append(got, x...)
	}
	v.report(compareCodes(t.name+"/timesteps", gotSteps, wantSteps, 0))
	v.report(compare(t.name+"/sigmas", sigmas, wantSigmas, arithmeticBound))
	v.report(compare(t.name+"/trajectory", got, want, arithmeticBound))
	return nil
}

// condition judges the class vector at noise level n, out/level<n>, with the
// case's noise or without noise (_noiseless).
func (v *verifier) condition(c *goldenCase) error {
	n, err := v.model.Noising()
	if err != nil {
		return err
	}
	mean, std, err := v.model.Normalizer()
	if err != nil {
		return err
	}
	embeds, _ := c.floats("in/image_embeds", 1, len(mean))
	noise, _ := c.floats("in/noise", 1, len(mean))
	for _, name := range c.store.Names() {
		level, ok := strings.CutPrefix(name, "out/level")
		if !ok || c.err != nil {
			continue
		}
		level, noiseless := strings.CutSuffix(level, "_noiseless")
		l, err := strconv.Atoi(level)
		if err != nil {
			c.fail("tensor %s: its name has no noise level", name)
			return nil
		}
		with := noise
		if noiseless {
			with = nil
		}
		got := make([]float32, 2*len(embeds))
		if err := n.AddNoise(got[:len(embeds)], embeds, mean, std, l, with); err != nil {
			return fmt.Errorf("%s: %w", c.path, err)
		}
		nn.TimestepFeatures(got[len(embeds):], float32(l), true, 0)
		want, _ := c.floats(name, 1, -1)
		v.report(compare(name, got, want, arithmeticBound))
	}
	return nil
}

// quantizers judges the codes of a vector and of the color maps of pictures.
func (v *verifier) quantizers(c *goldenCase) {
	x, shape := c.floats("in/embedding", -1)
	for bits := 1; bits <= format.MaxDimensionBits && c.err == nil; bits++ {
		name := fmt.Sprintf("out/embedding_codes_%d", bits)
		if !c.has(name) {
			continue
		}
		codes := make([]uint16, len(x))
		if err := quant.QuantizePaperVector(codes, x, bits); err != nil {
			c.fail("in/embedding: %v", err)
			return
		}
		wantCodes, _ := c.ints(name, shape...)
		v.report(compareCodes(name, widen(codes), wantCodes, 0))
		back := make([]float32, len(x))
		quant.DequantizePaperVector(back, codes, bits)
		name = fmt.Sprintf("out/embedding_%d", bits)
		want, _ := c.floats(name, shape...)
		v.report(compare(name, back, want, arithmeticBound))
	}
	key := regexp.MustCompile(`^(out/([0-9]+)/([0-9]+)x[0-9]+b([0-9]+)(_antialias)?)/rgb$`)
	for _, name := range c.store.Names() {
		if m := key.FindStringSubmatch(name); m != nil && c.err == nil {
			size, _ := strconv.Atoi(m[3])
			bits, _ := strconv.Atoi(m[4])
			v.colorMap(c, m[1], "in/image"+m[2], size, bits, m[5] != "")
		}
	}
}

func (v *verifier) colorMap(c *goldenCase, key, picture string, size, bits int, antialias bool) {
	p := format.Params{MapSize: size, ColorBits: bits}
	if err := p.Validate(); err != nil || size == 0 || bits == 0 {
		c.fail("%s: %v", key, err)
		return
	}
	rgb, h, w := c.picture(picture)
	y, _ := c.ints(key+"/y", size, size)
	u, _ := c.ints(key+"/u", size/2, size/2)
	vv, _ := c.ints(key+"/v", size/2, size/2)
	want, _ := c.floats(key+"/rgb", 3, size, size)
	if c.err != nil {
		return
	}
	got := quant.QuantizePaperColor(quant.NewPlanes(rgb, w, h, size, antialias), size, bits)
	v.report(compareCodes(key+"/y", widen(got.Y), y, 0))
	v.report(compareCodes(key+"/u", widen(got.U), u, 0))
	v.report(compareCodes(key+"/v", widen(got.V), vv, 0))
	back := quant.DequantizePaperColor(got, size, bits)
	v.report(compare(key+"/rgb", planes(back, size), want, arithmeticBound))
}

func widen[T uint8 | uint16](x []T) []int64 {
	out := make([]int64, len(x))
	for i, v := range x {
		out[i] = int64(v)
	}
	return out
}
