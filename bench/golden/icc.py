#!/usr/bin/env python3
"""Make the golden files of cmd/internal/icc: profiles of many kinds, and
what Little CMS converts to sRGB by them.

    pip install pillow==12.3.0 numpy==2.4.6
    python3 bench/golden/icc.py cmd/internal/icc/testdata

Pillow 12.3.0 holds Little CMS 2.19. The intent is relative colorimetric without
black point compensation, and cmsFLAGS_NOOPTIMIZE keeps it from approximating
curves by a few samples. NAME.icc is a profile and NAME.rgb the sRGB colors of,
for RGB, the cube of 9 levels of each channel with red outermost, then of 256
grays; for gray, of 256 grays.
"""

import io
import struct
import sys

import numpy as np
from PIL import Image, ImageCms

NOOPTIMIZE = ImageCms.Flags.NOOPTIMIZE
D50 = (0.9642, 1.0, 0.8249)
BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])


def colorants(red, green, blue, white):
    """The XYZ under D50 of primaries, which are chromaticities."""
    xyz = np.array([[x, y, 1 - x - y] for x, y in (red, green, blue)]).T
    w = np.array([white[0] / white[1], 1, (1 - white[0] - white[1]) / white[1]])
    xyz = xyz * np.linalg.solve(xyz, w)
    scale = np.diag((BRADFORD @ D50) / (BRADFORD @ w))
    return (np.linalg.inv(BRADFORD) @ scale @ BRADFORD @ xyz).T


D65 = (0.3127, 0.3290)
SRGB = colorants((0.64, 0.33), (0.30, 0.60), (0.15, 0.06), D65)
P3 = colorants((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), D65)
ADOBE = colorants((0.64, 0.33), (0.21, 0.71), (0.15, 0.06), D65)
BT2020 = colorants((0.708, 0.292), (0.170, 0.797), (0.131, 0.046), D65)
PROPHOTO = colorants((0.7347, 0.2653), (0.1596, 0.8404), (0.0366, 0.0001), (0.3457, 0.3585))


def fixed(*values):
    return b"".join(struct.pack(">i", round(v * 65536)) for v in values)


def xyz(values):
    return b"XYZ \0\0\0\0" + fixed(*values)


def curv(*samples):
    return b"curv\0\0\0\0" + struct.pack(f">I{len(samples)}H", len(samples), *samples)


def gamma(g):
    return curv(round(g * 256))


def sampled(f, n):
    return curv(*(round(65535 * f(i / (n - 1))) for i in range(n)))


def para(kind, *parameters):
    return b"para\0\0\0\0" + struct.pack(">HH", kind, 0) + fixed(*parameters)


def srgb(x):
    return x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4


PARA_SRGB = para(3, 2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)


def profile(space, tags, version=2, pcs=b"XYZ "):
    tags = {b"desc": b"text\0\0\0\0golden\0", b"wtpt": xyz(D50), **tags}
    table, body = b"", b""
    at = 128 + 4 + 12 * len(tags)
    for name, data in tags.items():
        data += bytes(-len(data) % 4)
        table += name + struct.pack(">II", at + len(body), len(data))
        body += data
    size = at + len(body)
    head = struct.pack(">I4sI4s4s4s", size, b"none", version << 24, b"mntr", space, pcs)
    head += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + bytes(28) + fixed(*D50) + bytes(48)
    assert len(head) == 128
    return head + struct.pack(">I", len(tags)) + table + body


def rgb(primaries, *curves, version=2):
    curves = curves * 3 if len(curves) == 1 else curves
    tags = {}
    for c, p, curve in zip((b"r", b"g", b"b"), primaries, curves):
        tags[c + b"XYZ"], tags[c + b"TRC"] = xyz(p), curve
    return profile(b"RGB ", tags, version)


def gray(curve, version=2, pcs=b"XYZ "):
    return profile(b"GRAY", {b"kTRC": curve}, version, pcs)


PROFILES = {
    "v2-srgb-1024-samples": rgb(SRGB, sampled(srgb, 1024)),
    "v2-p3-1024-samples": rgb(P3, sampled(srgb, 1024)),
    "v2-adobe-gamma": rgb(ADOBE, gamma(563 / 256)),
    "v2-prophoto-gamma": rgb(PROPHOTO, gamma(1.8)),
    "v2-p3-identity": rgb(P3, curv()),
    "v2-bt2020-2-samples": rgb(BT2020, curv(0, 65535)),
    "v2-p3-26-samples": rgb(P3, sampled(srgb, 26)),
    "v2-three-curves": rgb(P3, gamma(1.5), gamma(2.2), sampled(lambda x: x**3, 64)),
    "v2-white-not-d50": rgb(P3 * 0.9, gamma(2.2)),
    "v2-falling-curve": rgb(SRGB, curv(65535, 20000, 0)),
    "v4-p3-para0": rgb(P3, para(0, 2.2), version=4),
    "v4-p3-para1": rgb(P3, para(1, 2.4, 1.1, -0.1), version=4),
    "v4-p3-para2": rgb(P3, para(2, 2.4, 0.9, -0.1, 0.1), version=4),
    "v4-p3-para3": rgb(P3, PARA_SRGB, version=4),
    "v4-bt2020-para3": rgb(BT2020, para(3, 1 / 0.45, 1 / 1.0993, 0.0993 / 1.0993, 1 / 4.5, 0.081), version=4),
    "v4-p3-para4": rgb(P3, para(4, 2.4, 0.9, 0.05, 0.08, 0.05, 0.02, 0.01), version=4),
    "v4-above-one": rgb(SRGB, para(4, 2.0, 1.2, 0.0, 0.5, 0.1, 0.05, -0.05), version=4),
    "gray-v2-gamma": gray(gamma(1.8)),
    "gray-v2-linear": gray(curv()),
    "gray-v2-samples": gray(sampled(lambda x: x**2.6, 256)),
    "gray-v4-para3": gray(PARA_SRGB, version=4),
    "gray-v2-lab": gray(gamma(1.2), pcs=b"Lab "),
}


def main(folder):
    target = ImageCms.createProfile("sRGB")
    levels = [255 * i // 8 for i in range(9)]
    cube = [(r, g, b) for r in levels for g in levels for b in levels]
    grays = [(v, v, v) for v in range(256)]
    for name, data in PROFILES.items():
        if name.startswith("gray"):
            mode, values = "L", bytes(range(256))
        else:
            mode, values = "RGB", bytes(v for c in cube + grays for v in c)
        img = Image.frombytes(mode, (len(values) // len(mode), 1), values)
        transform = ImageCms.buildTransform(
            ImageCms.ImageCmsProfile(io.BytesIO(data)), target, mode, "RGB",
            ImageCms.Intent.RELATIVE_COLORIMETRIC, NOOPTIMIZE)
        got = ImageCms.applyTransform(img, transform)
        with open(f"{folder}/{name}.icc", "wb") as f:
            f.write(data)
        with open(f"{folder}/{name}.rgb", "wb") as f:
            f.write(got.tobytes())


if __name__ == "__main__":
    main(sys.argv[1])
