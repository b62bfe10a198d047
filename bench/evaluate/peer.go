package evaluate

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A Peer is another codec whose results lie in folders: decoded pictures, and
// streams with the same names except for their endings.
type Peer struct {
	Name     string
	Pictures string
	Streams  string // a folder, or a CSV file of stems and bytes; "" if there are none
}

// ParsePeer reads NAME=PICTURES[,STREAMS].
func ParsePeer(s string) (Peer, error) {
	name, folders, ok := strings.Cut(s, "=")
	p := Peer{Name: strings.TrimSpace(name)}
	p.Pictures, p.Streams, _ = strings.Cut(folders, ",")
	if !ok || p.Name == "" || p.Pictures == "" {
		return p, errors.New("a peer is NAME=PICTURES or NAME=PICTURES,STREAMS")
	}
	return p, nil
}

// sizesFile is a table in a peer's folder: a picture's stem and its bytes a
// line.
const sizesFile = "sizes.csv"

// notInID is all but letters, their marks, and digits of any script.
var notInID = regexp.MustCompile(`[^\pL\pM\pN]+`)

// peerRow returns the row of a peer. A folder that cannot be read is an error:
// the user meant another.
func (e *Evaluation) peerRow(p Peer) (row, error) {
	id := "peer-" + strings.Trim(notInID.ReplaceAllString(strings.ToLower(p.Name), "-"), "-")
	r := row{id: id, name: p.Name, note: "decoded pictures of " + p.Pictures}
	pictures, err := byStem(p.Pictures)
	if err != nil {
		return r, err
	}
	size, err := p.sizes()
	if err != nil {
		return r, err
	}
	r.params = func(t *task) (string, error) {
		path, ok := pictures[t.stem]
		if !ok {
			return "", fmt.Errorf("no picture named %s in %s", t.stem, p.Pictures)
		}
		id, err := e.tools.identify(path)
		if err != nil {
			return "", cause(err)
		}
		n, err := size(t.stem)
		return fmt.Sprintf("%s, %d bytes", id, n), err
	}
	r.make = func(ctx context.Context, t *task) (*made, error) {
		img, err := e.Read(ctx, pictures[t.stem])
		if err != nil {
			return nil, err
		}
		if err := checkSize(img.Bounds().Dx(), img.Bounds().Dy(), e.Size); err != nil {
			return nil, err
		}
		m := &made{}
		if m.bytes, err = size(t.stem); err != nil {
			return nil, err
		}
		m.picture, err = pictureOf(img)
		return m, err
	}
	return r, nil
}

// byStem returns the paths of a folder's regular files, or links to them, by
// their stems. Of several files of one stem the first counts; a table of sizes
// and hidden files do not.
func byStem(dir string) (map[string]string, error) {
	list, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dir, cause(err))
	}
	m := map[string]string{}
	for _, d := range list {
		name := d.Name()
		if _, ok := m[stemOf(name)]; ok || name == sizesFile || strings.HasPrefix(name, ".") {
			continue
		}
		path := filepath.Join(dir, name)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			m[stemOf(name)] = path
		}
	}
	return m, nil
}

// sizes returns the function that counts the bytes of a picture: its stream's,
// or what a table says, or unknown. There are no estimates.
func (p Peer) sizes() (func(stem string) (int64, error), error) {
	table := filepath.Join(p.Pictures, sizesFile)
	if info, err := os.Stat(p.Streams); p.Streams != "" {
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.Streams, cause(err))
		}
		if info.IsDir() {
			streams, err := byStem(p.Streams)
			return func(stem string) (int64, error) {
				path, ok := streams[stem]
				if !ok {
					return 0, fmt.Errorf("no stream named %s in %s", stem, p.Streams)
				}
				n, err := streamSize(path)
				if err != nil {
					return 0, fmt.Errorf("%s: %w", filepath.Base(path), err)
				}
				return n, nil
			}, err
		}
		table = p.Streams
	}
	sizes, err := readSizes(table)
	if errors.Is(err, os.ErrNotExist) && p.Streams == "" {
		return func(string) (int64, error) { return unknown, nil }, nil
	}
	return func(stem string) (int64, error) {
		n, ok := sizes[stem]
		if !ok {
			return 0, fmt.Errorf("no size of %s in %s", stem, table)
		}
		return n, nil
	}, err
}

// readSizes reads a table whose first two columns, or those named stem and bytes,
// are a picture's stem and its bytes.
func readSizes(path string) (map[string]int64, error) {
	data, err := readFile(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	lines, err := csv.NewReader(strings.NewReader(string(data))).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	sizes := map[string]int64{}
	stem, bytes := 0, 1
	for i, line := range lines {
		if i == 0 && slices.Contains(line, "bytes") {
			stem, bytes = max(slices.Index(line, "stem"), 0), slices.Index(line, "bytes")
			continue
		}
		if bytes >= len(line) {
			return nil, fmt.Errorf("%s: line %d has no number of bytes", path, i+1)
		}
		n, err := strconv.ParseInt(strings.TrimSpace(line[bytes]), 10, 64)
		if err != nil || n < 1 {
			return nil, fmt.Errorf("%s: line %d: %q is not a number of bytes", path, i+1, line[bytes])
		}
		sizes[stemOf(strings.TrimSpace(line[stem]))] = n
	}
	return sizes, nil
}
