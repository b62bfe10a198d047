#!/bin/sh
# Makes progressive-*.jpg of this folder from progressive.jpg with libjpeg-turbo's
# cjpeg and jpegtran, and beside each what its djpeg makes of it; netpbm's pamcut and
# pnmtopng cut and compress.
set -e
cd "$(dirname "$0")"
work=$(mktemp -d)
djpeg -outfile "$work/photo.ppm" progressive.jpg
make() { # name, width, height, sampling, options of jpegtran
	name=$1 sampling=$4
	pamcut -left 0 -top 0 -width "$2" -height "$3" "$work/photo.ppm" >"$work/part.ppm"
	shift 4
	cjpeg -quality "${quality:-90}" -sample "$sampling" -outfile "$work/part.jpg" "$work/part.ppm"
	jpegtran "$@" -outfile "$name" "$work/part.jpg"
	# As a sequential file, in which djpeg does not smooth the edges of blocks.
	jpegtran "$name" | djpeg -nosmooth | pnmtopng -quiet >"$name.png"
}
# Means apart and together, of several bits, and of details three, two and one.
cat >"$work/scans" <<'S'
0: 0-0,0,2;
1,2: 0-0,0,1;
0: 0-0,2,1;
0: 1-9,0,3;
2: 1-63,0,0;
1,2: 0-0,1,0;
0: 10-63,0,2;
0: 1-9,3,2;
0: 0-0,1,0;
0: 1-63,2,1;
1: 1-63,0,1;
0: 1-63,1,0;
1: 1-63,1,0;
S
make progressive-420.jpg 33 17 2x2 -progressive -restart 3B
make progressive-422.jpg 33 17 2x1 -progressive -restart 1B
make progressive-440.jpg 17 33 1x2 -progressive -restart 5B
make progressive-411.jpg 33 17 4x1 -progressive -restart 4B
make progressive-3x2.jpg 33 17 3x2 -progressive -restart 2B
make progressive-1x1.jpg 1 1 2x2 -progressive -restart 1B
make progressive-rows.jpg 33 17 2x2 -progressive -restart 1
make progressive-gray.jpg 33 17 1x1 -progressive -grayscale -restart 3B
make progressive-scans.jpg 40 25 2x2,2x1,1x2 -scans "$work/scans" -restart 3B
# image/jpeg takes the sides of the picture for those of planes of two blocks a group.
make progressive-sides.jpg 16 9 4x1,2x1,2x1 -progressive
# Its single bits let image/jpeg go on at the end of an interval, with wrong ones.
printf '0,1,2: 0-0,0,3;\n0: 0-0,3,2;\n0: 0-0,2,1;\n0: 0-0,1,0;\n1: 0-0,3,2;\n2: 0-0,3,2;\n' >"$work/bits"
quality=10 make progressive-bits.jpg 16 16 2x2 -scans "$work/bits" -restart 1B
jpegtran -progressive -restart 3B -outfile progressive-cmyk.jpg ../../testdata/cmyk.jpg
jpegtran -progressive -restart 3B -outfile progressive-ycck.jpg ../../testdata/ycck.jpg
rm -r "$work"
