package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"text/tabwriter"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/coclico/coclico/cmd/internal/catalog"
	"github.com/coclico/coclico/cmd/internal/options"
	"github.com/coclico/coclico/cmd/internal/terminal"
	"github.com/coclico/coclico/codec/model"
	"github.com/coclico/coclico/weights"
	"github.com/coclico/coclico/weights/hub"
)

func pullCmd(s *terminal.Screen) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "pull [OWNER/NAME[@REVISION]]",
		Short: "Download a model from the Hugging Face hub",
		Long: `Pull downloads the files of a Stable unCLIP model that are needed into the hub's
own cache, where Python's libraries find them too, and uses those that they have
downloaded. Without a name the model is
` + hub.DefaultRepo().String() + `, for which the codec is made, at
the revision that the program knows. It is also found if the cache has it under
another of its names,
` + hub.MirrorRepo().String() + ` (an unofficial mirror) or
` + hub.WithdrawnRepo().String() + ` (withdrawn).

The files and their sizes are listed first, and the license by the model's card.
A download that was interrupted resumes where it stopped, and every file's hash
is compared. The model's folder is printed at the end; coclico models use makes
the model the default.

The cache is where HF_HUB_CACHE, HUGGINGFACE_HUB_CACHE, HF_HOME or
XDG_CACHE_HOME says, and has no symbolic links with HF_HUB_DISABLE_SYMLINKS.
HF_ENDPOINT names the hub or a mirror. A token in HF_TOKEN or
HUGGING_FACE_HUB_TOKEN is sent there; without one the token of a login, from the
file HF_TOKEN_PATH or token in HF_HOME, is sent to ` + hub.DefaultEndpoint + `
alone. No token is sent by plain http, except to this machine. With
HF_HUB_OFFLINE or TRANSFORMERS_OFFLINE nothing is downloaded.

With --metrics, the networks that rate pictures in coclico evaluate are pulled
instead and converted into the folder of metrics: MUSIQ (trained on KonIQ-10k,
on SPAQ and on AVA), DBCNN, the VGG16 and the AlexNet of LPIPS and DISTS, and
LAION's aesthetics. AlexNet is not on the hub: it comes from
download.pytorch.org. The weights of MUSIQ and DBCNN are under CC BY-NC-SA 4.0:
not for commercial use. The folder is coclico/metrics in the user's cache, or
the one that $` + catalog.MetricsVar + ` names.

With --for search, the text tower of openai/clip-vit-large-patch14 is pulled
instead (MIT license), for coclico search --text on archives of Stable unCLIP.
Of a file of 1.7 GB these are 494 MB, fetched by themselves into coclico/text in
the user's cache, or the folder that $` + catalog.TextVar + ` names. The hash of the
whole file cannot be compared then: places, lengths, shapes and values are
checked, and the hash of the result is recorded in source.json. A whole model in
the hub's cache is used as it is.`,
		Example: "  coclico pull\n  coclico pull --for decode --plan\n  coclico pull --metrics\n  coclico pull --for search\n  HF_ENDPOINT=https://mirror.example coclico pull",
		Args:    optionalArg("OWNER/NAME"),
	}
	flags := cmd.Flags()
	revision := flags.String("revision", "", "branch, tag or commit (default: the one that the program knows, or "+hub.MainRevision+")")
	use := choiceFlag(cmd, "for", "both, encode, decode or search: the use for which the model is needed", "both", "encode", "decode", forSearch)
	planOnly := flags.Bool("plan", false, "only list what there is to download")
	metrics := flags.Bool("metrics", false, "pull the networks that rate pictures")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if *metrics {
			if len(args) > 0 {
				return usagef("pull --metrics takes no %s", args[0])
			}
			if err := options.NoEffect(flags, "--metrics pulls files of its own", "revision", "for"); err != nil {
				return err
			}
			p := puller{screen: s}
			return p.pullMetrics(cmd.Context(), *planOnly)
		}
		if *use == forSearch {
			if len(args) > 0 {
				return usagef("pull --for search takes no %s", args[0])
			}
			if err := options.NoEffect(flags, "--for search pulls a model of its own", "revision"); err != nil {
				return err
			}
			p := puller{screen: s}
			return p.pullText(cmd.Context(), *planOnly)
		}
		p := puller{screen: s, repo: hub.DefaultRepo(), revision: *revision, use: hubUses[*use]}
		if len(args) == 1 {
			var at string
			var err error
			if p.repo, at, err = hub.SplitRevision(args[0]); err != nil {
				return usageError{Err: err}
			}
			if at != "" && p.revision != "" && p.revision != at {
				return usagef("--revision %s: the name has %s", p.revision, at)
			}
			p.revision = cmp.Or(p.revision, at)
		}
		if flags.Changed("revision") {
			if err := hub.CheckRevision(*revision); err != nil {
				return usageError{Err: err}
			}
		}
		return p.pull(cmd.Context(), *planOnly)
	}
	return cmd
}

