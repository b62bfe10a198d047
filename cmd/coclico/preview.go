package main

import (
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/coclico/coclico/cmd/internal/files"
	"github.com/coclico/coclico/cmd/internal/picture"
	"github.com/coclico/coclico/cmd/internal/terminal"
	"github.com/coclico/coclico/codec"
)

// A place is where previews are shown: the name of a PNG file, or a way to draw
// on the terminal.
type place string

// previewFlag adds --preview.
func previewFlag(cmd *cobra.Command) *place {
	p := new(place)
	cmd.Flags().Var(p, "preview", "one file: show what is painted, in a PNG `file`, or on the terminal: terminal, or as sixel, kitty, iterm2 or blocks")
	completeWith(cmd, "preview", func(_ *cobra.Command, _ []string, start string) (words []cobra.Completion, _ cobra.ShellCompDirective) {
		for _, g := range terminal.AllGraphics {
			if strings.HasPrefix(string(g), start) {
				words = append(words, string(g))
			}
		}
		return words, cobra.ShellCompDirectiveDefault
	})
	return p
}

func (p *place) String() string { return string(*p) }
func (p *place) Type() string   { return "string" }

func (p *place) Set(s string) error {
	*p = place(s)
	if _, ok := p.graphics(); !ok && strings.ToLower(filepath.Ext(s)) != ".png" {
		return errors.New("must be terminal, sixel, kitty, iterm2, blocks or the name of a .png file")
	}
	return nil
}

// graphics returns the way to draw that the place stands for.
func (p *place) graphics() (terminal.Graphics, bool) {
	g := terminal.Graphics(*p)
	return g, slices.Contains(terminal.AllGraphics, g)
}

// A viewer shows a picture to the user while it is painted.
type viewer struct {
	show func(img image.Image, notes []picture.Note) // nil for nowhere
	next time.Time                                   // when there may be another preview
}

// newViewer returns the viewer at a place. A place where nothing can be shown is
// reported, and is not an error.
func newViewer(ctx context.Context, f *files.IO, s *terminal.Screen, bar *terminal.Bar, p place, input, output string) (*viewer, error) {
	v := new(viewer)
	if p == "" {
		return v, nil
	}
	if want, ok := p.graphics(); ok {
		g, why := s.Graphics(ctx, want)
		if why != "" {
			s.Complain("no previews: " + why)
			return v, nil
		}
		v.show = func(img image.Image, _ []picture.Note) { bar.Draw(img, g) }
		return v, nil
	}
	for _, other := range []string{input, output} {
		if files.Same(string(p), other) || files.FullName(string(p)) == files.FullName(other) {
			return nil, usagef("--preview %s: previews need a file of their own", p)
		}
	}
	encode, err := picture.EncoderFor(string(p))
	if err != nil {
		return nil, err
	}
	v.show = func(img image.Image, notes []picture.Note) {
		err := f.Write(ctx, string(p), func(w io.Writer) error { return encode(w, img, picture.Options{Notes: notes}) })
		if err != nil {
			v.show = nil // one warning is enough
			bar.Close()
			s.Complain("no previews: " + err.Error())
		}
	}
	return v, nil
}

// preview shows a preview, but at most ten a second and for at most a tenth of
// the time.
func (v *viewer) preview(p codec.Preview) {
	start := time.Now()
	if v.show == nil || start.Before(v.next) {
		return
	}
	v.show(p.Image, []picture.Note{{Key: "Comment", Text: fmt.Sprintf("Generated picture: preview after step %d of %d", p.Step, p.Steps)}})
	end := time.Now()
	v.next = end.Add(max(100*time.Millisecond, 10*end.Sub(start)))
}

// finish shows the picture in place of its previews.
func (v *viewer) finish(img image.Image, notes []picture.Note) {
	if v.show != nil {
		v.show(img, notes)
	}
}
