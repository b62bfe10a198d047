package main

import (
	"errors"
	"os"
	"time"

	"github.com/coclico/coclico/cmd/internal/batch"
	"github.com/coclico/coclico/cmd/internal/files"
	"github.com/coclico/coclico/cmd/internal/terminal"
)

// keepPicture refuses to replace a file that is named like a picture with a
// .coclico file, which is usually a slip.
func keepPicture(output string, force bool) error {
	if force || !isPictureName(output) {
		return nil
	}
	return keepFile(output, errors.New("exists and is named like a picture: --force replaces it"))
}

// keepFile returns refusal, with the file's name, if there is a regular file. One
// that cannot be looked up may be there.
func keepFile(output string, refusal error) error {
	info, err := files.Lookup(output)
	if err == nil && info != nil && info.Mode().IsRegular() {
		err = refusal
	}
	return named(output, err)
}

// one does the work on a single file, and reports it as a line of JSON if asked
// to.
func one(s *terminal.Screen, m *many, input, output string, work func() error) error {
	if err := files.Overwrites(input, output); err != nil {
		return err
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
	kept := interruptedError("") // and yet there is a file
	if err != nil {
		l.Status, l.Error = batch.Failed, err.Error()
	}
	if info, e := os.Stat(output); e == nil && (err == nil || errors.As(err, &kept)) {
		l.Bytes = info.Size()
	}
	if e := s.JSON(l); err == nil {
		err = e
	}
	return err
}
