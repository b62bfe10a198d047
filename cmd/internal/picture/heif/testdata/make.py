"""Makes the pictures of this folder with Pillow 12 and later, pillow-heif 1.8
and avifenc 0.11 or later, and beside each what libheif and libavif make of it.

    python make.py FOLDER/no_eoi.jpg.twin.png   # any small photo
"""
import math
import subprocess
import sys

import numpy as np
import pillow_heif
from PIL import Image, ImageFilter, ImageOps

pillow_heif.register_heif_opener()
# Smooth: chroma is enlarged by repetition here, and linearly by those libraries.
photo = Image.open(sys.argv[1]).convert("RGB").filter(ImageFilter.GaussianBlur(4)).resize((75, 50))
photo.save("/tmp/photo.png")
clear = photo.convert("RGBA")
clear.putalpha(Image.linear_gradient("L").resize(clear.size))


def heic(name, img=photo, **options):
    img.save(name, quality=90, **options)


def wheel(size):
    """A picture of strong colors, whose hue goes around it once."""
    w, h = size
    img = Image.new("HSV", size)
    img.putdata([(int(128 * (1 + math.atan2(y - h / 2, x - w / 2) / math.pi)) % 256, 255, 200) for y in range(h) for x in range(w)])
    return img.convert("RGB")


def avif(name, *options):
    subprocess.run(["avifenc", "--min", "5", "--max", "8", *options, "/tmp/photo.png", name], check=True, capture_output=True)


nclx = {"color_primaries": 1, "transfer_characteristics": 13}
heic("limited709.heic", matrix_coefficients=1, full_range_flag=0, **nclx)
heic("full2020.heic", matrix_coefficients=9, full_range_flag=1, **nclx)
heic("nameless.heic", save_nclx_profile=False)  # only the coded picture says what it is
heic("narrow.heic", photo.resize((21, 31)))
heic("narrow422.heic", photo.resize((21, 31)), chroma=422)
heic("border.heic", wheel((64, 48)))  # colors that change along the border
heic("gray.heic", photo.convert("L"))
heic("alpha.heic", clear)
for name, img, options in [("premultiplied.heic", clear, {}), ("premultiplied709.heic", clear, {"matrix_coefficients": 1, "full_range_flag": 0, **nclx})]:
    multiplied = img.convert("RGBa")
    pillow_heif.from_bytes(mode="RGBa", size=img.size, data=multiplied.tobytes()).save(name, quality=90, **options)
deep = photo.resize((64, 48))
for name, mode, img, options in [("deep444.heic", "RGB;16", deep, {"chroma": 444}), ("deepgray.heic", "L;16", deep.convert("L"), {}),
                                 ("deepalpha.heic", "RGBA;16", clear.resize((64, 48)), {"chroma": 420}),
                                 ("deepgbr.heic", "RGB;16", deep, {"chroma": 444, "matrix_coefficients": 0})]:
    data = np.asarray(img).astype(np.uint16) * 257
    pillow_heif.from_bytes(mode=mode, size=img.size, data=data.tobytes()).save(name, quality=50, **options)
for name, img in [("oddgray", photo.convert("L")), ("oddalpha", clear)]:  # one tile, cropped: version 1.15 of heif-enc
    img.resize((21, 31)).save(f"/tmp/{name}.png")
    subprocess.run(["heif-enc", "-q", "50", f"/tmp/{name}.png", "-o", f"{name}.heic"], check=True, capture_output=True)
avif("deep.avif", "-d", "10")
avif("turned.avif", "--irot", "1", "--imir", "0")
avif("limited.avif", "-r", "limited", "-y", "420")
clear.save("/tmp/photo.png")
avif("alpha.avif")

for name in ["limited709.heic", "full2020.heic", "nameless.heic", "narrow.heic", "narrow422.heic", "border.heic", "gray.heic", "alpha.heic",
             "premultiplied.heic", "premultiplied709.heic",
             "deep.avif", "turned.avif", "limited.avif", "alpha.avif"]:
    img = ImageOps.exif_transpose(Image.open(name)).convert("RGBA")
    white = Image.new("RGBA", img.size, "white")
    white.alpha_composite(img)
    white.convert("RGB").save(name + ".png")
