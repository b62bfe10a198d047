package evaluate

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"github.com/coclico/coclico/bench/iqa"
	"github.com/coclico/coclico/nn"
)

// optional are networks that nobody misses: other trainings of MUSIQ.
var optional = []string{"MUSIQ-spaq", "MUSIQ-ava"}

// Networks returns the metrics of a set, exact as published scores must be, and
// those that it lacks; get is one line that says how to get their weights. clip
// reports whether the model's vectors are those of CLIP ViT-L/14, which LAION's
// aesthetics and CMMD-224 are made for.
func Networks(set *iqa.Set, clip bool, get string) []Metric {
	var all []Metric
	for _, m := range set.Metrics {
		all = append(all, network(m))
	}
	for _, m := range set.Missing {
		if !slices.Contains(optional, m.Metric) && m.Metric != aesthetics {
			all = append(all, Metric{Name: m.Metric, Better: better(m.Metric), Missing: get})
		}
	}
	cmmd := Metric{Name: "CMMD-224", Digits: 2, AtLeast: 100, Set: iqa.CMMD}
	if !clip {
		cmmd.Name = "CMMD (model's own tower)"
	}
	return append(all, cmmd, rated(set.Aesthetics, clip, get))
}

// network adapts a metric.
func network(m *iqa.Metric) Metric {
	out := Metric{Name: m.Name, Better: better(m.Name), Digits: 3, Version: m.Version, Weights: fileOf(m.Origin), Alone: !m.Reference, Synthetic: isSynthetic(m.Version)}
	if out.Alone {
		out.Digits = 1
	}
	if m.Name == "PSNR" {
		out.Unit, out.Digits = "dB", 2
	}
	out.Score = func(ctx context.Context, s Subject) (float64, error) {
		var ref *iqa.Picture
		if m.Reference {
			ref = s.Reference.forIQA()
		}
		v, err := m.Score(ctx, nn.Exact, ref, s.Picture.forIQA())
		if err != nil {
			if size := iqa.SizeError(""); errors.As(err, &size) {
				return 0, size
			}
			return 0, errors.New(strings.TrimPrefix(err.Error(), m.Name+": "))
		}
		if m.Name == "PSNR" && math.IsInf(v, 1) {
			v = maxPSNR
		}
		return v, nil
	}
	return out
}

// maxPSNR stands for the infinite PSNR of equal pictures.
const maxPSNR = 100

const aesthetics = "aesthetics"

// rated is LAION's predictor.
func rated(a *iqa.Aesthetics, clip bool, get string) Metric {
	m := Metric{Name: aesthetics, Better: Higher, Digits: 2, Alone: true}
	switch {
	case !clip:
		m.Missing = "needs the vectors of CLIP ViT-L/14, which this model does not have"
	case a == nil:
		m.Missing = get
	default:
		m.Version, m.Weights, m.Synthetic = a.Version, fileOf(a.Origin), isSynthetic(a.Version)
		m.Score = func(_ context.Context, s Subject) (float64, error) { return a.Score(s.Picture.Vector), nil }
	}
	return m
}

// fileOf names a file of weights.
func fileOf(o iqa.Origin) string {
	if o.File == "" || isSynthetic(o.Version) {
		return ""
	}
	return fmt.Sprintf("%s, SHA-256 %s...", filepath.Base(o.File), o.Version)
}

func isSynthetic(version string) bool { return strings.HasPrefix(version, "synthetic") }

// better returns how a metric of package iqa is read.
func better(name string) Direction {
	if strings.HasPrefix(name, "LPIPS") || name == "DISTS" {
		return Lower
	}
	return Higher
}

func (p *Picture) forIQA() *iqa.Picture { return &iqa.Picture{W: p.Side, H: p.Side, Pix: p.RGB} }
