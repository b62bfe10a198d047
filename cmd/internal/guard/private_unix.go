//go:build unix

package guard

import (
	"fmt"
	"io/fs"
	"strings"
)

// private returns an error if a file's mode lets everyone read it, or anyone
// but its owner write it.
func private(name string, mode fs.FileMode) error {
	const others = 0o027
	if mode&others == 0 {
		return nil
	}
	return fmt.Errorf("%s: other users can read or change the token (mode %04o); run: chmod 600 %s", name, mode.Perm(), quote(name))
}

// quote quotes a name for the shell, if it needs to be.
func quote(name string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/._-", r)
	}
	if strings.HasPrefix(name, "-") {
		name = "./" + name
	}
	if strings.TrimLeftFunc(name, plain) == "" {
		return name
	}
	return "'" + strings.ReplaceAll(name, "'", `'\''`) + "'"
}
