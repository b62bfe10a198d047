package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/coclico/coclico/cmd/internal/catalog"
)

// childVar makes the test binary the program.
const childVar = "COCLICO_TEST_CHILD"

// TestMain forgets the user's models: the tests are about the built-in one. No
// test gets as far as the hub.
func TestMain(m *testing.M) {
	if os.Getenv(childVar) != "" {
		main() // the test binary as the program, for tests that kill it
	}
	os.Exit(runTests(m))
}

func runTests(m *testing.M) int {
	dir, err := os.MkdirTemp("", "coclico-test-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	for _, v := range []string{modelVar, "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_TOKEN_PATH", "TRANSFORMERS_OFFLINE"} {
		os.Unsetenv(v)
	}
	os.Setenv("HF_HOME", filepath.Join(dir, "hf"))
	os.Setenv("HF_HUB_OFFLINE", "1")
	os.Setenv(catalog.ConfigVar, filepath.Join(dir, "config.json"))
	return m.Run()
}
