package main

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"io"
	"io/fs"
	"os"
	"time"
)

// A file of an archive.
type file struct {
	name string // in the archive, below its folder
	path string
	mode fs.FileMode
}

// writeTar writes a compressed tar archive with the files in the folder dir.
// Owners are left out, and every file has the same time.
func writeTar(w io.Writer, dir string, files []file, t time.Time) error {
	z, err := gzip.NewWriterLevel(w, gzip.BestCompression)
	if err != nil {
		return err
	}
	a := tar.NewWriter(z)
	for _, f := range files {
		data, err := os.ReadFile(f.path)
		if err != nil {
			return err
		}
		h := &tar.Header{Typeflag: tar.TypeReg, Name: dir + "/" + f.name, Size: int64(len(data)), Mode: int64(f.mode), ModTime: t, Format: tar.FormatUSTAR}
		if err := a.WriteHeader(h); err != nil {
			return err
		}
		if _, err := a.Write(data); err != nil {
			return err
		}
	}
	if err := a.Close(); err != nil {
		return err
	}
	return z.Close()
}

// writeZip is writeTar for a zip archive.
func writeZip(w io.Writer, dir string, files []file, t time.Time) error {
	a := zip.NewWriter(w)
	for _, f := range files {
		data, err := os.ReadFile(f.path)
		if err != nil {
			return err
		}
		h := &zip.FileHeader{Name: dir + "/" + f.name, Method: zip.Deflate, Modified: t}
		h.SetMode(f.mode)
		entry, err := a.CreateHeader(h)
		if err != nil {
			return err
		}
		if _, err := entry.Write(data); err != nil {
			return err
		}
	}
	return a.Close()
}
