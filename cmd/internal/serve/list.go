package serve

import (
	"bufio"
	"encoding/json"
	"net/http"
)

// A list is an answer whose rows are written one by one: a thousand of them can
// have 35 MB, and a client that reads slowly keeps what it has not read in memory.
type list struct {
	out  *bufio.Writer
	json *json.Encoder
	rows int
	free func()
}

// listSize is what a list takes besides what the caller holds: its rows' other
// columns, and a piece of the answer.
const listSize = 1 << 20

// startList begins an answer: an object of JSON whose member of this name has the
// rows. The caller, who holds size bytes for it, must close it.
func (s *Server) startList(w http.ResponseWriter, r *http.Request, name string, size int) (*list, error) {
	n := min(int64(size+listSize), s.listShares.each) // what takes more is this client's only one
	client := sharer(r)
	if !s.listShares.take(client, n) {
		return nil, busy.problem("this client has lists to read already")
	}
	if !s.lists.TryAcquire(n) {
		s.listShares.free(client, n)
		return nil, busy.problem("other clients have lists to read")
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	l := &list{out: bufio.NewWriterSize(w, pieceSize)}
	l.json = json.NewEncoder(l.out)
	l.json.SetEscapeHTML(false)
	l.free = func() {
		s.lists.Release(n)
		s.listShares.free(client, n)
	}
	l.out.WriteString(`{"` + name + `":[`)
	return l, nil
}

// add writes a row.
func (l *list) add(row any) error {
	if l.rows++; l.rows > 1 {
		l.out.WriteByte(',')
	}
	return l.json.Encode(row)
}

// end writes what follows the rows: the name after which the next list begins,
// or nothing if next is "" because this list is the last.
func (l *list) end(next string) error {
	l.out.WriteByte(']')
	if next != "" {
		l.out.WriteString(`,"next":`)
		l.json.Encode(next)
	}
	l.out.WriteString("}\n")
	return l.out.Flush() // the first error of all
}

func (l *list) close() { l.free() }
