package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/coclico/coclico/cmd/internal/catalog"
	"github.com/coclico/coclico/cmd/internal/terminal"
	"github.com/coclico/coclico/weights"
	"github.com/coclico/coclico/weights/hub"
)

// A metricFile is a file with the weights of a network that rates pictures.
type metricFile struct {
	path string // on the hub, or its name elsewhere
	name string // in the folder of metrics, without the ending
	hash string // its SHA-256; "" if path ends in the first digits, or it is unknown
	size int64  // where no hub lists it
	keep func(tensor string) bool
}

// A metricSource is a place with such files: a repository on the hub, or the
// address of a folder elsewhere.
type metricSource struct {
	repo    hub.Repo
	address string // "" for the hub
	license string // of what is not on the hub, which has a card
	files   []metricFile
}

// metricSources are what pull --metrics pulls.
var metricSources = []metricSource{
	{repo: hub.Repo{Owner: "chaofengc", Name: "IQA-PyTorch-Weights"}, files: []metricFile{
		{path: "musiq_koniq_ckpt-e95806b9.pth", name: "musiq_koniq_ckpt-e95806b9"},
		{path: "musiq_spaq_ckpt-358bb6af.pth", name: "musiq_spaq_ckpt-358bb6af"},
		{path: "musiq_ava_ckpt-e8d3f067.pth", name: "musiq_ava_ckpt-e8d3f067"},
		{path: "DBCNN_KonIQ10k-2de81c0a.pth", name: "DBCNN_KonIQ10k-2de81c0a"},
	}},
	{repo: hub.Repo{Owner: "timm", Name: "vgg16.tv_in1k"}, files: []metricFile{
		{path: "model.safetensors", name: "vgg16", keep: isFeature},
	}},
	// A copy of the file in github.com/christophschuhmann/improved-aesthetic-predictor.
	{repo: hub.Repo{Owner: "camenduru", Name: "improved-aesthetic-predictor"}, files: []metricFile{
		{path: "sac+logos+ava1-l14-linearMSE.pth", name: "sac+logos+ava1-l14-linearMSE", hash: "21dd590f3ccdc646f0d53120778b296013b096a035a2718c9cb0d511bff0f1e0"},
	}},
	// The hub has AlexNet in copies of private persons only.
	{address: "https://download.pytorch.org/models/", license: "torchvision's, BSD-3-Clause", files: []metricFile{
		{path: "alexnet-owt-7be5be79.pth", name: "alexnet-owt-7be5be79", size: 244408911, keep: isFeature,
			hash: "7be5be791159472b1fbf3c69796f7cb30dca7ad8466c2df70058c37116cdee02"},
	}},
}

// isFeature reports whether a tensor belongs to the convolutions of VGG16 or
// AlexNet. Nine tenths of their files are the classifier, which nobody needs.
func isFeature(tensor string) bool { return strings.HasPrefix(tensor, "features.") }

// pullMetrics pulls the networks that are not in the folder of metrics, and
// converts them. A source that fails does not keep the others from coming.
func (p *puller) pullMetrics(ctx context.Context, planOnly bool) error {
	dir, err := catalog.MetricsDir(os.Getenv)
	if err != nil {
		return err
	}
	if err := p.connect(); err != nil {
		return err
	}
	var failed error
	for _, source := range metricSources {
		source.files = missing(dir, source.files)
		if len(source.files) == 0 {
			continue
		}
		if err := p.pullSource(ctx, source, dir, planOnly); err != nil {
			if ctx.Err() != nil {
				return err
			}
			if failed != nil {
				p.screen.Complain(failed.Error())
			}
			failed = err
		}
	}
	if planOnly || failed != nil {
		return failed
	}
	fmt.Fprintln(p.screen.Err, "coclico evaluate now has MUSIQ, DBCNN, LPIPS, DISTS and LAION's aesthetics. The downloads in the hub's cache are no longer needed.")
	_, err = fmt.Fprintln(p.screen.Out, dir)
	return err
}

