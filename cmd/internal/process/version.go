package process

import (
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
)

// What [Version] returns for programs of many states of the code.
const (
	unknown = "unknown"
	devel   = "(devel)"
	dirty   = "+dirty"
)

// Version returns the version of a release, which the program was stamped with,
// else that of its module, else the commit of a checkout.
func Version(stamp string) string {
	if stamp != "" {
		return stamp
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return unknown
	}
	if v := info.Main.Version; v != "" && v != devel {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return s.Value
		}
	}
	return devel
}

// Distinct returns a version that no other build of the program has. If many may
// have it, as builds of a changed working tree do, eight digits of the program's
// hash follow.
func Distinct(version string) string {
	if version != unknown && version != devel && !strings.HasSuffix(version, dirty) {
		return version
	}
	return version + " " + hash()
}

// hash returns eight digits of the program's hash. If the program cannot be read,
// no two runs are taken for the same build.
var hash = sync.OnceValue(func() string {
	h := sha256.New()
	if err := readProgram(h); err != nil {
		return fmt.Sprintf("%08x", rand.Uint32())
	}
	return fmt.Sprintf("%x", h.Sum(nil)[:4])
})

func readProgram(to io.Writer) error {
	path, err := os.Executable()
	if err != nil {
		return err
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(to, f)
	return err
}

// Build returns a version with the platform and the compiler.
func Build(version string) string {
	return fmt.Sprintf("%s %s/%s %s", version, runtime.GOOS, runtime.GOARCH, runtime.Version())
}
