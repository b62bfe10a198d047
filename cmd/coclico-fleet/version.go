package main

import "github.com/coclico/coclico/cmd/internal/process"

// stamp is the version of a release, which -ldflags -X sets.
var stamp string

func version() string { return process.Version(stamp) }