// forSearch is the value of --for that means another model.
const forSearch = "search"

// hubUses are the other values of --for.
var hubUses = map[string]hub.Use{"both": hub.Everything, "encode": hub.Encoding, "decode": hub.Decoding}

// A puller is one call of pull.
type puller struct {
	screen   *terminal.Screen
	client   *hub.Client
	repo     hub.Repo
	revision string // "" if none is specified
	use      hub.Use
}

func (p *puller) pull(ctx context.Context, planOnly bool) (err error) {
	if err := p.connect(); err != nil {
		return err
	}
	if p.revision == "" {
		if found, err := p.elsewhere(); found || err != nil {
			return err
		}
		p.revision = p.repo.DefaultRevision()
	}
	bar := p.screen.Bar()
	defer bar.Close()
	bar.Line("asking " + p.client.Endpoint)
	plan, err := p.client.Plan(ctx, p.repo, p.revision, p.use)
	if err != nil {
		return otherNames(p.repo, err)
	}
	bar.Close()
	if planOnly {
		return printPlan(p.screen.Out, plan, p.client.Cache.Path(plan.Repo))
	}
	if err := printPlan(p.screen.Err, plan, p.client.Cache.Path(plan.Repo)); err != nil {
		return err
	}
	return p.download(ctx, plan)
}

// connect makes the client.
func (p *puller) connect() (err error) {
	if p.client, err = hub.FromEnv(os.Getenv); err != nil {
		return err
	}
	p.client.UserAgent = "coclico/" + version()
	var once sync.Once
	p.client.Waiting = func(path string) {
		once.Do(func() {
			p.screen.Bar().Close() // clears the line of the one at work
			fmt.Fprintf(p.screen.Err, "Another process is downloading %s: waiting for it.\n", path)
		})
	}
	p.client.Busy = func(host string, until time.Time) {
		p.screen.Bar().Close()
		fmt.Fprintf(p.screen.Err, "%s is busy: waiting until %s.\n", host, until.Format("15:04:05"))
	}
	return nil
}

// elsewhere prints the folder of a model that is in the cache under another of
// its names, and reports whether there is one.
func (p *puller) elsewhere() (bool, error) {
	c, err := catalog.Open(os.Getenv)
	if err != nil {
		return false, err
	}
	m, ok := c.Elsewhere(p.repo, p.use)
	if !ok {
		return false, nil
	}
	fmt.Fprintf(p.screen.Err, "%s is on this machine as %s: nothing is downloaded, unless --revision asks for it.\n", p.repo, m.Name)
	_, err = fmt.Fprintln(p.screen.Out, m.Dir)
	return true, err
}

// otherNames adds to a refusal where else the model is.
func otherNames(repo hub.Repo, err error) error {
	switch {
	case !hub.Refused(err) || repo.Aliases() == nil:
		return err
	case repo == hub.DefaultRepo():
		return fmt.Errorf("%w; an unofficial mirror has the same model: coclico pull %s", err, hub.MirrorRepo())
	}
	return fmt.Errorf("%w; the same model is %s: coclico pull", err, hub.DefaultRepo())
}

// download pulls the missing files of a plan and prints the model's folder.
func (p *puller) download(ctx context.Context, plan *hub.Plan) error {
	left := plan.Left()
	dir, err := p.fetch(ctx, plan)
	if err != nil {
		return err
	}
	if left > 0 && !p.client.Pins.Covers(plan) {
		printHashes(p.screen.Err, plan, dir)
	}
	_, err = fmt.Fprintln(p.screen.Out, dir)
	return err
}

