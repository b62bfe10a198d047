// Package icc converts the colors of pictures to sRGB.
//
// A [Profile] comes from an ICC profile ([Parse]), from the code points of ITU-T
// H.273 ([CICP]), or from primaries and a transfer curve ([New]). It is a curve
// for each channel and, for RGB, a matrix to the XYZ of D50, the profile
// connection space of ICC.1:2022; profiles that need a lookup table, and those
// of CMYK, are an [UnsupportedError]. A [Transform] applies the curves and one
// matrix to linear sRGB, clips what lies outside of its gamut, and encodes it.
// White maps to white and nothing is done about black, as in Little CMS with the
// relative colorimetric intent, whose results are in testdata.
package icc
