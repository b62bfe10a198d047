package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// layers is the floor plan: what a package may import besides the standard
// library. A name ending in /... stands for the packages below it too.
// Imports go down, never sideways; tests may import testOnly besides.
//
// DO NOT CHANGE THIS TABLE TO FIX A BUILD. It is the design: an import that it
// forbids means that code stands in the wrong room.
var layers = []struct {
	pkg  string
	may  []string
	test []string
}{
	// 0: arithmetic; named bytes. They do not know each other.
	{"kernels/mem", nil, nil},
	{"kernels", []string{"kernels/mem", "golang.org/x/sys/cpu", "github.com/x448/float16"}, nil},
	{"internal/mmap", []string{"golang.org/x/sys/unix"}, nil},
	{"weights", []string{"internal/mmap", "github.com/nlpodyssey/safetensors", "github.com/x448/float16"}, nil},
	{"weights/mini/...", []string{"weights"}, nil}, // the built-in model
	{"weights/foreign", []string{"weights"}, nil},  // files of PyTorch and NumPy
	// For cmd alone: a program that imports codec gets no net/http.
	{"weights/hub/...", []string{"weights", "weights/hub/...", "golang.org/x/sys/unix", "golang.org/x/sys/windows"}, nil},
	// 1: layers that two models share; the only room with doors to both cellars.
	{"nn", []string{"kernels", "kernels/mem", "weights"}, nil},
	{"nn/config", []string{"kernels"}, nil},                        // config.json, decoded and checked
	{"internal/nntest", []string{"nn", "kernels", "weights"}, nil}, // for tests alone
	// 2: rooms without doors between them.
	{"vit", []string{"nn", "nn/config", "weights"}, []string{"kernels", "internal/nntest"}},
	{"vit/tokenizer", []string{"golang.org/x/text/unicode/norm"}, nil}, // text to the ids of vit's text towers
	{"unet", []string{"nn", "nn/config", "weights"}, []string{"kernels", "internal/nntest"}},
	{"vae", []string{"nn", "nn/config", "weights"}, []string{"kernels", "internal/nntest"}},
	{"solver", nil, nil},
	// The networks that rate pictures; the harness around them is bench's.
	{"bench/iqa", []string{"nn", "weights"}, []string{"kernels", "internal/nntest"}},
	// 3: the format, in integers and without a model; its numbers; and the two
	// journeys.
	{"codec/format/rangecoder", nil, nil},
	{"codec/format/fit", []string{"codec/format", "codec/quant"}, nil},
	{"codec/format", []string{"codec/format/rangecoder"}, nil},
	{"codec/quant", []string{"codec/format"}, nil},
	// Apart from codec: a program that imports codec gets no Parquet.
	{"codec/archive", []string{"github.com/parquet-go/parquet-go", "github.com/klauspost/compress/zstd", "golang.org/x/sys/unix", "golang.org/x/sys/windows"}, nil},
	// Distances of codes are a kernel; nothing else above the networks is.
	{"codec/search", []string{"codec/archive", "codec/format", "codec/quant", "internal/mmap", "kernels"}, nil},
	{"codec/...", []string{"codec/...", "internal/hook", "vit/...", "unet", "vae", "solver", "nn", "nn/config", "weights", "weights/mini"}, []string{"kernels", "internal/nntest"}},
	{"internal/hook", nil, nil}, // a look into codec for this module's tests and tools
	// 4: nothing imports these.
	// The one room of bench that cmd may enter.
	{"bench/evaluate", []string{"bench/iqa", "internal/hook", "codec/...", "vit", "nn", "gonum.org/v1/gonum/...", "gonum.org/v1/plot/...", "golang.org/x/image/font/...", "github.com/bbrks/go-blurhash"}, nil},
	{"bench/...", []string{"bench/...", "internal/hook", "codec/...", "vit", "unet", "vae", "solver", "nn", "kernels", "kernels/mem", "weights", "weights/mini", "gonum.org/v1/gonum/..."}, nil},
	{"cmd/internal/icc", nil, nil}, // arithmetic on colors
	{"cmd/internal/files/...", []string{"cmd/internal/files", "weights", "golang.org/x/sys/unix"}, []string{"cmd/internal/files/filestest"}},
	{"cmd/internal/batch", []string{"cmd/internal/files"}, []string{"cmd/internal/files/filestest"}},
	{"cmd/internal/terminal", []string{"codec", "github.com/schollz/progressbar/v3", "golang.org/x/term", "golang.org/x/image/draw", "golang.org/x/sys/unix"}, nil},
	{"cmd/internal/page", nil, nil}, // HTML and scripts alone
	{"cmd/coclico-web", []string{"cmd/internal/page", "weights/mini"}, []string{"github.com/chromedp/...", "codec"}},
	{"cmd/coclico-web/wasm", []string{"cmd/internal/picture", "codec", "weights"}, nil},
	{"cmd/internal/pack", []string{"cmd/internal/files"}, nil},
	{"cmd/internal/options", []string{"cmd/internal/picture", "codec", "codec/format", "github.com/spf13/pflag"}, nil},
	{"cmd/internal/inspect", []string{"cmd/internal/files", "cmd/internal/terminal", "codec", "codec/quant"}, nil},
	// What listens: who may connect, what an operator asks, the log.
	{"cmd/internal/process", nil, nil},
	{"cmd/internal/guard", []string{"github.com/spf13/pflag"}, nil},
	{"cmd/internal/admin", []string{"cmd/internal/guard", "github.com/prometheus/client_golang/..."}, nil},
	{"cmd/internal/logging", []string{"github.com/spf13/pflag", "golang.org/x/term"}, nil},
	{"cmd/internal/serve", []string{"cmd/internal/guard", "cmd/internal/inspect", "cmd/internal/options", "cmd/internal/page", "cmd/internal/picture", "codec", "codec/archive", "codec/format", "codec/search", "kernels",
		"github.com/prometheus/client_golang/prometheus", "github.com/spf13/pflag", "golang.org/x/sync/semaphore"},
		[]string{"github.com/getkin/kin-openapi/...", "weights/mini", "golang.org/x/sys/unix"}},
	// A module of its own, for the sake of the others' dependencies.
	{"cmd/coclico-fleet/...", []string{"cmd/coclico-fleet/...", "cmd/internal/...", "codec", "codec/archive", "codec/model", "kernels",
		"github.com/nats-io/nats-server/v2/server", "github.com/nats-io/nats.go/...", "gocloud.dev/...", "github.com/aws/aws-sdk-go-v2/service/s3/types",
		"github.com/parquet-go/parquet-go", "github.com/prometheus/client_golang/...", "github.com/spf13/cobra", "github.com/spf13/pflag", "golang.org/x/sync/..."},
		[]string{"github.com/johannesboyne/gofakes3/...", "codec/model/synth", "k8s.io/api/...", "k8s.io/apimachinery/pkg/apis/meta/v1", "sigs.k8s.io/yaml"}},
	{"cmd/...", []string{"cmd/...", "bench/evaluate", "bench/iqa", "internal/hook", "codec/...", "vit", "unet", "vae", "solver", "nn", "kernels", "weights/...",
		"github.com/spf13/cobra", "github.com/spf13/pflag", "github.com/schollz/progressbar/v3", "golang.org/x/image/...", "golang.org/x/term", "golang.org/x/sys/unix",
		"github.com/HugoSmits86/nativewebp", "github.com/tetratelabs/wazero/..."}, nil},
}

