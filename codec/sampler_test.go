package codec

import (
	"bytes"
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/coclico/coclico/codec/format"
	"github.com/coclico/coclico/internal/hook"
	"github.com/coclico/coclico/weights"
)

// samplers are those of testdata/samplers.safetensors.
var samplers = map[string]Sampler{
	"unipc3_karras":    {Method: MethodUniPC, Order: 3, Schedule: ScheduleKarras},
	"sde_exponential":  {Method: MethodSDE, Schedule: ScheduleExponential},
	"trailing_rescale": {Schedule: ScheduleTrailing, GuidanceRescale: 0.7, GuidanceInterval: [2]float64{0.2, 0.8}},
	"apg":              {APG: &APG{Eta: 0.25, Threshold: 9, Momentum: -0.5}},
}

// TestSamplers follows the decodes that bench/golden/golden.py makes with
// diffusers' schedulers and guiders, from the seed of the noise on.
func TestSamplers(t *testing.T) {
	store, err := weights.OpenFile("testdata/samplers.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	values := func(name string) []float32 {
		x, ok := store.Lookup(name)
		if !ok {
			t.Fatalf("no tensor %s", name)
		}
		return x.Float32s()
	}
	codes := func(name string) (list []uint8) {
		x, ok := store.Lookup(name)
		if !ok {
			t.Fatalf("no tensor %s", name)
		}
		for i := 0; i < len(x.Data); i += 8 { // int64
			list = append(list, x.Data[i])
		}
		return list
	}
	s := format.Symbols{ColorMap: format.ColorMap{Y: codes("in/y"), U: codes("in/u"), V: codes("in/v")}}
	for _, v := range codes("in/codes") {
		s.Vector = append(s.Vector, uint16(v))
	}
	f, err := ParseRaw(format.Pack(format.Params{Dimensions: len(s.Vector)}.WithDefaults(), s), Format{})
	if err != nil {
		t.Fatal(err)
	}
	c := open(t, "tiny")
	for name, sampler := range samplers {
		var latents [][]float32
		ctx := hook.With(t.Context(), hook.Hook{Trace: func(name string, x []float32) {
			if name == "latents" {
				latents = append(latents, slices.Clone(x))
			}
		}})
		o := &DecodeOptions{Sampling: sampling(20), Sampler: sampler, Exact: true}
		o.Sampling.Seed = 7
		if _, err := c.Paint(ctx, f, o); err != nil {
			t.Fatal(err)
		}
		want := values("out/" + name)
		n := len(latents[0])
		if len(latents) != 18 || len(want) != 5*n {
			t.Fatalf("%s: %d latents of %d values, want %d", name, len(latents), n, len(want))
		}
		for k, i := range []int{0, 1, 2, 16, 17} {
			if d := relativeRMS(latents[i], want[k*n:][:n]); !(d < 2e-5) {
				t.Errorf("%s: after %d steps the latent is %.1e from diffusers'", name, i, d)
			}
		}
	}
}

func relativeRMS(got, want []float32) float64 {
	var d, all float64
	for i, w := range want {
		d += (float64(got[i]) - float64(w)) * (float64(got[i]) - float64(w))
		all += float64(w) * float64(w)
	}
	return math.Sqrt(d / all)
}

// TestSamplerOptions: each option changes the picture, the same seed paints the
// same one, and what is the default by another name changes nothing.
func TestSamplerOptions(t *testing.T) {
	c := open(t, "tiny")
	paint := func(s Sampler) []byte {
		o := quick()
		o.Sampling.Steps, o.Sampler = 6, s
		return paintPix(t, c, rawFile(t), o)
	}
	base := paint(Sampler{})
	seen := map[string]string{string(base): "the default"}
	for name, s := range map[string]Sampler{
		"order 1":     {Order: 1},
		"order 3":     {Order: 3},
		"SDE":         {Method: MethodSDE},
		"SDE 1":       {Method: MethodSDE, Order: 1},
		"UniPC":       {Method: MethodUniPC},
		"UniPC 3":     {Method: MethodUniPC, Order: 3},
		"Karras":      {Schedule: ScheduleKarras},
		"exponential": {Schedule: ScheduleExponential},
		"leading":     {Schedule: ScheduleLeading},
		"trailing":    {Schedule: ScheduleTrailing},
		"rescale":     {GuidanceRescale: 0.7},
		"interval":    {GuidanceInterval: [2]float64{0.2, 0.7}},
		"APG":         {APG: &APG{}},
		"eta":         {APG: &APG{Eta: 0.5}},
		"threshold":   {APG: &APG{Threshold: 0.1}},
		"momentum":    {APG: &APG{Momentum: -0.5}},
	} {
		pix := paint(s)
		if other, ok := seen[string(pix)]; ok {
			t.Errorf("%s and %s paint the same", name, other)
		}
		seen[string(pix)] = name
		if !bytes.Equal(pix, paint(s)) {
			t.Errorf("%s: the same call paints another picture", name)
		}
	}
	same := Sampler{Method: MethodDPM, Order: 2, Schedule: ScheduleLinspace, GuidanceInterval: [2]float64{0, 1}}
	if !bytes.Equal(base, paint(same)) {
		t.Error("the default by its name paints another picture")
	}
}

func TestBadSamplers(t *testing.T) {
	c := open(t, "tiny")
	nan := math.NaN()
	for _, s := range []Sampler{
		{Method: "euler"}, {Order: -1}, {Order: 4}, {Method: MethodSDE, Order: 3}, {Schedule: "beta"},
		{GuidanceRescale: -0.1}, {GuidanceRescale: 1.1}, {GuidanceRescale: nan},
		{GuidanceInterval: [2]float64{-0.1, 1}}, {GuidanceInterval: [2]float64{0.6, 0.5}}, {GuidanceInterval: [2]float64{0, 1.1}}, {GuidanceInterval: [2]float64{nan, 1}},
		{APG: &APG{Eta: 2}}, {APG: &APG{Eta: nan}}, {APG: &APG{Threshold: -1}}, {APG: &APG{Threshold: math.Inf(1)}}, {APG: &APG{Momentum: -2}}, {APG: &APG{Momentum: nan}},
	} {
		o := quick()
		o.Sampler = s
		if _, err := c.Paint(t.Context(), rawFile(t), o); !errors.As(err, new(OptionError)) {
			t.Errorf("%+v: %v", s, err)
		}
	}
}

// TestUnguided: a step that is not guided evaluates the network for one picture,
// and paints what it would paint beside another one.
func TestUnguided(t *testing.T) {
	c := open(t, "tiny")
	one, none := quick(), quick()
	one.Sampling.Guidance, one.Exact, none.Exact = 1, true, true
	none.Sampler.GuidanceInterval = [2]float64{1, 1}
	if !bytes.Equal(paintPix(t, c, rawFile(t), one), paintPix(t, c, rawFile(t), none)) {
		t.Error("guidance of 1 and no guided step paint differently")
	}
}