// missing returns the files that are not in a folder of metrics.
func missing(dir string, files []metricFile) (wanted []metricFile) {
	for _, f := range files {
		if _, err := os.Stat(filepath.Join(dir, f.name+".safetensors")); err != nil {
			wanted = append(wanted, f)
		}
	}
	return wanted
}

// pullSource pulls the files of a source and converts them, or only lists them.
func (p *puller) pullSource(ctx context.Context, source metricSource, dir string, planOnly bool) error {
	if source.address != "" {
		return p.pullElsewhere(ctx, source, dir, planOnly)
	}
	snapshot, err := p.pullFiles(ctx, source, planOnly)
	if err != nil || planOnly {
		return err
	}
	for _, f := range source.files {
		if err := p.convertMetric(ctx, filepath.Join(snapshot, filepath.FromSlash(f.path)), dir, f); err != nil {
			return err
		}
	}
	return nil
}

// pullFiles pulls files of a repo and returns their folder, or only lists them.
func (p *puller) pullFiles(ctx context.Context, source metricSource, planOnly bool) (string, error) {
	var paths []string
	hashes := map[string]string{}
	for _, f := range source.files {
		paths = append(paths, f.path)
		hashes[f.path] = f.hash
	}
	bar := p.screen.Bar()
	defer bar.Close()
	bar.Line("asking " + p.client.Endpoint)
	plan, err := p.client.PlanFiles(ctx, source.repo, hub.MainRevision, paths...)
	bar.Close()
	if err != nil {
		return "", err
	}
	for _, f := range plan.Files {
		if hash := hashes[f.Path]; hash != "" && hash != f.Hash {
			return "", fmt.Errorf("%s: %s: the hub has another file than the one that is known", source.repo, f.Path)
		}
	}
	if planOnly {
		return "", printPlan(p.screen.Out, plan, p.client.Cache.Path(source.repo))
	}
	if err := printPlan(p.screen.Err, plan, p.client.Cache.Path(source.repo)); err != nil {
		return "", err
	}
	return p.fetch(ctx, plan)
}

// pullElsewhere pulls files that are not on the hub into the folder of metrics
// and converts them, or only lists them.
func (p *puller) pullElsewhere(ctx context.Context, source metricSource, dir string, planOnly bool) error {
	for _, f := range source.files {
		list := func(w io.Writer) error {
			_, err := fmt.Fprintf(w, "%s%s\n%s to download, license: %s\ninto %s\n", source.address, f.path, terminal.ByteCount(f.size), source.license, dir)
			return err
		}
		if planOnly {
			if err := list(p.screen.Out); err != nil {
				return err
			}
			continue
		}
		if err := list(p.screen.Err); err != nil {
			return err
		}
		if err := p.pullAddress(ctx, source.address+f.path, f, dir); err != nil {
			return err
		}
	}
	return nil
}

// pullAddress pulls a file into the folder of metrics, converts it and deletes
// it.
func (p *puller) pullAddress(ctx context.Context, address string, f metricFile, dir string) error {
	to := filepath.Join(dir, path.Base(f.path))
	bar := p.screen.Bar()
	defer bar.Close()
	came := int64(0)
	err := p.client.PullAddress(ctx, address, hub.File{Path: f.path, Size: f.size, Hash: f.hash}, to, func(done int64) {
		came = done
		bar.Bytes(max(0, done), f.size)
	})
	bar.Close()
	if err != nil {
		p.kept(ctx, err, came)
		return err
	}
	if err := p.convertMetric(ctx, to, dir, f); err != nil {
		return err
	}
	return os.Remove(to)
}

// convertMetric writes a pulled file to the folder of metrics.
func (p *puller) convertMetric(ctx context.Context, in, dir string, f metricFile) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return weights.NewFileError(dir, err)
	}
	bar := p.screen.Bar()
	defer bar.Close()
	_, _, err := writeTensors(ctx, bar, in, filepath.Join(dir, f.name+".safetensors"), f.keep)
	return err
}
