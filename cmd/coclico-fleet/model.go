package main

import (
	"fmt"
	"os"

	"github.com/spf13/pflag"

	"github.com/coclico/coclico/cmd/internal/catalog"
	"github.com/coclico/coclico/codec"
	"github.com/coclico/coclico/codec/model"
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
