// Command coclico-fleet encodes or paints millions of pictures on many machines.
package main

import (
	"os"

	"github.com/coclico/coclico/cmd/internal/process"
)

func main() {
	os.Exit(run(process.Context(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
