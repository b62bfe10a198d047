"""The kinds of landscape by the water or under rain: one function composes each, with its helpers below it.

A kind is its content. It asks the scene for a sky out of the lists that the kinds share, lays its
elements far to near, and notes season, objects, object_x and detail where they mean something.
"""

import numpy as np

from scenes_compose import DAY, LOW_SUN, any_tree, hills, open_sky, standing
from scenes_elements import (
    clouds, depth_of, ground, ground_noise, lin, mist, mix, range_, relief, settle_fog, sky, streaks, water,
)
from scenes_noise import F, line, sample, smooth
from scenes_objects import boat, conifer, foliage, grass, lightning, palm, round_tree, shadow, tree_line


def sea_dusk(s):
    open_sky(s, LOW_SUN, s.u(0.35, 0.68))
    islands = int(s.rng.integers(0, 3))
    for _ in range(islands):
        x, wide = s.u(-0.1, 1.1), s.u(0.1, 0.4)
        bump = np.exp(-(((s.x[0] - x) / wide) ** 4))
        height = s.horizon + 0.01 - bump * (s.u(0.02, 0.12) * (1 + 0.5 * line(s.rng, s.n, 5, 6, 0.5, 0.5)) + 0.01)
        range_(s, height, (0.22, 0.22, 0.2), s.u(0.4, 0.8), 150)
    water(s, s.horizon, calm=s.u(0.1, 0.8), tint=(0.05, s.u(0.12, 0.25), s.u(0.2, 0.34)), glitter=s.u(0.6, 1.6))
    boats = int(s.rng.integers(0, 3))
    x = 0.5
    for x_, y, z in standing(s, boats, 8.0):
        x = x_
        boat(s, x, min(y, 0.85), s.u(0.2, 0.3) / (1 + z * 0.35), (0.9, 0.86, 0.78))
    s.note.update(objects=(boats + islands) / 4, object_x=x)


def mountain_lake(s):
    open_sky(s, DAY, s.u(0.48, 0.68))
    snow = s.horizon - s.u(0.0, 0.4)
    rock = (s.u(0.32, 0.46), s.u(0.32, 0.40), s.u(0.30, 0.42))
    count = int(s.rng.integers(2, 4))
    hills(s, count, s.horizon - s.u(0.14, 0.30), s.horizon - s.u(0.04, 0.12), rock, s.u(0.7, 1.0), s.u(60, 120), s.u(0.16, 0.3), snow)
    for k in range(2):
        tree_line(s, s.horizon + 0.004, s.u(0.025, 0.06) * (1 + k), foliage(s) * 0.75, 0.35 - 0.3 * k + 0.3 * s.haze * (1 - k), s.u() < 0.7, 70)
    mist(s, s.horizon - 0.03, 0.05, s.haze * 0.7)
    water(s, s.horizon, calm=s.u(0.5, 0.97), tint=(0.05, s.u(0.16, 0.32), s.u(0.2, 0.36)), glitter=0.4)
    trees = int(s.rng.integers(0, 5))
    side = s.u()
    for i in range(trees):
        conifer(s, side + s.u(-0.16, 0.16), s.u(1.0, 1.08), s.u(0.3, 0.65), foliage(s) * 0.6)
    s.note.update(season=s.season, objects=trees / 5, object_x=side if trees else 0.5, detail=count / 3)


def beach(s):
    open_sky(s, DAY, s.u(0.25, 0.5))
    if s.u() < 0.4:
        bump = np.exp(-(((s.x[0] - s.u()) / s.u(0.2, 0.5)) ** 4)) * s.u(0.03, 0.14)
        range_(s, s.horizon + 0.01 - bump * (1 + 0.4 * line(s.rng, s.n, 4, 6)), foliage(s) * 0.8, 0.5, 150)
    water(s, s.horizon, calm=s.u(0.2, 0.6), tint=(0.06, s.u(0.3, 0.5), s.u(0.36, 0.55)), glitter=0.7)
    shore(s)
    palms, where = int(s.rng.integers(0, 4)), s.u(0.0, 1.0)
    for _ in range(palms):
        x, y = where + s.u(-0.15, 0.15), s.u(0.72, 0.95)
        shadow(s, x, y, 0.09, 0.4)
        palm(s, x, y, s.u(0.35, 0.6))
    s.note.update(objects=palms / 3, object_x=where if palms else 0.5)


