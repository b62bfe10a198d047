package options

import (
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"
)

// TestDuration has durations at the bounds and beyond them, and a default that is
// out of the range.
func TestDuration(t *testing.T) {
	const says = "--time %s: must be 0, or a duration from 1s to 1h30m, such as 90s or 5m"
	for value, ok := range map[string]bool{
		"0": true, "0s": true, "1s": true, "60m": true, "1h30m": true,
		"-5s": false, "1ns": false, "999ms": false, "1h30m1s": false, "5": false, "": false, "1s2": false, "3000000h": false,
	} {
		flags := pflag.NewFlagSet("", pflag.ContinueOnError)
		d := Duration(flags, "time", 0, time.Second, 90*time.Minute, "a time (default another)")
		if text := flags.FlagUsages(); strings.TrimSpace(text) != "--time duration   a time (default another)" {
			t.Errorf("help is %q", text)
		}
		err := flags.Parse([]string{"--time", value})
		if want, _ := time.ParseDuration(value); ok && (err != nil || *d != want) {
			t.Errorf("%q: %v, error %v", value, *d, err)
		} else if !ok && (err == nil || FlagError(err).Error() != strings.ReplaceAll(says, "%s", value)) {
			t.Errorf("%q: %v, error %v", value, *d, FlagError(err))
		}
	}
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	Duration(flags, "time", 24*time.Hour, 0, 48*time.Hour, "a time")
	if text := flags.FlagUsages(); !strings.Contains(text, "(default 24h)") {
		t.Errorf("help is %q", text)
	}
	if err := FlagError(flags.Parse([]string{"--time", "-1s"})); err == nil || !strings.Contains(err.Error(), "must be a duration from 0 to 48h") {
		t.Error(err)
	}
}
