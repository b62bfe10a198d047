package archive

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
	"testing"
	"testing/fstest"
)

func looseRows(n int) []*Row {
	rows := make([]*Row, n)
	for i := range rows {
		rows[i] = &Row{Name: fmt.Sprintf("a/%05d.png", i), Data: []byte{byte(i), 1}, Width: i, Height: 2, Size: int64(i)}
	}
	rows[n/2].Data, rows[n/2].Error = nil, "not a picture"
	return rows
}

func seq(rows []*Row, last error) iter.Seq2[*Row, error] {
	return func(yield func(*Row, error) bool) {
		for _, r := range rows {
			if !yield(r, nil) {
				return
			}
		}
		if last != nil {
			yield(nil, last)
		}
	}
}

var looseOrigin = &Origin{Fingerprint: "01234567", Model: "m", Profile: "tuned", Kernels: "generic", Software: "test"}

// TestLoose writes two shards and a manifest to memory, and reads them alone and
// as an archive.
func TestLoose(t *testing.T) {
	rows := looseRows(3000)
	fsys := fstest.MapFS{}
	var infos []ShardInfo
	for i, part := range [][]*Row{rows[:1700], rows[1700:]} {
		var b bytes.Buffer
		info, err := WriteShard(&b, looseOrigin, seq(part, nil))
		if err != nil {
			t.Fatal(err)
		}
		info.Name = ShardName(i)
		infos = append(infos, info)
		fsys[info.Name] = &fstest.MapFile{Data: b.Bytes()}

		o, again, err := ReadShard(bytes.NewReader(b.Bytes()), int64(b.Len()))
		if err != nil || o != *looseOrigin {
			t.Fatal(o, err)
		}
		n := 0
		for r, err := range again {
			if err != nil || r.Name != part[n].Name || !bytes.Equal(r.Data, part[n].Data) || r.Error != part[n].Error {
				t.Fatal(n, r, err)
			}
			n++
		}
		if n != len(part) {
			t.Fatal(n)
		}
	}
	_, data, err := NewManifest(looseOrigin.Fingerprint, infos)
	if err != nil {
		t.Fatal(err)
	}
	fsys[ManifestName] = &fstest.MapFile{Data: data}
	a, err := OpenFS(fsys)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	n := 0
	for r, err := range a.Rows() {
		if err != nil || r.Name != rows[n].Name {
			t.Fatal(n, r, err)
		}
		n++
	}
	if n != len(rows) {
		t.Fatalf("%d rows of %d", n, len(rows))
	}
	for s, err := range a.Check(t.Context(), nil) {
		if err != nil {
			t.Error(s, err)
		}
	}
}

// TestLooseErrors: rows that are out of order, an error among the rows, no rows,
// and manifests whose shards have the wrong names.
func TestLooseErrors(t *testing.T) {
	rows := looseRows(10)
	broken := errors.New("broken")
	for name, c := range map[string]struct {
		rows iter.Seq2[*Row, error]
		want error
	}{
		"order": {seq([]*Row{rows[1], rows[0]}, nil), errOrder},
		"twice": {seq([]*Row{rows[1], rows[1]}, nil), errOrder},
		"error": {seq(rows, broken), broken},
		"none":  {seq(nil, nil), errEmpty},
		"name":  {seq([]*Row{{}}, nil), errName},
	} {
		if _, err := WriteShard(&bytes.Buffer{}, looseOrigin, c.rows); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	if _, err := WriteShard(&bytes.Buffer{}, &Origin{Fingerprint: "x"}, seq(rows, nil)); !errors.Is(err, errFingerprint) {
		t.Error(err)
	}
	info, err := WriteShard(&bytes.Buffer{}, looseOrigin, seq(rows, nil))
	if err != nil {
		t.Fatal(err)
	}
	info.Name = ShardName(1)
	if _, _, err := NewManifest(looseOrigin.Fingerprint, []ShardInfo{info}); !errors.Is(err, errNumbers) {
		t.Error(err)
	}
	if _, _, err := ReadShard(bytes.NewReader(nil), 0); err == nil {
		t.Error("no error for an empty file")
	}
}
