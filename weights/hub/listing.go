package hub

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
)

// Limits on a hub's answers.
const (
	maxListing = 8 << 20 // bytes
	maxFiles   = 20_000
	maxSize    = 1 << 40 // bytes of a file
)

// A File is a file of a model on the hub.
type File struct {
	Path string // slash-separated, inside the model's folder on every system
	Size int64
	Hash string // SHA-256 if it has 64 digits, git's SHA-1 if it has 40, "" if unknown
}

// A Listing lists the files of a model at one commit.
type Listing struct {
	Commit  string
	License string // by the model card's data, such as openrail++
	Files   []File
}

// find returns the file at a path.
func (l *Listing) find(path string) (File, bool) {
	for _, f := range l.Files {
		if f.Path == path {
			return f, true
		}
	}
	return File{}, false
}

// parseListing reads the hub's answer about a model:
//
//	{"sha": COMMIT, "siblings": [{"rfilename": PATH, "size": N, "blobId": SHA1, "lfs": {"sha256": SHA256, "size": N}}]}
//
// in which size, blobId and lfs may be absent.
func parseListing(data []byte) (*Listing, error) {
	var top struct {
		SHA      string          `json:"sha"`
		Siblings json.RawMessage `json:"siblings"`
		Card     json.RawMessage `json:"cardData"`
	}
	if err := json.Unmarshal(data, &top); err != nil {
		return nil, errors.New("the answer is not the listing of a model")
	}
	if !isCommit(top.SHA) {
		return nil, fmt.Errorf("the listing is of commit %q", clip(top.SHA))
	}
	l := &Listing{Commit: top.SHA, License: cardLicense(top.Card)}
	dec := json.NewDecoder(bytes.NewReader(top.Siblings))
	if tok, err := dec.Token(); err != nil || tok != json.Delim('[') {
		return nil, errors.New("the listing has no files")
	}
	seen := make(map[string]bool)
	for dec.More() {
		if len(l.Files) == maxFiles {
			return nil, fmt.Errorf("the listing has more than %d files", maxFiles)
		}
		f, err := parseFile(dec)
		if err != nil {
			return nil, err
		}
		// No model has a file whose path some systems cannot have, or a terminal
		// would not show as it is. It is left out, so that nothing can ask for it.
		if fs.ValidPath(f.Path) && !plainPath(f.Path) {
			continue
		}
		if err := f.check(); err != nil {
			return nil, err
		}
		if seen[f.Path] {
			return nil, fmt.Errorf("the listing has the file %s twice", f.Path)
		}
		seen[f.Path] = true
		l.Files = append(l.Files, f)
	}
	return l, nil
}

// cardLicense returns the license in the data of a model card, "" if there is
// none.
func cardLicense(card []byte) string {
	var c struct {
		License string `json:"license"`
		Name    string `json:"license_name"`
	}
	if json.Unmarshal(card, &c) != nil {
		return ""
	}
	return licenseName(c.License, c.Name)
}

func parseFile(dec *json.Decoder) (File, error) {
	var s struct {
		Path   string `json:"rfilename"`
		Size   *int64 `json:"size"`
		BlobID string `json:"blobId"`
		LFS    *struct {
			SHA256 string `json:"sha256"`
			Size   int64  `json:"size"`
		} `json:"lfs"`
	}
	if err := dec.Decode(&s); err != nil {
		return File{}, errors.New("the listing is broken")
	}
	f := File{Path: s.Path, Hash: s.BlobID}
	if s.Size != nil {
		f.Size = *s.Size
	}
	if s.LFS != nil {
		f.Hash, f.Size = s.LFS.SHA256, s.LFS.Size
	}
	if s.Size == nil && s.LFS == nil {
		f.Hash = ""
	}
	return f, nil
}

// check returns an error if a file's name, size or hash must not be used on
// this machine.
func (f File) check() error {
	switch {
	case !plainPath(f.Path):
		return fmt.Errorf("the listing has a file %q, which is not a path inside a model", clip(f.Path))
	case f.Size < 0 || f.Size > maxSize:
		return fmt.Errorf("the listing gives %s a size of %d bytes", f.Path, f.Size)
	case f.Hash != "" && !hashName(f.Hash):
		return fmt.Errorf("the listing gives %s the hash %q", f.Path, clip(f.Hash))
	}
	return nil
}
