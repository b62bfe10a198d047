package solver

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/coclico/coclico/weights"
)

// The golden files are made by golden.py (PyTorch 2.15, diffusers 0.42.1), and
// edges.safetensors by testdata/edges.py.

const bound = 1e-5 // relative RMS error over a tensor

// openGolden opens a file of testdata.
func openGolden(t testing.TB, name string) *weights.Store {
	t.Helper()
	s, err := weights.OpenFile("testdata/" + name + ".safetensors")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// lookup returns a tensor. It fails if the file has none of that name and type.
func lookup(t testing.TB, g *weights.Store, name string, dtype weights.DType) weights.Tensor {
	t.Helper()
	x, ok := g.Lookup(name)
	if !ok || x.DType != dtype {
		t.Fatalf("golden file has no %v tensor %s", dtype, name)
	}
	return x
}

func floats(t testing.TB, g *weights.Store, name string) []float32 {
	t.Helper()
	return lookup(t, g, name, weights.F32).Float32s()
}

func ints(t testing.TB, g *weights.Store, name string) []int64 {
	t.Helper()
	return lookup(t, g, name, weights.I64).Int64s()
}

// closeTo fails if the relative RMS error of got exceeds bound.
func closeTo(t *testing.T, what string, got, want []float32, bound float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d values, want %d", what, len(got), len(want))
		return
	}
	var diff, norm float64
	for i := range want {
		d := float64(got[i]) - float64(want[i])
		diff += d * d
		norm += float64(want[i]) * float64(want[i])
	}
	if e := math.Sqrt(diff / norm); !(e <= bound) && diff != 0 {
		t.Errorf("%s: relative RMS error %.3g, want at most %g", what, e, bound)
	}
}

// shipped is the scheduler_config.json of Stable unCLIP 2.1.
const shipped = `{"_class_name": "PNDMScheduler", "_diffusers_version": "0.15.0.dev0", "beta_start": 0.00085, "beta_end": 0.012,
	"beta_schedule": "scaled_linear", "clip_sample": false, "num_train_timesteps": 1000, "prediction_type": "v_prediction",
	"set_alpha_to_one": false, "skip_prk_steps": true, "steps_offset": 1, "trained_betas": null}`

var member = regexp.MustCompile(`"\w+": (?:"[^"]*"|[^",}]+)`)

// changed returns the shipped file with more keys, which replace equal ones.
func changed(keys string) []byte {
	members := slices.DeleteFunc(member.FindAllString(shipped, -1), func(m string) bool {
		key, _, _ := strings.Cut(m, ":")
		return strings.Contains(keys, key+":")
	})
	if keys != "" {
		members = append(members, keys)
	}
	return []byte("{" + strings.Join(members, ", ") + "}")
}

// with returns the shipped configuration with more keys, which replace equal
// ones.
func with(t testing.TB, keys string) Config {
	t.Helper()
	cfg, err := ParseConfig(changed(keys))
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// model stands for the network, as in golden.py: sin(x) (0.3 + t/2000).
func model(dst, x []float32, timestep int) {
	for i, v := range x {
		dst[i] = float32(math.Sin(float64(v)) * (0.3 + float64(timestep)/2000))
	}
}

// follow compares a schedule and a trajectory with diffusers.
func follow(t *testing.T, g *weights.Store, name string, cfg Config, steps, start int) {
	t.Helper()
	s, err := New(cfg, steps)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := fmt.Sprint(s.Timesteps()[start:]), fmt.Sprint(ints(t, g, name+"/timesteps")); got != want {
		t.Fatalf("timesteps\n%s, want\n%s", got, want)
	}
	sigmas := make([]float32, 0, steps+1)
	for _, sigma := range s.Sigmas()[start:] {
		sigmas = append(sigmas, float32(sigma))
	}
	closeTo(t, "sigmas", sigmas, floats(t, g, name+"/sigmas"), 1e-6)

	x := floats(t, g, "in/x")
	s.Begin(start)
	if start > 0 {
		s.AddNoise(x, x, floats(t, g, "in/noise"), start)
	}
	want := floats(t, g, name+"/trajectory")
	closeTo(t, "start", x, want[:len(x)], bound)
	m := make([]float32, len(x))
	var noise []float32
	if cfg.Method == SDE {
		noise = make([]float32, len(x))
	}
	gen := NewGenerator(5)
	for i, timestep := range s.Timesteps()[start:] {
		model(m, x, timestep)
		if cfg.Method == SDE {
			gen.Randn(noise)
			s.Estimate(m, m, x)
			s.Advance(x, m, x, noise)
		} else {
			s.Step(x, m, x)
		}
		closeTo(t, fmt.Sprintf("after step %d", i), x, want[(i+1)*len(x):(i+2)*len(x)], bound)
	}
}

func TestTrajectories(t *testing.T) {
	g := openGolden(t, "schedules")
	for _, c := range []struct {
		name         string
		steps, start int
		keys         string
	}{
		{"default20", 20, 0, ``},
		{"strength088", 20, 3, ``},
		{"steps25", 25, 3, ``},
		{"steps10", 10, 0, ``},
		{"steps4", 4, 0, ``},
		{"sigma_min", 20, 3, `"final_sigmas_type": "sigma_min"`},
		{"order1", 12, 0, `"solver_order": 1`},
		{"order3", 20, 0, `"solver_order": 3`},
		{"epsilon", 20, 0, `"prediction_type": "epsilon"`},
		{"sample", 20, 0, `"prediction_type": "sample"`},
		{"leading", 20, 0, `"timestep_spacing": "leading"`},
		{"trailing", 20, 0, `"timestep_spacing": "trailing"`},
		{"karras", 20, 0, `"use_karras_sigmas": true`},
		{"heun", 20, 2, `"solver_type": "heun"`},
	} {
		t.Run(c.name, func(t *testing.T) { follow(t, g, c.name, with(t, c.keys), c.steps, c.start) })
	}
}

func TestNoisingSchedule(t *testing.T) {
	n, err := ParseNoising([]byte(`{"_class_name": "DDPMScheduler", "beta_schedule": "squaredcos_cap_v2", "num_train_timesteps": 1000}`))
	if err != nil {
		t.Fatal(err)
	}
	want := floats(t, openGolden(t, "schedules"), "noising/alphas_cumprod")
	for level, bar := range n.AlphasCumprod() {
		if bar != want[level] {
			t.Fatalf("alphas_cumprod[%d] = %g, PyTorch has %g", level, bar, want[level])
		}
	}
	if n.Levels() != len(want) {
		t.Errorf("%d levels, want %d", n.Levels(), len(want))
	}
}

func TestRandnGolden(t *testing.T) {
	g := openGolden(t, "randn")
	cases := 0
	for _, name := range g.Names() {
		var seed uint64
		var shape string
		if _, err := fmt.Sscanf(name, "seed%d/%s", &seed, &shape); err != nil {
			continue
		}
		cases++
		want := floats(t, g, name)
		got := make([]float32, len(want))
		NewGenerator(seed).Randn(got)
		closeTo(t, name, got, want, 1e-6)
	}
	if cases != 20 {
		t.Errorf("%d cases, want 20", cases)
	}
	gen := NewGenerator(12345)
	for _, name := range []string{"two_draws/first", "two_draws/second"} {
		want := floats(t, g, name)
		got := make([]float32, len(want))
		gen.Randn(got)
		closeTo(t, name, got, want, 1e-6)
	}
}
