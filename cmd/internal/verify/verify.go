// Package verify compares what this program computes with golden cases:
// inputs and outputs of the reference implementation, as golden.py makes them.
package verify

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/coclico/coclico/codec/model"
	"github.com/coclico/coclico/kernels"
	"github.com/coclico/coclico/nn"
)

// kinds returns the kinds of cases in the order in which they are verified.
func kinds() []string {
	return []string{"preprocess", "randn", "schedules", "quantizers", "condition", "vision", "text", "vae", "unet", "roundtrip"}
}

func order(kind string) int {
	if i := slices.Index(kinds(), kind); i >= 0 {
		return i
	}
	return len(kinds())
}

// A verifier judges cases, one after the other, with one model.
type verifier struct {
	ctx    context.Context
	w      io.Writer
	model  *model.Model
	exact  bool
	bounds bounds
	ws     nn.Workspace

	release func() // frees the weights of the network that ran last
	judged  int    // tensors
	failed  []string
	current string // the case
	lines   int    // printed for it
}

// Run recomputes the cases at paths, which are files or folders of them, at the
// given precision. It writes a line per tensor and a summary to w, and reports
// whether all tensors are in bounds. At most one network is in memory at a
// time.
func Run(ctx context.Context, w io.Writer, m *model.Model, exact bool, paths []string) (bool, error) {
	files, err := find(paths)
	if err != nil {
		return false, err
	}
	v := &verifier{ctx: ctx, w: w, model: m, exact: exact, bounds: fastBounds()}
	v.ws.Precision = precision(exact)
	if exact {
		v.bounds = exactBounds()
	}
	start := time.Now()
	for _, f := range files {
		if err := v.file(f); err != nil {
			return false, err
		}
	}
	v.drop()
	fmt.Fprintf(w, "%d cases, %d tensors judged, %s kernels, %s, %.1f s: ", len(files), v.judged, kernels.Active(), precision(exact), time.Since(start).Seconds())
	if len(v.failed) == 0 {
		fmt.Fprintln(w, "all in bounds")
		return true, nil
	}
	fmt.Fprintf(w, "%d OUT OF BOUNDS, the first is %s\n", len(v.failed), v.failed[0])
	return false, nil
}

func precision(exact bool) kernels.Precision {
	if exact {
		return kernels.Exact
	}
	return kernels.Fast
}

func (v *verifier) file(path string) error {
	c, err := openCase(path)
	if err != nil {
		return err
	}
	defer c.store.Close()
	fmt.Fprintln(v.w, path)
	v.current, v.lines = path, 0
	start := time.Now()
	switch c.kind {
	case "preprocess":
		err = v.preprocess(c)
	case "randn":
		v.randn(c)
	case "schedules":
		err = v.schedules(c)
	case "quantizers":
		v.quantizers(c)
	case "condition":
		err = v.condition(c)
	case "vision":
		err = v.vision(c)
	case "text":
		err = v.text(c)
	case "unet":
		err = v.unet(c)
	case "vae":
		err = v.vae(c)
	case "roundtrip":
		err = v.roundtrip(c)
	default:
		err = fmt.Errorf("%s: not the name of a case (%v, unet_*)", path, kinds())
	}
	if err == nil && v.lines == 0 {
		c.fail("has no tensors of a %s case", c.kind)
	}
	if err == nil {
		err = c.err
	}
	if err == nil {
		fmt.Fprintf(v.w, "  %.2f s\n", time.Since(start).Seconds())
	}
	return err
}

// report prints a line and records its verdict.
func (v *verifier) report(l line) {
	l.print(v.w)
	v.lines++
	if l.verdict != shown {
		v.judged++
	}
	if l.verdict == failed {
		v.failed = append(v.failed, v.current+": "+l.name)
	}
}

// use frees the network that ran last; release frees the one that runs now.
func (v *verifier) use(release func()) {
	v.drop()
	v.release = release
}

func (v *verifier) drop() {
	if v.release != nil {
		v.release()
		v.release = nil
	}
	v.ws.Close()
}
