package process

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// Version returns the version of a release, which the program was stamped with,
// else that of its module, else the commit of a checkout.
func Version(stamp string) string {
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

// Build returns a version with the platform and the compiler.
func Build(version string) string {
	return fmt.Sprintf("%s %s/%s %s", version, runtime.GOOS, runtime.GOARCH, runtime.Version())
}
