package iqa

import (
	"context"
	_ "embed"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/coclico/coclico/nn"
	"github.com/coclico/coclico/weights"
)

// A Set is the metrics that can be computed, and the names of the others.
type Set struct {
	Metrics []*Metric
	Missing []Missing

	stores []*weights.Store
}

// Missing is a metric without weights.
type Missing struct {
	Metric string
	File   string // the name that its weights would have, without what follows a hyphen and the ending
}

// Find returns the metric of a name, or nil.
func (s *Set) Find(name string) *Metric {
	i := slices.IndexFunc(s.Metrics, func(m *Metric) bool { return m.Name == name })
	if i < 0 {
		return nil
	}
	return s.Metrics[i]
}

// A source is a file of weights and the metrics that it serves.
type source struct {
	file    string
	metrics []string
	build   func(s *weights.Scope) []*Metric
}

// heads are the trained weights beside the trunks of LPIPS and DISTS.
type heads struct{ vgg, alex, dists *weights.Scope }

func (h heads) sources() []source {
	return []source{
		{"vgg16", []string{"LPIPS-vgg", "DISTS"}, h.buildVGG},
		{"alexnet", []string{"LPIPS-alex"}, h.buildAlexNet},
		{"DBCNN_KonIQ10k", []string{"DBCNN"}, buildDBCNN},
		{"musiq_koniq_ckpt", []string{"MUSIQ"}, buildMUSIQ("MUSIQ", 1)},
		{"musiq_spaq_ckpt", []string{"MUSIQ-spaq"}, buildMUSIQ("MUSIQ-spaq", 1)},
		{"musiq_ava_ckpt", []string{"MUSIQ-ava"}, buildMUSIQ("MUSIQ-ava", 10)},
	}
}

// buildVGG reads a VGG16 that was trained on ImageNet. LPIPS and DISTS share
// its convolutions.
func (h heads) buildVGG(s *weights.Scope) []*Metric {
	s.Ignore("classifier", "pre_logits", "head") // by torchvision's and timm's names
	trunk := newVGG(new(nn.WeightSet).Scope(s).Sub("features"), halve)
	l2 := &vgg{stages: trunk.stages, pool: l2Pool}
	return []*Metric{
		{Name: "LPIPS-vgg", Reference: true, Lower: true, minSide: vggSide, score: newLPIPS(trunk, h.vgg).score},
		{Name: "DISTS", Reference: true, Lower: true, minSide: 1, score: newDISTS(l2, h.dists).score},
	}
}

func (h heads) buildAlexNet(s *weights.Scope) []*Metric {
	s.Ignore("classifier")
	set := new(nn.WeightSet)
	trunk := newAlexNet(set.Scope(s).Sub("features"), set)
	return []*Metric{{Name: "LPIPS-alex", Reference: true, Lower: true, minSide: alexnetSide, score: newLPIPS(trunk, h.alex).score}}
}

func buildDBCNN(s *weights.Scope) []*Metric {
	return []*Metric{{Name: "DBCNN", minSide: vggSide, score: alone(newDBCNN(s).score)}}
}

func buildMUSIQ(name string, outputs int) func(*weights.Scope) []*Metric {
	return func(s *weights.Scope) []*Metric {
		return []*Metric{{Name: name, minSide: 1, score: alone(newMUSIQ(s, outputs).score)}}
	}
}

//go:embed heads.safetensors
var headsFile []byte

// Open reads the weights that are in the folders: safetensors files named
// vgg16, alexnet, DBCNN_KonIQ10k, musiq_koniq_ckpt, musiq_spaq_ckpt and
// musiq_ava_ckpt, each with or without a hyphen and a hash, as in
// DBCNN_KonIQ10k-2de81c0a.safetensors. The first folder that has a file counts;
// a folder need not exist. Metrics for which no file is found are in Missing.
func Open(ctx context.Context, dirs ...string) (*Set, error) {
	bundled, err := weights.ReadSafetensors("heads.safetensors", headsFile)
	if err != nil {
		return nil, err
	}
	root := bundled.Scope()
	set := newSet()
	for _, src := range (heads{root.Sub("vgg"), root.Sub("alex"), root.Sub("dists")}).sources() {
		if err := set.open(ctx, src, dirs); err != nil {
			set.Close()
			return nil, err
		}
	}
	return set, nil
}

// open adds the metrics of a source.
func (s *Set) open(ctx context.Context, src source, dirs []string) error {
	path, err := find(dirs, src.file)
	if err != nil {
		return err
	}
	if path == "" {
		for _, name := range src.metrics {
			s.Missing = append(s.Missing, Missing{name, src.file})
		}
		return nil
	}
	store, err := weights.OpenFile(path)
	if err != nil {
		return err
	}
	s.stores = append(s.stores, store)
	s.add(path, src.build(store.Scope()))
	if err := store.Err(); err != nil {
		return err
	}
	return store.CheckFinite(ctx)
}

// Synthetic returns all metrics with the weights of a law: their scores mean
// nothing, but are the same everywhere.
func Synthetic(seed int64) *Set {
	set := newSet()
	vggHeads := synthetic(seed, func(s *weights.Scope) { newLPIPS(&vgg{}, s) })
	alexHeads := synthetic(seed, func(s *weights.Scope) { newLPIPS(&alexnet{}, s) })
	distsHeads := synthetic(seed, func(s *weights.Scope) { newDISTS(nil, s) })
	h := heads{vggHeads.Scope(), alexHeads.Scope(), distsHeads.Scope()}
	for _, src := range h.sources() {
		store := synthetic(seed, func(s *weights.Scope) { src.build(s) })
		set.add(store.Name(), src.build(store.Scope()))
	}
	return set
}

// newSet returns the metrics that have no weights.
func newSet() *Set {
	return &Set{Metrics: []*Metric{
		{Name: "PSNR", Reference: true, minSide: 1, score: psnr},
		{Name: "MS-SSIM", Reference: true, minSide: msssimSide, score: msssim},
	}}
}

func (s *Set) add(file string, metrics []*Metric) {
	for _, m := range metrics {
		m.File = file
		s.Metrics = append(s.Metrics, m)
	}
}

// find returns the path of a file of weights, "" if there is none.
func find(dirs []string, name string) (string, error) {
	for _, dir := range dirs {
		entries, err := os.ReadDir(dir)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return "", weights.NewFileError(dir, err)
		}
		for _, e := range entries {
			stem, ok := strings.CutSuffix(e.Name(), ".safetensors")
			if !ok {
				continue
			}
			if before, _, _ := strings.Cut(stem, "-"); before == name {
				return filepath.Join(dir, e.Name()), nil
			}
		}
	}
	return "", nil
}

// Close unmaps the files. The metrics must not be used afterwards.
func (s *Set) Close() error {
	var errs []error
	for _, store := range s.stores {
		errs = append(errs, store.Close())
	}
	s.stores = nil
	return errors.Join(errs...)
}
