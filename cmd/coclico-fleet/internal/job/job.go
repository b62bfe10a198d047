// Package job is what a fleet works on: a list of names in chunks, and how each
// is encoded or painted. A job is a few objects in the bucket of its results,
// which [Write] writes once and nobody changes:
//
//	_job/job.json                      a Job
//	_job/names-ID-00000000.parquet     the names, with sizes, times and tags
//	_job/done.json                     once all chunks are done
//
// and what the workers add, for chunk 7:
//
//	_parts/part-00000007.parquet       its rows: a shard of codec/archive
//	_errors/part-00000007.json         its rows with errors, if there are any
//	_tries/part-00000007/...           what attempts left, until it is done
//	pictures/NAME.png                  what a job of decoding has painted
//
// A chunk is done when its part exists.
package job

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"strconv"
	"time"

	"github.com/coclico/coclico/cmd/coclico-fleet/internal/bucket"
)

// Version is the version of jobs that this package writes, and the only one that
// it reads.
const Version = 1

// A Job is what a fleet works on.
type Job struct {
	Version int       `json:"version"`
	ID      string    `json:"id"`
	Source  string    `json:"source"` // the URL of the bucket of the pictures or files
	Decode  bool      `json:"decode"` // paint files, instead of encoding pictures
	Params  []string  `json:"params"` // flags of package options: "--bytes=200"
	Planned time.Time `json:"planned"`

	// Every worker must have this model and be this version of the program.
	Model       string `json:"model"`
	Fingerprint string `json:"fingerprint"` // in eight hex digits
	Software    string `json:"software"`

	Pictures int64  `json:"pictures"`
	Bytes    int64  `json:"bytes"` // of all sources
	Paints   bool   `json:"-"`     // which takes long: Write's default is a smaller Chunk
	Chunk    int    `json:"chunk"` // pictures of a chunk; the last may have fewer
	Rows     int    `json:"rows"`  // pictures of a list, a multiple of Chunk; the last may have fewer
	Lists    []List `json:"lists"`
}

// A List is a file of names.
type List struct {
	Name   string `json:"name"`
	Rows   int    `json:"rows"`
	SHA256 string `json:"sha256"`
}

// Limits of a job.
const (
	MaxChunk  = 4096
	maxChunks = 100_000_000 // numbers have eight digits
	maxJob    = 64 << 20
	listRows  = 1 << 16
)

// Chunks returns the number of chunks.
func (j *Job) Chunks() int { return int((j.Pictures + int64(j.Chunk) - 1) / int64(j.Chunk)) }

// Size returns the number of pictures of a chunk.
func (j *Job) Size(chunk int) int {
	return int(min(int64(j.Chunk), j.Pictures-int64(chunk)*int64(j.Chunk)))
}

// Work names what is done.
func (j *Job) Work() string {
	if j.Decode {
		return "decode"
	}
	return "encode"
}

// Names of objects.
const (
	Name        = "_job/job.json"
	DoneName    = "_job/done.json"
	PartPrefix  = "_parts/"
	ErrorPrefix = "_errors/"
	TryPrefix   = "_tries/"
	Pictures    = "pictures/"
)

// PartName returns the name of a chunk's rows.
func PartName(chunk int) string { return fmt.Sprintf("%spart-%08d.parquet", PartPrefix, chunk) }

// ErrorName returns the name of the list of a chunk's rows with errors.
func ErrorName(chunk int) string { return fmt.Sprintf("%spart-%08d.json", ErrorPrefix, chunk) }

// TryName returns the prefix of what attempts at a chunk have left.
func TryName(chunk int) string { return fmt.Sprintf("%spart-%08d/", TryPrefix, chunk) }

var partPattern = regexp.MustCompile(`^_(?:parts|errors|tries)/part-([0-9]{8})(?:\.parquet|\.json|/.*)$`)

// ChunkOf returns the chunk that one of these names is of.
func (j *Job) ChunkOf(name string) (chunk int, ok bool) {
	m := partPattern.FindStringSubmatch(name)
	if m == nil {
		return 0, false
	}
	chunk, err := strconv.Atoi(m[1])
	return chunk, err == nil && chunk < j.Chunks()
}

// partOf returns the chunk that an object is the part of. No part is empty: an
// empty object is what a worker has left that was killed, see package bucket.
func (j *Job) partOf(o bucket.Object) (chunk int, ok bool) {
	chunk, ok = j.ChunkOf(o.Name)
	return chunk, ok && o.Size > 0
}

// ErrNone means that a bucket has no job.
var ErrNone = errors.New("has no job: coclico-fleet plan SOURCE DESTINATION makes one")

// Read reads the job of a bucket.
func Read(ctx context.Context, b *bucket.Bucket) (*Job, error) {
	data, _, err := b.Get(ctx, Name, maxJob)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s %w", b.URL(), ErrNone)
	}
	if err != nil {
		return nil, err
	}
	j := &Job{}
	if err := json.Unmarshal(data, j); err != nil {
		return nil, fmt.Errorf("%s: not a job: %w", Name, err)
	}
	if err := j.check(); err != nil {
		return nil, fmt.Errorf("%s: %w", Name, err)
	}
	return j, nil
}

var idPattern = regexp.MustCompile(`^[a-z0-9]{10}$`)

// check returns an error for a job that Write cannot have written. It bounds
// what a worker allocates.
func (j *Job) check() error {
	if j.Version != Version {
		return fmt.Errorf("a job of version %d; this program reads version %d", j.Version, Version)
	}
	print, err := hex.DecodeString(j.Fingerprint)
	switch {
	case !idPattern.MatchString(j.ID):
		return errors.New("the ID is not ten letters and digits")
	case err != nil || len(print) != 4:
		return errors.New("the fingerprint is not eight hex digits")
	case j.Chunk < 1 || j.Chunk > MaxChunk || j.Pictures < 1 || j.Pictures > maxChunks*int64(j.Chunk):
		return errors.New("chunks of an impossible size")
	case j.Rows < j.Chunk || j.Rows > listRows || j.Rows%j.Chunk != 0:
		return errors.New("lists of an impossible size")
	}
	rows := int64(0)
	for i, l := range j.Lists {
		sum, err := hex.DecodeString(l.SHA256)
		if l.Name != listName(j.ID, i) || err != nil || len(sum) != 32 || l.Rows < 1 || int64(l.Rows) != min(int64(j.Rows), j.Pictures-rows) {
			return fmt.Errorf("list %d is not one of this job", i)
		}
		rows += int64(l.Rows)
	}
	if rows != j.Pictures {
		return errors.New("lists are missing")
	}
	return nil
}

func (j *Job) encode() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	err := e.Encode(j)
	return b.Bytes(), err
}
