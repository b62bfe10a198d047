package solver

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Config is the configuration of diffusers' DPMSolverMultistepScheduler
// (src/diffusers/schedulers/scheduling_dpmsolver_multistep.py), as far as this
// package supports it. [DefaultConfig] returns the defaults; [New] checks the
// ranges.
type Config struct {
	Betas

	// Method is the method of the steps. No file sets it; the default is
	// DPMSolver.
	Method Method `json:"-"`

	// PredictionType is the network's output: "epsilon" (the default), "sample"
	// or "v_prediction".
	PredictionType string `json:"prediction_type"`

	SolverOrder int    `json:"solver_order"` // 1..3; default 2
	SolverType  string `json:"solver_type"`  // of order 2: "midpoint" (default) or "heun"

	// LowerOrderFinal ends a schedule of fewer than 15 steps with orders 2 and
	// 1. The default is true.
	LowerOrderFinal bool `json:"lower_order_final"`

	EulerAtFinal    bool `json:"euler_at_final"`    // the last step has order 1; default false
	UseKarrasSigmas bool `json:"use_karras_sigmas"` // noise levels of Karras et al.; default false

	// UseExponentialSigmas spaces the logarithms of the noise levels evenly.
	// The default is false.
	UseExponentialSigmas bool `json:"use_exponential_sigmas"`

	FinalSigmasType string `json:"final_sigmas_type"` // end of the last step: "zero" (default) or "sigma_min"
	TimestepSpacing string `json:"timestep_spacing"`  // "linspace" (default), "leading" or "trailing"
	StepsOffset     int    `json:"steps_offset"`      // added to timesteps of leading spacing; default 0

	// LambdaMinClipped excludes timesteps with a smaller log(alpha/sigma_t).
	// The default is -Inf.
	LambdaMinClipped float64 `json:"lambda_min_clipped"`
}

// A Method is a method of solving the diffusion equation.
//
// UniPC ignores SolverType, EulerAtFinal and LambdaMinClipped, and
// LowerOrderFinal lets its order fall to 1 at the end of every schedule, like
// diffusers' UniPCMultistepScheduler.
type Method uint8

const (
	DPMSolver Method = iota // DPM-Solver++ multistep
	SDE                     // SDE-DPM-Solver++ multistep, orders 1 and 2; every step adds noise
	UniPC                   // UniPC, orders 1 to 3, with B(h) = e^-h - 1
	numMethods
)

// DefaultConfig returns the defaults of DPMSolverMultistepScheduler.
func DefaultConfig() Config {
	return Config{
		Betas:            defaultBetas(),
		PredictionType:   "epsilon",
		SolverOrder:      2,
		SolverType:       "midpoint",
		LowerOrderFinal:  true,
		FinalSigmasType:  "zero",
		TimestepSpacing:  "linspace",
		LambdaMinClipped: math.Inf(-1),
	}
}

// schedulers are the classes of diffusers whose configurations describe the
// same diffusion process, so that DPMSolverMultistepScheduler.from_config
// accepts any of them (KarrasDiffusionSchedulers, except EDM, which has no
// betas).
var schedulers = []string{
	"DDIMScheduler", "DDPMScheduler", "PNDMScheduler", "LMSDiscreteScheduler", "EulerDiscreteScheduler", "HeunDiscreteScheduler",
	"EulerAncestralDiscreteScheduler", "DPMSolverMultistepScheduler", "DPMSolverSinglestepScheduler", "KDPM2DiscreteScheduler",
	"KDPM2AncestralDiscreteScheduler", "DEISMultistepScheduler", "UniPCMultistepScheduler", "DPMSolverSDEScheduler",
}

