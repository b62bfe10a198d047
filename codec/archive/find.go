package archive

import (
	"io"
	"sort"
	"strings"
)

// find searches the names by halves: the groups, then the pages of a group, each
// by its first name, and at last a page. Nothing but names is compared, whose
// pages have a CRC.
func find(f io.ReaderAt, foot *footer, name string) (row int64, ok bool, err error) {
	var failed error
	look := func(g *group, l location) []string {
		p, err := readPage(f, &g.chunks[colName], colName, l)
		if err != nil {
			failed = err
			return []string{""}
		}
		names := make([]string, p.n)
		for i := range names {
			names[i] = text(p.bytes[i])
		}
		return names
	}
	// The last group that does not begin after the name, and its last such page.
	// An index is read again rather than kept: those of a hostile shard's groups
	// may be one index of megabytes, and take several times as many each.
	at := sort.Search(len(foot.groups), func(i int) bool {
		if failed != nil {
			return true
		}
		g := &foot.groups[i]
		pages, err := readIndex(f, g, colName)
		if err != nil {
			failed = err
			return true
		}
		return look(g, pages[0])[0] > name
	}) - 1
	if failed != nil || at < 0 {
		return 0, false, failed
	}
	g := &foot.groups[at]
	pages, err := readIndex(f, g, colName)
	if err != nil {
		return 0, false, err
	}
	at = sort.Search(len(pages), func(i int) bool {
		return failed != nil || look(g, pages[i])[0] > name
	}) - 1
	if failed != nil || at < 0 {
		return 0, false, failed
	}
	names := look(g, pages[at])
	i, ok := sort.Find(len(names), func(i int) int { return strings.Compare(name, names[i]) })
	return g.first + pages[at].row + int64(i), ok, failed
}

// readRow reads some columns of a row by its number. They do not share memory
// with others of their page.
func readRow(f io.ReaderAt, foot *footer, n int64, cols []column) (*Row, error) {
	i := sort.Search(len(foot.groups), func(i int) bool { return foot.groups[i].first > n }) - 1
	if n < 0 || n >= foot.rows {
		panic("archive: no such row")
	}
	g := &foot.groups[i]
	n -= g.first
	var r Row
	for _, col := range cols {
		index, err := readIndex(f, g, col)
		if err != nil {
			return nil, err
		}
		i := sort.Search(len(index), func(i int) bool { return index[i].row > n }) - 1
		p, err := readPage(f, &g.chunks[col], col, index[i])
		if err != nil {
			return nil, err
		}
		p.put(&r, col, int(n-index[i].row))
	}
	r.Name, r.Error = strings.Clone(r.Name), strings.Clone(r.Error)
	r.Data = append([]byte(nil), r.Data...)
	return &r, nil
}
