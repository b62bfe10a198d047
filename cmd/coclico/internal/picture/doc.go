// Package picture reads and writes picture files. What a file is, its content says and not its name; how large it is, its
// header says, before anything of that size is allocated.
//
// # What is read
//
// PNG, JPEG, GIF (the first frame on its screen), WebP, TIFF and BMP, and HEIC where the program was built with it (see
// heic.go). JPEG files are turned as the camera was held. At most [MaxPixels] pixels are read, and only if that takes at most
// [MaxMemory] bytes; a larger picture is an error that states the limit.
//
// # What is written
//
// PNG, JPEG and lossless WebP, by the name's ending. A decoded picture is made up, and a PNG or JPEG says so: in PNG's text
// chunks, in JPEG's comment. A PNG can hold the stream that it was decoded from, in a private chunk (see [Stream]), so that
// encoding it again loses nothing.
package picture
