// Package heif decodes the pictures that are kept in ISO base media files:
// HEIC (HEVC, as phones write it) and AVIF (AV1).
//
// The header is read here. The pixels are decoded by libheif with libde265 and
// by libavif with libaom, compiled to WebAssembly and run by wazero: no cgo, no
// shared library, and a file that subverts a decoder subverts a sandbox without
// files, network or clock. A module is compiled when the first picture of its
// kind is decoded, which takes about a second.
//
// A browser would run that as an interpreter inside of WebAssembly, which takes
// minutes for a phone's picture. There, with GOOS=js, neither the modules nor
// wazero are part of the program, and [Available] returns an error.
//
// # Where the modules come from
//
// heic.wasm.gz is lib/heif.wasm.gz of github.com/gen2brain/heic v0.4.5
// (libheif 1.18.2, libde265 1.0.15), avif.wasm.gz is lib/decode.wasm.gz of
// github.com/gen2brain/avif v0.4.4 (libavif, libaom); the recipes of both stand
// beside them there. They are copies because the Go code of those modules looks
// for shared libraries of the machine first, which links the dynamic loader into
// every program that imports it, unless the whole build is tagged nodynamic. The
// licenses are in the folder licenses; those of libheif and libde265 are the
// LGPL, and this folder's sources with "go build" are what relinking takes.
package heif

import (
	"image"
	"image/color"
)

// A FormatError reports that the input is not a valid HEIC or AVIF picture.
type FormatError string

func (e FormatError) Error() string { return "heif: " + string(e) }

// An UnsupportedError reports a valid feature that is not read.
type UnsupportedError string

func (e UnsupportedError) Error() string { return "heif: unsupported feature: " + string(e) }

// An UnavailableError reports a picture that another program or machine would
// decode. What it says follows "a picture that".
type UnavailableError string

func (e UnavailableError) Error() string { return "heif: unavailable: " + string(e) }

const errSyntax = FormatError("invalid box")

// model is the color model of what Decode returns.
func (h *Header) model() color.Model {
	switch {
	case h.deep():
		return color.RGBA64Model
	case h.AVIF || h.converted():
		return color.RGBAModel
	case h.alpha != 0:
		return color.NYCbCrAModel
	}
	return color.YCbCrModel
}

// Config returns the dimensions and the color model of the picture that Decode
// returns.
func (h *Header) Config() image.Config {
	w, height := h.codedWidth, h.codedHeight
	for _, t := range h.transforms {
		w, height = t.size(w, height)
	}
	return image.Config{ColorModel: h.model(), Width: w, Height: height}
}

// Memory returns the bytes that Decode takes at its peak for a file of size
// bytes: the decoder's memory, with a copy of the file, and the picture outside,
// once more where it is converted, turned or given its transparency.
func (h *Header) Memory(size int64) int64 {
	process, picture := h.processMemory(size), h.pixels()*h.each()
	total := process + picture
	if h.AVIF && len(h.transforms) > 0 || h.converted() {
		total += picture
	}
	if !h.AVIF && h.alpha != 0 { // the first process may not be collected when the second one starts
		total += process + picture
	}
	return total
}

// each is the bytes of a pixel that Decode returns, at most.
func (h *Header) each() int64 {
	if h.deep() {
		return 8
	}
	return 4
}

// processMemory bounds the memory of a decoder. Measured at 2400 x 1600 pixels,
// it takes 22 bytes for each with AVIF, 35 with more than 8 bits a channel, and
// with HEIC 7, or 12 where the colors are as fine as the luma.
func (h *Header) processMemory(size int64) int64 {
	each := int64(15)
	switch {
	case h.deep():
		each = 40
	case h.AVIF:
		each = 26
	}
	return 16<<20 + 2*size + each*h.pixels()
}

func (h *Header) pixels() int64 { return int64(h.codedWidth) * int64(h.codedHeight) }

// deep reports whether Decode returns 16 bits a channel.
func (h *Header) deep() bool { return h.AVIF && h.depth > 8 }
