package options

import (
	"testing"

	"github.com/spf13/pflag"

	"github.com/coclico/coclico/codec"
)

// TestEncodingCheck checks parameters with a model, for which no candidate is
// painted.
func TestEncodingCheck(t *testing.T) {
	c, err := codec.BuiltIn()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, k := range []struct {
		args  []string
		wrong bool
	}{
		{nil, false},
		{[]string{"--candidates=64"}, false},
		{[]string{"--candidates=64", "--bytes=120"}, false},
		{[]string{"--candidates=64", "--prompt=a lake"}, true}, // the model knows no words
	} {
		flags := pflag.NewFlagSet("", pflag.ContinueOnError)
		how := Encode(flags)
		if err := flags.Parse(k.args); err != nil {
			t.Fatal(err)
		}
		e, err := how()
		if err != nil {
			t.Fatal(err)
		}
		e.Options.Judged = func(codec.Judgment) { t.Errorf("%v: a candidate is painted", k.args) }
		if err := e.Check(t.Context(), c); (err != nil) != k.wrong {
			t.Errorf("%v: error %v", k.args, err)
		}
	}
}