// ParseConfig parses a scheduler_config.json like
//
//	DPMSolverMultistepScheduler.from_config(PNDMScheduler.from_config(json).config)
//
// It uses the keys that the DPM solver knows. A key that is absent or null has
// the default of the DPM solver, never that of the class that wrote the file:
// the file of Stable unCLIP, a PNDMScheduler without timestep_spacing, means
// linspace and not PNDM's leading, and its set_alpha_to_one and skip_prk_steps
// have no effect. (A lower_order_final that is null is an error, since it would
// be false in Python.) The result is valid: [New] can refuse only the number of
// steps and what depends on the schedule's levels.
func ParseConfig(data []byte) (Config, error) {
	file := struct {
		*Config
		common
		AlgorithmType string          `json:"algorithm_type"`
		VarianceType  string          `json:"variance_type"`
		Beta          bool            `json:"use_beta_sigmas"`
		LuLambdas     bool            `json:"use_lu_lambdas"`
		Flow          bool            `json:"use_flow_sigmas"`
		SigmaMin      *float64        `json:"sigma_min"`
		SigmaMax      *float64        `json:"sigma_max"`
		LambdaMin     json.RawMessage `json:"lambda_min_clipped"` // hides that of Config; may be infinite
	}{AlgorithmType: "dpmsolver++"}
	cfg := DefaultConfig()
	file.Config = &cfg
	if err := decode(data, &file); err != nil {
		return Config{}, err
	}
	if err := file.common.validate(); err != nil {
		return Config{}, err
	}
	if text := string(file.LambdaMin); text != "" && text != "null" {
		v, err := strconv.ParseFloat(text, 64)
		if err != nil && !errors.Is(err, strconv.ErrRange) { // beyond the range it is infinite
			return Config{}, fmt.Errorf("solver: lambda_min_clipped is %.40s: it must be a number", text)
		}
		cfg.LambdaMinClipped = v
	}
	for _, flag := range []struct {
		key string
		set bool
	}{
		{"use_beta_sigmas", file.Beta},
		{"use_lu_lambdas", file.LuLambdas}, {"use_flow_sigmas", file.Flow}, {"thresholding", file.Thresholding},
	} {
		if flag.set {
			return Config{}, fmt.Errorf("solver: %s true is not supported", flag.key)
		}
	}
	if file.AlgorithmType != "dpmsolver++" {
		return Config{}, fmt.Errorf("solver: algorithm_type %q is not supported (dpmsolver++)", file.AlgorithmType)
	}
	if v := file.VarianceType; v == "learned" || v == "learned_range" {
		return Config{}, fmt.Errorf("solver: variance_type %q is not supported", v)
	}
	if (cfg.UseKarrasSigmas || cfg.UseExponentialSigmas) && (file.SigmaMin != nil || file.SigmaMax != nil) {
		return Config{}, fmt.Errorf("solver: sigma_min and sigma_max are not supported with use_karras_sigmas or use_exponential_sigmas")
	}
	if otherSolver(file.ClassName, cfg.SolverType) {
		cfg.SolverType = "midpoint"
	}
	return cfg, cfg.validate()
}

// otherSolver reports whether diffusers has midpoint in the place of a file's
// solver_type: for the variants of DEIS and UniPC, and for heun in the files of
// these two classes, which replace it by a variant of theirs before the DPM
// solver sees it.
func otherSolver(class, solverType string) bool {
	switch class {
	case "DEISMultistepScheduler", "UniPCMultistepScheduler":
		return slices.Contains([]string{"heun", "logrho", "bh1", "bh2"}, solverType)
	}
	return slices.Contains([]string{"logrho", "bh1", "bh2"}, solverType)
}

// common has the keys that both ParseConfig and ParseNoising check but do not
// keep.
type common struct {
	ClassName    string `json:"_class_name"`
	ZeroSNR      bool   `json:"rescale_betas_zero_snr"`
	Thresholding bool   `json:"thresholding"`
}

func (c *common) validate() error {
	if c.ClassName != "" && !slices.Contains(schedulers, c.ClassName) {
		return fmt.Errorf("solver: _class_name %q is not supported (PNDMScheduler and related classes)", c.ClassName)
	}
	if c.ZeroSNR {
		return fmt.Errorf("solver: rescale_betas_zero_snr true is not supported")
	}
	return nil
}

