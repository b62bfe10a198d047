package weights

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

const unclip = `{"_class_name":"StableUnCLIPImg2ImgPipeline","unet":["diffusers","UNet2DConditionModel"],"vae":[null,null]}`

// shard returns a safetensors file with [2] tensors of the given names.
func shard(names ...string) string {
	var specs []Spec
	for _, name := range names {
		specs = append(specs, Spec{Name: name, Shape: []int{2}})
	}
	var b bytes.Buffer
	if err := WriteSynthetic(&b, specs, 1); err != nil {
		panic(err)
	}
	return b.String()
}

func index(pairs ...string) string {
	var b strings.Builder
	for i := 0; i < len(pairs); i += 2 {
		b.WriteString(`,"` + pairs[i] + `":"` + pairs[i+1] + `"`)
	}
	return `{"metadata":{"total_size":8},"weight_map":{` + b.String()[1:] + `}}`
}

func memory(files map[string]string) fs.FS {
	m := make(fstest.MapFS)
	for name, data := range files {
		m[name] = &fstest.MapFile{Data: []byte(data)}
	}
	return m
}

func onDisk(t *testing.T, files map[string]string) string {
	dir := t.TempDir()
	for name, data := range files {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(data), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestPartPreference: each folder holds the file that must be opened, and all
// of those before it in the list, which are worse.
func TestPartPreference(t *testing.T) {
	const d, m = "diffusion_pytorch_model", "model"
	files := map[string]string{"model_index.json": unclip}
	for _, best := range []string{
		m + ".safetensors.index.json",
		m + ".safetensors",
		d + ".safetensors",
		d + ".fp16.safetensors.index.json",
		d + ".safetensors.fp16.index.json",
		m + ".safetensors.index.fp16.json",
		d + ".safetensors.index.fp16.json",
		m + ".fp16.safetensors",
		d + ".fp16.safetensors",
	} {
		name := "tensor-of-" + best
		if strings.HasSuffix(best, ".json") {
			files["unet/part-"+best+".safetensors"] = shard(name)
			files["unet/"+best] = index(name, "part-"+best+".safetensors")
		} else {
			files["unet/"+best] = shard(name)
		}
		f, err := OpenFolder(onDisk(t, files))
		if err != nil {
			t.Fatal(err)
		}
		s, err := f.Part("unet")
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Names(); !slices.Equal(got, []string{name}) || s.Name() != f.Path("unet", best) {
			t.Errorf("opened %s with %v, want %s", s.Name(), got, best)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestFolder(t *testing.T) {
	files := map[string]string{
		"model_index.json":                           unclip,
		"unet/config.json":                           `{"unet":1}`,
		"unet/diffusion_pytorch_model.bin":           "PK",
		"vae/config.json":                            `{}`,
		"scheduler/scheduler_config.json":            `{"scheduler":1}`,
		"feature_extractor/preprocessor_config.json": `{"processor":1}`,
		"text_encoder/config.json":                   strings.Repeat(" ", maxConfig+1),
		"tokenizer/vocab.json":                       `{}`,
	}
	dir := onDisk(t, files)
	disk, err := OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	inMemory, err := FolderFS(memory(files), "built-in")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []*Folder{disk, inMemory} {
		for part, want := range map[Part]string{UNet: "unet", Scheduler: "scheduler", FeatureExtractor: "processor"} {
			if got, err := f.Config(part); err != nil || string(got) != `{"`+want+`":1}` {
				t.Errorf("%s: config of %s: %q, %v", f.Name(), part, got, err)
			}
		}
		if !f.Has("unet") || f.Has("vae") || f.Has("image_encoder") || f.Has("../unet") || f.Has("model_index.json") {
			t.Errorf("%s: has the wrong parts", f.Name())
		}
		for part, want := range map[Part][]string{
			"vae":           {f.Name() + ": the model has no vae"},
			"image_encoder": {"the model has no image_encoder"},
			"../unet":       {"the model has no ../unet"},
			"text_encoder":  {f.Path("text_encoder", "config.json"), "larger than"},
			"tokenizer":     {f.Path("tokenizer"), "no tokenizer_config.json in it"},
		} {
			_, err := f.Config(part)
			line(t, err, want...)
		}
		_, err := f.Part("unet")
		line(t, err, f.Path("unet", "diffusion_pytorch_model.bin"), "must be a safetensors file")
		_, err = f.Part("scheduler")
		line(t, err, f.Path("scheduler"), "neither")
		_, err = f.Part("vae")
		line(t, err, "the model has no vae")
		if got := f.ConfigName("scheduler"); got != f.Path("scheduler", "scheduler_config.json") {
			t.Errorf("ConfigName is %s", got)
		}
	}
}

// TestDrop: a folder forgets what it drops, and nothing else.
func TestDrop(t *testing.T) {
	f, err := FolderFS(memory(map[string]string{
		"model_index.json": unclip, "unet/config.json": "{}", "unet/diffusion_pytorch_model.safetensors": shard("a"),
	}), "m")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var stores [2]*Store
	for i := range stores {
		if stores[i], err = f.Part("unet"); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if err := f.Drop(stores[0]); err != nil || len(f.stores) != 1 || f.stores[0] != stores[1] {
			t.Errorf("%v, %d stores left", err, len(f.stores))
		}
	}
	if err := f.Drop(Synthetic(1)); err != nil {
		t.Error(err)
	}
}

func TestNotAModelFolder(t *testing.T) {
	dir := onDisk(t, map[string]string{"file": "", "empty/x": "", "parts/unet/config.json": "{}", "dir/model_index.json/x": ""})
	_, err := OpenFolder(filepath.Join(dir, "nothing"))
	line(t, err, filepath.Join(dir, "nothing")+": no such file")
	_, err = OpenFolder("")
	line(t, err, "no model folder: its name is empty")
	_, err = OpenFolder(filepath.Join(dir, "file"))
	line(t, err, "is a file, a model folder is needed")
	_, err = OpenFolder(filepath.Join(dir, "empty"))
	line(t, err, "no model_index.json")
	_, err = OpenFolder(filepath.Join(dir, "dir"))
	line(t, err, "model_index.json: is not a regular file")
	if f, err := OpenFolder(filepath.Join(dir, "parts")); err != nil || !f.Has("unet") {
		t.Errorf("a folder of parts without model_index.json: %v", err)
	}
}

var badModelIndices = []struct{ data, want string }{
	{``, "does not begin"}, {`[]`, "does not begin"}, {`{`, "unexpected EOF"}, {`{} {}`, "invalid character"},
	{`{}`, "no _class_name"}, {`{"_class_name":5}`, "no _class_name"}, {`{"_class_name":null}`, "no _class_name"},
	{`{"_Class_Name":"StableUnCLIPPipeline"}`, "no _class_name"},
	{`{"_class_name":"StableDiffusionXLPipeline"}`, "a StableDiffusionXLPipeline, a StableUnCLIPImg2ImgPipeline is needed"},
	{`{"_class_name":"A\nB"}`, `"A\nB"`},
	{`{"_class_name":"StableUnCLIPPipeline","_class_name":"X"}`, "_class_name appears twice"},
	{`{"_class_name":"StableUnCLIPPipeline","unet":5}`, "unet is not a pair"},
	{`{"_class_name":"StableUnCLIPPipeline","unet":["a"]}`, "unet is not a pair"},
	{`{"_class_name":"StableUnCLIPPipeline","unet":["a",null]}`, "unet is not a pair"},
	{`{"_class_name":"StableUnCLIPPipeline","vae":["a",{}]}`, "vae is not a pair"},
	{`{"_class_name":"StableUnCLIPPipeline","x":[[[[[[]]]]]]}`, "nested"},
}

func TestBadModelIndex(t *testing.T) {
	for _, c := range badModelIndices {
		_, err := FolderFS(memory(map[string]string{"model_index.json": c.data}), "m")
		line(t, err, "m/model_index.json: ", c.want)
	}
}

// In the hub's cache, every file of a snapshot is a link into a folder of
// blobs.
func TestSymbolicLinks(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("links need a privilege")
	}
	dir := onDisk(t, map[string]string{"blobs/1": unclip, "blobs/2": shard("a"), "blobs/3": `{"x":1}`, "snapshots/r/unet/x": ""})
	link := func(blob, name string) {
		if err := os.Symlink(path.Join("../../../blobs", blob), filepath.Join(dir, "snapshots/r/unet", name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("../../blobs/1", filepath.Join(dir, "snapshots/r/model_index.json")); err != nil {
		t.Fatal(err)
	}
	link("gone", "diffusion_pytorch_model.safetensors")
	link("3", "config.json")
	f, err := OpenFolder(filepath.Join(dir, "snapshots/r"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if c, err := f.Config("unet"); err != nil || string(c) != `{"x":1}` {
		t.Errorf("%q, %v", c, err)
	}
	_, err = f.Part("unet")
	line(t, err, "diffusion_pytorch_model.safetensors: a link to a file that does not exist")
	link("2", "model.safetensors")
	if s, err := f.Part("unet"); err != nil || !slices.Equal(s.Names(), []string{"a"}) {
		t.Errorf("%v", err)
	}
}

// A bytesFile is a file with a method Bytes.
type bytesFile struct{ fs.File }

var given = []byte(shard("a"))

func (bytesFile) Bytes() []byte { return given }

type bytesFS struct{ fs.FS }

func (b bytesFS) Open(name string) (fs.File, error) {
	f, err := b.FS.Open(name)
	if err == nil && path.Ext(name) == ".safetensors" {
		f = bytesFile{f}
	}
	return f, err
}

func TestNoCopyOfBytes(t *testing.T) {
	f, err := FolderFS(bytesFS{memory(map[string]string{"unet/model.safetensors": "x"})}, "m")
	if err != nil {
		t.Fatal(err)
	}
	s, err := f.Part("unet")
	if err != nil {
		t.Fatal(err)
	}
	a, _ := s.Lookup("a")
	if &a.Data[len(a.Data)-1] != &given[len(given)-1] {
		t.Error("the data was copied")
	}
}

func TestSyntheticFolder(t *testing.T) {
	f, err := SyntheticFolder(memory(map[string]string{"model_index.json": unclip, "unet/config.json": "{}"}), "built-in", 3)
	if err != nil {
		t.Fatal(err)
	}
	s, err := f.Part("unet")
	if err != nil {
		t.Fatal(err)
	}
	if x := s.Scope().Tensor("a", 2); !bytes.Equal(x.Data, SynthTensor("a", []int{2}, 3).Data) {
		t.Errorf("%v", x)
	}
	_, err = f.Part("vae")
	line(t, err, "the model has no vae")
	if err := f.Close(); err != nil {
		t.Error(err)
	}
}

func TestOpenFileErrors(t *testing.T) {
	dir := onDisk(t, map[string]string{"empty.safetensors": "", "text.safetensors": "not a tensor in sight"})
	for name, want := range map[string]string{"": "is a folder", "none": "no such file", "empty.safetensors": "is empty", "text.safetensors": "not a safetensors file"} {
		file := filepath.Join(dir, name)
		_, err := OpenFile(file)
		line(t, err, file+": ", want)
	}
}

// Systems without memory mapping read the whole file.
func TestReadRegion(t *testing.T) {
	if r, err := readRegion(strings.NewReader("abc"), 3, "x"); err != nil || string(r.data) != "abc" || r.close() != nil {
		t.Errorf("%v", err)
	}
	_, err := readRegion(strings.NewReader("ab"), 3, "x")
	line(t, err, "x: ", io.ErrUnexpectedEOF.Error())
}

// A locked file system has a file that may not be examined.
type locked struct {
	fs.FS
	name string
}

func (l locked) Open(name string) (fs.File, error) {
	if name == l.name {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	}
	return l.FS.Open(name)
}

// TestLockedVariant: where the preferred weights may not be examined, others do not
// take their place.
func TestLockedVariant(t *testing.T) {
	files := map[string]string{"model_index.json": unclip, "unet/config.json": "{}", "unet/diffusion_pytorch_model.safetensors": shard("a")}
	preferred := "unet/diffusion_pytorch_model.fp16.safetensors"
	f, err := FolderFS(locked{memory(files), preferred}, "m")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Part(UNet); !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), preferred) {
		t.Errorf("error %v", err)
	}
}

// TestBorrow: a borrowed part is the other folder's in every respect, and
// closed with the borrower.
func TestBorrow(t *testing.T) {
	open := func(name string, files map[string]string) *Folder {
		files["model_index.json"] = `{"_class_name":"StableUnCLIPPipeline"}`
		f, err := FolderFS(memory(files), name)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	mine := map[string]string{"unet/config.json": `{"mine":1}`, "unet/model.safetensors": shard("a"), "vae/config.json": `{"mine":2}`}
	f := open("mine", mine)
	from := open("other", map[string]string{"unet/config.json": `{"other":1}`, "unet/model.safetensors": shard("b")})
	f.Borrow(UNet, from)
	s, err := f.Part(UNet)
	if err != nil || !slices.Equal(s.Names(), []string{"b"}) {
		t.Fatalf("%v, %v", s, err)
	}
	if c, err := f.Config(UNet); err != nil || string(c) != `{"other":1}` || f.PartPath(UNet) != "other/unet" || f.ConfigName(UNet) != "other/unet/config.json" {
		t.Errorf("%s, %v, %s, %s", c, err, f.PartPath(UNet), f.ConfigName(UNet))
	}
	if c, err := f.Config(VAE); err != nil || string(c) != `{"mine":2}` || !f.Has(UNet) {
		t.Errorf("%s, %v", c, err)
	}
	if len(from.stores) != 1 {
		t.Errorf("%d stores in the other folder", len(from.stores))
	}
	if err := f.Drop(s); err != nil || len(from.stores) != 0 {
		t.Errorf("%v, %d stores after Drop", err, len(from.stores))
	}
	if _, err := f.Part(UNet); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil || len(from.stores) != 0 {
		t.Errorf("%v, %d stores left", err, len(from.stores))
	}
}
