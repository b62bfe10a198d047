package main

import (
	"os"
	"testing"
)

// TestMain forgets the user's model: the tests are about the built-in one.
func TestMain(m *testing.M) {
	os.Unsetenv(modelVar)
	os.Exit(m.Run())
}
