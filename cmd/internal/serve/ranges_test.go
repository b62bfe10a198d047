package serve

import (
	"net/url"
	"slices"
	"strconv"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/spf13/pflag"

	"github.com/coclico/coclico/cmd/internal/options"
)

// TestRanges: the least and the most of each parameter in the contract, and its
// words, are what the server accepts, and nothing else is.
func TestRanges(t *testing.T) {
	s := start(t, withArchive(t, 1))
	doc, err := openapi3.NewLoader().LoadFromData(Document)
	if err != nil {
		t.Fatal(err)
	}
	accept := map[string]func(name, value string) bool{
		"/v1/encode":  flagsAccept(func(f *pflag.FlagSet) { options.Encode(f) }),
		"/v1/decodes": flagsAccept(func(f *pflag.FlagSet) { options.Decode(f) }),
		"/v1/search":  s.queryAccepts("/v1/search?near=sea/0000.png&"),
		"/v1/archive": s.queryAccepts("/v1/archive?"),
	}
	found := 0
	for path, item := range doc.Paths.Map() {
		for _, operation := range item.Operations() {
			for _, p := range operation.Parameters {
				schema := p.Value.Schema.Value
				number := schema.Type.Is("integer") || schema.Type.Is("number")
				if !number && len(schema.Enum) == 0 {
					continue
				}
				found++
				accepts := func(value string) bool { return accept[path](p.Value.Name, value) }
				if number {
					checkRange(t, path+" "+p.Value.Name, schema, accepts)
				} else {
					checkWords(t, path+" "+p.Value.Name, schema, accepts)
				}
			}
		}
	}
	if found != 25 {
		t.Errorf("%d parameters have a range", found)
	}
}

// flagsAccept returns a function that reports whether flags take a value for a
// parameter. No flag contradicts another one then.
func flagsAccept(define func(*pflag.FlagSet)) func(name, value string) bool {
	return func(name, value string) bool {
		flags := newFlags()
		define(flags)
		return setFlags(flags, url.Values{name: {value}}) == nil
	}
}

// queryAccepts returns a function that reports whether a GET with a value for a
// parameter is answered.
func (s *testServer) queryAccepts(path string) func(name, value string) bool {
	return func(name, value string) bool {
		s.t.Helper()
		response, err := s.http.Do(s.request("GET", path+url.Values{name: {value}}.Encode(), nil))
		if err != nil {
			s.t.Fatal(err)
		}
		a := readAnswer(s.t, response)
		if a.StatusCode != 200 && a.problem(s.t).Parameter != name {
			s.t.Errorf("%s%s=%s: %d", path, name, value, a.StatusCode)
		}
		return a.StatusCode == 200
	}
}

func checkRange(t *testing.T, name string, schema *openapi3.Schema, accepts func(string) bool) {
	t.Helper()
	if schema.Min == nil || schema.Max == nil {
		t.Errorf("%s has no range", name)
		return
	}
	step := 1.0
	if schema.Type.Is("number") {
		step = 0.01
	}
	if schema.MultipleOf != nil {
		step = *schema.MultipleOf
	}
	for value, want := range map[float64]bool{*schema.Min: true, *schema.Max: true, *schema.Min - step: false, *schema.Max + step: false} {
		if text := strconv.FormatFloat(value, 'f', -1, 64); accepts(text) != want {
			t.Errorf("%s=%s: accepted is %t, by the contract %t", name, text, !want, want)
		}
	}
}

func checkWords(t *testing.T, name string, schema *openapi3.Schema, accepts func(string) bool) {
	t.Helper()
	var words []string
	for _, word := range schema.Enum {
		words = append(words, word.(string))
	}
	known := []string{"tuned", "paper", "crop", "whole", "fast", "exact"}
	flags := newFlags()
	options.Decode(flags)
	for _, flag := range []string{"sampler", "schedule"} {
		known = append(known, flags.Lookup(flag).Value.(options.Choice).Words()...)
	}
	for _, word := range slices.Concat(known, words) {
		if want := slices.Contains(words, word); accepts(word) != want {
			t.Errorf("%s=%s: accepted is %t, by the contract %t", name, word, !want, want)
		}
	}
}