func (c *Config) validate() error {
	if err := c.Betas.validate(); err != nil {
		return err
	}
	if c.SolverOrder < 1 || c.SolverOrder > 3 {
		return fmt.Errorf("solver: solver_order %d is outside 1..3", c.SolverOrder)
	}
	if c.Method >= numMethods {
		return fmt.Errorf("solver: method %d is unknown", c.Method)
	}
	if c.Method == SDE && c.SolverOrder > 2 {
		return fmt.Errorf("solver: solver_order %d is outside 1..2 for the SDE", c.SolverOrder)
	}
	if c.UseKarrasSigmas && c.UseExponentialSigmas {
		return fmt.Errorf("solver: use_karras_sigmas and use_exponential_sigmas exclude each other")
	}
	if c.StepsOffset < 0 || c.StepsOffset > c.NumTrainTimesteps {
		return fmt.Errorf("solver: steps_offset %d is outside 0..%d", c.StepsOffset, c.NumTrainTimesteps)
	}
	if math.IsNaN(c.LambdaMinClipped) {
		return fmt.Errorf("solver: lambda_min_clipped is not a number")
	}
	for _, choice := range []struct {
		key, value string
		known      []string
	}{
		{"prediction_type", c.PredictionType, []string{"epsilon", "sample", "v_prediction"}},
		{"solver_type", c.SolverType, []string{"midpoint", "heun"}},
		{"final_sigmas_type", c.FinalSigmasType, []string{"zero", "sigma_min"}},
		{"timestep_spacing", c.TimestepSpacing, []string{"linspace", "leading", "trailing"}},
	} {
		if !slices.Contains(choice.known, choice.value) {
			return fmt.Errorf("solver: %s %q is not supported %q", choice.key, choice.value, choice.known)
		}
	}
	return nil
}

// decode decodes a configuration file into dst. Values may be null, except where
// the default is true: to Python null is false. The spelling of keys is
// case-sensitive, and unknown keys are ignored.
func decode(data []byte, dst any) error {
	data = plainJSON(data)
	if !bytes.HasPrefix(bytes.TrimSpace(data), []byte("{")) {
		return errors.New("solver: the scheduler configuration is not a JSON object")
	}
	data, err := exactFields(data, dst)
	if err == nil {
		err = json.Unmarshal(data, dst)
	}
	if t, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && t.Field != "" {
		key := t.Field[strings.LastIndexByte(t.Field, '.')+1:] // without the name of the embedded struct
		return fmt.Errorf("solver: %s is a JSON %.60s, which is not supported", key, t.Value)
	}
	if err != nil {
		return fmt.Errorf("solver: scheduler configuration: %w", err)
	}
	return nil
}

// exactFields returns the object without the keys that are not exactly a field
// of dst: package json would also accept Beta_Start for beta_start.
func exactFields(data []byte, dst any) ([]byte, error) {
	fields, err := object(data)
	if err != nil {
		return nil, err
	}
	var known map[string]json.RawMessage
	b, err := json.Marshal(dst)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(b, &known); err != nil {
		return nil, err
	}
	maps.DeleteFunc(fields, func(key string, _ json.RawMessage) bool { _, ok := known[key]; return !ok })
	for key, value := range fields {
		if string(known[key]) == "true" && string(value) == "null" {
			return nil, fmt.Errorf("%s is null, which is not supported: it must be true or false", key)
		}
	}
	return json.Marshal(fields)
}

// object returns the members of an object. A key that appears twice is an error:
// programs differ in the value that they take.
func object(data []byte) (map[string]json.RawMessage, error) {
	members := map[string]json.RawMessage{}
	if err := json.Unmarshal(data, &members); err != nil {
		return nil, err // what is beyond the object too
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.Token() // the opening brace
	seen := map[string]bool{}
	for dec.More() {
		var value json.RawMessage
		key, err := dec.Token()
		if err != nil {
			return nil, err
		}
		if err := dec.Decode(&value); err != nil {
			return nil, err
		}
		name, _ := key.(string)
		if seen[name] {
			return nil, fmt.Errorf("%.60q appears twice", name)
		}
		seen[name] = true
	}
	return members, nil
}

// plainJSON converts the output of Python's json module to JSON: outside
// strings, Infinity becomes a number that overflows float64. NaN stays, and is
// refused.
func plainJSON(data []byte) []byte {
	infinity := []byte("Infinity")
	out := make([]byte, 0, len(data))
	inString := false
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case c == '"':
			inString = !inString
		case inString && c == '\\' && i+1 < len(data):
			out = append(out, c)
			i++
		case !inString && bytes.HasPrefix(data[i:], infinity):
			out = append(out, "1e999"...)
			i += len(infinity) - 1
			continue
		}
		out = append(out, data[i])
	}
	return out
}
