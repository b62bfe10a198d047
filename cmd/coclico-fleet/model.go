package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/coclico/coclico/cmd/coclico-fleet/internal/job"
	"github.com/coclico/coclico/cmd/internal/catalog"
	"github.com/coclico/coclico/codec"
	"github.com/coclico/coclico/codec/archive"
	"github.com/coclico/coclico/codec/model"
	"github.com/coclico/coclico/kernels"
)

func modelFlag(flags *pflag.FlagSet) *string {
	return flags.String("model", "", "`model`: a name in coclico models, a folder, or the name on the hub of one that was pulled (default $"+catalog.ModelVar+", or else the default in coclico models)")
}

// A chosen is a model of this machine.
type chosen struct {
	name        string
	fingerprint string // in eight hex digits
	codec       *codec.Codec
}

// openModel opens the model of a name, or the default.
func openModel(name string) (*chosen, error) {
	c, err := catalog.Open(os.Getenv)
	if err != nil {
		return nil, err
	}
	m, err := c.Choose(name)
	if err != nil {
		return nil, err
	}
	folder, err := c.Open(m)
	if err != nil {
		return nil, err
	}
	print, err := model.Fingerprint(folder)
	if err != nil {
		folder.Close()
		return nil, err
	}
	return &chosen{name: m.Name, fingerprint: fmt.Sprintf("%08x", print), codec: codec.New(folder)}, nil
}

// modelFor returns the model of a job: the one that the user names, or else one
// of this machine with the job's fingerprint, whatever its name.
func modelFor(j *job.Job, name string) (*chosen, error) {
	if name == "" {
		name = j.Model
		c, err := catalog.Open(os.Getenv)
		if err != nil {
			return nil, err
		}
		if print, err := strconv.ParseUint(j.Fingerprint, 16, 32); err == nil {
			if names := c.Matching(uint32(print), 32); len(names) > 0 {
				name = names[0]
			}
		}
	}
	m, err := openModel(name)
	if err != nil {
		return nil, fmt.Errorf("the job needs the model %s (%s): %w", j.Model, j.Fingerprint, err)
	}
	if m.fingerprint != j.Fingerprint {
		m.codec.Close()
		return nil, fmt.Errorf("the job needs the model %s (%s), but %s here is %s", j.Model, j.Fingerprint, m.name, m.fingerprint)
	}
	return m, nil
}

// origin returns how a worker of this machine makes the rows of a job.
func origin(j *job.Job, m *chosen) archive.Origin {
	o := archive.Origin{Fingerprint: j.Fingerprint, Model: m.name, Kernels: kernels.Active(), Software: "coclico-fleet " + version(), Params: strings.Join(j.Params, " ")}
	if e, _, err := parseParams(j); err == nil && e != nil {
		o.Profile, o.Params = e.Options.Profile.String(), e.Params
	}
	return o
}
