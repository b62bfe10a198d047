package config

import (
	"strings"
	"testing"

	"github.com/coclico/coclico/kernels"
)

func TestDecode(t *testing.T) {
	type config struct {
		Groups int       `json:"groups"`
		Heads  Ints      `json:"heads"`
		Eps    float64   `json:"eps"`
		Mean   []float32 `json:"mean"`
		Flip   bool      `json:"flip"`
		Bias   bool      `json:"bias"`
	}
	fixed := []Fixed{{Key: "only_cross_attention", Allowed: []string{"false", "null"}}}
	for _, c := range []struct{ in, err string }{
		{`{}`, ""},
		{`{"groups": null, "heads": [1, 2], "unknown": {"a": [1]}}`, ""},
		{`{"flip": false, "bias": null}`, ""},
		{`{"flip": null}`, "flip is null, which is not supported: it must be true or false"},
		{`{"heads": 3, "only_cross_attention": false}`, ""},
		{`{"only_cross_attention": [false, false]}`, ""},
		{`{"only_cross_attention": [false, true]}`, "only_cross_attention is [false, true], which is not supported: it must be false or null"},
		{`{"only_cross_attention": 1}`, "only_cross_attention is 1"},
		{`{"groups": "8"}`, "groups is a string, which is not supported: it must be a whole number"},
		{`{"groups": {}}`, "groups is an object, which is not supported: it must be a whole number"},
		{`{"mean": 1}`, "mean is a number, which is not supported: it must be an array"},
		{`{"mean": ["x"]}`, "mean is a string, which is not supported: it must be a finite number"},
		{`{"eps": []}`, "eps is an array, which is not supported: it must be a finite number"},
		{`{"groups": 1.5}`, "groups is a number 1.5"},
		{`{"heads": "x"}`, `heads is "x", which is not supported: it must be a whole number or a list of them`},
		{`{"groups": 1, "groups": 2}`, "groups appears twice"},
		{`{"eps": 1e999}`, "eps is a number 1e999"},
		{`[]`, "JSON object"},
		{`{"groups": 1`, "unexpected end of JSON input"},
		{``, "unexpected end of JSON input"},
		{`{"Groups": 8, "GROUPS": "x", "group\u017f": 7, "\u017f": 0}`, ""}, // package json would accept all but the last
		{`{"Only_Cross_Attention": true}`, ""},
		{`{"heads": "\u001b[2J"}`, `heads is "\u001b[2J", which`},
		{"{\"only_cross_attention\": [false,\n true]}", `only_cross_attention is "[false,\n true]"`},
		{`{"groups": "` + strings.Repeat("x", 1000) + `"}`, "groups is a string"},
	} {
		v := config{Groups: 32, Flip: true}
		err := Decode([]byte(c.in), &v, fixed)
		if (err == nil) != (c.err == "") || err != nil && (!strings.Contains(err.Error(), c.err) || len(err.Error()) > 300) {
			t.Errorf("%.60s: error %v, want %q", c.in, err, c.err)
		}
		if err == nil && v.Groups != 32 {
			t.Errorf("%s: the default was changed", c.in)
		}
	}
}

func TestChecker(t *testing.T) {
	var k Checker
	k.Range("a", 3, 1, 3)
	k.Levels("b", Ints{1, 2}, 2, 1, 2)
	k.Levels("c", Ints{7}, 5, 1, 7)
	k.Eps("d", 1e-6)
	if k.Activation("e", "Swish"); k.Err != nil {
		t.Error(k.Err)
	}
	if act, ok := Activation("Swish"); act != kernels.SiLU || !ok {
		t.Errorf("Swish is %v, %v", act, ok)
	}
	k.Activation("act_fn", "mish")
	k.Range("groups", 0, 1, 3) // the first error stays
	if k.Err == nil || k.Err.Error() != `act_fn is "mish", which is not supported: it must be silu, swish, gelu or quick_gelu` {
		t.Error(k.Err)
	}
	for _, f := range []func(k *Checker){
		func(k *Checker) { k.Range("x", 4, 1, 3) },
		func(k *Checker) { k.Levels("x", Ints{}, 2, 1, 3) },
		func(k *Checker) { k.Levels("x", Ints{1, 1, 1}, 2, 1, 3) },
		func(k *Checker) { k.Levels("x", Ints{1, 4}, 2, 1, 3) },
		func(k *Checker) { k.Eps("x", 0) },
	} {
		var k Checker
		if f(&k); k.Err == nil || !strings.HasPrefix(k.Err.Error(), "x is ") {
			t.Errorf("error %v", k.Err)
		}
	}
}

type embedded struct {
	Act string `json:"act"`
}

// TestDecodeErrors checks that errors use the terms of the file.
func TestDecodeErrors(t *testing.T) {
	for data, want := range map[string]string{
		`[]`:          "not a JSON object",
		`null`:        "not a JSON object",
		`7`:           "not a JSON object",
		`{`:           "unexpected end of JSON input",
		`{"act":5}`:   "act is a number, which is not supported: it must be a string",
		`{"other":1}`: "",
	} {
		var v struct{ embedded }
		got := ""
		if err := Decode([]byte(data), &v, nil); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s: %q, want %q", data, got, want)
		}
	}
}
