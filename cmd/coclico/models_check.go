package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/coclico/coclico/cmd/internal/catalog"
	"github.com/coclico/coclico/cmd/internal/selftest"
	"github.com/coclico/coclico/cmd/internal/terminal"
	"github.com/coclico/coclico/codec/model"
	"github.com/coclico/coclico/kernels"
	"github.com/coclico/coclico/weights"
	"github.com/coclico/coclico/weights/hub"
)

func modelsCheckCmd(s *terminal.Screen) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "check [NAME]",
		Short: "Check a model's files, and this machine",
		Long: `Check opens every part of a model: its configuration must be valid, its tensors
must have exactly the names and shapes that this implies, and every value must
be finite. For a pulled model, the hashes of its files are compared with the
hub's. Finally four networks of a tiny model are computed at both precisions and
compared with the reference implementation, which checks this machine. Without a
name the default model is checked. The exit status is 1 if anything is wrong.`,
		Example:           "  coclico models check\n  coclico models check diffusers/stable-diffusion-2-1-unclip-i2i-l",
		ValidArgsFunction: completeModel,
		Args:              optionalArg("NAME"),
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := catalog.Open(os.Getenv)
		if err != nil {
			return err
		}
		name := ""
		if len(args) == 1 {
			name = args[0]
		}
		m, err := c.Choose(name)
		if err != nil {
			return err
		}
		return checkModel(cmd.Context(), s, c, m)
	}
	return cmd
}

// A checker prints a report and counts what is wrong.
type checker struct {
	out io.Writer
	bar *terminal.Bar
	bad int
}

// say prints one line of the report.
func (c *checker) say(what string, err error) {
	c.bar.Close()
	if err != nil {
		c.bad++
		fmt.Fprintf(c.out, "%-28s WRONG: %s\n", what, terminal.Printable(strings.TrimSpace(err.Error())))
		return
	}
	fmt.Fprintf(c.out, "%-28s ok\n", what)
}

func checkModel(ctx context.Context, s *terminal.Screen, all *catalog.Catalog, m catalog.Model) error {
	f, err := all.Open(m)
	if err != nil {
		return err
	}
	defer f.Close()
	c := &checker{out: s.Out, bar: s.Bar()}
	defer c.bar.Close()
	fmt.Fprintln(s.Out, terminal.Printable(f.Name()))
	for _, part := range weights.Parts() {
		c.part(ctx, f, part)
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	if m.Kind == catalog.KindPulled {
		if err := c.hashes(ctx, m); err != nil {
			return err
		}
	}
	if f.Has(weights.ImageNormalizer) {
		what := "fingerprint"
		p, err := model.Fingerprint(f)
		if err == nil {
			what = fmt.Sprintf("%s %08x", what, p)
		}
		c.say(what, err)
	}
	c.bar.Line("computing")
	err = selftest.Run(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	c.say("this machine ("+kernels.Active()+")", err)
	if c.bad > 0 {
		return errReported
	}
	return nil
}

// part reports on a part. A missing part is not an error: the folder of an
// encoder has no decoder.
func (c *checker) part(ctx context.Context, f *weights.Folder, part weights.Part) {
	if !f.Has(part) {
		constant := f.Has(weights.PromptEmbeds) // in place of the text encoder and its tokenizer
		if part != weights.PromptEmbeds && !(constant && (part == weights.TextEncoder || part == weights.Tokenizer)) {
			fmt.Fprintf(c.out, "%-28s missing\n", part)
		}
		return
	}
	c.bar.Line("reading " + string(part))
	store, err := model.Check(ctx, f, part)
	if ctx.Err() != nil {
		return
	}
	what := string(part)
	if store != nil && err == nil && len(store.Names()) > 0 {
		what = fmt.Sprintf("%s, %d tensors", part, len(store.Names()))
	}
	var load *weights.LoadError
	if errors.As(err, &load) {
		c.say(what, errors.New(load.List()))
		return
	}
	c.say(what, err)
}

// hashes compares the hashes of a snapshot's files with the names of their
// blobs.
func (c *checker) hashes(ctx context.Context, m catalog.Model) error {
	names, err := hub.Readable(m.Dir)
	if err != nil {
		return err
	}
	var total, done int64
	for _, name := range names {
		if info, err := os.Stat(filepath.Join(m.Dir, filepath.FromSlash(name))); err == nil {
			total += info.Size()
		}
	}
	checks, err := hub.Verify(ctx, m.Dir, func(n int64) { done += n; c.bar.Bytes(done, max(total, 1)) })
	if err != nil {
		return err
	}
	right, unknown, bad := 0, 0, c.bad
	for _, h := range checks {
		switch {
		case h.Gone:
			c.say("hash", fmt.Errorf("%s is a link to a file that does not exist: coclico pull %s downloads it again", h.Path, m.Name))
		case !h.Known:
			unknown++
		case !h.Right:
			c.say("hash", fmt.Errorf("%s has other bytes than the hub's: delete %s, and coclico pull %s downloads it again", h.Path, strings.Join(h.Files, " and "), m.Name))
		default:
			right++
		}
	}
	if c.bad == bad {
		c.say(fmt.Sprintf("hashes of %d files", right), nil)
	}
	if unknown > 0 {
		fmt.Fprintf(c.out, "%-28s unknown: copies without a link to the hub's hash\n", fmt.Sprintf("hashes of %d files", unknown))
	}
	return nil
}
