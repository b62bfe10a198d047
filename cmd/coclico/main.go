// Command coclico turns pictures into 120 bytes and back.
package main

import (
	"os"

	"github.com/coclico/coclico/cmd/internal/process"
)

func main() {
	os.Exit(run(process.Context(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
