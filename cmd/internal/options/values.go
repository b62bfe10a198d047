package options

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"
)

// The values of flags know what they may be, so that a wrong one is refused in
// the same words wherever it is: "--steps 0: must be a whole number from 1 to
// 1000".

// A whole is a whole number from min to max.
type whole struct {
	to       *int
	min, max int
}

// Whole defines a flag for a whole number. Its default may be out of the
// range, to stand for a number that is not known yet.
func Whole(flags *pflag.FlagSet, name string, value, min, max int, usage string) *int {
	to := new(int)
	WholeVar(flags, to, name, value, min, max, usage)
	return to
}

// WholeVar is Whole for a variable of the caller's.
func WholeVar(flags *pflag.FlagSet, to *int, name string, value, min, max int, usage string) {
	*to = value
	flags.Var(whole{to, min, max}, name, usage)
}

func (v whole) String() string { return strconv.Itoa(*v.to) }
func (v whole) Type() string   { return "int" }

func (v whole) Set(s string) error {
	n, err := strconv.Atoi(s)
	if err != nil || n < v.min || n > v.max {
		return fmt.Errorf("must be a whole number from %d to %d", v.min, v.max)
	}
	*v.to = n
	return nil
}

// An even is a whole number that is even.
type even struct{ whole }

func (v even) Set(s string) error {
	if n, err := strconv.Atoi(s); err != nil || n < v.min || n > v.max || n%2 != 0 {
		return fmt.Errorf("must be an even number from %d to %d", v.min, v.max)
	}
	return v.whole.Set(s)
}

// Even defines a flag for an even number.
func Even(flags *pflag.FlagSet, name string, value, min, max int, usage string) *int {
	v := even{whole{new(int), min, max}}
	*v.to = value
	flags.Var(v, name, usage)
	return v.to
}

// A decimal is a number from min to max.
type decimal struct {
	to       *float64
	min, max float64
}

// Decimal defines a flag for a number from min to max.
func Decimal(flags *pflag.FlagSet, name string, value, min, max float64, usage string) *float64 {
	v := decimal{new(float64), min, max}
	*v.to = value
	flags.Var(v, name, usage)
	return v.to
}

func (v decimal) String() string { return strconv.FormatFloat(*v.to, 'g', -1, 64) }
func (v decimal) Type() string   { return "number" }

func (v decimal) Set(s string) error {
	x, err := strconv.ParseFloat(s, 64)
	if err != nil || !(x >= v.min && x <= v.max) { // not NaN either
		return fmt.Errorf("must be a number from %v to %v", v.min, v.max)
	}
	*v.to = x
	return nil
}

// A duration is a time from min to max, or else the flag's default.
type duration struct {
	to                  *time.Duration
	otherwise, min, max time.Duration
}

// Duration defines a flag for a time from min to max. Its default may be outside
// the range, such as 0 for a time that is not known yet; the user may give that,
// too.
func Duration(flags *pflag.FlagSet, name string, value, min, max time.Duration, usage string) *time.Duration {
	to := new(time.Duration)
	DurationVar(flags, to, name, value, min, max, usage)
	return to
}

// DurationVar is Duration for a variable of the caller's.
func DurationVar(flags *pflag.FlagSet, to *time.Duration, name string, value, min, max time.Duration, usage string) {
	*to = value
	flags.Var(duration{to, value, min, max}, name, usage)
}

func (v duration) String() string { return shortDuration(*v.to) }
func (v duration) Type() string   { return "duration" }

func (v duration) Set(s string) error {
	d, err := time.ParseDuration(s)
	if err != nil || d != v.otherwise && (d < v.min || d > v.max) {
		word := ""
		if v.otherwise < v.min {
			word = shortDuration(v.otherwise) + ", or "
		}
		return fmt.Errorf("must be %sa duration from %s to %s, such as 90s or 5m", word, shortDuration(v.min), shortDuration(v.max))
	}
	*v.to = d
	return nil
}

// shortDuration writes a duration without units that are 0: "24h", not "24h0m0s".
func shortDuration(d time.Duration) string {
	if d == 0 {
		return "0" // which pflag takes for no default
	}
	s := d.String()
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(s, zero) {
			s = s[:len(s)-2]
		}
	}
	return s
}

// A seed is a number of 64 bits.
type seed struct{ to *uint64 }

// Seed defines a flag for a number of 64 bits.
func Seed(flags *pflag.FlagSet, name, usage string) *uint64 {
	v := seed{new(uint64)}
	flags.Var(v, name, usage)
	return v.to
}

func (v seed) String() string { return strconv.FormatUint(*v.to, 10) }
func (v seed) Type() string   { return "int" }

func (v seed) Set(s string) error {
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		return fmt.Errorf("must be a whole number from 0 to %d", uint64(1<<64-1))
	}
	*v.to = n
	return nil
}

// A Choice is the value of a flag for one of several words. The first is the
// default.
type Choice struct {
	to    *string
	words []string
}

// Choose defines a flag for one of several words. The first is its default.
func Choose(flags *pflag.FlagSet, name, usage string, words ...string) *string {
	v := Choice{new(string), words}
	*v.to = words[0]
	flags.Var(v, name, usage)
	return v.to
}

// Words returns the words that may be chosen.
func (v Choice) Words() []string { return v.words }

func (v Choice) String() string { return *v.to }

// Type implements [pflag.Value].
func (v Choice) Type() string { return "string" }

// Set implements [pflag.Value].
func (v Choice) Set(s string) error {
	if !slices.Contains(v.words, s) {
		return fmt.Errorf("must be %s", OrList(v.words))
	}
	*v.to = s
	return nil
}

// OrList writes a list of words: "png, jpg or webp".
func OrList(words []string) string {
	n := len(words) - 1
	if n == 0 {
		return words[0]
	}
	return strings.Join(words[:n], ", ") + " or " + words[n]
}

// FlagError rewrites pflag's errors: it quotes the value twice and names the
// function that could not parse it.
func FlagError(err error) error {
	switch err := err.(type) {
	case *pflag.InvalidValueError:
		reason := err.Unwrap()
		if err.GetFlag().Value.Type() == "bool" {
			reason = errors.New("must be true or false")
		}
		return fmt.Errorf("--%s %s: %w", err.GetFlag().Name, err.GetValue(), reason)
	case *pflag.NotExistError:
		if group := err.GetSpecifiedShortnames(); group != "" {
			return fmt.Errorf("unknown flag -%s", err.GetSpecifiedName())
		}
		return fmt.Errorf("unknown flag --%s", err.GetSpecifiedName())
	case *pflag.ValueRequiredError:
		return fmt.Errorf("--%s needs a value", err.GetFlag().Name)
	}
	return err
}
