package solver

import (
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
)

func TestParseConfigDefaults(t *testing.T) {
	// Absent keys have the solver's defaults, not those of the file's class.
	got, err := ParseConfig([]byte(shipped))
	if err != nil {
		t.Fatal(err)
	}
	want := DefaultConfig()
	want.BetaStart, want.BetaEnd, want.BetaSchedule = 0.00085, 0.012, "scaled_linear"
	want.PredictionType, want.StepsOffset = "v_prediction", 1
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v\nwant %+v", got, want)
	}
	if got, err := ParseConfig([]byte("{}")); err != nil || !reflect.DeepEqual(got, DefaultConfig()) {
		t.Errorf("empty: %+v, %v", got, err)
	}
	// 20 linspace steps, as published for this file.
	s := mustNew(t, got, 20)
	if ts := s.Timesteps(); ts[0] != 999 || ts[3] != 849 || ts[10] != 500 || ts[19] != 50 {
		t.Errorf("timesteps %v", ts)
	}
	// Keys that package json would accept for others.
	if cfg := with(t, `"Solver_Order": 3, "BETA_START": "x", "Lambda_Min_Clipped": -5`); !reflect.DeepEqual(cfg, want) {
		t.Errorf("capitals: %+v", cfg)
	}
	// A value that Python writes and JSON lacks, and the same letters in a
	// string.
	cfg := with(t, `"note": "\"Infinity", "lambda_min_clipped": -Infinity, "solver_order": 1, "euler_at_final": null`)
	if !math.IsInf(cfg.LambdaMinClipped, -1) || cfg.SolverOrder != 1 {
		t.Errorf("infinity: %+v", cfg)
	}
	if cfg := with(t, `"lambda_min_clipped": -5.1`); cfg.LambdaMinClipped != -5.1 {
		t.Errorf("lambda_min_clipped: %+v", cfg)
	}
}

// TestSolverType: DPMSolverMultistepScheduler.from_config(CLASS.from_config(json).config)
// of diffusers 0.42.1 has these types of order 2.
func TestSolverType(t *testing.T) {
	for _, c := range []struct{ class, solver, want string }{
		{"DEISMultistepScheduler", "heun", "midpoint"},
		{"DEISMultistepScheduler", "logrho", "midpoint"},
		{"DEISMultistepScheduler", "midpoint", "midpoint"},
		{"UniPCMultistepScheduler", "heun", "midpoint"},
		{"UniPCMultistepScheduler", "bh1", "midpoint"},
		{"DPMSolverSinglestepScheduler", "heun", "heun"},
		{"DPMSolverMultistepScheduler", "heun", "heun"},
		{"DPMSolverMultistepScheduler", "bh2", "midpoint"},
		{"PNDMScheduler", "heun", "heun"},
		{"PNDMScheduler", "logrho", "midpoint"},
	} {
		cfg, err := ParseConfig(fmt.Appendf(nil, `{"_class_name": %q, "solver_type": %q}`, c.class, c.solver))
		if err != nil || cfg.SolverType != c.want {
			t.Errorf("%s, %s: %q, %v, want %q", c.class, c.solver, cfg.SolverType, err, c.want)
		}
	}
	if _, err := ParseConfig([]byte(`{"_class_name": "DEISMultistepScheduler", "solver_type": "rk4"}`)); err == nil {
		t.Error("rk4: no error")
	}
}

