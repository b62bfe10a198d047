// Package picture reads and writes picture files. The content of a file decides
// its kind, not its name, and the header decides its size before anything of that
// size is allocated.
//
// # What is read
//
// PNG, JPEG, GIF and WebP (of an animation the first frame, where it stands on
// the screen), TIFF, BMP, HEIC and AVIF. A picture is read upright, as EXIF or its
// container has it, and in sRGB. At most [MaxPixels] pixels are read, and only if
// that takes at most [MaxMemory] bytes; a larger picture is an error that states
// the limit. Other kinds of picture files are errors that name the kind.
//
// # What is written
//
// PNG, JPEG and lossless WebP, by the ending of the name. A decoded picture is
// generated, and its file says so: in PNG's text chunks, in JPEG's comment, in
// WebP's XMP. A PNG can hold the stream that it was decoded from, in a private
// chunk (see [Stream]), so that encoding it again loses nothing.
package picture
