"""Seeded procedural landscapes: the pictures that the small model learns from, made and not found.

render draws one picture and says what it shows; make draws many on several cores. Everything
follows from the seed. Kinds differ by content (what stands in the picture); the light, the palette,
the season and the haze are drawn for each picture from wide ranges that the kinds share, so that
nobody can tell a kind by its colors alone.

    python scenes.py sheet.png [size] [columns] [first seed]    a contact sheet, one row per kind
"""

import functools
import multiprocessing
import sys
import time

import numpy as np

import scenes_kinds as land
import scenes_waters as waters
from scenes_elements import Scene
from scenes_noise import F

COMPOSERS = [
    waters.sea_dusk, waters.mountain_lake, land.forest, land.dunes, land.fields, land.skyline, land.snow,
    land.night_moon, waters.storm, land.canyon, waters.beach, land.meadow_flowers, waters.waterfall, waters.river,
]
KINDS = [compose.__name__ for compose in COMPOSERS]
ATTRIBUTES = [
    "horizon", "sun_x", "sun_y", "warmth", "haze", "season", "objects", "object_x", "brightness", "detail",
]
OBJECTS = ["tree", "palm", "moon", "tower", "lightning", "water"]


@functools.cache
def _film():
    """From the square root of light, 0..2 in 8192 steps, to 0..255 sRGB: a film's curve with its shoulder."""
    x = (np.arange(8192) / 4095.5) ** 2
    x = x * (2.51 * x + 0.03) / (x * (2.43 * x + 0.59) + 0.14)
    return (np.clip(x, 0, 1) ** (1 / 2.2) * 255 + 0.5).astype(F)


def _develop(s):
    """From linear light to sRGB bytes: exposure, color strength, film curve, grain."""
    level = max(float(s.rgb.mean()), 0.02)
    exposure = 0.75 * (0.22 / level) ** s.u(0.15, 0.45) * s.u(0.8, 1.2)
    gray = s.rgb.mean(0)
    light = np.maximum(gray + (s.rgb - gray) * F(s.u(0.75, 1.05)), 0)
    step = np.minimum(np.sqrt(light * F(exposure)) * F(4095.5), 8191).astype(np.int32)
    x = np.take(_film(), step)
    x += s.rng.standard_normal((s.n, s.n), F) * F(s.u(0.0, 3.0))
    return np.ascontiguousarray(np.clip(x, 0, 255).astype(np.uint8).transpose(1, 2, 0))


def render(seed, size=128, kind=None):
    """One landscape: pixels uint8 [size, size, 3] sRGB, the kind's index, the attributes in [0, 1], and the objects.

    The attributes have the same keys for every kind; one that does not apply is 0.5. Of each object it is the share of
    the picture that it covers.
    """
    rng = np.random.Generator(np.random.PCG64(seed))
    drawn = int(rng.integers(len(KINDS)))
    kind = drawn if kind is None else kind
    s = Scene(size, rng)
    s.sun_x, s.haze, s.season = s.u(-0.35, 1.35), s.u() ** 2, s.u()
    COMPOSERS[kind](s)
    pixels = _develop(s)
    mean = pixels.mean((0, 1)) / 255
    note = {
        "horizon": s.horizon, "sun_x": s.sun_x, "sun_y": s.sun_y, "haze": s.haze, "season": 0.5,
        "objects": 0.5, "object_x": 0.5, "detail": 0.5,
        "warmth": 0.5 + 1.5 * (mean[0] - mean[2]), "brightness": mean.mean(), **s.note,
    }
    return pixels, kind, {k: float(np.clip(note[k], 0, 1)) for k in ATTRIBUTES}, {k: min(s.seen.get(k, 0.0), 1.0) for k in OBJECTS}


def _one(seed, size):
    pixels, kind, note, seen = render(seed, size)
    return pixels, kind, [note[k] for k in ATTRIBUTES], [seen[k] for k in OBJECTS]


def make(n, first_seed, size, workers=2):
    """Seeds first_seed .. first_seed+n-1: uint8 [n, size, size, 3], int64 [n], float32 [n, 10] and [n, 6]."""
    pixels = np.empty((n, size, size, 3), np.uint8)
    kinds, notes, seen = np.empty(n, np.int64), np.empty((n, len(ATTRIBUTES)), np.float32), np.empty((n, len(OBJECTS)), np.float32)
    start = time.monotonic()
    with multiprocessing.Pool(workers) as pool:
        seeds = range(first_seed, first_seed + n)
        done = pool.imap(functools.partial(_one, size=size), seeds, chunksize=32)
        for i, (pixels[i], kinds[i], notes[i], seen[i]) in enumerate(done):
            if (i + 1) % 500 == 0 or i + 1 == n:
                rate = (i + 1) / (time.monotonic() - start)
                print(f"\rscenes: {i + 1}/{n}, {rate:.0f} pictures/s ", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return pixels, kinds, notes, seen


def sheet(path, size=128, columns=8, first_seed=0):
    """Writes a contact sheet: a row per kind, a column per seed."""
    from PIL import Image

    rows = [np.hstack([render(first_seed + c, size, k)[0] for c in range(columns)]) for k in range(len(KINDS))]
    Image.fromarray(np.vstack(rows)).save(path)


if __name__ == "__main__":
    sheet(sys.argv[1], *map(int, sys.argv[2:]))
