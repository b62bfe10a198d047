package hub

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
)

// A Repo is the name of a model on a hub: OWNER/NAME.
type Repo struct{ Owner, Name string }

// DefaultCommit is the revision of [DefaultRepo] that is used unless another is
// asked for: its listing is the one that this package was written for.
const DefaultCommit = "bbd5c2d3d6fe31bb59c1f0cd7ad8687e4ad659d4"

// DefaultRepo returns the model that the codec is made for, Stable unCLIP 2.1
// with CLIP ViT-L/14, as diffusers' maintainers have uploaded it.
func DefaultRepo() Repo { return Repo{"diffusers", "stable-diffusion-2-1-unclip-i2i-l"} }

// MirrorRepo returns an unofficial mirror of the same model.
func MirrorRepo() Repo { return Repo{"sd2-community", "stable-diffusion-2-1-unclip-small"} }

// WithdrawnRepo returns the name under which Stability AI had the same model
// until November 2025, and under which a cache may still have it.
func WithdrawnRepo() Repo { return Repo{"stabilityai", "stable-diffusion-2-1-unclip-small"} }

// Aliases returns the other names of the same model.
func (r Repo) Aliases() []Repo {
	names := []Repo{DefaultRepo(), MirrorRepo(), WithdrawnRepo()}
	if !slices.Contains(names, r) {
		return nil
	}
	return slices.DeleteFunc(names, func(name Repo) bool { return name == r })
}

// MainRevision is the branch that every model has.
const MainRevision = "main"

// DefaultRevision returns the revision that is meant where none is specified.
func (r Repo) DefaultRevision() string {
	if r == DefaultRepo() {
		return DefaultCommit
	}
	return MainRevision
}

// ParseRepo reads OWNER/NAME by the hub's rules for names.
func ParseRepo(s string) (Repo, error) {
	owner, name, ok := strings.Cut(s, "/")
	if !ok || !repoWord(owner) || !repoWord(name) || strings.HasSuffix(name, ".git") {
		return Repo{}, fmt.Errorf("%q is not the name of a model on the hub, such as %v", clip(s), DefaultRepo())
	}
	return Repo{owner, name}, nil
}

// SplitRevision reads OWNER/NAME or OWNER/NAME@REVISION. The revision is "" if
// none is specified.
func SplitRevision(s string) (Repo, string, error) {
	name, revision, ok := strings.Cut(s, "@")
	r, err := ParseRepo(name)
	if err == nil && ok {
		err = CheckRevision(revision)
	}
	return r, revision, err
}

func (r Repo) String() string { return r.Owner + "/" + r.Name }

// folder returns the name of the repo's folder in the cache.
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
	return s != "" && len(s) <= 96 && only(s, "._-") &&
		!strings.ContainsRune(".-", rune(s[0])) && !strings.ContainsRune(".-", rune(s[len(s)-1])) &&
		!strings.Contains(s, "--") && !strings.Contains(s, "..")
}

// CheckRevision returns an error if s cannot be a branch, a tag or a commit.
func CheckRevision(s string) error {
	if s == "" || len(s) > 200 || !only(s, "._-/") || !plainPath(s) || s[0] == '-' {
		return fmt.Errorf("%q is not a revision: a branch, a tag or a commit", clip(s))
	}
	return nil
}

// only reports whether s consists of ASCII letters, digits and the characters
// in extra.
func only(s, extra string) bool {
	for _, r := range s {
		if !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune(extra, r)) {
			return false
		}
	}
	return true
}

// plainPath reports whether a slash-separated path from a server stays inside
// its folder on every system, and is shown by a terminal as it is.
func plainPath(s string) bool {
	if len(s) > 1024 || !fs.ValidPath(s) || s == "." || !filepath.IsLocal(filepath.FromSlash(s)) {
		return false
	}
	for _, r := range s {
		if !unicode.IsPrint(r) || strings.ContainsRune(`\:*?"<>|`, r) {
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

// hashName reports whether s is a SHA-1 or a SHA-256 in hexadecimal, as the
// names of blobs are.
func hashName(s string) bool {
	return (len(s) == 40 || len(s) == 64) && strings.Trim(s, "0123456789abcdef") == ""
}

// isCommit reports whether a revision is a commit.
func isCommit(s string) bool { return len(s) == 40 && hashName(s) }

// clip shortens a server's or a user's text for a message.
func clip(s string) string {
	const most = 120
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "..."
	}
	return s
}
