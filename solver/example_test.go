package solver_test

import (
	"fmt"

	"github.com/coclico/coclico/solver"
)

// The loop of a diffusion decoder: add noise to a first guess, then let network
// and solver alternate.
func Example() {
	cfg, err := solver.ParseConfig([]byte(`{"_class_name": "PNDMScheduler", "beta_schedule": "scaled_linear",
		"beta_start": 0.00085, "beta_end": 0.012, "prediction_type": "v_prediction"}`))
	if err != nil {
		panic(err)
	}
	s, err := solver.New(cfg, 20)
	if err != nil {
		panic(err)
	}
	start, err := s.Start(0.88)
	if err != nil {
		panic(err)
	}

	x := []float32{0.1, -0.4, 0.3, 0.2} // a latent
	noise := make([]float32, len(x))
	solver.NewGenerator(0).Randn(noise)
	s.AddNoise(x, x, noise, start)

	network := func(x []float32, timestep int) []float32 { return make([]float32, len(x)) }
	for _, timestep := range s.Timesteps()[start:] {
		s.Step(x, network(x, timestep), x)
	}
	fmt.Println("first timestep:", s.Timesteps()[start], "of", len(s.Timesteps())-start)
	// Output: first timestep: 849 of 17
}