def shore(s):
    """Sand running down into the sea: a slanted wet edge, foam lines, footprints of noise."""
    start, slant = mix(s.horizon, 1.0, s.u(0.25, 0.55)), s.u(-0.35, 0.35)
    edge = start + slant * (s.x[0] - 0.5) + 0.025 * line(s.rng, s.n, 3, 5)
    edge = np.maximum(edge, s.horizon + 0.03)
    rows = slice(s.first(s.horizon), s.n)
    z, wide = depth_of(s, rows)
    rough = ground_noise(s, z, wide, 70, "rough", 1.5)
    grain = ground_noise(s, z, wide, 330)
    down = s.y[rows] - edge
    shallow = smooth(-0.18, 0.0, down + 0.01 * rough)
    s.over(shallow * 0.55, lin(0.45, 0.66, 0.62) * s.lit(np.full(down.shape, 0.5, F)), rows)
    for k in range(3):
        lace = smooth(0.016 + 0.01 * k, 0.0, np.abs(down + 0.05 * k + 0.012 * rough)) * smooth(-0.6, 0.7, grain + 0.5 - 0.2 * k)
        s.over(lace * 0.9, lin(0.95, 0.96, 0.96) * s.lit(np.full(down.shape, 0.6, F)), rows)
    sand = mix(lin(0.50, 0.42, 0.32), lin(s.u(0.8, 0.92), s.u(0.7, 0.8), s.u(0.52, 0.68)), smooth(0.0, 0.09, down))
    color = sand * s.lit(np.clip(0.62 * (1 + 0.14 * rough + 0.13 * grain), 0.1, 1.3))
    s.over(s.below(edge + 0.006)[rows], color, rows)


def waterfall(s):
    open_sky(s, DAY, s.u(0.62, 0.85))
    rim = s.u(0.08, 0.35)
    x0, wide = s.u(0.25, 0.75), s.u(0.04, 0.16)
    pool = s.horizon
    rock = (s.u(0.3, 0.46), s.u(0.3, 0.4), s.u(0.26, 0.36))
    crest = rim + 0.06 * line(s.rng, s.n, 3, 6, 0.5, 0.4) + 0.05 * np.exp(-(((s.x[0] - x0) / (wide * 1.5)) ** 2))
    tree_line(s, rim + 0.05, s.u(0.06, 0.16), foliage(s) * 0.85, 0.3 + 0.3 * s.haze, s.u() < 0.6, 40)
    cliff(s, crest, rock)
    fall(s, x0, wide, float(crest[int(x0 * (s.n - 1))]), pool)
    water(s, pool, calm=s.u(0.3, 0.7), tint=(0.08, s.u(0.25, 0.4), s.u(0.28, 0.4)), glitter=0.2)
    spray(s, x0, wide, pool)
    trees, side = int(s.rng.integers(1, 7)), 1.0 if x0 < 0.5 else 0.0
    for _ in range(trees):
        kind = (conifer, round_tree)[int(s.u() < 0.4)]
        kind(s, mix(side, s.u(), 0.35), s.u(0.85, 1.1), s.u(0.25, 0.55), foliage(s, 0.05) * 0.8)
    s.note.update(season=s.season, objects=trees / 6, object_x=x0, detail=(wide - 0.04) / 0.12)


def cliff(s, crest, rock):
    """A wall of rock with ledges, moss on them, darker toward its foot."""
    range_(s, crest, rock, 0.1, s.u(120, 200), mist=0.25, name="rough")
    rows = slice(s.first(float(crest.min())), s.n)
    shade, a = relief(s, rows, s.u(90, 160), "ridge", s.u(0.5, 2.0), 0.8)
    green = smooth(0.5, 1.3, a + 0.5 * (shade - 0.5)) * s.below(crest)[rows] * s.u(0.2, 0.8)
    s.over(green, lin(*foliage(s) * 0.9) * s.lit(shade * 0.9), rows)
    s.rgb[:, rows] *= (1 - 0.35 * smooth(0.0, 0.6, s.y[rows] - crest))


def fall(s, x0, wide, top, foot):
    """The falling water: white threads drawn out downward, widening, breaking at the edges."""
    rows = slice(s.first(top), s.n)
    t = np.clip((s.y[rows] - top) / (foot - top), 0, 1)
    sway = 0.03 * sample("soft", t * 40 + s.offset(), s.x * 0 + s.offset())
    spread = wide * (0.6 + 0.5 * np.sqrt(t))
    dx = (s.x - x0 - sway) / spread
    thread = sample("fine", t * 26 + s.offset(), dx * 40 + s.offset())
    body = sample("rough", t * 18 + s.offset(), dx * 46 + s.offset())
    cover = smooth(1.05, 0.55, np.abs(dx) + 0.22 * body) * smooth(0, 0.03, t) * np.clip(0.85 + 0.18 * thread, 0.2, 1)
    shade = np.clip(0.62 + 0.2 * body + 0.18 * thread + 0.12 * dx * s.side, 0.15, 1.3)
    s.over(cover, lin(0.92, 0.95, 0.97) * s.lit(shade), rows, what="water")


def spray(s, x0, wide, foot):
    """Mist where the water strikes the pool."""
    torn = sample("cloud", s.y * 200 + s.offset(), s.x * 120 + s.offset())
    cloud = np.exp(-(((s.x - x0) / (wide * 1.8 + 0.03)) ** 2) - ((s.y - foot) / 0.05) ** 2)
    s.over(np.clip(cloud * (0.85 + 0.25 * torn), 0, 0.95), lin(0.93, 0.95, 0.97) * s.lit(np.full((s.n, s.n), 0.55, F)))


