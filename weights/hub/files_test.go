package hub_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"

	"github.com/coclico/coclico/weights/hub"
)

// TestPlanFiles: only the files that are asked for are pulled, with the card,
// and a hash in a name must be the file's.
func TestPlanFiles(t *testing.T) {
	f := newHub(t)
	data := []byte("weights")
	good := fmt.Sprintf("net-%.4x.pth", sha256.Sum256(data))
	f.Files[good], f.Files["net-00000000.pth"], f.Files["net-v2.pth"] = data, data, data
	c := client(f, t)
	plan, err := c.PlanFiles(context.Background(), repo, "main", good, "net-v2.pth")
	if err != nil {
		t.Fatal(err)
	}
	dir, err := c.Pull(context.Background(), plan, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := readTree(t, dir), "README.md "+good+" net-v2.pth"; strings.Join(got, " ") != want {
		t.Errorf("pulled %v, want %s", got, want)
	}
	if plan.License.Name != "openrail++" {
		t.Errorf("the license is %q", plan.License.Name)
	}
	for name, want := range map[string]string{"net-00000000.pth": "another file", "none.pth": "no none.pth"} {
		if _, err := c.PlanFiles(context.Background(), repo, "main", name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := c.PlanFiles(context.Background(), hub.Repo{Owner: "no", Name: "body"}, "main", good); err == nil {
		t.Error("a repository that does not exist")
	}
}
