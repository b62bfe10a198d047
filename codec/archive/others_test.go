package archive

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
)

// captioned returns a shard as a later program may write it: with a column more.
func captioned(t *testing.T, names ...string) []byte {
	type later struct {
		parquetRow
		Caption *string `parquet:"caption,optional,plain,zstd"`
	}
	var rows []later
	for _, name := range names {
		r, caption := testRow(name, 1), "what "+name+" shows"
		p := parquetRow{Name: r.Name, Data: r.Data, Width: int32(r.Width), Height: int32(r.Height), Size: r.Size, Time: r.Time.UnixMilli()}
		if r.Error != "" {
			p.Error = &r.Error
		}
		rows = append(rows, later{p, &caption})
	}
	var options []parquet.WriterOption
	for key, value := range (&testOptions(0).Origin).notes() {
		options = append(options, parquet.KeyValueMetadata(key, value))
	}
	var b bytes.Buffer
	write(t, &b, rows, options...)
	return b.Bytes()
}

// TestOtherColumns: a shard with a column of a later program is read, stays as it
// is when rows are added, and is not rewritten without the column.
func TestOtherColumns(t *testing.T) {
	dir := fill(t, testOptions(0), testRow("a", 1))
	data, name := captioned(t, "b", "c"), shardName(1)
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, data, 0o666); err != nil {
		t.Fatal(err)
	}
	add(t, dir, testOptions(0)) // which adopts it
	w, err := NewWriter(dir, testOptions(0))
	if err != nil {
		t.Fatal(err)
	}
	err = errors.Join(w.Add(testRow("d", 1)), w.Flush(), w.Add(testRow("e", 1)), w.Close())
	if err != nil {
		t.Fatal(err)
	}
	rows := []*Row{testRow("a", 1), testRow("b", 1), testRow("c", 1), testRow("d", 1), testRow("e", 1)}
	whole := func() {
		t.Helper()
		if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, data) {
			t.Errorf("the shard was changed (%v)", err)
		}
		wantRows(t, dir, rows...)
		checkFolder(t, dir)
		if n := len(openTest(t, dir).Shards()); n != 3 { // newer ones were merged
			t.Errorf("%d shards", n)
		}
	}
	whole()

	refused := func(err error, prefix string) {
		t.Helper()
		if !errors.Is(err, errOthers) || !strings.HasPrefix(err.Error(), prefix+name+": unsupported: ") || !strings.Contains(err.Error(), "a newer coclico") {
			t.Errorf("error %v", err)
		}
	}
	if w, err = NewWriter(dir, testOptions(0)); err != nil {
		t.Fatal(err)
	}
	refused(w.Compact(t.Context(), nil), dir+": ")
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	whole()
	to := filepath.Join(t.TempDir(), "to")
	skip := &Options{Damaged: func(err error) { t.Errorf("taken for damage: %v", err) }}
	for _, o := range []*Options{nil, skip} {
		refused(Merge(t.Context(), to, []*Archive{openTest(t, dir)}, o, nil), dir+": ")
	}
	if _, err := os.Stat(to); err == nil {
		t.Error("a Merge that is refused has begun")
	}
}
