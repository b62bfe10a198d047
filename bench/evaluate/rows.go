package evaluate

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/bbrks/go-blurhash"

	"github.com/coclico/coclico/codec"
)

// allRows returns the rows in the order of the table; those that others depend
// on come first.
func (e *Evaluation) allRows() ([]row, error) {
	rows := []row{e.inputRow()}
	rows = append(rows, e.ownRows()...)
	rows = append(rows, e.vvcRows()...)
	for _, c := range coders() {
		rows = append(rows, e.coderRow(c))
	}
	rows = append(rows, e.blurHash("blurhash", 4, 3), e.blurHash("blurhash-large", 7, 7), e.thumbHash())
	for _, p := range e.Peers {
		r, err := e.peerRow(p)
		if err != nil {
			return nil, err
		}
		for _, other := range rows {
			if other.id == r.id {
				return nil, fmt.Errorf("peers %s and %s are both row %s: rename one", other.name, p.Name, r.id)
			}
		}
		rows = append(rows, r)
	}
	if e.Figures {
		rows = append(rows, e.figureRows()...)
	}
	return rows, nil
}

// peerPrefix begins the IDs of peers.
const peerPrefix = "peer-"

// checkUsed refuses what the caller gave for rows that are not made. all are the
// rows that might be.
func (e *Evaluation) checkUsed(all []row) error {
	if len(e.Rows) == 0 {
		return nil
	}
	for _, r := range all {
		if strings.HasPrefix(r.id, peerPrefix) && !slices.Contains(e.Rows, r.id) {
			return codec.OptionError(fmt.Sprintf("peer %s: its row, %s, is not among the rows to make", r.name, r.id))
		}
	}
	switch {
	case e.Bytes != 0 && !slices.ContainsFunc(e.rows, func(r row) bool { return r.equal }):
		return codec.OptionError(fmt.Sprintf("budget %d: none of the rows to make is at equal bytes", e.Bytes))
	case e.Timeout != 0 && !slices.ContainsFunc(e.rows, func(r row) bool { return r.program }):
		return codec.OptionError(fmt.Sprintf("timeout %v: none of the rows to make runs a program", e.Timeout))
	}
	return nil
}

// blurSide is the side of the picture that BlurHash analyzes, as its authors
// advise.
const blurSide = 64

// blurHash is a row of BlurHash with so many cosines.
func (e *Evaluation) blurHash(id string, across, down int) row {
	return row{
		id: id, name: fmt.Sprintf("BlurHash %d x %d", across, down),
		note:   "github.com/bbrks/go-blurhash",
		params: func(*task) (string, error) { return fmt.Sprintf("%d x %d, size %d", across, down, e.Size), nil },
		make: func(_ context.Context, t *task) (*made, error) {
			start := time.Now()
			hash, err := blurhash.Encode(across, down, t.ref.averaged(blurSide).Image())
			if err != nil {
				return nil, err
			}
			m := &made{bytes: int64(len(hash)), encode: time.Since(start)}
			start = time.Now()
			img, err := blurhash.Decode(hash, blurSide, blurSide, 1)
			if err != nil {
				return nil, err
			}
			m.decode = time.Since(start)
			m.picture, err = e.small(img)
			return m, err
		},
	}
}

// thumbHash is the row of ThumbHash.
func (e *Evaluation) thumbHash() row {
	return row{
		id: "thumbhash", name: "ThumbHash",
		params: func(*task) (string, error) { return fmt.Sprintf("size %d", e.Size), nil },
		make: func(_ context.Context, t *task) (*made, error) {
			start := time.Now()
			hash := thumbHash(t.ref.averaged(min(e.Size, thumbSide)))
			m := &made{bytes: int64(len(hash)), encode: time.Since(start)}
			start = time.Now()
			p := thumbPicture(hash)
			m.decode = time.Since(start)
			m.picture = p.resized(e.Size)
			return m, nil
		},
	}
}