// TestParseConfigErrors: every error names the key and the value.
func TestParseConfigErrors(t *testing.T) {
	for keys, words := range map[string]string{
		`"thresholding": true`:                                      "thresholding true",
		`"rescale_betas_zero_snr": true`:                            "rescale_betas_zero_snr true",
		`"use_exponential_sigmas": true, "sigma_max": 9`:            "use_exponential_sigmas",
		`"use_exponential_sigmas": true, "use_karras_sigmas": true`: "use_exponential_sigmas",
		`"use_beta_sigmas": true`:                                   "use_beta_sigmas true",
		`"use_lu_lambdas": true`:                                    "use_lu_lambdas true",
		`"use_flow_sigmas": true`:                                   "use_flow_sigmas true",
		`"algorithm_type": "sde-dpmsolver++"`:                       `algorithm_type "sde-dpmsolver++"`,
		`"algorithm_type": "dpmsolver"`:                             `algorithm_type "dpmsolver"`,
		`"solver_type": "rk4"`:                                      `solver_type "rk4"`,
		`"variance_type": "learned_range"`:                          `variance_type "learned_range"`,
		`"prediction_type": "flow_prediction"`:                      `prediction_type "flow_prediction"`,
		`"timestep_spacing": ""`:                                    `timestep_spacing ""`,
		`"final_sigmas_type": "one"`:                                `final_sigmas_type "one"`,
		`"beta_schedule": "sigmoid"`:                                `beta_schedule "sigmoid"`,
		`"_class_name": "FlowMatchEulerDiscreteScheduler"`:          `_class_name "FlowMatchEulerDiscreteScheduler"`,
		`"use_karras_sigmas": true, "sigma_min": 0.1`:               "sigma_min",
		`"solver_order": 0`:                                         "solver_order 0",
		`"solver_order": 4`:                                         "solver_order 4",
		`"num_train_timesteps": 0`:                                  "num_train_timesteps 0",
		`"num_train_timesteps": -1000`:                              "num_train_timesteps -1000",
		`"num_train_timesteps": 2000000000`:                         "num_train_timesteps 2000000000",
		`"num_train_timesteps": 1000000000000`:                      "num_train_timesteps", // int may have 32 bits
		`"num_train_timesteps": 1e3`:                                "num_train_timesteps",
		`"num_train_timesteps": 99999999999999999999`:               "num_train_timesteps",
		`"beta_start": 0`:                                           "beta_start 0",
		`"beta_end": 1`:                                             "beta_end 1",
		`"beta_end": -Infinity`:                                     "beta_end",
		`"beta_end": 1e999`:                                         "beta_end",
		`"beta_end": "0.01"`:                                        "beta_end",
		`"steps_offset": -1`:                                        "steps_offset -1",
		`"steps_offset": 1001`:                                      "steps_offset 1001",
		`"trained_betas": []`:                                       "trained_betas",
		`"trained_betas": [0.5]`:                                    "trained_betas has 1 values",
		`"trained_betas": [0.5, 1.5], "num_train_timesteps": 2`:     "trained_betas[1] = 1.5",
		`"trained_betas": [0.5, -1e-9], "num_train_timesteps": 2`:   "trained_betas[1] = -1e-09",
		`"steps_offset": "1"`:                                       "solver: steps_offset is a JSON string, which is not supported",
		`"trained_betas": ["x"]`:                                    "trained_betas is a JSON string",
		`"use_karras_sigmas": []`:                                   "use_karras_sigmas is a JSON array",
		`"num_train_timesteps": 1.5`:                                "num_train_timesteps is a JSON number 1.5",
		`"lambda_min_clipped": NaN`:                                 "invalid character",
		`"lambda_min_clipped": [1]`:                                 "lambda_min_clipped",
		`"steps_offset": 1, "steps_offset": 2`:                      `"steps_offset" appears twice`,
		`"lower_order_final": null`:                                 "lower_order_final is null, which is not supported: it must be true or false",
	} {
		_, err := ParseConfig(changed(keys))
		if err == nil || !strings.Contains(err.Error(), words) || strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), "Go ") {
			t.Errorf("%s: error %v, want one with %s", keys, err, words)
		}
	}
	for _, text := range []string{"", "null", "[]", "3", `{"beta_start": 0.1`, "{} {}", "<html>"} {
		if _, err := ParseConfig([]byte(text)); err == nil {
			t.Errorf("%q: no error", text)
		}
		if _, err := ParseNoising([]byte(text)); err == nil {
			t.Errorf("%q: no error from ParseNoising", text)
		}
	}
	for _, text := range []string{`{"beta_schedule": "laplace"}`, `{"rescale_betas_zero_snr": true}`, `{"_class_name": "X"}`, `{"num_train_timesteps": 0}`} {
		if _, err := ParseNoising([]byte(text)); err == nil {
			t.Errorf("%s: no error from ParseNoising", text)
		}
	}
}

