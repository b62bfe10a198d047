package solver

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/coclico/coclico/weights"
)

// TestSamplers follows diffusers through UniPC, the SDE and other spacings of
// noise levels. bench/golden/samplers.py makes the cases.
func TestSamplers(t *testing.T) {
	g := openGolden(t, "samplers")
	cases := map[string]int{}
	for _, key := range g.Names() {
		name, ok := strings.CutSuffix(key, "/config")
		if !ok {
			continue
		}
		kind, _, _ := strings.Cut(name, "/")
		cases[kind]++
		t.Run(name, func(t *testing.T) {
			// Files do not select the SDE.
			text := strings.Replace(string(lookup(t, g, key, weights.U8).Data), `"sde-dpmsolver++"`, `"dpmsolver++"`, 1)
			cfg, err := ParseConfig([]byte(text))
			if err != nil {
				t.Fatal(err)
			}
			cfg.Method = map[string]Method{"dpm": DPMSolver, "sde": SDE, "unipc": UniPC}[kind]
			n := ints(t, g, name+"/steps_start")
			follow(t, g, name, cfg, int(n[0]), int(n[1]))
		})
	}
	if want := map[string]int{"dpm": 10, "sde": 11, "unipc": 26}; fmt.Sprint(cases) != fmt.Sprint(want) {
		t.Errorf("cases %v, want %v", cases, want)
	}
}

// TestGuidance compares with the guiders of diffusers.
func TestGuidance(t *testing.T) {
	g := openGolden(t, "samplers")
	cond, uncond := floats(t, g, "guidance/cond"), floats(t, g, "guidance/uncond")
	const steps = 6
	size := len(cond) / steps
	for name, guide := range map[string]Guidance{
		"plain":            {Scale: 12, Stop: 1},
		"rescale":          {Scale: 12, Rescale: 0.7, Stop: 1},
		"interval":         {Scale: 5, Start: 0.25, Stop: 0.7},
		"interval_rescale": {Scale: 5, Rescale: 0.5, Start: 0.4, Stop: 0.95},
		"one":              {Scale: 1, Stop: 1},
		"apg":              {Scale: 12, Stop: 1, Projected: &Projection{}},
		"apg_eta":          {Scale: 7.5, Stop: 1, Projected: &Projection{Eta: 0.3}},
		"apg_threshold":    {Scale: 7.5, Stop: 1, Projected: &Projection{Threshold: 8}},
		"apg_all":          {Scale: 7.5, Rescale: 0.4, Start: 0.2, Stop: 0.8, Projected: &Projection{Eta: 0.2, Threshold: 9, Momentum: -0.5}},
	} {
		want := floats(t, g, "guidance/"+name)
		for run := range 2 { // the second after Reset, over cond
			guide.Reset()
			for i := range steps {
				at := i * size
				c := slices.Clone(cond[at : at+size])
				var u []float32
				if guide.Active(i, steps) {
					u = uncond[at : at+size]
				}
				dst := c
				if run == 0 {
					dst = make([]float32, size)
				}
				guide.Apply(dst, u, c)
				closeTo(t, fmt.Sprintf("%s, step %d, run %d", name, i, run), dst, want[at:at+size], bound)
			}
		}
	}
}

// TestGuidanceEdges: constant outputs have no deviation and a zero output has
// no direction, and neither is a division by zero.
func TestGuidanceEdges(t *testing.T) {
	flat, zero := []float32{2, 2}, []float32{0, 0}
	g := NewGuidance(3)
	g.Rescale, g.Projected = 1, &Projection{Momentum: 0.5, Threshold: 1}
	for _, c := range [][2][]float32{{flat, flat}, {flat, zero}, {zero, flat}, {zero, zero}} {
		dst := make([]float32, 2)
		g.Reset()
		g.Apply(dst, c[0], c[1])
		for _, v := range dst {
			if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
				t.Errorf("uncond %v, cond %v: %v", c[0], c[1], dst)
			}
		}
	}
	g.Reset()
	g.Apply(make([]float32, 2), flat, zero)
	for name, call := range map[string]func(){
		"lengths":        func() { g.Apply(zero, zero, zero[:1]) },
		"changed length": func() { g.Apply(zero[:1], flat[:1], flat[:1]) },
	} {
		if !panics(call) {
			t.Errorf("%s: no panic", name)
		}
	}
}

