package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/coclico/coclico/cmd/internal/catalog"
	"github.com/coclico/coclico/cmd/internal/files"
	"github.com/coclico/coclico/cmd/internal/terminal"
	"github.com/coclico/coclico/weights/hub"
)

func modelsCmd(f *files.IO, s *terminal.Screen) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "models",
		Short: "List, choose, check and convert models",
		Long: `Models lists the models on this machine: the built-in one, those that were
pulled or that Python has downloaded, and folders with a name. The one with a *
is used without --model; $` + modelVar + ` takes precedence over it. Names and
the default are kept in coclico/config.json in the user's folder for
configurations, or in the file that $` + catalog.ConfigVar + ` names.`,
		Example: "  coclico models\n  coclico models add unclip16 /data/unclip-fp16\n  coclico models use unclip16\n  coclico models check unclip16",
		Args:    noArgs,
	}
	asJSON := cmd.Flags().Bool("json", false, "print JSON")
	cmd.RunE = func(cmd *cobra.Command, args []string) error { return listModels(s, *asJSON) }
	cmd.AddCommand(modelsUseCmd(s), modelsAddCmd(s), modelsRemoveCmd(f, s), modelsCheckCmd(s), modelsConvertCmd(s))
	list := &cobra.Command{Use: "list", Short: "List the models: coclico models", Args: noArgs, Example: "  coclico models list --json"}
	listJSON := list.Flags().Bool("json", false, "print JSON")
	list.RunE = func(*cobra.Command, []string) error { return listModels(s, *listJSON) }
	cmd.AddCommand(list)
	return cmd
}

func listModels(s *terminal.Screen, asJSON bool) error {
	c, err := catalog.Open(os.Getenv)
	if err != nil {
		return err
	}
	all, err := c.List()
	if err != nil {
		return err
	}
	list := make([]catalog.Description, len(all))
	for i, m := range all {
		list[i] = c.Describe(m)
	}
	if asJSON {
		enc := json.NewEncoder(s.Out)
		enc.SetIndent("", "  ")
		return enc.Encode(list)
	}
	if err := printModels(s.Out, list); err != nil {
		return err
	}
	if dir, ok := catalog.FindText(os.Getenv); ok {
		_, err = fmt.Fprintf(s.Out, "text tower for search: %s\n", terminal.Printable(dir))
	}
	return err
}

func printModels(w io.Writer, list []catalog.Description) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "  NAME\tKIND\tSIZE\tPRECISION\tMODEL\tFOR\tLICENSE")
	for _, d := range list {
		mark := " "
		if d.Default {
			mark = "*"
		}
		if d.Problem != "" && d.Fingerprint == "" {
			fmt.Fprintf(t, "%s %s\t%s\t%s\n", mark, d.Name, d.Kind, strings.ReplaceAll(d.Problem, "\t", " "))
			continue
		}
		size := "-"
		if d.Size > 0 {
			size = terminal.ByteCount(d.Size)
		}
		fmt.Fprintf(t, "%s %s\t%s\t%s\t%s\t%s\t%s\t%s\n", mark, d.Name, d.Kind, size, cmp.Or(d.Precision, "-"), cmp.Or(d.ID, "-"), uses(d), cmp.Or(d.License, "-"))
	}
	return t.Flush()
}

func uses(d catalog.Description) string {
	switch {
	case d.Encodes && d.Decodes:
		return "both"
	case d.Encodes:
		return "encode"
	case d.Decodes:
		return "decode"
	case d.Kind == catalog.KindPulled:
		return "incomplete"
	}
	return "-"
}

func modelsUseCmd(s *terminal.Screen) *cobra.Command {
	cmd := &cobra.Command{
		Use:               "use NAME",
		Short:             "Make a model the default",
		Example:           "  coclico models use diffusers/stable-diffusion-2-1-unclip-i2i-l\n  coclico models use built-in",
		ValidArgsFunction: completeModel,
		Args:              oneArg("NAME"),
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := catalog.Open(os.Getenv)
		if err != nil {
			return err
		}
		m, err := c.Find(args[0])
		if err != nil {
			return err
		}
		if d := c.Describe(m); d.Problem != "" {
			return fmt.Errorf("%s: %s", m.Name, d.Problem)
		}
		name := m.Name
		if m.Kind == catalog.KindBuiltIn {
			name = ""
		}
		if err := c.Config.Update(func(now *catalog.Config) { now.Model = name }); err != nil {
			return err
		}
		if v := os.Getenv(modelVar); v != "" {
			fmt.Fprintf(s.Err, "%s is set to %s, which takes precedence.\n", modelVar, v)
		}
		return nil
	}
	return cmd
}

