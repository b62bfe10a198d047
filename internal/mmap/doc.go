// Package mmap maps files into memory for reading, on systems that can.
package mmap