// TestAdvance: an estimate that is not changed gives the steps of Step, in
// place or not.
func TestAdvance(t *testing.T) {
	for _, method := range []Method{DPMSolver, UniPC} {
		cfg := with(t, `"solver_order": 3`)
		cfg.Method = method
		s := mustNew(t, cfg, 12)
		start := []float32{1, -2, 0.5}
		want := trajectory(s, start, false)
		s.Reset()
		x, m, x0 := slices.Clone(start), make([]float32, 3), make([]float32, 3)
		for _, timestep := range s.Timesteps() {
			model(m, x, timestep)
			s.Estimate(x0, m, x)
			s.Advance(x, x0, x, nil)
		}
		if !slices.Equal(x, want) {
			t.Errorf("method %d: %v, want %v", method, x, want)
		}
		s.Reset()
		if got := trajectory(s, start, true); !slices.Equal(got, want) {
			t.Errorf("method %d, not in place: %v, want %v", method, got, want)
		}
		s.Begin(0)
		trajectory(s, append(start, start...), false) // another size
		s.Begin(0)
		if got := trajectory(s, start, false); !slices.Equal(got, want) {
			t.Errorf("method %d after another trajectory: %v, want %v", method, got, want)
		}
	}
}

// TestUniPCConvergence: for the same network evaluations, the corrector makes
// the error smaller than that of DPM-Solver++ of the same order.
func TestUniPCConvergence(t *testing.T) {
	for order := 1; order <= 3; order++ {
		cfg := with(t, fmt.Sprintf(`"use_karras_sigmas": true, "final_sigmas_type": "sigma_min", "solver_order": %d`, order))
		dpm := gaussianError(t, cfg, 32)
		cfg.Method = UniPC
		if unipc := gaussianError(t, cfg, 32); !(unipc < dpm/2) {
			t.Errorf("order %d: error %.3g, of DPM-Solver++ %.3g", order, unipc, dpm)
		}
	}
}

// TestSDEVariance: when all data are one picture mu, the SDE keeps the
// distribution alpha mu + sigma_t z at every level.
func TestSDEVariance(t *testing.T) {
	const mu, n = 0.7, 20000
	for _, keys := range []string{`"solver_order": 1`, ``, `"solver_type": "heun"`} {
		cfg := with(t, keys)
		cfg.Method = SDE
		s := mustNew(t, cfg, 20)
		data, x, m, z := make([]float32, n), make([]float32, n), make([]float32, n), make([]float32, n)
		for i := range data {
			data[i] = mu
		}
		gen := NewGenerator(1)
		gen.Randn(z)
		s.AddNoise(x, data, z, 0)
		for i := range s.Timesteps() {
			for k, v := range x {
				m[k] = float32(predict("v_prediction", float64(v), mu, s.Sigmas()[i]))
			}
			gen.Randn(z)
			s.Estimate(m, m, x)
			s.Advance(x, m, x, z)
			alpha, sigma := split(s.Sigmas()[i+1])
			mean := 0.0
			for _, v := range x {
				mean += float64(v) / n
			}
			if deviation := standardDeviation(x); math.Abs(deviation-sigma) > 0.02*sigma+1e-6 || math.Abs(mean-alpha*mu) > 0.03*sigma+1e-5 {
				t.Fatalf("%s, step %d: mean %g and deviation %g, want %g and %g", keys, i, mean, deviation, alpha*mu, sigma)
			}
		}
	}
}

// TestPhi compares the series with the recurrence where both are accurate.
func TestPhi(t *testing.T) {
	for k := 1; k <= 3; k++ {
		series, recurrence := phi(k, -1+1e-12), phi(k, -1-1e-12)
		if math.Abs(series-recurrence) > 1e-11 {
			t.Errorf("phi_%d(-1) is %g by the series and %g by the recurrence", k, series, recurrence)
		}
	}
	if got := phi(2, -1e-9); math.Abs(got/(-1e-9/6)-1) > 1e-8 {
		t.Errorf("phi_2(-1e-9) = %g", got)
	}
}

// TestMethodErrors: what a method does not support is an error, and a call with
// noise missing or unexpected panics.
func TestMethodErrors(t *testing.T) {
	for words, change := range map[string]func(*Config){
		"method 3":       func(c *Config) { c.Method = 3 },
		"solver_order 3": func(c *Config) { c.Method, c.SolverOrder = SDE, 3 },
		"exclude":        func(c *Config) { c.UseKarrasSigmas, c.UseExponentialSigmas = true, true },
	} {
		cfg := with(t, "")
		change(&cfg)
		if _, err := New(cfg, 20); err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("error %v, want one with %s", err, words)
		}
	}
	x := make([]float32, 2)
	cfg, sde := with(t, ""), with(t, "")
	sde.Method = SDE
	for name, call := range map[string]func(){
		"unexpected noise": func() { mustNew(t, cfg, 2).Advance(x, x, x, x) },
		"missing noise":    func() { mustNew(t, sde, 2).Step(x, x, x) },
		"lengths":          func() { mustNew(t, cfg, 2).Advance(x, x, x, x[:1]) },
		"estimate lengths": func() { mustNew(t, cfg, 2).Estimate(x, x, x[:1]) },
		"estimate's end":   func() { s := mustNew(t, cfg, 2); s.Begin(2); s.Estimate(x, x, x) },
	} {
		if !panics(call) {
			t.Errorf("%s: no panic", name)
		}
	}
}

func panics(call func()) (p bool) {
	defer func() { _, p = recover().(string) }()
	call()
	return false
}
