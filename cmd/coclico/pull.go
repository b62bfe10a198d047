package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/coclico/coclico/cmd/coclico/internal/terminal"
	"github.com/coclico/coclico/weights/hub"
)

func pullCmd(s *terminal.Screen) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "pull [OWNER/NAME[@REVISION]]",
		Short: "Get a model from the Hugging Face hub",
		Long: `Pull downloads what is needed of a Stable unCLIP model into the hub's own cache, where Python's
libraries find it too, and finds what they have downloaded. Without a name it is
` + hub.DefaultRepo().String() + `, the model that the codec is made for.

It shows what there is to download first. A download that was cut or interrupted goes on where it
was; every file's hash is compared. HF_HOME, HF_HUB_CACHE, HF_ENDPOINT, HF_TOKEN and HF_HUB_OFFLINE are
honoured. The model's folder is printed at the end; coclico models use makes it the default.`,
		Example: "  coclico pull\n  coclico pull --for decode --plan\n  HF_ENDPOINT=https://mirror.example coclico pull",
		Args:    cobra.MaximumNArgs(1),
	}
	flags := cmd.Flags()
	revision := flags.String("revision", hub.MainRevision, "branch, tag or commit")
	use := flags.String("for", "both", "encode, decode or both: the parts that are needed for it")
	planOnly := flags.Bool("plan", false, "only show what there is to download")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		repo := hub.DefaultRepo()
		if len(args) == 1 {
			var at string
			var err error
			if repo, at, err = hub.SplitRevision(args[0]); err != nil {
				return usageError{err}
			}
			if strings.Contains(args[0], "@") {
				if flags.Changed("revision") && *revision != at {
					return usagef("--revision %s: the name says %s", *revision, at)
				}
				*revision = at
			}
		}
		parts, err := parseUse(*use)
		if err != nil {
			return err
		}
		if err := hub.CheckRevision(*revision); err != nil {
			return usageError{err}
		}
		return pull(cmd.Context(), s, repo, *revision, parts, *planOnly)
	}
	return cmd
}

func parseUse(s string) (hub.Use, error) {
	switch s {
	case "both":
		return hub.Everything, nil
	case "encode":
		return hub.Encoding, nil
	case "decode":
		return hub.Decoding, nil
	}
	return 0, usagef("--for %s: it is encode, decode or both", s)
}

func pull(ctx context.Context, s *terminal.Screen, repo hub.Repo, revision string, use hub.Use, planOnly bool) error {
	c, err := hub.FromEnv(os.Getenv)
	if err != nil {
		return err
	}
	c.UserAgent = "coclico/" + version()
	bar := s.Bar()
	defer bar.Close()
	bar.Line("asking " + c.Endpoint)
	plan, err := c.Plan(ctx, repo, revision, use)
	if err != nil {
		return err
	}
	bar.Close()
	if planOnly {
		return printPlan(s.Out, plan, c.Cache)
	}
	if err := printPlan(s.Err, plan, c.Cache); err != nil {
		return err
	}
	left := plan.Left()
	if left > 0 {
		fmt.Fprint(s.Err, licenceNotice(repo, plan.Licence))
	}
	there := plan.Size() - left
	dir, err := c.Pull(ctx, plan, func(done int64) { bar.Bytes(max(0, done-there), max(left, 1)) })
	bar.Close()
	if err != nil {
		if left > 0 && (ctx.Err() != nil || !errors.Is(err, os.ErrPermission)) {
			fmt.Fprintln(s.Err, "What has come is kept: the same command goes on from there.")
		}
		return err
	}
	_, err = fmt.Fprintln(s.Out, dir)
	return err
}

// printPlan lists the files with their sizes, the sum last.
func printPlan(w io.Writer, p *hub.Plan, cache hub.Cache) error {
	fmt.Fprintf(w, "%s at %s (%s)\n", p.Repo, p.Revision, p.Commit[:12])
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	n := 0
	var small hub.Item
	for _, f := range p.Files {
		if f.Size < 1<<16 {
			small.Size += f.Size
			small.Have += f.Have
			n++
			continue
		}
		fmt.Fprintf(t, "%s\t%s\t  %s\n", terminal.ByteCount(f.Size), state(f), f.Path)
	}
	if n > 0 {
		fmt.Fprintf(t, "%s\t%s\t  %d small files\n", terminal.ByteCount(small.Size), state(small), n)
	}
	fmt.Fprintf(t, "%s\t%s\t  in all\n", terminal.ByteCount(p.Size()), terminal.ByteCount(p.Left())+" to get")
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "into %s\n", cache.Path(p.Repo))
	return err
}

func state(f hub.Item) string {
	switch f.Have {
	case f.Size:
		return "there"
	case 0:
		return "to get"
	}
	return terminal.ByteCount(f.Size-f.Have) + " to get"
}

// licenceNotice says what using the weights asks of people.
func licenceNotice(repo hub.Repo, licence string) string {
	if licence != "openrail++" && repo != hub.DefaultRepo() {
		return fmt.Sprintf("The weights are under the licence that their model card names (%s); it binds you: https://huggingface.co/%s\n", cmp.Or(licence, "none is named"), repo)
	}
	return `The weights are under the CreativeML Open RAIL++-M licence. Using them, for money too, is allowed, but not for what its
Attachment A lists: breaking the law, harming or deceiving people, discrimination, medical and legal decisions, and more.
Whoever passes the weights on, changed or not, passes these terms on: https://huggingface.co/stabilityai/stable-diffusion-2/blob/main/LICENSE-MODEL
`
}
