package main

import (
	"context"
	"fmt"

	"github.com/spf13/pflag"

	"github.com/coclico/coclico/cmd/internal/files"
	"github.com/coclico/coclico/cmd/internal/terminal"
	"github.com/coclico/coclico/codec"
)

// A partial is what --keep-partial needs to know: how far a picture is.
type partial struct {
	wanted bool
	at     codec.Progress // the last report of denoising
	kept   bool           // the picture is unfinished
}

func partialFlag(flags *pflag.FlagSet) *bool {
	return flags.Bool("keep-partial", false, "one file: if Ctrl-C interrupts, write what the picture was becoming; a second Ctrl-C stops at once")
}

// follow changes options so that an interrupted decode returns a picture.
func (k *partial) follow(o *codec.DecodeOptions, s *terminal.Screen, p progress) {
	if !k.wanted {
		return
	}
	report := o.Progress
	o.Progress = func(r codec.Progress) {
		if r.Stage == codec.StageDenoise {
			k.at = r
		}
		report(r)
	}
	o.Partial = func() context.Context {
		p.Close()
		s.Note("interrupted after %s: painting its picture; Ctrl-C again stops at once", k)
		return context.Background() // main lets a second Ctrl-C end the program
	}
}

func (k *partial) String() string { return fmt.Sprintf("step %d of %d", k.at.Step, k.at.Steps) }

// keep returns the error of an interrupted run that writes its picture.
func (k *partial) keep(output string) error {
	k.kept = true
	name := output
	if output == files.Stdio {
		name = "standard output"
	}
	return interruptedError(fmt.Sprintf("interrupted: %s is the picture after %s", name, k))
}
