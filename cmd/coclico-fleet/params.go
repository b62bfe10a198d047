package main

import (
	"fmt"
	"slices"

	"github.com/spf13/pflag"

	"github.com/coclico/coclico/cmd/coclico-fleet/internal/job"
	"github.com/coclico/coclico/cmd/internal/options"
)

// newFlags returns the flags of a kind of work, which nobody has given yet.
func newFlags(decode bool) (*pflag.FlagSet, func() (*options.Encoding, *options.Decoding, error)) {
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	if decode {
		how := options.Decode(flags)
		return flags, func() (*options.Encoding, *options.Decoding, error) {
			d, err := how()
			return nil, d, err
		}
	}
	how := options.Encode(flags)
	options.HideRaw(flags)
	return flags, func() (*options.Encoding, *options.Decoding, error) {
		e, err := how()
		if err == nil && e.Options.Raw {
			err = options.Usagef("--raw: an archive holds files, which know their model, not raw bits")
		}
		return e, nil, err
	}
}

// addParams adds the flags of both kinds of work to a command. The result
// returns those that the user gave, as a job has them.
func addParams(flags *pflag.FlagSet) func(decode bool) ([]string, error) {
	for _, decode := range []bool{false, true} {
		of, _ := newFlags(decode)
		flags.AddFlagSet(of) // which has the first of two flags of one name
	}
	return func(decode bool) ([]string, error) {
		mine, _ := newFlags(decode)
		other, _ := newFlags(!decode)
		var params []string
		var err error
		flags.Visit(func(f *pflag.Flag) {
			switch {
			case mine.Lookup(f.Name) != nil:
				params = append(params, "--"+f.Name+"="+f.Value.String())
			case other.Lookup(f.Name) != nil:
				err = options.Usagef("--%s has no effect: it is for encoding pictures", f.Name)
				if !decode {
					err = options.Usagef("--%s has no effect without --decode", f.Name)
				}
			}
		})
		slices.Sort(params)
		return params, err
	}
}

// paints reports whether the pictures of a job are painted, from files or as
// candidates to choose from: each takes minutes, not seconds.
func paints(e *options.Encoding) bool { return e == nil || e.Options.Candidates > 1 }

// parseParams returns the options of a job: of encoding or of decoding, and nil.
func parseParams(j *job.Job) (*options.Encoding, *options.Decoding, error) {
	flags, how := newFlags(j.Decode)
	if err := flags.Parse(j.Params); err != nil {
		return nil, nil, options.UsageError{Err: options.FlagError(err)}
	}
	if flags.NArg() > 0 {
		return nil, nil, fmt.Errorf("parameter %q of the job is not a flag", flags.Arg(0))
	}
	return how()
}