const module = "github.com/coclico/coclico"

// testOnly may be imported by any package's tests.
var testOnly = []string{"gonum.org/v1/gonum/...", "weights", "weights/mini", "golang.org/x/sys/unix"}

func matches(patterns []string, path string) bool {
	path = strings.TrimPrefix(path, module+"/")
	return slices.ContainsFunc(patterns, func(p string) bool {
		dir, below := strings.CutSuffix(p, "/...")
		return path == dir || below && strings.HasPrefix(path, dir+"/")
	})
}

// TestLayers parses every file, whatever its build constraints.
func TestLayers(t *testing.T) {
	root := filepath.Join("..", "..")
	if _, err := os.Stat(filepath.Join(root, "go.mod")); err != nil {
		t.Fatal(err)
	}
	files := 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") && len(d.Name()) > 2) {
			return filepath.SkipDir
		}
		if d.IsDir() || filepath.Ext(path) != ".go" {
			return nil
		}
		files++
		rel, _ := filepath.Rel(root, path)
		checkFile(t, path, filepath.ToSlash(filepath.Dir(rel)))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 50 {
		t.Errorf("only %d files found: is this the whole module?", files)
	}
}

// TestNoFloatInFormat: no floating-point number touches a symbol. Package format
// neither names a floating-point type, nor writes such a constant, nor imports
// package math.
func TestNoFloatInFormat(t *testing.T) {
	dir := filepath.Join("..", "..", "codec", "format")
	for _, dir := range []string{dir, filepath.Join(dir, "rangecoder")} {
		names, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil || len(names) == 0 {
			t.Fatal(names, err)
		}
		for _, name := range names {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(f, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.Ident:
					if slices.Contains([]string{"float32", "float64", "complex64", "complex128"}, n.Name) {
						t.Errorf("%s: %s", name, n.Name)
					}
				case *ast.BasicLit:
					if n.Kind == token.FLOAT || n.Kind == token.STRING && (n.Value == `"math"` || n.Value == `"math/cmplx"`) {
						t.Errorf("%s: %s", name, n.Value)
					}
				}
				return true
			})
		}
	}
}

func checkFile(t *testing.T, path, pkg string) {
	f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
	if err != nil {
		t.Error(err)
		return
	}
	i := slices.IndexFunc(layers, func(l struct {
		pkg  string
		may  []string
		test []string
	}) bool {
		return matches([]string{l.pkg}, pkg)
	})
	if i < 0 {
		t.Errorf("%s: package %s is not in the floor plan", path, pkg)
		return
	}
	may := layers[i].may
	if strings.HasSuffix(path, "_test.go") {
		may = slices.Concat(may, layers[i].test, testOnly, []string{pkg})
	}
	for _, im := range f.Imports {
		name, _ := strconv.Unquote(im.Path.Value)
		first, _, _ := strings.Cut(name, "/")
		if name == "C" {
			t.Errorf("%s: imports C: no cgo, ever", path)
		} else if strings.Contains(first, ".") && !matches(may, name) {
			t.Errorf("%s: %s may not import %s", path, pkg, name)
		}
	}
}
