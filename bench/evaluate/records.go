package evaluate

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
)

// A Record is the result of a row for one picture: a line of records.jsonl.
type Record struct {
	Row     string `json:"row"`
	Picture string `json:"picture"` // its file's name
	Source  string `json:"source"`  // hash of the pixels that were encoded
	Params  string `json:"params"`  // what the result depends on besides them

	Bytes         int64              `json:"bytes"` // -1 if unknown
	EncodeSeconds float64            `json:"encode_seconds"`
	DecodeSeconds float64            `json:"decode_seconds"`
	MemoryMiB     float64            `json:"memory_mib"` // 0 if unknown
	Note          string             `json:"note,omitempty"`
	File          string             `json:"file,omitempty"` // of the decoded picture, below the output folder
	Decoded       string             `json:"decoded,omitempty"`
	Scores        map[string]float64 `json:"scores,omitempty"`
	Vector        vector             `json:"clip,omitempty"`
	VectorOf      string             `json:"clip_model,omitempty"`
	Error         string             `json:"error,omitempty"`
}

// A vector is written as the base64 of float32s, little-endian.
type vector []float32

func (v vector) MarshalJSON() ([]byte, error) {
	b := make([]byte, 0, 4*len(v))
	for _, x := range v {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
	}
	return json.Marshal(b)
}

func (v *vector) UnmarshalJSON(data []byte) error {
	var b []byte
	if err := json.Unmarshal(data, &b); err != nil {
		return err
	}
	if len(b)%4 != 0 {
		return errors.New("the bytes of a vector are not those of whole numbers")
	}
	*v = make(vector, len(b)/4)
	for i := range *v {
		(*v)[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return nil
}

// A key tells records apart that are about different work.
type key struct{ row, picture string }

// A journal is the file of records. The last record of a key counts.
type journal struct {
	file *os.File
	last map[key]*Record
}

// maxJournal is the size of the largest journal that is read.
const maxJournal = 1 << 30

// journalName is the name of the journal in the output folder.
const journalName = "records.jsonl"

// openJournal locks a journal, if lock is not nil, and reads the records of
// earlier runs. A torn last line, of a run that was killed, is cut off; any other
// line that is no record is an error: the file may be somebody else's.
func openJournal(path string, lock func(*os.File) error) (*journal, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o666)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, cause(err))
	}
	j := &journal{f, map[key]*Record{}}
	if lock != nil {
		err = lock(f)
	}
	if err == nil {
		err = j.read()
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", path, cause(err))
	}
	return j, nil
}

func (j *journal) read() error {
	if info, err := j.file.Stat(); err == nil && !info.Mode().IsRegular() { // a pipe may never end
		return errors.New("not a regular file: choose another folder")
	}
	data, err := io.ReadAll(io.LimitReader(j.file, maxJournal+1))
	if err != nil {
		return err
	}
	if len(data) > maxJournal {
		return fmt.Errorf("more than %d bytes", maxJournal)
	}
	whole := bytes.LastIndexByte(data, '\n') + 1
	for i, line := range bytes.Split(data[:whole], []byte{'\n'}) {
		if len(line) == 0 {
			continue
		}
		r := new(Record)
		err := json.Unmarshal(line, r)
		if err == nil && (r.Row == "" || r.Picture == "" || r.Source == "") {
			err = errors.New("it lacks a row, a picture or a source")
		}
		if err != nil {
			return fmt.Errorf("line %d is not a record: %w: choose another folder", i+1, err)
		}
		j.last[key{r.Row, r.Picture}] = r
	}
	torn := data[whole:]
	switch {
	case len(torn) == 0:
		return nil // without a lock, another run may have added records since
	case len(j.last) == 0 && !beginsRecord(torn):
		return errors.New("it has no records and ends like something else: choose another folder")
	}
	return j.file.Truncate(int64(whole))
}

// beginsRecord reports whether data may be the beginning of a record.
func beginsRecord(data []byte) bool {
	head := []byte(`{"row":"`)
	n := min(len(head), len(data))
	return bytes.Equal(data[:n], head[:n])
}

// find returns the record of a row and a picture if it is still about this
// picture and these parameters, and without an error.
func (j *journal) find(row, picture, source, params string) *Record {
	r := j.last[key{row, picture}]
	if r == nil || r.Source != source || r.Params != params || r.Error != "" {
		return nil
	}
	return r
}

// add appends a record, and returns when it is on the disk.
func (j *journal) add(r *Record) error {
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if _, err := j.file.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("%s: %w", j.file.Name(), cause(err))
	}
	j.last[key{r.Row, r.Picture}] = r
	if err := j.file.Sync(); err != nil {
		return fmt.Errorf("%s: %w", j.file.Name(), cause(err))
	}
	return nil
}

func (j *journal) close() error { return j.file.Close() }
