package hub

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
)

// A Repo is the name of a model on a hub: OWNER/NAME.
type Repo struct{ Owner, Name string }

// DefaultRepo is the model that the codec is made for.
func DefaultRepo() Repo { return Repo{"stabilityai", "stable-diffusion-2-1-unclip-small"} }

// ParseRepo reads OWNER/NAME by the hub's rules for names.
func ParseRepo(s string) (Repo, error) {
	owner, name, ok := strings.Cut(s, "/")
	if !ok || !repoWord(owner) || !repoWord(name) || strings.HasSuffix(name, ".git") {
		return Repo{}, fmt.Errorf("%q is no name of a model on the hub, such as %v", clip(s), DefaultRepo())
	}
	return Repo{owner, name}, nil
}

// SplitRevision reads OWNER/NAME or OWNER/NAME@REVISION; the revision is main if
// there is none.
func SplitRevision(s string) (Repo, string, error) {
	name, revision, ok := strings.Cut(s, "@")
	if !ok {
		revision = MainRevision
	}
	r, err := ParseRepo(name)
	if err == nil {
		err = CheckRevision(revision)
	}
	return r, revision, err
}

// MainRevision is the revision that is meant where none is said.
const MainRevision = "main"

func (r Repo) String() string { return r.Owner + "/" + r.Name }

// folder returns the repo's folder in the cache.
func (r Repo) folder() string { return repoPrefix + r.Owner + "--" + r.Name }

const repoPrefix = "models--"

// parseFolder is the inverse of folder.
func parseFolder(name string) (Repo, bool) {
	rest, ok := strings.CutPrefix(name, repoPrefix)
	owner, repo, cut := strings.Cut(rest, "--")
	r, err := ParseRepo(owner + "/" + repo)
	return r, ok && cut && err == nil
}

func repoWord(s string) bool {
	return s != "" && len(s) <= 96 && only(s, "._-") && !strings.ContainsRune(".-", rune(s[0])) && !strings.ContainsRune(".-", rune(s[len(s)-1])) &&
		!strings.Contains(s, "--") && !strings.Contains(s, "..")
}

// CheckRevision refuses what is no branch, tag or commit.
func CheckRevision(s string) error {
	if s == "" || len(s) > 200 || !only(s, "._-/") || !plainPath(s) || s[0] == '-' {
		return fmt.Errorf("%q is no revision: a branch, a tag or a commit", clip(s))
	}
	return nil
}

// only reports whether s consists of ASCII letters, digits and the extra characters.
func only(s, extra string) bool {
	for _, r := range s {
		if !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune(extra, r)) {
			return false
		}
	}
	return true
}

// plainPath reports whether a slash-separated path from elsewhere stays inside a
// folder on every system.
func plainPath(s string) bool {
	if len(s) > 1024 || !fs.ValidPath(s) || s == "." || !filepath.IsLocal(filepath.FromSlash(s)) {
		return false
	}
	for _, r := range s {
		if r < ' ' || r == 0x7f || strings.ContainsRune(`\:*?"<>|`, r) {
			return false
		}
	}
	for word := range strings.SplitSeq(s, "/") {
		if len(word) > 200 || strings.HasSuffix(word, ".") || strings.HasSuffix(word, " ") {
			return false
		}
	}
	return true
}

// hashName reports whether s is a SHA-1 or a SHA-256 in hexadecimal, the name of
// a blob.
func hashName(s string) bool {
	return (len(s) == 40 || len(s) == 64) && strings.Trim(s, "0123456789abcdef") == ""
}

// isCommit reports whether a revision is a commit itself.
func isCommit(s string) bool { return len(s) == 40 && hashName(s) }

// clip shortens what a server or a user wrote for a message.
func clip(s string) string {
	const most = 120
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "..."
	}
	return s
}
