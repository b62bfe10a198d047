package main

import (
	"time"

	"github.com/coclico/coclico/cmd/internal/batch"
	"github.com/coclico/coclico/cmd/internal/files"
)

// A fileLine is what --json prints about a file.
type fileLine struct {
	Input       string       `json:"input"`
	InputBytes  []byte       `json:"input_bytes,omitempty"` // of a name that is not UTF-8
	Output      string       `json:"output,omitempty"`
	OutputBytes []byte       `json:"output_bytes,omitempty"`
	Status      batch.Status `json:"status"`
	Bytes       int64        `json:"bytes,omitempty"`
	Seconds     float64      `json:"seconds,omitempty"`
	Error       string       `json:"error,omitempty"`
}

// statusPassed is the status of what a folder had and was not taken.
const statusPassed batch.Status = "passed over"

func newLine(input, output string, status batch.Status) fileLine {
	return fileLine{Input: input, InputBytes: files.Bytes(input), Output: output, OutputBytes: files.Bytes(output), Status: status}
}

func lineOf(r batch.Result) fileLine {
	l := newLine(r.Input, r.Output, r.Status)
	l.Bytes, l.Seconds = r.Bytes, seconds(r.Elapsed)
	if r.Err != nil {
		l.Error = r.Err.Error()
	}
	return l
}

func seconds(d time.Duration) float64 { return d.Round(time.Microsecond).Seconds() }
