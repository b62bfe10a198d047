package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/coclico/coclico/cmd/internal/catalog"
	"github.com/coclico/coclico/cmd/internal/terminal"
	"github.com/coclico/coclico/codec/text"
	"github.com/coclico/coclico/weights"
	"github.com/coclico/coclico/weights/hub"
)

// textRecord is the file beside a pulled text tower with its source.
const textRecord = "source.json"

// A textSource is what a text tower was made of, and its hash.
type textSource struct {
	Repo   string `json:"repo"`
	Commit string `json:"commit"`
	File   string `json:"file"`
	Whole  string `json:"file_sha256"`   // by the hub; of a part it cannot be checked
	Header string `json:"header_sha256"` // of the file's beginning, as it came
	SHA256 string `json:"sha256"`        // of model.safetensors, as it was written
}

// textTower is what the text tower needs of CLIP.
func textTower() hub.Selection {
	return hub.Selection{
		File: catalog.TextWeights,
		Keep: func(name string) bool {
			return (strings.HasPrefix(name, "text_model.") || name == "text_projection.weight") && !strings.HasSuffix(name, "position_ids")
		},
		Needed:   catalog.TextFiles(),
		Optional: []string{"tokenizer_config.json", "special_tokens_map.json"},
	}
}

// pullText pulls CLIP's text tower, unless it exists, and prints its folder.
func (p *puller) pullText(ctx context.Context, planOnly bool) error {
	dir, ok := catalog.FindText(os.Getenv)
	if ok {
		whole, err := p.checkText(ctx, dir)
		if err != nil {
			return err
		}
		if whole {
			fmt.Fprintln(p.screen.Err, "The text tower is on this machine: nothing is downloaded.")
			_, err = fmt.Fprintln(p.screen.Out, dir)
			return err
		}
	}
	dir, err := catalog.TextDir(os.Getenv)
	if err == nil {
		err = p.connect()
	}
	if err != nil {
		return err
	}
	bar := p.screen.Bar()
	defer bar.Close()
	bar.Line("asking " + p.client.Endpoint)
	e, err := p.client.PlanExcerpt(ctx, catalog.TextRepo(), hub.MainRevision, textTower(), filepath.Join(dir, catalog.TextWeights))
	bar.Close()
	if err != nil {
		return err
	}
	shown := *e.Plan
	shown.Files = append(slices.Clone(shown.Files), e.Item)
	if planOnly {
		return printPlan(p.screen.Out, &shown, dir)
	}
	if err := printPlan(p.screen.Err, &shown, dir); err != nil {
		return err
	}
	printLicense(p.screen.Err, e.Plan, p.client.Endpoint+"/"+e.Plan.Repo.String())
	if err := p.fetchText(ctx, e, dir); err != nil {
		return err
	}
	_, err = fmt.Fprintln(p.screen.Out, dir)
	return err
}

// checkText reports whether a text tower can be used as it is. One that was
// pulled and has been damaged since is deleted, to be pulled again.
func (p *puller) checkText(ctx context.Context, dir string) (bool, error) {
	name := filepath.Join(dir, catalog.TextWeights)
	from, recorded := readSource(dir)
	if recorded {
		bar := p.screen.Bar()
		defer bar.Close()
		bar.Line("checking " + name)
		sum, err := fileSum(ctx, name)
		if err != nil {
			return false, err
		}
		if sum != from.SHA256 {
			bar.Close()
			fmt.Fprintf(p.screen.Err, "%s: its bytes have changed since it was pulled: it is pulled again.\n", terminal.Printable(name))
			return false, os.Remove(name)
		}
	}
	return true, openText(ctx, dir)
}

// openText returns an error if a folder has no text tower that can be used: the
// tensors must be those that the configuration implies, and their values finite.
func openText(ctx context.Context, dir string) error {
	e, err := text.Open(ctx, dir)
	if err != nil {
		return err
	}
	return e.Close()
}

// fetchText pulls what a plan lacks, and checks what the folder then has.
func (p *puller) fetchText(ctx context.Context, e *hub.Excerpt, dir string) error {
	bar := p.screen.Bar()
	defer bar.Close()
	snapshot, err := p.client.Pull(ctx, e.Plan, nil)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return weights.NewFileError(dir, err)
	}
	for _, f := range e.Plan.Files {
		if err := copyInto(dir, filepath.Join(snapshot, filepath.FromSlash(f.Path))); err != nil {
			return err
		}
	}
	if err := os.Remove(filepath.Join(dir, textRecord)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err // or it would be of other bytes, if this is killed
	}
	had := e.Item.Have
	came := had
	sum, err := p.client.PullExcerpt(ctx, e, func(done int64) {
		came = done
		bar.Bytes(max(0, done-had), max(e.Item.Size-had, 1))
	})
	bar.Close()
	if err != nil {
		p.kept(ctx, err, came)
		return err
	}
	if err := openText(ctx, dir); err != nil {
		if ctx.Err() == nil {
			err = errors.Join(err, os.Remove(e.Path))
		}
		return err
	}
	return writeSource(dir, textSource{e.Plan.Repo.String(), e.Plan.Commit, e.Of.Path, e.Of.Hash, e.Header, sum})
}

// copyInto copies a small file into a folder, under its name.
func copyInto(dir, name string) error {
	in, err := os.Open(name)
	if err != nil {
		return weights.NewFileError(name, err)
	}
	defer in.Close()
	return weights.WriteFile(filepath.Join(dir, filepath.Base(name)), func(w io.Writer) error {
		_, err := io.Copy(w, in)
		return err
	})
}

// readSource reports whether a folder was pulled, and from where.
func readSource(dir string) (s textSource, ok bool) {
	f, err := os.Open(filepath.Join(dir, textRecord))
	if err != nil {
		return s, false
	}
	defer f.Close()
	err = json.NewDecoder(io.LimitReader(f, 1<<16)).Decode(&s)
	return s, err == nil && s.SHA256 != ""
}

func writeSource(dir string, s textSource) error {
	return weights.WriteFile(filepath.Join(dir, textRecord), func(w io.Writer) error {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		return enc.Encode(s)
	})
}

// fileSum returns the SHA-256 of a file.
func fileSum(ctx context.Context, name string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", weights.NewFileError(name, err)
	}
	defer f.Close()
	sum := sha256.New()
	for {
		_, err := io.CopyN(sum, f, 16<<20)
		switch {
		case err == io.EOF:
			return fmt.Sprintf("%x", sum.Sum(nil)), nil
		case err != nil:
			return "", weights.NewFileError(name, err)
		case ctx.Err() != nil:
			return "", ctx.Err()
		}
	}
}
