package main

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/coclico/coclico/bench/evaluate"
	"github.com/coclico/coclico/bench/iqa"
	"github.com/coclico/coclico/cmd/internal/benchmark"
	"github.com/coclico/coclico/cmd/internal/catalog"
	"github.com/coclico/coclico/cmd/internal/files"
	"github.com/coclico/coclico/cmd/internal/options"
	"github.com/coclico/coclico/cmd/internal/picture"
	"github.com/coclico/coclico/cmd/internal/terminal"
	"github.com/coclico/coclico/codec"
	"github.com/coclico/coclico/vit"
	"github.com/coclico/coclico/weights"
)

func evaluateCmd(f *files.IO, s *terminal.Screen) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "evaluate DIR -o OUT",
		Short: "Compare CoCliCo with other codecs on a folder of pictures",
		Long: `Evaluate encodes and decodes every picture of a folder with CoCliCo, with the
codecs whose programs are on PATH (vvencapp and vvdecapp, or an ffmpeg with
libvvenc; cjxl, avifenc, heif-enc, cwebp, cjpeg and their decoders), and with
BlurHash and ThumbHash, and prints a table of bytes, scores, seconds and memory.
Missing programs are named, with how to get them. OUT then has the table as
Markdown, CSV and LaTeX, a page report.html with the pictures side by side, and
a line of JSON for each picture and row.

All rows of a picture begin with the same pixels: the center square, scaled to
--size, or as the rule of a --set has it. A --peer is a folder of pictures that
another codec decoded, named like the input, and a folder of its streams, whose
lengths count, or a CSV file of names and bytes. Both may lie in one folder: the
file with the ending of a picture is the picture. A program that fails, hangs or
writes nonsense is reported with its picture; the rest is evaluated.

Scores of MUSIQ, DBCNN, LPIPS, DISTS and LAION's aesthetics need weights, which
"coclico pull --metrics" gets; without them their columns are dashes.

Ctrl-C or a kill loses only the row at work: the same command resumes, and
repeats what failed and what has changed.
` + builtInHelp,
		Example: `  coclico evaluate photos -o out
  coclico evaluate kodak -o out --set kodak --peer CoD=cod/pictures,cod/streams
  coclico evaluate scenes -o out --figures --paint`,
		Args: oneArg("DIR"),
	}
	flags := cmd.Flags()
	out := flags.StringP("output", "o", "", "`folder` of the results (required)")
	model := modelFlag(cmd)
	var sets []string
	for _, set := range evaluate.Sets() {
		sets = append(sets, set.Name)
	}
	set := choiceFlag(cmd, "set", "any, kodak, clic, div2k or landscape: crop as is usual for the set, and name the pictures that are missing", sets...)
	size := options.Whole(flags, "size", 0, 32, codec.MaxSize, "side of the squares in pixels, a multiple of 8 (default the set's or the model's own)")
	budget := options.Whole(flags, "bytes", 0, codec.MinBytes, codec.MaxBytes, "bytes of the rows at equal bytes (default those of the paper's profile for the same picture)")
	rows := flags.StringSlice("rows", nil, "make these `rows` only, by the names of their folders in OUT/pictures")
	peers := flags.StringArray("peer", nil, "another codec's results, `NAME=PICTURES[,STREAMS]`; may be repeated")
	withFigures := flags.Bool("figures", false, "draw the paper's figures 4, 5 and 6, and rates against scores")
	paint := flags.Bool("paint", false, "with --figures: paint all pictures at all sizes of the color map, which takes long")
	exact := precisionFlag(cmd, "fast", "exact")
	synthetic := flags.Bool("synthetic-metrics", false, "rate with weights made by a law, whose scores mean nothing")
	_ = flags.MarkHidden("synthetic-metrics") // for tests and for measuring times
	timeout := options.Whole(flags, "timeout", 60, 1, 86400, "seconds after which a program is killed")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if *out == "" {
			return usagef("evaluate needs an output: -o OUT")
		}
		if err := checkFolder(*out); err != nil {
			return err
		}
		if files.Same(args[0], *out) {
			return usagef("-o %s is the folder of the pictures, which the results would be among: choose another", *out)
		}
		if *paint && !*withFigures {
			return usagef("--paint is for --figures")
		}
		e := &evaluate.Evaluation{
			Out: *out, Size: *size, Bytes: *budget, Rows: *rows, Exact: exact(), IsPictureName: isPictureName,
			Figures: *withFigures, Paint: *paint,
		}
		if flags.Changed("timeout") {
			e.Timeout = time.Duration(*timeout) * time.Second
		}
		var err error
		if e.Set, err = evaluate.SetOf(*set); err != nil {
			return err
		}
		for _, peer := range *peers {
			p, err := evaluate.ParsePeer(peer)
			if err != nil {
				return usagef("--peer %s: %v", peer, err)
			}
			e.Peers = append(e.Peers, p)
		}
		if e.Pictures, err = picturesIn(args[0]); err != nil {
			return err
		}
		set, err := metricSet(cmd.Context(), *synthetic)
		if err != nil {
			return err
		}
		defer set.Close()
		shelf := &shelf{flag: *model}
		defer shelf.close()
		return runEvaluation(cmd.Context(), f, s, shelf, set, e)
	}
	return cmd
}

