package picture

import (
	"bytes"
	"encoding/binary"
)

// An unread is a kind of file that is told by its first bytes and is not read.
type unread struct {
	name   string
	magic  []string // as in format
	advice string
}

const (
	convert  = "convert it to PNG or JPEG first"
	export   = "export a JPEG, TIFF or PNG with a program that develops raw files first"
	still    = "save one of its pictures as PNG or JPEG first"
	render   = "draw it as a PNG first"
	ordinary = "save it as an ordinary PNG or JPEG first" // for a rare kind of what is read
)

// unreadKinds is the list of what people take for a picture that can be read.
var unreadKinds = []unread{
	{"JPEG XL", []string{"\xff\x0a", "\x00\x00\x00\x0cJXL \r\n\x87\n"}, convert},
	{"JPEG 2000", []string{"\x00\x00\x00\x0cjP  \r\n\x87\n", "\xff\x4f\xff\x51"}, convert},
	{"JPEG XR", []string{"II\xbc\x01", "II\xbc\x00"}, convert},
	{"Photoshop (PSD)", []string{"8BPS"}, convert},
	{"GIMP (XCF)", []string{"gimp xcf"}, convert},
	{"OpenEXR", []string{"v/1\x01"}, convert},
	{"Radiance HDR", []string{"#?RADIANCE", "#?RGBE"}, convert},
	{"DirectDraw surface (DDS)", []string{"DDS "}, convert},
	{"QOI", []string{"qoif"}, convert},
	{"farbfeld", []string{"farbfeld"}, convert},
	{"FITS", []string{"SIMPLE  ="}, convert},
	{"BPG", []string{"BPG\xfb"}, convert},
	{"FLIF", []string{"FLIF"}, convert},
	{"MNG", []string{"\x8aMNG\r\n\x1a\n", "\x8bJNG\r\n\x1a\n"}, convert},
	{"DjVu", []string{"AT&TFORM"}, convert},
	{"SGI", []string{"\x01\xda\x00\x01", "\x01\xda\x01\x01"}, convert},
	{"Sun raster", []string{"\x59\xa6\x6a\x95"}, convert},
	{"PCX", []string{"\x0a\x05\x01", "\x0a\x03\x01", "\x0a\x02\x01"}, convert},
	{"Apple icon (ICNS)", []string{"icns"}, convert},
	{"PNM", []string{"P1\n", "P2\n", "P3\n", "P4\n", "P5\n", "P6\n", "P7\n", "P1 ", "P2 ", "P3 ", "P4 ", "P5 ", "P6 ", "P1\r", "P2\r", "P3\r", "P4\r", "P5\r", "P6\r", "PF\n", "Pf\n"}, convert},
	{"XPM", []string{"/* XPM"}, convert},
	{"BigTIFF", []string{"II\x2b\x00", "MM\x00\x2b"}, "save it as an ordinary TIFF first"},
	{"a camera's raw file", []string{
		"FUJIFILMCCD-RAW", "IIRO", "IIRS", "MMOR", "IIU\x00", "FOVb", "\x00MRM", "II\x1a\x00\x00\x00HEAPCCDR", "????ftypcrx ",
	}, export},
	{"SVG", []string{"<svg"}, render},
	{"Encapsulated PostScript", []string{"%!PS", "\xc5\xd0\xd3\xc6"}, render},
	{"PDF", []string{"%PDF"}, render},
	{"Windows metafile", []string{"\xd7\xcd\xc6\x9a", "\x01\x00\x00\x00????????????????????????????????????\x20EMF"}, render},
	{"a film", []string{
		"\x1aE\xdf\xa3", "RIFF????AVI ", "????ftyp", "????moov", "????mdat", "????wide", "\x00\x00\x01\xba", "\x00\x00\x01\xb3", "0&\xb2u\x8ef\xcf\x11",
	}, still},
	{"a web page", []string{"<!DOCTYPE html", "<!doctype html", "<!DOCTYPE HTML", "<html", "<HTML"}, "save the picture that it shows"},
	{"a text", []string{"{\\rtf"}, convert},
}

// findUnread returns the kind of a file that begins so, nil for none of the list.
func findUnread(head []byte) *unread {
	text := bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\ufeff")), " \t\r\n")
	for i := range unreadKinds {
		for _, magic := range unreadKinds[i].magic {
			if matches(magic, head) || magic[0] == '<' && matches(magic, text) {
				return &unreadKinds[i]
			}
		}
	}
	switch {
	case bytes.HasPrefix(text, []byte("<?xml")) && bytes.Contains(text, []byte("<svg")):
		return &unread{name: "SVG", advice: render}
	case len(head) >= 132 && string(head[128:132]) == "DICM":
		return &unread{name: "DICOM", advice: convert}
	case isIcon(head):
		return &unread{name: "Windows icon (ICO)", advice: convert}
	case isTarga(head):
		return &unread{name: "TGA", advice: convert}
	}
	return nil
}

// isIcon reports whether a file begins as an icon or a cursor does, with how many
// pictures it holds.
func isIcon(head []byte) bool {
	if len(head) < 22 {
		return false
	}
	order := binary.LittleEndian
	kind, n := order.Uint16(head[2:]), order.Uint16(head[4:])
	return order.Uint16(head) == 0 && (kind == 1 || kind == 2) && n > 0 && n < 256 && head[9] == 0
}

// isTarga reports whether a file begins as a TGA does, which has no signature:
// kinds, sizes and depths that fit together.
func isTarga(head []byte) bool {
	if len(head) < 18 {
		return false
	}
	order := binary.LittleEndian
	mapped, kind, entries, bits := head[1], head[2], order.Uint16(head[5:]), head[16]
	if order.Uint16(head[12:]) == 0 || order.Uint16(head[14:]) == 0 || head[17]&0xc0 != 0 {
		return false
	}
	switch kind {
	case 1, 9:
		return mapped == 1 && entries > 0 && bits == 8
	case 2, 10:
		return mapped <= 1 && (bits == 15 || bits == 16 || bits == 24 || bits == 32)
	case 3, 11:
		return mapped == 0 && (bits == 8 || bits == 16)
	}
	return false
}
