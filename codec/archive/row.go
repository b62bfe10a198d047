package archive

import (
	"math"
	"strings"
	"time"
	"unicode/utf8"
)

// A Row is a picture of an archive. The rows that an iterator yields share
// memory with others of their page, 64 KiB of it: whoever keeps a few of many
// should clone their strings and Data.
type Row struct {
	// Name is the picture's path below the root, its parts separated by '/',
	// as [Quote] writes it.
	Name string

	// Data is the picture's .coclico file. It is empty if and only if Error
	// is not: see [Row.Removed].
	Data []byte

	Width, Height int       // of the source as it is shown, 0 if unknown
	Size          int64     // of the source in bytes
	Time          time.Time // when the source was last modified, to the millisecond; 1970 if unknown

	// Error is why the source could not be read. It has no Data then.
	Error string
}

// Removed reports whether a row is a tombstone: with neither a picture nor an
// error, it removes its name from older shards.
func (r *Row) Removed() bool { return len(r.Data) == 0 && r.Error == "" }

// millis returns a row's time as a shard has it. A zero Time is unknown; its own
// milliseconds, in the year 1, are ones that Spark refuses to read.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// Limits of a row.
const (
	MaxName = 4096      // bytes of a name, and of an error
	MaxData = 256 << 10 // bytes of a picture; the longest .coclico file has 140 kB
)

// check returns an error if an archive cannot hold a row.
func (r *Row) check() error {
	switch {
	case !validName(r.Name):
		return errName
	case len(r.Data) > MaxData:
		return errData
	case len(r.Error) > MaxName || !utf8.ValidString(r.Error):
		return errText
	case len(r.Data) > 0 && r.Error != "":
		return errBoth
	case min(r.Width, r.Height) < 0 || max(r.Width, r.Height) > math.MaxInt32 || r.Size < 0:
		return errSource
	case !time.UnixMilli(r.Time.UnixMilli()).Equal(r.Time.Truncate(time.Millisecond)):
		return errTime
	}
	return nil
}

func validName(name string) bool {
	return name != "" && len(name) <= MaxName && utf8.ValidString(name)
}

// mark stands before the two hex digits of a quoted byte.
const mark = "\uFFFD"

// Quote returns the name that stands for a path. Names are UTF-8, as Parquet's
// strings are; paths need not be. A byte that is not part of a character is
// written as U+FFFD and two hex digits, and so are the three bytes of a U+FFFD,
// so that each path has its own name. Other paths are their own names.
func Quote(path string) string {
	if utf8.ValidString(path) && !strings.Contains(path, mark) {
		return path
	}
	const hex = "0123456789abcdef"
	var b strings.Builder
	for i := 0; i < len(path); {
		r, n := utf8.DecodeRuneInString(path[i:])
		if r == utf8.RuneError {
			for _, c := range []byte(path[i : i+n]) {
				b.WriteString(mark)
				b.WriteByte(hex[c>>4])
				b.WriteByte(hex[c&15])
			}
		} else {
			b.WriteString(path[i : i+n])
		}
		i += n
	}
	return b.String()
}

// Unquote returns the path that a name stands for. A name that Quote does not
// write stands for itself.
func Unquote(name string) string {
	if !strings.Contains(name, mark) {
		return name
	}
	var b strings.Builder
	for i := 0; i < len(name); {
		rest, found := strings.CutPrefix(name[i:], mark)
		if !found {
			b.WriteByte(name[i])
			i++
			continue
		}
		if len(rest) < 2 || !isHex(rest[0]) || !isHex(rest[1]) {
			return name
		}
		b.WriteByte(unhex(rest[0])<<4 | unhex(rest[1]))
		i += len(mark) + 2
	}
	if path := b.String(); Quote(path) == name {
		return path
	}
	return name
}

func isHex(c byte) bool { return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' }

func unhex(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c - 'a' + 10
}
