package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// stamp is the version of a release, which -ldflags -X sets.
var stamp string

// versionLine returns the version, the platform and the compiler.
func versionLine() string {
	return fmt.Sprintf("coclico-fleet %s %s/%s %s\n", version(), runtime.GOOS, runtime.GOARCH, runtime.Version())
}

// version returns the version of a release, else that of the module, else the
// commit of a checkout.
func version() string {
	if stamp != "" {
		return stamp
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return s.Value
		}
	}
	return "(devel)"
}
