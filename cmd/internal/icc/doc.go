// Package icc converts the colors of pictures to sRGB.
//
// A [Profile] comes from an ICC profile ([Parse]), from the code points of ITU-T
// H.273 ([CICP]), or from primaries and a transfer curve ([New]). It consists of a
// curve for each channel and, for RGB, a matrix to the XYZ of D50, the profile
// connection space of ICC.1:2022. Profiles that consist of lookup tables, and
// those of CMYK, are an [UnsupportedError]. A [Transform] applies the curves and
// one matrix to linear sRGB, clips to its gamut, and encodes the result. White
// becomes white and black is left alone: this is the relative colorimetric intent
// without black point compensation, and testdata holds what Little CMS makes of
// the same profiles.
package icc
