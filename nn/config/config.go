// Package config decodes and checks the config.json files of models: [Decode]
// fills a struct that holds the defaults, and a [Checker] validates the result.
//
// Configurations are untrusted input. Every file either leads to an error, an
// [Error] with the key if the value is at fault, or describes a network within
// the limits of this package.
package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/coclico/coclico/kernels"
)

// An Error reports a value of a configuration that is not supported.
type Error struct {
	Key, Value string
	Want       string // the supported values
}

func (e *Error) Error() string {
	return fmt.Sprintf("%s is %s, which is not supported: it must be %s", e.Key, e.Value, e.Want)
}

// A Fixed is a key for which only the listed values, written as JSON, are
// supported. If the file has a list, every element must be one of them.
type Fixed struct {
	Key     string
	Allowed []string
}

// Decode reads a config.json into v, whose fields hold the defaults, and checks
// the fixed keys. An absent key leaves the default, and so does null unless the
// type of the field decodes it; for a fixed key null is a value like any other.
// Where the default is true, null is an error: to Python it is false.
// The spelling of keys is case-sensitive, and unknown keys are ignored.
func Decode(data []byte, v any, fixed []Fixed) error {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(data, &fields); err != nil || fields == nil {
		if _, ok := errors.AsType[*json.UnmarshalTypeError](err); ok || err == nil {
			return errors.New("not a JSON object")
		}
		return errors.New(clip(err.Error()))
	}
	if key := twice(data); key != "" {
		return fmt.Errorf("%s appears twice", clip(key))
	}
	if err := decodeFields(fields, v); err != nil {
		return err
	}
	for _, f := range fixed {
		raw, ok := fields[f.Key]
		if ok && !allowed(raw, f.Allowed) {
			return &Error{f.Key, clip(string(raw)), strings.Join(f.Allowed, " or ")}
		}
	}
	return nil
}

// decodeFields sets the fields of v, one by one so that an error is known to be
// about one of them.
func decodeFields(fields map[string]json.RawMessage, v any) error {
	fields, err := exactFields(fields, v)
	if err != nil {
		return err
	}
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		one, err := json.Marshal(map[string]json.RawMessage{key: fields[key]}) // without its white space
		if err == nil {
			err = json.Unmarshal(one, v)
		}
		if err == nil {
			continue
		}
		if t, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
			return &Error{clip(key), article(clip(t.Value)), kind(t.Type)}
		}
		if want, ok := errors.AsType[wantError](err); ok {
			value := one[bytes.IndexByte(one, ':')+1 : len(one)-1]
			return &Error{clip(key), clip(string(value)), string(want)}
		}
		return fmt.Errorf("%s: %s", clip(key), clip(err.Error()))
	}
	return nil
}

// A wantError is an error of a value, and names what is supported.
type wantError string

func (e wantError) Error() string { return "must be " + string(e) }

// twice returns a key that an object has twice, or "" if no key is. Package json
// would take the last value of such a key. The object is valid.
func twice(object []byte) string {
	dec := json.NewDecoder(bytes.NewReader(object))
	dec.Token() // {
	seen := map[string]bool{}
	for dec.More() {
		key, _ := dec.Token()
		name, _ := key.(string)
		if seen[name] {
			return name
		}
		seen[name] = true
		var value json.RawMessage
		if dec.Decode(&value) != nil {
			break
		}
	}
	return ""
}

// article puts an article before the name of one of JSON's types.
func article(name string) string {
	if name == "array" || name == "object" {
		return "an " + name
	}
	return "a " + name
}

// kind names the values of JSON that a Go type holds.
func kind(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.String:
		return "a string"
	case reflect.Slice:
		return "an array"
	case reflect.Struct:
		return "an object"
	case reflect.Float32, reflect.Float64:
		return "a finite number"
	}
	return "a whole number"
}

