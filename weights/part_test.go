package weights

import (
	"slices"
	"testing"
)

// TestParts: the rows of the table are consistent, so that nothing is left out
// when one is added.
func TestParts(t *testing.T) {
	if all := Parts(); len(all) != 10 || len(slices.Compact(slices.Sorted(slices.Values(all)))) != len(all) {
		t.Errorf("%d parts: %v", len(all), all)
	}
	for _, p := range Parts() {
		switch {
		case !p.Encodes() && !p.Decodes():
			t.Errorf("%s is used for nothing", p)
		case p.IsNetwork() && !p.HasWeights():
			t.Errorf("%s is a network without weights", p)
		case p.HasWeights() && !slices.Contains(weightFiles, p.WeightFile()):
			t.Errorf("%s is written to %s, which is never read", p, p.WeightFile())
		case p != PromptEmbeds && !slices.Contains(p.Texts(), p.Config()):
			t.Errorf("the files of %s are %v: no configuration", p, p.Texts())
		}
	}
	if p := Part("prior"); p.Encodes() || p.Decodes() || p.HasWeights() || p.IsNetwork() || p.Config() != "" || p.Texts() != nil {
		t.Errorf("%s, which is not in the table, has %+v", p, p.info())
	}
	if !ImageNormalizer.Encodes() || !ImageNormalizer.Decodes() || ImageEncoder.Decodes() || UNet.Encodes() {
		t.Error("the halves of a model are mixed up")
	}
}