// fetch pulls the missing files of a plan, after the license was shown, and
// returns the folder.
func (p *puller) fetch(ctx context.Context, plan *hub.Plan) (string, error) {
	left := plan.Left()
	if left > 0 {
		printLicense(p.screen.Err, plan, p.client.Endpoint+"/"+plan.Repo.String())
	}
	bar := p.screen.Bar()
	defer bar.Close()
	had, came := plan.Size()-left, int64(0)
	dir, err := p.client.Pull(ctx, plan, func(done int64) {
		came = done
		bar.Bytes(max(0, done-had), max(left, 1))
	})
	bar.Close()
	if err != nil && left > 0 {
		p.kept(ctx, err, came)
	}
	return dir, err
}

// kept says that a download that has failed can be resumed, if it can. came is the
// number of its bytes on this machine.
func (p *puller) kept(ctx context.Context, err error, came int64) {
	lasts := hub.Permanent(err) || errors.Is(err, os.ErrPermission) || errors.Is(err, hub.ErrWrongBytes)
	if came > 0 && (ctx.Err() != nil || !lasts) {
		fmt.Fprintln(p.screen.Err, "What has come is kept: the same command resumes the download.")
	}
}

// printHashes prints what identifies a model whose files the program does not
// know, for whoever sees that it works to report.
func printHashes(w io.Writer, plan *hub.Plan, dir string) {
	fmt.Fprintf(w, "The program does not know these files of %s at %s yet:\n", plan.Repo, plan.Commit)
	for _, f := range plan.Weights() {
		fmt.Fprintf(w, "  %s  %s\n", f.Hash, f.Path)
	}
	if f, err := weights.OpenFolder(dir); err == nil {
		defer f.Close()
		if fingerprint, err := model.Fingerprint(f); err == nil {
			fmt.Fprintf(w, "  fingerprint %08x\n", fingerprint)
		}
	}
	fmt.Fprintln(w, "If the model works, please report these lines (see the README), so that the program can check them.")
}

// printPlan prints the files with their sizes, the sum, and their folder.
func printPlan(w io.Writer, p *hub.Plan, dir string) error {
	at := p.Revision
	if at != p.Commit {
		at += " (" + p.Commit[:12] + ")"
	}
	fmt.Fprintf(w, "%s at %s\n", p.Repo, at)
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
	fmt.Fprintf(t, "%s\t%s\t  in all\n", terminal.ByteCount(p.Size()), terminal.ByteCount(p.Left())+" to download")
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "into %s\n", dir)
	return err
}

func state(f hub.Item) string {
	switch f.Have {
	case f.Size:
		return "have"
	case 0:
		return "to download"
	}
	return terminal.ByteCount(f.Size-f.Have) + " to download"
}

// printLicense prints what the model's card says about its license.
func printLicense(w io.Writer, plan *hub.Plan, page string) {
	l := plan.License
	switch {
	case l.Name == "" && l.Text == nil:
		fmt.Fprintf(w, "The model's card names no license: %s\n", page)
		return
	case l.Name == "":
		fmt.Fprintf(w, "The model's card, %s, has a license", page)
	default:
		fmt.Fprintf(w, "The model's card, %s, names the license %s", page, l.Name)
	}
	if l.Link != "" {
		fmt.Fprintf(w, " (%s)", l.Link)
	}
	fmt.Fprintln(w, ". It binds you and whomever you pass the weights on to.")
	for _, line := range l.Text {
		for _, row := range wrap(line, 76) {
			fmt.Fprintf(w, "    %s\n", row)
		}
	}
}

// wrap breaks a line between words into rows of at most width characters,
// except for longer words.
func wrap(line string, width int) (rows []string) {
	row, length := "", 0
	for _, word := range strings.Fields(line) {
		n := utf8.RuneCountInString(word)
		if length > 0 && length+1+n > width {
			rows, row, length = append(rows, row), "", 0
		}
		if length > 0 {
			row, length = row+" ", length+1
		}
		row, length = row+word, length+n
	}
	return append(rows, row)
}
