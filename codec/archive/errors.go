package archive

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// A FormatError reports bytes that are not an archive's. It is a string.
type FormatError string

func (e FormatError) Error() string { return "invalid archive: " + string(e) }

// A VersionError reports an archive, or a shard, of a later version. It is a
// string.
type VersionError string

func (e VersionError) Error() string { return "unsupported: " + string(e) }

// A ShardError reports what is wrong with one shard. The others can be read.
type ShardError struct {
	Shard string // its file's name
	Err   error

	dir string // its archive's folder, set where several archives are read
}

func (e *ShardError) Error() string { return e.Shard + ": " + e.Err.Error() }
func (e *ShardError) Unwrap() error { return e.Err }

var (
	// ErrBusy means that another process writes to the archive.
	ErrBusy = errors.New("another process is writing to this archive")
	// ErrChanged means that another process has replaced a shard since the
	// archive was opened. It must be opened again; [Archive.RowsAfter] resumes
	// where Rows was.
	ErrChanged = errors.New("another process has rewritten the archive meanwhile: try again")
	// ErrModel means that rows were made with another model than the archive's.
	ErrModel = errors.New("made with another model than the archive")
	// ErrOverlap means that more than MaxOverlap shards may have one name.
	ErrOverlap = fmt.Errorf("more than %d shards have names in the same range: compact the archive first", MaxOverlap)
	// errNoNumber means that an archive can have no more shards.
	errNoNumber = errors.New("no number is left for another shard: merge the archive into a new one")
	// errShards means that the manifest would be longer than is read.
	errShards = errors.New("the manifest would take more than 64 MiB: merge the archive into a new one of larger shards")
)

const (
	errMissing     = FormatError("the manifest lists it, but there is no such file")
	errLarge       = FormatError("manifest of more than 64 MiB")
	errFingerprint = FormatError("a model's fingerprint has eight hex digits, a to f in lower case")
	errNumbers     = FormatError("shards not in the order of their numbers, or beyond the next one")
	errText        = FormatError("error too long or not UTF-8")
	errIrregular   = FormatError("not a regular file")
	errMagic       = FormatError("not a Parquet file")
	errCut         = FormatError("cut short")
	errFooter      = FormatError("corrupt footer")
	errNoShard     = FormatError("a Parquet file, but not a shard of an archive")
	errEncoded     = FormatError("encrypted or nested columns")
	errOffsets     = FormatError("a column outside the file, or on another one's place")
	errCount       = FormatError("columns of different lengths")
	errPage        = FormatError("corrupt page")
	errSum         = FormatError("CRC of a page does not match")
	errPageSize    = FormatError("page of more than 1 MiB or 20,480 values")
	errNoIndex     = FormatError("no offset index")
	errIndex       = FormatError("corrupt offset index")
	errOrder       = FormatError("names not in order")
	errName        = FormatError("name empty, too long or not UTF-8")
	errData        = FormatError("picture of more than 256 KiB")
	errBoth        = FormatError("row with both a picture and an error")
	errSource      = FormatError("size of a source that is negative or too large")
	errTime        = FormatError("time of a source that milliseconds in 64 bits cannot hold")
	errFirst       = FormatError("names differ from the manifest's")
	errHash        = FormatError("SHA-256 differs from the manifest's")
	errRows        = FormatError("number of rows differs from the manifest's")
)

// errOthers means that a shard has columns of a later program.
const errOthers = VersionError("it has columns that this program does not know, which merging would delete; a newer coclico merges them")

// located records the folder of a shard's archive in its error.
func (s *Shard) located(err error) error {
	var e *ShardError
	if errors.As(err, &e) {
		e.dir = s.archive.dir
	}
	return err
}

// withFolder returns an error that begins with the folder of its archive, if
// that is recorded.
func withFolder(err error) error {
	var e *ShardError
	if errors.As(err, &e) && e.dir != "" {
		return fmt.Errorf("%s: %w", e.dir, err)
	}
	return err
}

// inFolder returns an error of writing to the archive in a folder. It begins
// with the folder instead of a file's name, which may be temporary.
func inFolder(dir string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", dir, cause(err))
}

// cause returns the reason alone from an error of the operating system, which
// repeats the operation and a name that may be temporary.
func cause(err error) error {
	var p *fs.PathError
	var l *os.LinkError
	switch {
	case errors.As(err, &p):
		return p.Err
	case errors.As(err, &l):
		return l.Err
	}
	return err
}

// named returns an error that begins with a file's name.
func named(name string, err error) error {
	if err == nil {
		return nil
	}
	return &ShardError{Shard: name, Err: cause(err)}
}
