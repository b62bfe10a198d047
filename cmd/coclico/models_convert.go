package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/coclico/coclico/cmd/internal/catalog"
	"github.com/coclico/coclico/cmd/internal/options"
	"github.com/coclico/coclico/cmd/internal/terminal"
	"github.com/coclico/coclico/codec/model/convert"
)

func modelsConvertCmd(s *terminal.Screen) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "convert MODEL|FILE OUT",
		Short: "Make a model smaller, or a .pth or .npz file readable",
		Long: `Convert writes a new model folder: float32 and bfloat16 become float16, old
names of tensors become current ones, and shards become one file. diffusers
still opens it, as long as it has the parts. Values that float16 cannot hold are
an error that names their tensors; --clamp writes the largest float16 instead.

With --constant-context the text encoder (681 MB for the real model) and its
tokenizer are replaced by the encoder's output for the empty prompt (0.3 MB).
Decoded pictures are the same, but the new model cannot read any other prompt.
--encoder-only and --decoder-only keep one half, the latter with the constant.

A FILE of torch.save (.pth) or numpy.savez (.npz) becomes a safetensors file OUT
of the same tensors, as the metrics of coclico evaluate are read. Nothing that
such a file asks to run is run: it is refused. Checkpoints of google-research's
MUSIQ get the names that the network has in PyTorch.`,
		Example: `  coclico models convert DIR unclip16 --constant-context
  coclico models convert DIR decoder --decoder-only
  coclico models convert koniq_ckpt.npz musiq_koniq_ckpt.safetensors`,
		ValidArgsFunction: completeModel,
		Args:              twoArgs("a MODEL or a FILE, and OUT"),
	}
	var o convert.Options
	flags := cmd.Flags()
	flags.BoolVar(&o.EncoderOnly, "encoder-only", false, "keep only what encoding needs")
	flags.BoolVar(&o.DecoderOnly, "decoder-only", false, "keep only what decoding needs")
	flags.BoolVar(&o.ConstantContext, "constant-context", false, "replace the text encoder by a constant")
	flags.BoolVar(&o.Clamp, "clamp", false, "clamp values beyond float16's range, which are an error otherwise")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if o.EncoderOnly && o.DecoderOnly {
			return usagef("--encoder-only and --decoder-only exclude each other")
		}
		if isTensorFile(args[0]) {
			if err := options.NoEffect(flags, args[0]+" is a file, not a model", "encoder-only", "decoder-only", "constant-context", "clamp"); err != nil {
				return err
			}
			return convertFile(cmd.Context(), s, args[0], args[1])
		}
		c, err := catalog.Open(os.Getenv)
		if err != nil {
			return err
		}
		m, err := c.Find(args[0])
		if err != nil {
			return err
		}
		if m.Kind == catalog.KindBuiltIn {
			return errors.New("the built-in model is not a folder: there is nothing to convert")
		}
		bar := s.Bar()
		defer bar.Close()
		o.Progress = bar.Bytes
		report, err := convert.Folder(cmd.Context(), m.Dir, args[1], o)
		bar.Close()
		var beyond *convert.RangeError
		if errors.As(err, &beyond) {
			printBeyond(s.Err, beyond.Tensors)
		}
		if err != nil {
			return err
		}
		printBeyond(s.Err, report.Beyond)
		printConverted(s.Out, report)
		return nil
	}
	return cmd
}

func printBeyond(w io.Writer, tensors []convert.Beyond) {
	for _, b := range tensors {
		fmt.Fprintf(w, "%s: tensor %s: %d values beyond float16's range, the largest %g\n", b.File, b.Tensor, b.Count, b.Largest)
	}
}

func printConverted(w io.Writer, r *convert.Report) {
	var before, after int64
	for _, p := range r.Parts {
		fmt.Fprintf(w, "%-24s %10s -> %s\n", p.Name, terminal.ByteCount(p.Before), terminal.ByteCount(p.After))
		before += p.Before
		after += p.After
	}
	for _, p := range r.Dropped {
		fmt.Fprintf(w, "%-24s %10s    left out\n", p.Name, terminal.ByteCount(p.Before))
		before += p.Before
	}
	fmt.Fprintf(w, "%-24s %10s -> %s\n", "in all", terminal.ByteCount(before), terminal.ByteCount(after))
}