// exactFields returns the object without the keys that are not exactly a field
// of v: package json would also accept In_Channels for in_channels. Null in the
// place of true is an error.
func exactFields(fields map[string]json.RawMessage, v any) (map[string]json.RawMessage, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	var known map[string]json.RawMessage
	if err := json.Unmarshal(b, &known); err != nil {
		return nil, err
	}
	fields = maps.Clone(fields)
	maps.DeleteFunc(fields, func(key string, _ json.RawMessage) bool { _, ok := known[key]; return !ok })
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		if string(known[key]) == "true" && string(fields[key]) == "null" {
			return nil, &Error{clip(key), "null", kind(reflect.TypeFor[bool]())}
		}
	}
	return fields, nil
}

func allowed(raw json.RawMessage, values []string) bool {
	raw = bytes.TrimSpace(raw)
	if slices.Contains(values, string(raw)) {
		return true
	}
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) != nil || list == nil {
		return false
	}
	return !slices.ContainsFunc(list, func(e json.RawMessage) bool { return !slices.Contains(values, string(e)) })
}

// clip shortens a piece of a file for an error message, and quotes it if it has
// unprintable characters.
func clip(s string) string {
	const most = 80
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "..."
	}
	if !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		s = strconv.Quote(s)
	}
	return s
}

// Ints has one number for each level of a network, or one for all levels.
type Ints []int

// UnmarshalJSON accepts a number or a list of numbers.
func (n *Ints) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		return nil
	}
	var one int
	if json.Unmarshal(b, &one) == nil {
		*n = Ints{one}
		return nil
	}
	var list []int
	if err := json.Unmarshal(b, &list); err != nil {
		return wantError("a whole number or a list of them")
	}
	*n = list
	return nil
}

// At returns the number of level i.
func (n Ints) At(i int) int {
	if len(n) == 1 {
		return n[0]
	}
	return n[i]
}

// A Checker validates a configuration and keeps the first error. The zero value
// is ready for use.
type Checker struct{ Err error }

// Must records an error for the key and value unless ok is true. want describes
// the supported values.
func (c *Checker) Must(ok bool, key string, value any, want string) {
	if !ok && c.Err == nil {
		c.Err = &Error{key, clip(fmt.Sprint(value)), want}
	}
}

// Range requires lo <= v <= hi.
func (c *Checker) Range(key string, v, lo, hi int) {
	if v < lo || v > hi {
		c.Must(false, key, v, fmt.Sprintf("between %d and %d", lo, hi))
	}
}

// Levels requires one number or one for each level, all between lo and hi.
func (c *Checker) Levels(key string, n Ints, levels, lo, hi int) {
	c.Must(len(n) == 1 || len(n) == levels, key, n, fmt.Sprintf("one number or a list of %d", levels))
	for _, v := range n {
		c.Range(key, v, lo, hi)
	}
}

// Eps requires a reasonable epsilon of a norm: 0 < v <= 1.
func (c *Checker) Eps(key string, v float64) {
	c.Must(v > 0 && v <= 1, key, v, "above 0 and at most 1")
}

// Activation requires a name that the function [Activation] knows.
func (c *Checker) Activation(key, name string) {
	_, ok := Activation(name)
	c.Must(ok, key, fmt.Sprintf("%q", name), "silu, swish, gelu or quick_gelu")
}

// Finite requires that v is neither infinite nor NaN.
func (c *Checker) Finite(key string, v float64) {
	c.Must(!math.IsNaN(v) && !math.IsInf(v, 0), key, v, "finite")
}

// Activation returns the activation of the given name, whose case does not
// matter. It reports false for an unknown name.
func Activation(name string) (kernels.Activation, bool) {
	switch strings.ToLower(name) {
	case "silu", "swish":
		return kernels.SiLU, true
	case "gelu":
		return kernels.GELU, true
	case "quick_gelu":
		return kernels.QuickGELU, true
	}
	return kernels.Identity, false
}

// Limits of a configuration: far above any known model, and low enough that the
// descriptions of the layers fit in memory.
const (
	MaxChannels = 1 << 16
	MaxLevels   = 16
	MaxLayers   = 256  // in one level or tower
	MaxBlocks   = 2048 // in a network
)
