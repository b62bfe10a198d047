"""Makes the pictures of this folder: photo.png and bw.png in the kinds of TIFF
that libtiff's tiffcp, Pillow and tifffile write.

    python make.py any-photo.png
"""
import subprocess
import sys

import numpy as np
import tifffile
from PIL import Image, ImageFilter

photo = Image.open(sys.argv[1]).convert("RGB").filter(ImageFilter.GaussianBlur(6)).resize((24, 16))
photo.save("photo.png")
photo.save("/tmp/rgb.tif")
gray = photo.convert("L")
gray.save("/tmp/gray.tif")
bw = gray.convert("1")
bw.save("bw.png")
bw.save("/tmp/bw.tif")
Image.new("1", photo.size).save("/tmp/black.tif")
rgb = np.asarray(photo)


def tiffcp(source, name, options):
    subprocess.run(["tiffcp", *options.split(), f"/tmp/{source}.tif", name], check=True)


tiffcp("rgb", "lzw.tif", "-c lzw:2")
tiffcp("rgb", "tiles.tif", "-c zip:2 -t -w 16 -l 16")
tiffcp("rgb", "apart.tif", "-c packbits -p separate -r 5")
tiffcp("rgb", "apart-tiles.tif", "-c lzw -p separate -t -w 16 -l 16")
tiffcp("rgb", "fillorder.tif", "-c none -f lsb2msb -B")
tiffcp("rgb", "jpeg-ycbcr.tif", "-c jpeg:95 -r 16")
tiffcp("rgb", "jpeg-rgb.tif", "-c jpeg:r:95 -r 8")
tiffcp("rgb", "jpeg-tiles.tif", "-c jpeg:r:95 -t -w 16 -l 16")
tiffcp("rgb", "jpeg-apart.tif", "-c jpeg:r:95 -r 8 -p separate")
tiffcp("bw", "bw-fillorder.tif", "-c zip -f lsb2msb")
tiffcp("bw", "g4.tif", "-c g4 -r 7")
tiffcp("bw", "g4-fillorder.tif", "-c g4 -f lsb2msb")
tiffcp("bw", "g3.tif", "-c g3:1d")
tiffcp("bw", "g3-fill.tif", "-c g3:1d:fill -r 5")
tiffcp("bw", "g3-2d.tif", "-c g3:2d")
tiffcp("black", "g3-black.tif", "-c g3:1d:fill")  # a byte for each row


def write(name, data, **options):
    tifffile.imwrite(name, data, **options, metadata=None, software=None)


deep = rgb.astype(np.uint16) * 257
alpha = np.full((16, 24, 1), 255, np.uint8)
alpha[:, :12] = 128
write("16.tif", deep, photometric="rgb", byteorder=">")
write("16-differences.tif", deep, photometric="rgb", predictor=2, compression="zlib")
write("extra.tif", np.dstack([rgb, alpha * 0]), photometric="rgb", extrasamples=["unspecified"])
write("straight.tif", np.dstack([rgb, alpha]), photometric="rgb", extrasamples=["unassalpha"])
write("premultiplied.tif", np.dstack([rgb.astype(int) * alpha // 255, alpha]).astype(np.uint8), photometric="rgb", extrasamples=["assocalpha"])
write("float.tif", np.asarray(gray).astype(np.float32), photometric="minisblack")
write("zstd.tif", rgb, photometric="rgb", compression="zstd")
white = np.asarray(bw).astype(np.uint8) * 255
write("white-is-zero.tif", 255 - white, photometric="miniswhite")
cmyk = np.dstack([255 - rgb, alpha * 0])
write("cmyk.tif", cmyk, photometric="separated")
write("cmyk-16.tif", cmyk.astype(np.uint16) * 257, photometric="separated")
write("cmyk-apart.tif", cmyk.transpose(2, 0, 1), photometric="separated", planarconfig="separate")
Image.fromarray(cmyk, "CMYK").save("cmyk-jpeg.tif", compression="jpeg", quality=95)
photo.convert("YCbCr").save("ycbcr.tif", compression="tiff_lzw")
photo.quantize(200).save("palette.tif")
photo.quantize(200).convert("RGB").save("palette.png")

with tifffile.TiffWriter("thumbnail.tif") as f:
    f.write(rgb[::4, ::4].copy(), photometric="rgb", subfiletype=1)
    f.write(rgb, photometric="rgb")
