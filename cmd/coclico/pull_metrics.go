package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/coclico/coclico/cmd/internal/catalog"
	"github.com/coclico/coclico/weights"
	"github.com/coclico/coclico/weights/hub"
)

// A metricFile is a file on the hub with the weights of a network that rates
// pictures.
type metricFile struct {
	path, name string // on the hub; in the folder of metrics, without the ending
	keep       func(tensor string) bool
}

// metricFiles are what pull --metrics pulls.
var metricFiles = []struct {
	repo  hub.Repo
	files []metricFile
}{
	{hub.Repo{Owner: "chaofengc", Name: "IQA-PyTorch-Weights"}, []metricFile{
		{"musiq_koniq_ckpt-e95806b9.pth", "musiq_koniq_ckpt-e95806b9", nil},
		{"DBCNN_KonIQ10k-2de81c0a.pth", "DBCNN_KonIQ10k-2de81c0a", nil},
	}},
	// Nine tenths of this file are the classifier, which nobody needs.
	{hub.Repo{Owner: "timm", Name: "vgg16.tv_in1k"}, []metricFile{
		{"model.safetensors", "vgg16", func(tensor string) bool { return strings.HasPrefix(tensor, "features.") }},
	}},
}

// pullMetrics pulls the networks that are not in the folder of metrics, and
// converts them.
func (p *puller) pullMetrics(ctx context.Context, planOnly bool) error {
	dir, err := catalog.MetricsDir(os.Getenv)
	if err != nil {
		return err
	}
	if err := p.connect(); err != nil {
		return err
	}
	for _, source := range metricFiles {
		var wanted []metricFile
		var paths []string
		for _, f := range source.files {
			if _, err := os.Stat(filepath.Join(dir, f.name+".safetensors")); err != nil {
				wanted = append(wanted, f)
				paths = append(paths, f.path)
			}
		}
		if len(wanted) == 0 {
			continue
		}
		snapshot, err := p.pullFiles(ctx, source.repo, paths, planOnly)
		if err == nil && !planOnly {
			err = convertMetrics(snapshot, dir, wanted)
		}
		if err != nil {
			return err
		}
	}
	if planOnly {
		return nil
	}
	fmt.Fprintln(p.screen.Err, "coclico evaluate now has MUSIQ, DBCNN, LPIPS and DISTS. The downloads in the hub's cache are no longer needed.")
	_, err = fmt.Fprintln(p.screen.Out, dir)
	return err
}

// pullFiles pulls files of a repo and returns their folder, or only lists them.
func (p *puller) pullFiles(ctx context.Context, repo hub.Repo, paths []string, planOnly bool) (string, error) {
	bar := p.screen.Bar()
	defer bar.Close()
	bar.Line("asking " + p.client.Endpoint)
	plan, err := p.client.PlanFiles(ctx, repo, hub.MainRevision, paths...)
	bar.Close()
	if err != nil {
		return "", err
	}
	if planOnly {
		return "", printPlan(p.screen.Out, plan, p.client.Cache.Path(repo))
	}
	if err := printPlan(p.screen.Err, plan, p.client.Cache.Path(repo)); err != nil {
		return "", err
	}
	return p.fetch(ctx, plan)
}

// convertMetrics writes the files of a snapshot to the folder of metrics.
func convertMetrics(snapshot, dir string, files []metricFile) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return weights.NewFileError(dir, err)
	}
	for _, f := range files {
		in := filepath.Join(snapshot, filepath.FromSlash(f.path))
		if _, _, err := writeTensors(in, filepath.Join(dir, f.name+".safetensors"), f.keep); err != nil {
			return err
		}
	}
	return nil
}
