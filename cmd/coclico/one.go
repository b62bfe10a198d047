package main

import (
	"errors"
	"os"
	"time"

	"github.com/coclico/coclico/cmd/internal/batch"
	"github.com/coclico/coclico/cmd/internal/files"
	"github.com/coclico/coclico/cmd/internal/terminal"
)

// one does the work on a single file, and reports it as a line of JSON if asked
// to.
func one(s *terminal.Screen, m *many, input, output string, work func() error) error {
	if files.IsRegular(output) && input != files.Stdio && files.Same(input, output) {
		return files.Named(input, errors.New("would be overwritten by its own result"))
	}
	if !m.json {
		return work()
	}
	if output == files.Stdio {
		return usagef("--json and -o - cannot share standard output")
	}
	start := time.Now()
	err := work()
	l := newLine(input, output, batch.Done)
	l.Seconds = seconds(time.Since(start))
	if err != nil {
		l.Status, l.Error = batch.Failed, err.Error()
	} else if info, err := os.Stat(output); err == nil {
		l.Bytes = info.Size()
	}
	if e := s.JSON(l); err == nil {
		err = e
	}
	return err
}
