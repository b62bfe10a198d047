package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/coclico/coclico/cmd/internal/catalog"
)

// Variables that make the test binary the program, and change it.
const (
	childVar   = "COCLICO_TEST_CHILD"
	stampVar   = "COCLICO_TEST_STAMP"   // its version
	storeVar   = "COCLICO_TEST_STORE"   // bytes that the queue may take
	pictureVar = "COCLICO_TEST_PICTURE" // what pictures do: "a.png=panic,b.png=hang,c.png=exit,d.png=full,*=10ms"
	seedVar    = "COCLICO_TEST_SEED"
)

func TestMain(m *testing.M) {
	if os.Getenv(childVar) != "" {
		stamp = os.Getenv(stampVar)
		if n, err := strconv.ParseInt(os.Getenv(storeVar), 10, 64); err == nil {
			maxStore = n
		}
		beforePicture = misbehave(os.Getenv(pictureVar))
		main()
	}
	os.Exit(runTests(m))
}

// misbehave returns what does to pictures what a variable says.
func misbehave(how string) func(string) {
	does := map[string]string{}
	for rule := range strings.SplitSeq(how, ",") {
		name, what, _ := strings.Cut(rule, "=")
		does[name] = what
	}
	return func(name string) {
		what, found := does[name]
		if !found {
			what = does["*"]
		}
		switch what {
		case "panic":
			panic("a picture that makes the program panic")
		case "hang":
			select {}
		case "exit":
			os.Exit(7)
		case "full":
			os.Exit(statusFull)
		}
		if pause, err := time.ParseDuration(what); err == nil {
			time.Sleep(pause)
		}
	}
}

// runTests forgets the user's models and queues: the tests are about the built-in
// model. What is encoded does not depend on the number of processors. Go's caches
// stay where they are: in a new home, TestImage fetched all modules again, 2 GB.
func runTests(m *testing.M) int {
	dir, err := os.MkdirTemp("", "coclico-fleet-test-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	for _, name := range []string{catalog.ModelVar, "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", shardsVar, pictureVar, stampVar, storeVar} {
		os.Unsetenv(name)
	}
	for _, name := range []string{"GOMODCACHE", "GOCACHE"} {
		if out, err := exec.Command("go", "env", name).Output(); err == nil {
			os.Setenv(name, strings.TrimSpace(string(out)))
		}
	}
	for name, value := range map[string]string{
		"HF_HOME": filepath.Join(dir, "hf"), "HF_HUB_OFFLINE": "1", catalog.ConfigVar: filepath.Join(dir, "config.json"),
		"XDG_CACHE_HOME": filepath.Join(dir, "cache"), "HOME": dir,
		"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1", "AWS_CONFIG_FILE": filepath.Join(dir, "none"), "AWS_SHARED_CREDENTIALS_FILE": filepath.Join(dir, "none"),
	} {
		os.Setenv(name, value)
	}
	pictures = filepath.Join(dir, "pictures")
	if err := makePictures(pictures); err != nil {
		panic(fmt.Sprint("pictures: ", err))
	}
	return m.Run()
}
