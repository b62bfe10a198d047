#!/bin/sh
# Makes the pictures of this folder with libjpeg-turbo's cjpeg, and beside each
# what its djpeg makes of it (ImageMagick's convert for PPM and PNG).
#   ./make.sh any-photo.png
set -e
cd "$(dirname "$0")"
convert "$1" -blur 0x3 -resize 75x50! ppm:/tmp/photo.ppm
printf '0;\n1;\n2;\n' >/tmp/scans
make() {
	name=$1
	shift
	cjpeg -quality 95 "$@" -outfile "$name" /tmp/photo.ppm
	djpeg -nosmooth -outfile /tmp/out.ppm "$name"
	convert /tmp/out.ppm "PNG24:$name.png"
}
make 3x2.jpg -sample 3x2
make 1x3.jpg -sample 1x3
make mixed.jpg -sample 2x2,2x1,1x2
make chroma.jpg -sample 1x1,2x2,2x2
make restart.jpg -sample 3x2 -restart 3B
make scans.jpg -sample 3x2 -scans /tmp/scans
make rgb.jpg -rgb -sample 3x1
make progressive.jpg -progressive
cjpeg -quality 95 -arithmetic -outfile arithmetic.jpg /tmp/photo.ppm