def river(s):
    open_sky(s, DAY, s.u(0.3, 0.52))
    rock = foliage(s) * 0.85 if s.u() < 0.6 else np.array((0.4, 0.38, 0.36), F)
    hills(s, int(s.rng.integers(2, 4)), s.horizon - s.u(0.08, 0.22), s.horizon - 0.01, rock, s.u(0.1, 0.9), 140, s.u(0.05, 0.16), s.horizon - s.u(0.1, 0.4))
    if s.u() < 0.7:
        tree_line(s, s.horizon + 0.01, s.u(0.02, 0.06), foliage(s) * 0.8, 0.35, s.u() < 0.5, 50)
    turf = grass(s)
    rows, z, wide = ground(s, turf, turf * 1.1, 0.35, 0.35, 300, 0.6, 0.0, patches=(0.5, 0.47, 0.3))
    x0, swing, turns = s.u(-0.35, 0.35), s.u(0.3, 0.9), s.u(0.9, 2.2)
    phase, breadth = s.u(0, 6.3), s.u(0.14, 0.4)
    middle = x0 + swing * (np.sin(z * turns + phase) - np.sin(turns + phase)) + 0.12 * (z - 1) * s.u(-1, 1)
    torn = 0.05 * ground_noise(s, z, wide, 60, "rough")
    bank = breadth - np.abs(wide - middle + torn)
    mask = np.zeros((s.n, s.n), F)
    mask[rows] = smooth(0.0, 0.03, bank)
    s.over(smooth(-0.10, 0.0, bank) * 0.75, lin(0.42, 0.36, 0.26) * s.lit(np.full(bank.shape, 0.45, F)), rows)
    water(s, s.horizon, calm=s.u(0.4, 0.9), tint=(0.08, s.u(0.2, 0.32), s.u(0.25, 0.36)), glitter=0.6, mask=mask)
    trees, where = int(s.rng.integers(2, 16)), s.u()
    for x, y, k in standing(s, trees, 7.0):
        x = mix(x, where, s.u(0, 0.5))
        at = x0 + swing * (np.sin(k * turns + phase) - np.sin(turns + phase))
        if abs((x - 0.5) * k - at) < breadth * 1.2:
            continue
        tall, air = s.u(0.25, 0.5) / k, (1 - np.exp(-0.12 * (k - 1))) * (0.3 + 0.6 * s.haze)
        shadow(s, x, y, tall * 0.35)
        any_tree(s, x, y, tall, air)
    s.note.update(season=s.season, objects=(trees - 2) / 13, object_x=0.5 + x0, detail=breadth / 0.4)


def storm(s):
    s.horizon = s.u(0.5, 0.75)
    s.haze = mix(0.3, 1.0, s.haze)
    s.light(["dark", "dark", "overcast", "dusk", "blue", "golden"])
    sky(s, disc=False, glow=0.3)
    clouds(s, cover=s.u(0.75, 1.0), scale=s.u(40, 80), dark=s.u(0.3, 0.6), flat=s.u(0.12, 0.35))
    clouds(s, cover=s.u(0.5, 0.85), scale=s.u(30, 70), dark=s.u(0.5, 0.75), flat=s.u(0.12, 0.35))
    s.rgb *= mix(s.u(0.3, 0.7), 1.0, smooth(s.horizon * 0.5, s.horizon, s.y))
    settle_fog(s)
    s.ambient, s.sun = s.ambient * 0.7, s.sun * 0.6
    rain = s.u()
    column, where = s.u(0.1, 0.35), s.u()
    veil = np.exp(-(((s.x - where + 0.1 * (s.y - s.horizon)) / column) ** 2)) * smooth(0.1, 0.45, s.y)
    s.over(veil * (s.y < s.horizon) * s.u(0.2, 0.7), s.fog * s.u(0.5, 0.9))
    strike = s.u() < 0.5
    if strike:
        lightning(s, s.u(0.15, 0.85), s.horizon)
    if s.u() < 0.5:
        water(s, s.horizon, calm=s.u(0.0, 0.2), tint=(0.12, 0.2, 0.22), glitter=0.1)
        surf(s)
    else:
        ground(s, grass(s) * 0.9, grass(s) * 0.8, 0.4, 0.4)
        for x, y, z in standing(s, int(s.rng.integers(0, 9)), 6.0):
            any_tree(s, x, y, s.u(0.25, 0.45) / z, 0.3 * s.haze)
    rain = rain if strike else mix(0.4, 1.0, rain)
    streaks(s, rain, s.u(-0.4, 0.4))
    s.note.update(objects=float(strike), object_x=where, detail=rain)


def surf(s):
    """White caps on a rough sea."""
    rows = slice(s.first(s.horizon) + 2, s.n)
    z, wide = depth_of(s, rows)
    wave = ground_noise(s, z, wide, 40, "ridge", 3.0) + 0.5 * ground_noise(s, z, wide, 300, "fine", 1.5)
    s.over(smooth(1.0, 2.0, wave) * 0.75, lin(0.85, 0.88, 0.9) * s.lit(np.full(wave.shape, 0.5, F)), rows)
