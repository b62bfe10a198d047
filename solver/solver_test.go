package solver

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

func mustNew(t testing.TB, cfg Config, steps int) *Solver {
	t.Helper()
	s, err := New(cfg, steps)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// predict returns the output of a perfect network for latent x at a noise level
// when the data are x0.
func predict(prediction string, x, x0, sigma float64) float64 {
	alpha, sigmaT := split(sigma)
	eps := (x - alpha*x0) / sigmaT
	switch prediction {
	case "epsilon":
		return eps
	case "sample":
		return x0
	}
	return alpha*eps - sigmaT*x0
}

// TestPointMass: when all data are one picture mu, the solution of the ODE is
// the straight line x = alpha mu + sigma_t z. Every order follows it exactly,
// because the estimate of x0 is constant.
func TestPointMass(t *testing.T) {
	const mu, z = 0.7, -1.3
	for _, prediction := range []string{"epsilon", "sample", "v_prediction"} {
		for order := 1; order <= 3; order++ {
			cfg := with(t, fmt.Sprintf(`"prediction_type": %q, "solver_order": %d`, prediction, order))
			s := mustNew(t, cfg, 20)
			x, m := make([]float32, 1), make([]float32, 1)
			s.AddNoise(x, []float32{mu}, []float32{z}, 0)
			for i := range s.Timesteps() {
				m[0] = float32(predict(prediction, float64(x[0]), mu, s.Sigmas()[i]))
				s.Step(x, m, x)
				alpha, sigmaT := split(s.Sigmas()[i+1])
				if want := alpha*mu + sigmaT*z; math.Abs(float64(x[0])-want) > 3e-6 {
					t.Fatalf("%s, order %d, step %d: %g, want %g", prediction, order, i, x[0], want)
				}
			}
		}
	}
}

// gaussianError solves the ODE for normally distributed data and returns the
// error at the end of the schedule. For data of mean mu and deviation c, the
// best estimate of x0 is mu + alpha c^2 (x - alpha mu)/d^2 with d^2 = alpha^2
// c^2 + sigma_t^2, and (x - alpha mu)/d is constant along a solution.
func gaussianError(t *testing.T, cfg Config, steps int) float64 {
	const mu, c, z = 0.4, 0.5, 1.1
	exact := func(sigma float64) float64 {
		alpha, sigmaT := split(sigma)
		return alpha*mu + z*math.Hypot(alpha*c, sigmaT)
	}
	s := mustNew(t, cfg, steps)
	sigmas := s.Sigmas()
	x, m := []float32{float32(exact(sigmas[0]))}, make([]float32, 1)
	for i := range steps {
		alpha, sigmaT := split(sigmas[i])
		d := math.Hypot(alpha*c, sigmaT)
		x0 := mu + alpha*c*c*(float64(x[0])-alpha*mu)/(d*d)
		m[0] = float32(predict("v_prediction", float64(x[0]), x0, sigmas[i]))
		s.Step(x, m, x)
	}
	return math.Abs(float64(x[0]) - exact(sigmas[steps]))
}

// TestConvergence: halving the length of the steps divides the error by
// 2^order.
func TestConvergence(t *testing.T) {
	for _, c := range []struct {
		order int
		kind  string
	}{{1, "midpoint"}, {2, "midpoint"}, {2, "heun"}} {
		keys := fmt.Sprintf(`"use_karras_sigmas": true, "final_sigmas_type": "sigma_min", "solver_order": %d, "solver_type": %q`, c.order, c.kind)
		coarse, fine := gaussianError(t, with(t, keys), 16), gaussianError(t, with(t, keys), 64)
		if slope := math.Log2(coarse/fine) / 2; math.Abs(slope-float64(c.order)) > 0.35 {
			t.Errorf("order %d %s: error %.3g with 16 steps, %.3g with 64: slope %.2f", c.order, c.kind, coarse, fine, slope)
		}
	}
	keys := `"use_karras_sigmas": true, "final_sigmas_type": "sigma_min", "solver_order": `
	if two, three := gaussianError(t, with(t, keys+"2"), 32), gaussianError(t, with(t, keys+"3"), 32); three > two/2 {
		t.Errorf("32 steps: order 3 has error %.3g, order 2 %.3g", three, two)
	}
}

// TestEverySteps runs every number of steps with every spacing, including equal
// levels, where diffusers divides by zero.
func TestEverySteps(t *testing.T) {
	for _, train := range []int{1, 2, 3, 50, 1000} {
		for _, keys := range []string{
			`"timestep_spacing": "linspace"`, `"timestep_spacing": "leading"`, `"timestep_spacing": "trailing"`, `"use_karras_sigmas": true`,
			`"use_exponential_sigmas": true`, `"final_sigmas_type": "sigma_min", "solver_type": "heun"`,
			`"use_karras_sigmas": true, "final_sigmas_type": "sigma_min", "solver_type": "heun"`,
		} {
			cfg := with(t, keys+fmt.Sprintf(`, "solver_order": 3, "num_train_timesteps": %d`, train))
			cfg.SolverOrder = 2 + train%2
			for _, cfg.Method = range []Method{DPMSolver, UniPC, SDE} {
				if cfg.Method == SDE {
					cfg.SolverOrder = min(cfg.SolverOrder, 2)
				}
				for steps := 1; steps <= train; steps += 1 + steps/12 {
					runSteps(t, keys, cfg, steps)
				}
				for _, steps := range []int{-1, 0, train + 1, math.MaxInt} {
					if _, err := New(cfg, steps); err == nil {
						t.Errorf("no error for %d steps of %d", steps, train)
					}
				}
			}
		}
	}
}

// runSteps runs a whole schedule.
func runSteps(t *testing.T, keys string, cfg Config, steps int) {
	t.Helper()
	s := mustNew(t, cfg, steps)
	timesteps := s.Timesteps()
	if len(timesteps) != steps || len(s.Sigmas()) != steps+1 {
		t.Fatalf("%s: %d timesteps and %d sigmas for %d steps", keys, len(timesteps), len(s.Sigmas()), steps)
	}
	if timesteps[steps-1] < 0 || timesteps[0] > cfg.NumTrainTimesteps || !slices.IsSortedFunc(timesteps, func(a, b int) int { return b - a }) {
		t.Fatalf("%s: timesteps %v", keys, timesteps)
	}
	x, m, noise := []float32{1, -0.5}, make([]float32, 2), make([]float32, 2)
	gen := NewGenerator(0)
	for _, timestep := range timesteps {
		model(m, x, timestep)
		if cfg.Method == SDE {
			s.Estimate(m, m, x)
			gen.Randn(noise)
			s.Advance(x, m, x, noise)
		} else {
			s.Step(x, m, x)
		}
	}
	if !(math.Abs(float64(x[0])) < 10) {
		t.Fatalf("%s, method %d, %d of %d: ended at %g", keys, cfg.Method, steps, cfg.NumTrainTimesteps, x[0])
	}
}

func TestStart(t *testing.T) {
	for _, c := range []struct {
		steps    int
		strength float64
		start    int
	}{{20, 0.88, 3}, {20, 1, 0}, {20, 0, 20}, {1, 0.99, 1}, {1, 1, 0}, {50, 0.58, 22}, {1000, 0.0005, 1000}} { // 50*0.58 is 28.999...
		s := mustNew(t, with(t, ""), c.steps)
		if start, err := s.Start(c.strength); err != nil || start != c.start {
			t.Errorf("%d steps, strength %g: start %d, %v; want %d", c.steps, c.strength, start, err, c.start)
		}
	}
	s := mustNew(t, with(t, ""), 20)
	for _, strength := range []float64{-0.1, 1.1, math.NaN(), math.Inf(1)} {
		if _, err := s.Start(strength); err == nil {
			t.Errorf("no error for strength %g", strength)
		}
	}
	// The end of the schedule has no noise.
	x := []float32{0.25, -3}
	dst := make([]float32, 2)
	s.AddNoise(dst, x, []float32{5, 6}, 20)
	if !slices.Equal(dst, x) {
		t.Errorf("noise at the end: %v from %v", dst, x)
	}
}

// trajectory runs the rest of a trajectory from x and returns its end.
func trajectory(s *Solver, x []float32, separate bool) []float32 {
	x = slices.Clone(x)
	m := make([]float32, len(x))
	for _, timestep := range s.Timesteps()[s.begin:] {
		model(m, x, timestep)
		if separate {
			dst := make([]float32, len(x))
			s.Step(dst, m, x)
			x = dst
		} else {
			s.Step(x, m, x)
		}
	}
	return x
}

func TestResetAndAliasing(t *testing.T) {
	cfg := with(t, `"solver_order": 3`)
	x := []float32{1, -2, 0.5}
	s := mustNew(t, cfg, 17)
	s.Begin(4)
	want := trajectory(s, x, false)
	s.Reset()
	if got := trajectory(s, x, true); !slices.Equal(got, want) {
		t.Errorf("second run, not in place: %v, first run %v", got, want)
	}
	s.Begin(0)
	trajectory(s, append(x, x...), false) // another size
	s.Begin(4)
	if got := trajectory(s, x, false); !slices.Equal(got, want) {
		t.Errorf("after another trajectory: %v, first run %v", got, want)
	}
	dst := make([]float32, 3) // the result may overwrite the model's output
	s.Reset()
	m := slices.Clone(x)
	s.Step(dst, m, x)
	s.Reset()
	if s.Step(m, m, x); !slices.Equal(m, dst) {
		t.Errorf("result over the model's output: %v, want %v", m, dst)
	}
}

func TestStepAllocatesNothing(t *testing.T) {
	for _, method := range []Method{DPMSolver, UniPC} {
		cfg := with(t, `"solver_order": 3`)
		cfg.Method = method
		s := mustNew(t, cfg, 20)
		x, m := make([]float32, 64), make([]float32, 64)
		s.Step(x, m, x)
		if n := testing.AllocsPerRun(5, func() { s.Step(x, m, x) }); n != 0 {
			t.Errorf("method %d: %g allocations in a step", method, n)
		}
	}
}

func TestBadCallsPanic(t *testing.T) {
	x := make([]float32, 2)
	s := mustNew(t, with(t, ""), 1)
	for name, call := range map[string]func(){
		"lengths":        func() { s.Step(x, x[:1], x) },
		"noise lengths":  func() { s.AddNoise(x, x[:1], x, 0) },
		"noise index":    func() { s.AddNoise(x, x, x, 2) },
		"begin":          func() { s.Begin(2) },
		"guide":          func() { Guide(x, x, x[:1], 1) },
		"past the end":   func() { s.Begin(1); s.Step(x, x, x) },
		"changed length": func() { s := mustNew(t, with(t, ""), 2); s.Step(x, x, x); s.Step(x[:1], x[:1], x[:1]) },
	} {
		func() {
			defer func() {
				if _, ok := recover().(string); !ok {
					t.Errorf("%s: no panic with a constant string", name)
				}
			}()
			call()
		}()
	}
}

func TestGuide(t *testing.T) {
	u, c := []float32{1, 2}, []float32{3, 1}
	Guide(u, u, c, 12)
	if want := []float32{25, -10}; !slices.Equal(u, want) {
		t.Errorf("%v, want %v", u, want)
	}
}