// TestBetasBeyondFloat32: where alphas_cumprod rounds to 1 or to 0, the noise
// level is 0 or infinite.
func TestBetasBeyondFloat32(t *testing.T) {
	for keys, steps := range map[string]int{
		`"num_train_timesteps": 2, "trained_betas": [1e-9, 1e-9]`:                           1,
		`"num_train_timesteps": 2, "trained_betas": [1e-9, 0.5], "use_karras_sigmas": true`: 1,
		`"num_train_timesteps": 100000`:                                                     5,
		`"num_train_timesteps": 100000, "use_karras_sigmas": true`:                          5,
		`"num_train_timesteps": 3, "beta_end": 0.9999999999999, "beta_start": 0.999`:        2,
		`"lambda_min_clipped": 100`:                                                         5,
	} {
		if _, err := New(with(t, keys), steps); err == nil {
			t.Errorf("%s: no error", keys)
		}
	}
}

// FuzzConfig: no file makes configuration, schedule or trajectory panic, hang
// or overflow without an error.
func FuzzConfig(f *testing.F) {
	f.Add([]byte(shipped), 20, 3, 0)
	f.Add([]byte(`{"beta_schedule": "squaredcos_cap_v2", "use_karras_sigmas": true, "solver_order": 3, "lambda_min_clipped": -5.1}`), 7, 0, 1)
	f.Add([]byte(`{"trained_betas": [0.1, 1e-9, 0.99], "num_train_timesteps": 3, "timestep_spacing": "trailing"}`), 3, 1, 2)
	f.Add([]byte(`{"lambda_min_clipped": -Infinity, "num_train_timesteps": 100000, "timestep_spacing": "leading", "steps_offset": 100000}`), 40, 1, 1)
	f.Add([]byte(`{"final_sigmas_type": "sigma_min", "solver_type": "heun", "num_train_timesteps": 5, "prediction_type": "sample"}`), 5, 0, 2)
	f.Add([]byte(`{"use_exponential_sigmas": true, "num_train_timesteps": 40, "solver_order": 3}`), 30, 2, 2)
	f.Fuzz(func(t *testing.T, data []byte, steps, start, method int) {
		ParseNoising(data)
		cfg, err := ParseConfig(data)
		if err != nil {
			return
		}
		if steps > 1000 {
			steps %= 1000
		}
		cfg.Method = Method(uint(method) % uint(numMethods))
		s, err := New(cfg, steps)
		if err != nil {
			return
		}
		timesteps := s.Timesteps()
		if len(timesteps) == 0 || len(timesteps) > steps || len(s.Sigmas()) != len(timesteps)+1 {
			t.Fatalf("%d timesteps for %d steps", len(timesteps), steps)
		}
		s.Begin(int(uint(start) % uint(len(timesteps)+1)))
		x, m := []float32{0.5, -1}, []float32{0.1, 0}
		for range timesteps[s.begin:] {
			if cfg.Method == SDE {
				s.Advance(x, m, x, x)
			} else {
				s.Step(x, m, x)
			}
		}
		for i := range timesteps {
			for order := 1; order <= min(i+1, cfg.SolverOrder); order++ {
				steps := []combination{s.coefficients(i, order), s.predictor(i, order)}
				if s.sigmas[i+1] > 0 {
					steps = append(steps, s.corrector(i, order))
				}
				for _, c := range steps {
					if sum := c.x + c.m[0] + c.m[1] + c.m[2] + c.m[3] + c.noise; math.IsNaN(sum) || math.IsInf(sum, 0) {
						t.Fatalf("step %d, order %d: %+v with sigmas %v", i, order, c, s.Sigmas())
					}
				}
			}
		}
	})
}