func modelsAddCmd(s *terminal.Screen) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "add NAME DIR",
		Short:   "Give a model folder a name",
		Example: "  coclico models add unclip16 /data/unclip-fp16",
		Args:    twoArgs("a NAME and a DIR"),
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := catalog.CheckName(args[0]); err != nil {
			return usageError{Err: err}
		}
		c, err := catalog.Open(os.Getenv)
		if err != nil {
			return err
		}
		dir, err := filepath.Abs(args[1])
		if err != nil {
			return err
		}
		folder, err := (catalog.Model{Dir: dir}).Open()
		if err != nil {
			return err
		}
		folder.Close()
		was := ""
		err = c.Config.Update(func(now *catalog.Config) {
			if now.Folders == nil {
				now.Folders = map[string]string{}
			}
			was, now.Folders[args[0]] = now.Folders[args[0]], dir
		})
		if err != nil {
			return err
		}
		if was != "" && was != dir {
			fmt.Fprintf(s.Err, "%s was %s.\n", args[0], was)
		}
		return nil
	}
	return cmd
}

func modelsRemoveCmd(f *files.IO, s *terminal.Screen) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "remove NAME",
		Short: "Delete a pulled model, or forget a folder's name",
		Long: `Remove deletes all of a pulled model from the hub's cache: every revision, what
an interrupted pull has left, and what other programs have downloaded of it. For
a folder with a name, it forgets the name; the folder stays.`,
		Example:           "  coclico models remove diffusers/stable-diffusion-2-1-unclip-i2i-l",
		ValidArgsFunction: completeModel,
		Args:              oneArg("NAME"),
	}
	yes := cmd.Flags().Bool("yes", false, "do not ask")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return removeModel(cmd.Context(), f, s, args[0], *yes)
	}
	return cmd
}

func removeModel(ctx context.Context, f *files.IO, s *terminal.Screen, name string, yes bool) error {
	c, err := catalog.Open(os.Getenv)
	if err != nil {
		return err
	}
	m, err := findForRemoval(c, name)
	if err != nil && c.Config.Model != name {
		return err
	}
	was, errWas := c.Find(c.Config.Model)
	wasDefault := c.Config.Model == name || errWas == nil && (was.Name == m.Name || m.Kind == catalog.KindPulled && was.Repo == m.Repo)
	switch m.Kind {
	case catalog.KindBuiltIn:
		return errors.New("the built-in model is part of the program: it cannot be removed")
	case catalog.KindFolder:
		return fmt.Errorf("%s: a folder without a name, which coclico does not delete", name)
	case catalog.KindPulled:
		if err := deletePulled(ctx, f, s, c, m, yes); err != nil {
			return err
		}
	}
	if m.Kind == catalog.KindPulled && !wasDefault {
		return nil // the configuration has not changed
	}
	chosen := c.Config.Model
	err = c.Config.Update(func(now *catalog.Config) {
		if m.Kind == catalog.KindNamed {
			delete(now.Folders, m.Name)
		}
		if wasDefault && now.Model == chosen { // and not chosen since
			now.Model = ""
		}
	})
	if err != nil {
		return err
	}
	wasDefault = wasDefault && c.Config.Model == ""
	if wasDefault {
		fmt.Fprintln(s.Err, "It was the default, which is now the built-in model.")
	}
	return nil
}

// findForRemoval also finds what cannot be used, such as what an interrupted
// pull has left, and does not find a model under another of its names.
func findForRemoval(c *catalog.Catalog, name string) (catalog.Model, error) {
	m, err := c.Find(name)
	repo, revision, errName := hub.SplitRevision(name)
	switch {
	case err == nil && (m.Kind != catalog.KindPulled || m.Repo == repo):
		return m, nil
	case err == nil:
		return catalog.Model{}, fmt.Errorf("%s is not on this machine; the same model is, as %s", name, m.Name)
	case errName == nil && revision == "" && c.Cached(repo):
		return catalog.Model{Name: name, Kind: catalog.KindPulled, Repo: repo}, nil
	}
	return catalog.Model{}, err
}

// deletePulled deletes all revisions of a model, because they share files. A
// user who names one of several revisions does not expect that.
func deletePulled(ctx context.Context, f *files.IO, s *terminal.Screen, c *catalog.Catalog, m catalog.Model, yes bool) error {
	if m.Name != m.Repo.String() && len(c.Cache.Commits(m.Repo)) > 1 {
		return fmt.Errorf("%s: the revisions of a model share files: coclico models remove %s deletes all of them", m.Name, m.Repo)
	}
	question := fmt.Sprintf("Delete %s, %s, all revisions?", c.Cache.Path(m.Repo), terminal.ByteCount(c.Cache.Size(m.Repo)))
	if err := confirm(ctx, f, s, question, yes); err != nil {
		return err
	}
	return c.Cache.Remove(m.Repo)
}

// confirm asks the user if there is a terminal; elsewhere --yes must be given.
func confirm(ctx context.Context, f *files.IO, s *terminal.Screen, question string, yes bool) error {
	if yes {
		return nil
	}
	if !terminal.IsTerminal(f.Stdin()) {
		return usagef("%s --yes is needed where nobody can be asked", question)
	}
	fmt.Fprintf(s.Err, "%s [y/N] ", question)
	line, err := f.ReadLine(ctx)
	if err != nil {
		return err
	}
	switch strings.ToLower(strings.TrimSpace(line)) {
	case "y", "yes":
		return nil
	}
	return errors.New("nothing was deleted")
}
