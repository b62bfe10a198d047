"""Writes the pictures of this folder: one scene in the formats that Go's own encoders do not write, and what PIL
reads in each (NAME.png, over white). python3 make.py, with pillow 13.0.

Files with a NAME.twin.png, the plain upright sRGB picture that they look like, were collected by those who tried the
program. NAME.lcms.png is what Little CMS makes of NAME, see bench/golden/icc.py."""

import io
import subprocess

from PIL import Image, ImageCms

W, H = 48, 32
scene = Image.new("RGB", (W, H))
scene.putdata([(255 * x // (W - 1), 255 * y // (H - 1), 255 * (W - 1 - x) // (W - 1)) for y in range(H) for x in range(W)])
alpha = Image.new("L", (W, H))
alpha.putdata([255 * ((x + y) % 64) // 63 for y in range(H) for x in range(W)])
clear = scene.copy()
clear.putalpha(alpha)


def save(name, img, **options):
    img.save(name, **options)
    got = Image.open(name)
    got = got.convert("RGBA") if "A" in got.getbands() or "transparency" in got.info else got.convert("RGB")
    white = Image.new("RGB", got.size, "white")
    white.paste(got, mask=got if got.mode == "RGBA" else None)
    white.save(name + ".png", optimize=True)


save("progressive.jpg", scene, quality=90, progressive=True)
save("cmyk.jpg", scene.convert("CMYK"), quality=95)  # Adobe's: inverted
save("lossy.webp", scene, quality=90)
save("lossy-alpha.webp", clear, quality=90)
save("lossless-alpha.webp", clear, lossless=True, exact=True)
save("lzw.tiff", scene, compression="tiff_lzw")
save("deflate-alpha.tiff", clear, compression="tiff_deflate")

# YCCK: a CMYK file whose first three inks are Y, Cb and Cr says so in its Adobe segment's last byte.
y, cb, cr = Image.eval(scene, lambda v: 255 - v).convert("YCbCr").split()
inks = [y, cb, cr, Image.new("L", (W, H), 40)]
Image.merge("CMYK", [Image.eval(i, lambda v: 255 - v) for i in inks[:3]] + [inks[3]]).save("ycck.jpg", quality=95)
data = bytearray(open("ycck.jpg", "rb").read())
at = data.index(b"Adobe")
assert data[at + 11] == 0
data[at + 11] = 2
open("ycck.jpg", "wb").write(data)
Image.open("ycck.jpg").convert("RGB").save("ycck.jpg.png", optimize=True)

# The first frame of a film covers a part of the screen; the rest is clear.
part = scene.crop((0, 0, 16, 16)).quantize(16)
part.save("film.gif", save_all=True, append_images=[part.rotate(90)], duration=100)
data = bytearray(open("film.gif", "rb").read())
data[6:10] = bytes([24, 0, 20, 0])  # the screen is 24 x 20
at = data.index(b"\x2c\0\0\0\0", 13 + 3 * 16)
data[at + 1 : at + 5] = bytes([4, 0, 2, 0])  # and the frame at 4, 2
open("film.gif", "wb").write(data)
screen = Image.new("RGB", (24, 20), "white")
screen.paste(part.convert("RGB"), (4, 2))
screen.save("film.gif.png", optimize=True)

# An animation whose first frame does not fill the screen, made with webpmux.
scene.crop((0, 0, 20, 10)).save("/tmp/part.webp", lossless=True)
scene.save("/tmp/whole.webp", lossless=True)
subprocess.run("webpmux -frame /tmp/part.webp +100+6+8+0+b -frame /tmp/whole.webp +100 -loop 0 -bgcolor 255,0,0,255"
               " -o part.webp".split(), check=True)
first = Image.new("RGB", (W, H), "white")
first.paste(scene.crop((0, 0, 20, 10)), (6, 8))
first.save("part.webp.png", optimize=True)

# AVIF in the colors of Display P3, and what Little CMS makes of what PIL decodes.
with open("../../icc/testdata/v4-p3-para3.icc", "rb") as f:
    p3 = f.read()
scene.save("p3.avif", icc_profile=p3, quality=90, subsampling="4:4:4")
to_srgb = ImageCms.buildTransform(ImageCms.ImageCmsProfile(io.BytesIO(p3)), ImageCms.createProfile("sRGB"), "RGB", "RGB")
got = ImageCms.applyTransform(Image.open("p3.avif").convert("RGB"), to_srgb)
Image.frombytes("RGB", got.size, got.tobytes()).save("p3.avif.png", optimize=True)

# ImageMagick interlaces.
scene.resize((13, 11)).save("/tmp/small.png")
subprocess.run("convert /tmp/small.png -strip -interlace PNG -define png:exclude-chunks=all PNG24:adam7.png".split(), check=True)
