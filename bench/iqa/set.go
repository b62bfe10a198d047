package iqa

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/coclico/coclico/nn"
	"github.com/coclico/coclico/weights"
)

// A Set is the metrics that can be computed, and the names of the others.
type Set struct {
	Metrics    []*Metric
	Aesthetics *Aesthetics // nil if its weights are missing
	Missing    []Missing

	stores []*weights.Store
}

// Missing is a metric without weights.
type Missing struct {
	Metric string
	File   string // what the name of its weights would begin with; see [Open]
}

// Find returns the metric of a name, or nil.
func (s *Set) Find(name string) *Metric {
	i := slices.IndexFunc(s.Metrics, func(m *Metric) bool { return m.Name == name })
	if i < 0 {
		return nil
	}
	return s.Metrics[i]
}

// An Origin is where the weights of a metric are from.
type Origin struct {
	File    string // a path or "synthetic weights"; "" for a metric without weights
	Version string // the first digits of the file's SHA-256, or "synthetic" and the seed
}

// A source is a file of weights and the metrics that it serves.
type source struct {
	file    string
	metrics []string
	build   func(s *weights.Scope, o Origin) []*Metric
}

// heads are the trained weights beside the trunks of LPIPS and DISTS.
type heads struct{ vgg, alex, dists *weights.Scope }

// sources lists the files of weights. The last one sets s.Aesthetics, which
// rates no pictures.
func (s *Set) sources(h heads) []source {
	return []source{
		{"vgg16", []string{"LPIPS-vgg", "DISTS"}, h.buildVGG},
		{"alexnet", []string{"LPIPS-alex"}, h.buildAlexNet},
		{"DBCNN_KonIQ10k", []string{"DBCNN"}, buildDBCNN},
		{"musiq_koniq_ckpt", []string{"MUSIQ"}, buildMUSIQ("MUSIQ", 1)},
		{"musiq_spaq_ckpt", []string{"MUSIQ-spaq"}, buildMUSIQ("MUSIQ-spaq", 1)},
		{"musiq_ava_ckpt", []string{"MUSIQ-ava"}, buildMUSIQ("MUSIQ-ava", 10)},
		{"sac+logos+ava1", []string{"aesthetics"}, func(scope *weights.Scope, o Origin) []*Metric {
			s.Aesthetics = newAesthetics(scope)
			s.Aesthetics.Origin = o
			return nil
		}},
	}
}

// buildVGG reads a VGG16 that was trained on ImageNet. LPIPS and DISTS share
// its convolutions.
func (h heads) buildVGG(s *weights.Scope, o Origin) []*Metric {
	s.Ignore("classifier", "pre_logits", "head") // by torchvision's and timm's names
	trunk := newVGG(new(nn.WeightSet).Scope(s).Sub("features"), halve)
	l2 := &vgg{stages: trunk.stages, pool: l2Pool}
	return []*Metric{
		{Name: "LPIPS-vgg", Reference: true, Lower: true, Origin: o, minSide: vggSide, score: newLPIPS(trunk, h.vgg).score},
		{Name: "DISTS", Reference: true, Lower: true, Origin: o, minSide: 1, score: newDISTS(l2, h.dists).score},
	}
}

func (h heads) buildAlexNet(s *weights.Scope, o Origin) []*Metric {
	s.Ignore("classifier")
	set := new(nn.WeightSet)
	trunk := newAlexNet(set.Scope(s).Sub("features"), set)
	return []*Metric{{Name: "LPIPS-alex", Reference: true, Lower: true, Origin: o, minSide: alexnetSide, score: newLPIPS(trunk, h.alex).score}}
}

// rawDBCNN is in the name of the weights that pyiqa had until 2023. They were
// trained on ratings from 0 to 100, the later ones on ratings from 0 to 1.
const rawDBCNN = "254e8241"

func buildDBCNN(s *weights.Scope, o Origin) []*Metric {
	m := &Metric{Name: "DBCNN", Origin: o, minSide: vggSide, scale: 100, score: alone(newDBCNN(s).score)}
	if strings.Contains(filepath.Base(o.File), rawDBCNN) {
		m.scale = 1
	}
	return []*Metric{m}
}

func buildMUSIQ(name string, outputs int) func(*weights.Scope, Origin) []*Metric {
	return func(s *weights.Scope, o Origin) []*Metric {
		return []*Metric{{Name: name, Origin: o, minSide: 1, score: alone(newMUSIQ(s, outputs).score)}}
	}
}

//go:embed heads.safetensors
var headsFile []byte

// Open reads the weights that are in the folders: safetensors files named
// vgg16, alexnet, DBCNN_KonIQ10k, musiq_koniq_ckpt, musiq_spaq_ckpt,
// musiq_ava_ckpt and sac+logos+ava1, each with or without a hyphen and more, as
// in DBCNN_KonIQ10k-2de81c0a.safetensors. The first folder that has a file
// counts; a folder need not exist. Metrics for which no file is found are in
// Missing.
func Open(ctx context.Context, dirs ...string) (*Set, error) {
	bundled, err := weights.ReadSafetensors("heads.safetensors", headsFile)
	if err != nil {
		return nil, err
	}
	root := bundled.Scope()
	set := newSet()
	for _, src := range set.sources(heads{root.Sub("vgg"), root.Sub("alex"), root.Sub("dists")}) {
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
	version, err := digest(path)
	if err != nil {
		return err
	}
	s.Metrics = append(s.Metrics, src.build(store.Scope(), Origin{path, version})...)
	if err := store.Err(); err != nil {
		return err
	}
	return store.CheckFinite(ctx)
}

// digest returns the first digits of a file's SHA-256.
func digest(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", weights.NewFileError(path, err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", weights.NewFileError(path, err)
	}
	return fmt.Sprintf("%.4x", h.Sum(nil)), nil
}

// Synthetic returns all metrics with the weights of a law: their scores mean
// nothing, but are the same everywhere.
func Synthetic(seed int64) *Set {
	set := newSet()
	h := heads{
		vgg:   synthetic(seed, func(s *weights.Scope) { newLPIPS(&vgg{}, s) }).Scope(),
		alex:  synthetic(seed, func(s *weights.Scope) { newLPIPS(&alexnet{}, s) }).Scope(),
		dists: synthetic(seed, func(s *weights.Scope) { newDISTS(nil, s) }).Scope(),
	}
	for _, src := range set.sources(h) {
		store := synthetic(seed, func(s *weights.Scope) { src.build(s, Origin{}) })
		set.Metrics = append(set.Metrics, src.build(store.Scope(), Origin{store.Name(), fmt.Sprintf("synthetic %d", seed)})...)
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

// find returns the path of a file of weights, or "" if no file matches.
func find(dirs []string, name string) (string, error) {
	for _, dir := range dirs {
		entries, err := os.ReadDir(dir)
		if err != nil && !errors.Is(err, os.ErrNotExist) && !errors.Is(err, syscall.ENOTDIR) { // HOME may be /dev/null
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
