package picture

import "io"

// A source is a file that remembers why it could not be read. What a decoder
// reports then is not the file's fault, and metadata that a failed read hid is in
// the file all the same.
type source struct {
	io.ReadSeeker
	err error // of the first read that failed; the end of the file is no failure
}

func (s *source) Read(p []byte) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	n, err := s.ReadSeeker.Read(p)
	s.remember(err)
	return n, err
}

// Seek remembers only why the end was not found, for which a pipe is read. Other
// offsets are those that the file names: if the system refuses one, the file is
// at fault.
func (s *source) Seek(offset int64, whence int) (int64, error) {
	n, err := s.ReadSeeker.Seek(offset, whence)
	if whence == io.SeekEnd {
		s.remember(err)
	}
	return n, err
}

// cause returns why the source could not be read, or else err.
func (s *source) cause(err error) error {
	if s.err != nil {
		return s.err
	}
	return err
}

func (s *source) remember(err error) {
	if s.err == nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		s.err = err
	}
}
