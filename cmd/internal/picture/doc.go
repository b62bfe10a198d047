// Package picture reads and writes picture files. The content of a file decides
// its kind, not its name, and the header decides its size before anything of that
// size is allocated.
//
// # What is read
//
//   - PNG: all of it, also with most faults that libpng passes over, with a warning
//   - JPEG: 8 bits a channel, sequential and progressive, gray, RGB, YCbCr, CMYK
//     and YCCK; a file that is cut short as far as it goes, with a warning
//   - GIF and WebP: of an animation the first frame, where it stands on the screen
//   - TIFF: the first picture; gray, palette, RGB, YCbCr and CMYK of up to 16 bits
//     a sample, uncompressed or with PackBits, LZW, Deflate, fax or JPEG
//   - BMP: of Windows and OS/2, with runs and with masks
//   - HEIC and AVIF: stills, and the still picture of a sequence that has one
//
// A picture is read upright, as EXIF or its container has it, and in sRGB. At most
// [MaxPixels] pixels are read, and only if that takes at most [MaxMemory] bytes; a
// larger picture is an error that states the limit. Other kinds of these files,
// and other kinds of files that people take for pictures, are errors that name
// the kind.
//
// # What is written
//
// PNG, JPEG and lossless WebP, by the ending of the name. A decoded picture is
// generated, and its file says so: in PNG's text chunks, in JPEG's comment, in
// WebP's XMP. A PNG can hold the stream that it was decoded from, in a private
// chunk (see [Stream]), so that encoding it again loses nothing.
package picture