// picturesIn returns the pictures of a folder in the order of their names.
func picturesIn(dir string) ([]string, error) {
	list, err := os.ReadDir(dir)
	if err != nil {
		return nil, files.Named(dir, err)
	}
	var paths []string
	for _, d := range list {
		path := filepath.Join(dir, d.Name())
		if d.IsDir() || strings.HasPrefix(d.Name(), ".") {
			continue
		}
		info, err := files.Lookup(path)
		if (err != nil || info != nil && info.Mode().IsRegular()) && wantsPicture(path) { // reading it reports the error
			paths = append(paths, path)
		}
	}
	if len(paths) == 0 {
		return nil, files.Named(dir, errors.New("has no pictures"))
	}
	return paths, nil
}

// metricSet returns the metrics for which there are weights on this machine.
func metricSet(ctx context.Context, synthetic bool) (*iqa.Set, error) {
	if synthetic {
		return iqa.Synthetic(1), nil
	}
	dir, err := catalog.MetricsDir(os.Getenv)
	if err != nil {
		return nil, err
	}
	return iqa.Open(ctx, dir)
}

// seesLikeCLIP reports whether a model's image encoder has the shape of CLIP
// ViT-L/14 at 224 pixels. What it was trained on, its shape does not tell.
func seesLikeCLIP(m *shelved) bool {
	folder, err := m.catalog.Open(m.Model)
	if err != nil {
		return false
	}
	defer folder.Close()
	data, err := folder.Config(weights.ImageEncoder)
	if err != nil {
		return false
	}
	c, err := vit.ParseConfig(data)
	return err == nil && c.HiddenSize == 1024 && c.NumHiddenLayers == 24 && c.PatchSize == 14 && c.ImageSize == 224 && c.ProjectionDim == 768
}

// runEvaluation runs an evaluation with the chosen model, and prints its table.
func runEvaluation(ctx context.Context, f *files.IO, s *terminal.Screen, shelf *shelf, set *iqa.Set, e *evaluate.Evaluation) error {
	m, err := shelf.choose()
	if err == nil {
		err = m.idErr
	}
	if err != nil {
		return err
	}
	if e.Codec, err = shelf.use(m); err != nil {
		return err
	}
	e.Model, e.Version, e.Side = m.label, build(), m.side
	e.Metrics = evaluate.Networks(set, seesLikeCLIP(m), "no weights: coclico pull --metrics")
	if err := files.Probe(e.Out); err != nil {
		return err
	}
	board := s.Board()
	defer board.Close()
	board.Start(len(e.Pictures))
	done := 0
	e.Begin = func(p evaluate.Progress) { board.Show(p.Picture, p.Row, p.Step, p.Steps) }
	e.End = func(failed bool) {
		done++
		if failed {
			board.Failed()
		} else {
			board.Done()
		}
	}
	e.Read = func(ctx context.Context, path string) (image.Image, error) {
		in, err := openSource(ctx, f, path, true)
		if err != nil {
			return nil, err
		}
		src, err := in.read()
		if err != nil {
			return nil, err
		}
		board.Warn(path, src.warnings)
		return picture.Over(src.img, color.RGBA{255, 255, 255, 255}), nil
	}
	e.Write = func(path string, fill func(io.Writer) error) error { return f.Write(ctx, path, fill) }
	e.Lock = weights.Lock
	e.ResetMemory, e.PeakMemory = benchmark.ResetPeakMemory, benchmark.PeakMemory
	r, err := e.Run(ctx)
	board.Close()
	if errors.Is(err, context.Canceled) {
		return interruptedError(fmt.Sprintf("interrupted with %d of %d pictures done; the same command resumes", done, len(e.Pictures)))
	}
	if err != nil {
		return err
	}
	names, err := e.Save(r)
	if err != nil {
		return err
	}
	if err := r.Markdown(s.Out); err != nil {
		return err
	}
	s.Note("%s: %s, pictures and records.jsonl", e.Out, strings.Join(names, ", "))
	switch n := len(r.Problems); n {
	case 0:
	case 1:
		return errors.New("one problem, named below the table; the same command tries what failed again")
	default:
		return fmt.Errorf("%d problems, listed below the table; the same command tries what failed again", n)
	}
	return nil
}
