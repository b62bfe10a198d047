package hub

import (
	"path/filepath"
	"strings"
	"testing"
)

// FuzzListing: whatever a hub answers, the files that are accepted stay inside
// the cache and within the limits.
func FuzzListing(f *testing.F) {
	sha := strings.Repeat("0123456789", 4)
	f.Add([]byte(`{"sha":"` + sha + `","siblings":[{"rfilename":"unet/config.json","size":3,"blobId":"` + sha + `"}]}`))
	f.Add([]byte(`{"sha":"` + sha + `","siblings":[{"rfilename":"a","lfs":{"sha256":"` + strings.Repeat("ab", 32) + `","size":9}},{"rfilename":"b"}]}`))
	f.Add([]byte(`{"sha":"` + sha + `","siblings":[{"rfilename":"../x","size":-1,"blobId":"/"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		l, err := parseListing(data)
		if err != nil {
			if strings.ContainsAny(err.Error(), "\n\x00") {
				t.Errorf("the message %q is not one line", err)
			}
			return
		}
		cache := Cache(filepath.FromSlash("/cache"))
		for _, file := range l.Files {
			inside := cache.snapshot(Repo{"a", "b"}, l.Commit)
			path := filepath.Join(inside, filepath.FromSlash(file.Path))
			if !strings.HasPrefix(path, inside+string(filepath.Separator)) {
				t.Errorf("%q leads to %s", file.Path, path)
			}
			if file.Size < 0 || file.Size > maxSize || file.Hash != "" && filepath.Base(cache.blob(Repo{"a", "b"}, file.Hash)) != file.Hash {
				t.Errorf("%+v", file)
			}
		}
	})
}

func TestNames(t *testing.T) {
	for s, ok := range map[string]bool{"unet/config.json": true, "a b/é_絵.png": true, "../a": false, "/a": false, "a/": false, "a?": false, "c:a": false, "a\x1b[2J": false, "a\u009b2J": false, "a\u202egnp.exe": false, "a\u200b": false} {
		if plainPath(s) != ok {
			t.Errorf("path %q: %v", s, !ok)
		}
	}
	for _, s := range []string{"stabilityai/stable-diffusion-2-1-unclip-small", "a/b", "A_1/b.c-d"} {
		r, err := ParseRepo(s)
		if err != nil || r.String() != s {
			t.Errorf("%s: %v, %v", s, r, err)
		}
		if back, ok := parseFolder(r.folder()); !ok || back != r {
			t.Errorf("%s becomes %s and %v again", s, r.folder(), back)
		}
	}
	for _, s := range []string{"", "a", "/", "a/", "/b", "a/b/c", "../b", "a/..", "a/.b", "a b/c", "a/b--c", "a/b.git", "-a/b", "a/" + strings.Repeat("b", 200)} {
		if r, err := ParseRepo(s); err == nil {
			t.Errorf("%q is %v", s, r)
		}
	}
	for s, ok := range map[string]bool{"main": true, "refs/pr/1": true, "v1.0": true, "": false, "../x": false, "a/../b": false, "/a": false, "-x": false, "a b": false, "a..": false} {
		if (CheckRevision(s) == nil) != ok {
			t.Errorf("revision %q: %v", s, CheckRevision(s))
		}
	}
	if r, rev, err := SplitRevision("a/b@fp16"); err != nil || rev != "fp16" || r.Name != "b" {
		t.Errorf("%v %s %v", r, rev, err)
	}
}

func TestFromEnv(t *testing.T) {
	dir := t.TempDir()
	env := func(m map[string]string) func(string) string { return func(k string) string { return m[k] } }
	for _, test := range []struct {
		env   map[string]string
		cache string
	}{
		{map[string]string{"HF_HOME": dir}, filepath.Join(dir, "hub")},
		{map[string]string{"HF_HOME": dir, "HF_HUB_CACHE": "$HF_HOME/c"}, dir + "/c"},
		{map[string]string{"XDG_CACHE_HOME": dir}, filepath.Join(dir, "huggingface", "hub")},
		{map[string]string{"HF_HOME": dir + "/a b$no-variable"}, filepath.Join(dir+"/a b$no-variable", "hub")},
	} {
		c, err := FromEnv(env(test.env))
		if err != nil || string(c.Cache) != test.cache || c.Endpoint != DefaultEndpoint || c.Offline {
			t.Errorf("%v: %+v, %v", test.env, c, err)
		}
	}
	c, err := FromEnv(env(map[string]string{"HF_HOME": dir, "HF_ENDPOINT": "http://127.0.0.1:9/", "HF_TOKEN": " hf_x\n", "HF_HUB_OFFLINE": "1"}))
	if err != nil || c.Endpoint != "http://127.0.0.1:9" || c.Token != "hf_x" || !c.Offline {
		t.Errorf("%+v, %v", c, err)
	}
	for _, bad := range []string{"ftp://x", "huggingface.co", "https://u:secret@x"} {
		if _, err := FromEnv(env(map[string]string{"HF_HOME": dir, "HF_ENDPOINT": bad})); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("endpoint %s: %v", bad, err)
		}
	}
	for _, name := range []string{"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"} {
		if c, err := FromEnv(env(map[string]string{"HF_HOME": dir, name: "se cret"})); err == nil || !strings.HasPrefix(err.Error(), name) || strings.Contains(err.Error(), "cret") {
			t.Errorf("%+v, %v", c, err)
		}
	}
	for _, name := range []string{"HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"} {
		c, err := FromEnv(env(map[string]string{"HF_HOME": dir, name: "yes"}))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Plan(t.Context(), Repo{"a", "b"}, "main", Everything); err == nil || !strings.Contains(err.Error(), " "+name+" ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
