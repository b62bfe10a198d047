package solver

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/coclico/coclico/weights"
)

// TestEdges follows diffusers through schedules of one step, of every spacing
// and end, and through configurations written by other classes.
// testdata/edges.py makes the cases.
func TestEdges(t *testing.T) {
	g := openGolden(t, "edges")
	cases := 0
	for _, key := range g.Names() {
		name, ok := strings.CutSuffix(key, "/config")
		if !ok {
			continue
		}
		cases++
		t.Run(name, func(t *testing.T) {
			cfg, err := ParseConfig(lookup(t, g, key, weights.U8).Data)
			if err != nil {
				t.Fatal(err)
			}
			n := ints(t, g, name+"/steps_start")
			follow(t, g, name, cfg, int(n[0]), int(n[1]))
		})
	}
	if cases != 43 {
		t.Errorf("%d cases, want 43", cases)
	}
}

// TestRandnSizes draws every size from 0 to 40 and back from one generator,
// because a draw affects the later ones.
func TestRandnSizes(t *testing.T) {
	g := openGolden(t, "edges")
	want := floats(t, g, "randn/sizes")
	gen := NewGenerator(7)
	check := func(n int) {
		got := make([]float32, n+1)
		got[n] = 77
		gen.Randn(got[:n])
		closeTo(t, fmt.Sprintf("randn(%d)", n), got[:n], want[:n], 1e-6)
		if got[n] != 77 {
			t.Errorf("randn(%d) wrote past its end", n)
		}
		want = want[n:]
	}
	for n := range 41 {
		check(n)
	}
	for n := 40; n >= 0; n-- {
		check(n)
	}
	for name, seed := range map[string]uint64{"randn/negative_seed": 1<<64 - 5, "randn/long_seed": 1<<63 + 11} {
		got := make([]float32, 20)
		NewGenerator(seed).Randn(got)
		closeTo(t, name, got, floats(t, g, name), 1e-6)
	}
}

// TestNoisingGolden compares with noise_image_embeddings of diffusers.
func TestNoisingGolden(t *testing.T) {
	noising, err := ParseNoising([]byte(`{"_class_name": "DDPMScheduler", "beta_schedule": "squaredcos_cap_v2", "num_train_timesteps": 1000}`))
	if err != nil {
		t.Fatal(err)
	}
	g := openGolden(t, "condition")
	embeds, noise := floats(t, g, "in/image_embeds"), floats(t, g, "in/noise")
	mean, std := synthetic("mean", 0, 0.3, len(embeds)), synthetic("std", 0.4, 0.1, len(embeds))
	for name, c := range map[string]struct {
		level int
		noise []float32
	}{
		"out/level0":           {0, noise},
		"out/level100":         {100, noise},
		"out/level999":         {999, noise},
		"out/level0_noiseless": {0, nil},
	} {
		got := make([]float32, len(embeds))
		if err := noising.AddNoise(got, embeds, mean, std, c.level, c.noise); err != nil {
			t.Fatal(err)
		}
		// The level's features follow in the golden tensor; package nn tests
		// them.
		closeTo(t, name, got, floats(t, g, name)[:len(embeds)], bound)
		if over := slices.Clone(embeds); noising.AddNoise(over, over, mean, std, c.level, c.noise) != nil || !slices.Equal(over, got) {
			t.Errorf("%s: in place, the result differs", name)
		}
	}
	for _, level := range []int{-1, 1000} {
		if noising.AddNoise(embeds, embeds, mean, std, level, nil) == nil {
			t.Errorf("no error for noise level %d", level)
		}
	}
}

// synthetic returns a tensor of the image normalizer from synth.py, seed 1,
// rounded to float16.
func synthetic(name string, base, scale float64, n int) []float32 {
	const gamma = 0x9E3779B97F4A7C15
	h := uint64(0xCBF29CE484222325)
	for _, b := range []byte(name) {
		h = (h ^ uint64(b)) * 0x100000001B3
	}
	h ^= gamma
	out := make([]float32, n)
	for i := range out {
		x := h + uint64(i+1)*gamma
		x = (x ^ x>>30) * 0xBF58476D1CE4E5B9
		x = (x ^ x>>27) * 0x94D049BB133111EB
		x ^= x >> 31
		v := base + (float64(x>>40)/(1<<24)*2-1)*scale
		_, exp := math.Frexp(v)
		unit := math.Ldexp(1, max(exp-11, -24)) // float16 has 11 bits
		out[i] = float32(math.RoundToEven(v/unit) * unit)
	}
	return out
}
