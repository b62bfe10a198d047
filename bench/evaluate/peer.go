package evaluate

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A Peer is another codec whose results lie in folders, or in one: decoded
// pictures, and streams with the same names except for their endings.
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
	id := peerPrefix + strings.Trim(notInID.ReplaceAllString(strings.ToLower(p.Name), "-"), "-")
	r := row{id: id, name: p.Name, note: "decoded pictures of " + p.Pictures}
	files, err := byStem(p.Pictures)
	if err != nil {
		return r, err
	}
	picture := func(stem string) (string, error) {
		return only(files[stem], e.IsPictureName, "picture", stem, p.Pictures)
	}
	size, err := e.sizes(p)
	if err != nil {
		return r, err
	}
	r.params = func(t *task) (string, error) {
		path, err := picture(t.stem)
		if err != nil {
			return "", err
		}
		id, err := e.tools.identify(path)
		if err != nil {
			return "", cause(err)
		}
		n, err := size(t.stem, path)
		return fmt.Sprintf("%s, %d bytes", id, n), err
	}
	r.make = func(ctx context.Context, t *task) (*made, error) {
		path, err := picture(t.stem)
		if err != nil {
			return nil, err
		}
		img, err := e.Read(ctx, path)
		if err != nil {
			return nil, err
		}
		if err := checkSize(img.Bounds().Dx(), img.Bounds().Dy(), e.Size); err != nil {
			return nil, err
		}
		m := &made{}
		if m.bytes, err = size(t.stem, path); err != nil {
			return nil, err
		}
		m.picture, err = pictureOf(img)
		return m, err
	}
	return r, nil
}

// byStem returns the paths of a folder's regular files, or links to them, by
// their stems. A table of sizes and hidden files do not count.
func byStem(dir string) (map[string][]string, error) {
	list, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dir, cause(err))
	}
	m := map[string][]string{}
	for _, d := range list {
		name := d.Name()
		if name == sizesFile || strings.HasPrefix(name, ".") {
			continue
		}
		path := filepath.Join(dir, name)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			m[stemOf(name)] = append(m[stemOf(name)], path)
		}
	}
	return m, nil
}

// only returns the one path that is wanted of a stem's. Several could be the
// right one: which it is, is not guessed.
func only(paths []string, wanted func(path string) bool, what, stem, dir string) (string, error) {
	var all, names []string
	for _, path := range paths {
		if wanted(path) {
			all, names = append(all, path), append(names, filepath.Base(path))
		}
	}
	switch len(all) {
	case 0:
		return "", fmt.Errorf("no %s named %s in %s", what, stem, dir)
	case 1:
		return all[0], nil
	}
	return "", fmt.Errorf("several files may be the %s named %s in %s: keep one of %s", what, stem, dir, strings.Join(names, ", "))
}

// sameFile reports whether two paths lead to one file.
func sameFile(a, b string) bool {
	x, errX := os.Stat(a)
	y, errY := os.Stat(b)
	return errX == nil && errY == nil && os.SameFile(x, y)
}

// sizes returns the function that counts the bytes of a stem and its picture:
// those of the stream, which the picture is not, or what a table says, or
// unknown. There are no estimates.
func (e *Evaluation) sizes(p Peer) (func(stem, picture string) (int64, error), error) {
	table := filepath.Join(p.Pictures, sizesFile)
	if info, err := os.Stat(p.Streams); p.Streams != "" {
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.Streams, cause(err))
		}
		if info.IsDir() {
			streams, err := byStem(p.Streams)
			return func(stem, picture string) (int64, error) {
				path, err := only(streams[stem], func(path string) bool { return !sameFile(path, picture) }, "stream", stem, p.Streams)
				if err != nil {
					return 0, err
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
	sizes, err := e.readSizes(table)
	if errors.Is(err, os.ErrNotExist) && p.Streams == "" {
		return func(_, _ string) (int64, error) { return unknown, nil }, nil
	}
	return func(stem, _ string) (int64, error) {
		names := []string{stem}
		if _, ok := sizes[stem]; !ok { // then a stream may be named: stem.bin
			names = slices.DeleteFunc(slices.Collect(maps.Keys(sizes)), func(name string) bool { return stemOf(name) != stem })
		}
		switch len(names) {
		case 0:
			return 0, fmt.Errorf("no size of %s in %s", stem, table)
		case 1:
			return sizes[names[0]], nil
		}
		return 0, fmt.Errorf("%d sizes of %s in %s, such as that of %s", len(names), stem, table, slices.Min(names))
	}, err
}

// readSizes reads a table whose first two columns, or those named stem and bytes,
// are a picture's stem, or the name of its file or stream, and its bytes.
func (e *Evaluation) readSizes(path string) (map[string]int64, error) {
	data, err := readFile(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	sizes := map[string]int64{}
	stem, bytes := 0, 1
	r := csv.NewReader(strings.NewReader(string(data)))
	for first := true; ; first = false {
		cells, err := r.Read()
		if err == io.EOF {
			return sizes, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		if first && slices.Contains(cells, "bytes") {
			stem, bytes = max(slices.Index(cells, "stem"), 0), slices.Index(cells, "bytes")
			continue
		}
		line, _ := r.FieldPos(0)
		if bytes >= len(cells) {
			return nil, fmt.Errorf("%s: line %d has no number of bytes", path, line)
		}
		n, err := strconv.ParseInt(strings.TrimSpace(cells[bytes]), 10, 64)
		if err != nil || n < 1 {
			return nil, fmt.Errorf("%s: line %d: %q is not a number of bytes", path, line, cells[bytes])
		}
		name := strings.TrimSpace(cells[stem])
		if e.IsPictureName(name) { // any other ending may be a part of the stem
			name = stemOf(name)
		}
		if _, ok := sizes[name]; ok {
			return nil, fmt.Errorf("%s: line %d: a second size of %s", path, line, name)
		}
		sizes[name] = n
	}
}
