package archive

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"
)

// TestFreePages: a small shard is not a long task. Pages have values, their levels
// are those of the values, and groups have pages of their own.
func TestFreePages(t *testing.T) {
	p := &pageReader{c: &chunk{codec: codecPlain}, col: colError}
	levels := []byte{2 << 1, 0} // two nulls
	for _, c := range []struct {
		values int
		levels []byte
		want   error
	}{{2, levels, nil}, {1, levels, nil}, {0, nil, errPage}, {0, levels, errPage}, {2, append(levels, 2<<1, 0), errPage}, {3, levels, errPage}} {
		h := pageHeader{typ: pageDataV2, values: c.values, levels: len(c.levels), size: len(c.levels), compressed: len(c.levels)}
		if _, err := p.decode(h, c.levels); err != c.want {
			t.Errorf("%d values with levels %v: error %v, want %v", c.values, c.levels, err, c.want)
		}
	}
	foot := &footer{rows: 2, groups: make([]group, 2)}
	for i := range foot.groups {
		g := &foot.groups[i]
		g.rows = 1
		for k := range g.chunks {
			g.chunks[k] = chunk{kind: columns[k].kind, values: 1, start: int64(100 + 10*i), end: int64(110 + 10*i)}
		}
	}
	if err := foot.check(200); err != nil {
		t.Fatal(err)
	}
	foot.groups[1].chunks[colError].start--
	if err := foot.check(200); err != errOffsets {
		t.Errorf("groups that share a page: error %v", err)
	}
}

// TestCheckEnds: Check ends with its context, row by row.
func TestCheckEnds(t *testing.T) {
	var rows []*Row
	for i := range 2000 {
		rows = append(rows, testRow(testName(i), 1))
	}
	a := openTest(t, fill(t, testOptions(0), rows...))
	ctx, cancel := context.WithCancel(t.Context())
	for _, err := range a.Check(ctx, func(int64, int64) { cancel() }) {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
	}
}

// TestManifestForm: the manifest's CRC is of its bytes, however it is written, and
// keys of later programs are passed over.
func TestManifestForm(t *testing.T) {
	dir, _, _ := smallShard(t)
	good, err := os.ReadFile(filepath.Join(dir, ManifestName))
	if err != nil {
		t.Fatal(err)
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, good); err != nil {
		t.Fatal(err)
	}
	other := strings.Replace(compact.String(), "{", `{"later":{"a":"\"crc32\":\"00000000\""},`, 1)
	for name, text := range map[string]string{"compact": compact.String(), "another key": other} {
		before, after, _ := strings.Cut(text, `"crc32":"`)
		if name == "another key" {
			i := strings.LastIndex(text, `"crc32":"`)
			before, after = text[:i], text[i+len(`"crc32":"`):]
		}
		before += `"crc32":"`
		sum := fmt.Sprintf("%08x", crc32.ChecksumIEEE([]byte(before+after[8:])))
		m, err := parseManifest([]byte(before + sum + after[8:]))
		if err != nil || len(m.Shards) != 1 {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := parseManifest([]byte(before + "00000000" + after[8:])); err == nil {
			t.Errorf("%s: a wrong CRC is no error", name)
		}
	}
	if _, err := parseManifest(bytes.Replace(good, []byte("{"), []byte(`{"crc32": "00000000",`), 1)); err == nil {
		t.Error("two CRCs are no error")
	}
}

// TestStrayShard: a shard that others have replaced is deleted, and one that
// somebody has put there since is not.
func TestStrayShard(t *testing.T) {
	dir := fill(t, testOptions(0), testRow("a", 1))
	add(t, dir, testOptions(0), testRow("b", 1))
	w, err := NewWriter(dir, testOptions(0))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Compact(t.Context(), nil), w.Close()); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(fill(t, testOptions(0), testRow("z", 1)), shardName(0)))
	if err != nil {
		t.Fatal(err)
	}
	stray := filepath.Join(dir, shardName(0))
	if err := os.WriteFile(stray, data, 0o666); err != nil {
		t.Fatal(err)
	}
	set := func(d time.Duration) {
		at := time.Now().Add(d)
		if err := os.Chtimes(stray, at, at); err != nil {
			t.Fatal(err)
		}
	}
	set(time.Hour)
	add(t, dir, testOptions(0))
	if got, err := os.ReadFile(stray); err != nil || !bytes.Equal(got, data) {
		t.Errorf("the shard was touched: %v", err)
	}
	set(-time.Hour)
	add(t, dir, testOptions(0))
	if _, err := os.Stat(stray); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("an older shard stays: %v", err)
	}
	wantRows(t, dir, testRow("a", 1), testRow("b", 1))
}

// TestUnknownTime: a row without a time has one that Spark reads, which refuses
// years before 1900.
func TestUnknownTime(t *testing.T) {
	row := &Row{Name: "a", Data: []byte("a")}
	var b bytes.Buffer
	_, err := WriteShard(&b, &testOptions(0).Origin, func(yield func(*Row, error) bool) {
		_ = yield(row, nil) && yield(&Row{Name: "b"}, nil) // a tombstone
	})
	if err != nil {
		t.Fatal(err)
	}
	rows, err := parquet.Read[parquetRow](bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil || len(rows) != 2 || rows[0].Time != 0 || rows[1].Time != 0 {
		t.Errorf("%+v, %v", rows, err)
	}
	row.Time = time.UnixMilli(0)
	wantRows(t, fill(t, testOptions(0), &Row{Name: "a", Data: []byte("a")}), row)
}

// TestLongNotes: what a stranger's shard tells of itself is cut.
func TestLongNotes(t *testing.T) {
	o := Origin{Fingerprint: testPrint, Params: strings.Repeat("é", MaxName)}
	got, err := originOf(o.notes())
	if err != nil || got.Params != o.Params[:MaxName] || got.Fingerprint != testPrint {
		t.Errorf("%d bytes, %v", len(got.Params), err)
	}
	o.Params = "x" + o.Params
	if got, err = originOf(o.notes()); err != nil || got.Params != o.Params[:MaxName-1] {
		t.Errorf("%d bytes, %v", len(got.Params), err)
	}
}
