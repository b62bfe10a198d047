"""The kinds of landscape on dry land: one function composes each, with its helpers below it.

A kind is its content. It asks the scene for a sky out of the lists that the kinds share, lays its
elements far to near, and notes season, objects, object_x and detail where they mean something.
"""

import numpy as np

from scenes_compose import DAY, any_tree, hills, open_sky, standing
from scenes_elements import (
    clouds, depth_of, flakes, ground, ground_noise, lin, mist, mix, settle_fog, sky, stars, water,
)
from scenes_noise import F, line, nearest, sample, smooth
from scenes_objects import (
    airy, bare_tree, building, conifer, foliage, grass, round_tree, shadow, tree_line, trunk,
)


def forest(s):
    open_sky(s, DAY, s.u(0.52, 0.72))
    s.haze = mix(0.35, 1.0, s.haze)
    s.fog = s.fog * 0.75 + 0.18 * s.sun
    leaf, pine = foliage(s, 0.1), s.u() < 0.5
    tree_line(s, s.horizon + 0.02, s.u(0.3, 0.7), leaf, 0.55, pine, 40)
    near, far = grass(s) * 0.8, np.array((0.36, 0.30, 0.2), F)
    ground(s, near, mix(near, far, 0.5), 0.5, 0.5, 300, 0.5, 0.03, patches=(0.34, 0.25, 0.14))
    path = s.u(0.3, 0.7)
    bark = (0.55, 0.53, 0.5) if s.u() < 0.2 else (s.u(0.22, 0.38), s.u(0.2, 0.28), s.u(0.14, 0.22))
    count = int(s.rng.integers(14, 40))
    for x, y, z in standing(s, count, 7.0):
        if abs(x - path) * z < 0.35:
            continue
        air = (1 - np.exp(-0.28 * (z - 1))) * s.haze
        trunk(s, x, s.u(0.05, 0.11) / z, -0.1, y, bark, air)
        if z > 1.5 and s.u() < 0.35:
            (conifer if pine else round_tree)(s, x + s.u(-0.1, 0.1), y, s.u(0.35, 0.9) / z ** 0.6, foliage(s, 0.1) * 0.8, air)
    canopy(s, leaf)
    rays(s)
    s.note.update(season=s.season, objects=(count - 14) / 25, object_x=path)


def canopy(s, leaf):
    """Leaves hanging into the top of the picture, in clumps with holes."""
    o = s.offset()
    clump = sample("rough", s.y * 150 + o, s.x * 150 + o) + 0.6 * sample("fine", s.y * 420 + o, s.x * 420 + o)
    depth = s.u(0.08, 0.4)
    cover = smooth(0.2, 0.9, clump * 0.7 + 2.2 * (depth - s.y) / depth - 0.6)
    shade = np.clip(0.3 + 0.28 * clump, 0.02, 1.1)
    s.over(cover * 0.95, airy(s, lin(*leaf) * s.lit(shade), slice(None), 0.25 * s.haze))


def rays(s):
    """Shafts of light through the crowns, from above the picture."""
    angle = (s.x - s.sun_x) / (s.y + s.u(0.3, 0.8))
    beam = smooth(0.2, 1.6, sample("rough", np.full_like(angle, s.offset()), angle * 60 + s.offset()))
    s.rgb += s.sun * (beam * smooth(1.0, 0.2, s.y) * 0.28 * s.haze)


def dunes(s):
    open_sky(s, DAY, s.u(0.3, 0.55), cover=s.u(0.0, 0.4))
    sand = np.array((s.u(0.72, 0.88), s.u(0.55, 0.66), s.u(0.34, 0.46)), F)
    count = int(s.rng.integers(4, 8))
    for i in range(count):
        t = i / (count - 1)
        dune(s, mix(s.horizon, 1.0, t ** 1.4), mix(0.03, 0.16, t), sand, mix(0.75, 0.0, t))
    s.note.update(objects=(count - 4) / 3, detail=0.5)


def dune(s, level, tall, sand, distance):
    """One dune: a smooth crest, a bright windward side, a slip face in shadow, ripples along it."""
    crest = level - tall * line(s.rng, s.n, s.u(1.0, 2.6), 2, 0.35)
    rows = slice(s.first(float(crest.min())), s.n)
    down = s.y[rows] - crest
    slope = np.gradient(crest) * s.n
    curve = s.u(-1.5, 1.5) + 1.2 * line(s.rng, s.n, 2, 3)
    face = np.tanh(3.0 * (slope * s.side + curve * down * 4 / (0.3 + tall) * 0.3))
    bend = sample("soft", s.y[rows] * 40 + s.offset(), s.x * 60 + s.offset())
    ripple = np.sin((down * mix(150, 60, tall / 0.16) + s.x * 30 + 2.4 * bend) * 2.2)
    grain = sample("fine", s.y[rows] * 500, s.x * 500)
    fade = (1 - distance) * 0.07
    shade = np.clip(0.62 + 0.34 * face + fade * ripple + 0.03 * grain + 0.05 * bend, 0.03, 1.2)
    color = lin(*sand) * s.lit(shade)
    air = distance * (0.2 + 0.75 * s.haze) + 0.15 * s.haze * smooth(0.0, 0.2, down)
    color += (s.fog - color) * np.clip(air, 0, 0.95)
    s.over(s.below(crest)[rows], color, rows)


def fields(s):
    open_sky(s, DAY, s.u(0.35, 0.6))
    hills(s, int(s.rng.integers(1, 3)), s.horizon - 0.05, s.horizon - 0.01, foliage(s) * 0.8, 0.1, 160, s.u(0.03, 0.1))
    patchwork(s)
    trees = int(s.rng.integers(3, 22))
    where = s.u()
    for x, y, z in standing(s, trees, 7.0):
        x = mix(x, where, s.u(0, 0.6))
        tall = s.u(0.25, 0.5) / z
        shadow(s, x, y, tall * 0.4)
        any_tree(s, x, y, tall, (1 - np.exp(-0.12 * (z - 1))) * (0.3 + 0.6 * s.haze))
    s.note.update(season=s.season, objects=(trees - 3) / 18, object_x=where)


def patchwork(s):
    """A plain cut into fields: each its own crop, furrows that run to the horizon, hedges between."""
    rows = slice(s.first(s.horizon), s.n)
    z, wide = depth_of(s, rows)
    turn = s.u(-0.5, 0.5)
    a, b = wide + turn * z, z - turn * wide
    wave = 0.2 * sample("soft", b * 10 + s.offset(), a * 10 + s.offset())
    pa, pb = a / s.u(0.9, 1.6) + wave + 0.37, b / s.u(0.9, 1.8) + wave + s.u()
    cell = (np.floor(pa).astype(int) * 7 + np.floor(pb).astype(int) * 13) % 16
    crops = np.array([grass(s, 0.35) * s.u(0.85, 1.2) for _ in range(10)] + [(0.70, 0.58, 0.30)] * 3 + [(0.42, 0.31, 0.22)] * 2 + [(0.78, 0.70, 0.16)], F)
    s.rng.shuffle(crops)
    base = np.take(np.clip(crops, 0, 1).T ** F(2.2), cell, axis=1)
    grain = ground_noise(s, z, wide, 320) * 0.16 + ground_noise(s, z, wide, 50, "rough", 1.5) * 0.16
    along = np.where(cell % 2 == 0, pa, pb * 0.7 + pa * 0.3)
    furrow = np.sin(along * s.u(90, 160)) * np.clip(1.6 / (z * z), 0, 1) * 0.22 * (cell % 3 != 0)
    edge = np.minimum(np.minimum(pa % 1, 1 - pa % 1), np.minimum(pb % 1, 1 - pb % 1))
    hedge = smooth(0.06, 0.02, edge) * (0.4 + 0.4 * (grain > 0))
    shade = np.clip(0.62 * (1 + grain + furrow), 0.05, 1.3) * (1 - 0.55 * hedge)
    color = base * s.lit(shade)
    air = np.clip((1 - np.exp(-0.10 * (z - 1))) * (0.3 + 0.7 * s.haze), 0, 0.95)
    color += (s.fog - color) * air
    s.over(s.below(np.full(s.n, s.horizon, F))[rows], color, rows)


def skyline(s):
    open_sky(s, DAY + ["blue", "night", "night"], s.u(0.6, 0.86))
    lights = float(np.clip(0.75 - 1.3 * s.elevation, 0.03, 0.7)) if s.ambient.mean() > 0.05 else s.u(0.3, 0.7)
    center, spread, count = s.u(0.1, 0.9), s.u(0.2, 0.5), int(s.rng.integers(15, 36))
    for depth in range(3):
        air = (0.75, 0.4, 0.05)[depth] * (0.4 + 0.6 * s.haze)
        tint = np.array((s.u(0.4, 0.66), s.u(0.4, 0.6), s.u(0.4, 0.6)), F)
        for _ in range(count // 3):
            x = s.u(-0.05, 1.05)
            peak = 0.3 + 0.9 * np.exp(-(((x - center) / spread) ** 2))
            tall = s.horizon * s.u(0.25, 0.75) * peak * (0.9, 0.8, 0.6)[depth]
            building(s, x, s.horizon + 0.01, s.u(0.05, 0.12), tall, tint * s.u(0.7, 1.15), air, lights)
    if s.u() < 0.65:
        water(s, s.horizon, calm=s.u(0.3, 0.85), tint=(0.06, 0.13, 0.18), glitter=0.4)
    else:
        ground(s, grass(s) * 0.9, (0.4, 0.4, 0.4), 0.4, 0.3)
        tree_line(s, s.horizon + 0.03, 0.05, foliage(s) * 0.8, 0.1, False, 40)
    s.note.update(objects=(count - 15) / 20, object_x=center, detail=lights)


def snow(s):
    open_sky(s, DAY + ["overcast", "blue"], s.u(0.35, 0.6))
    if s.u() < 0.6:
        hills(s, 2, s.horizon - s.u(0.08, 0.2), s.horizon - 0.04, (0.4, 0.4, 0.44), 0.7, 130, s.u(0.05, 0.14), s.horizon + 0.1)
    tree_line(s, s.horizon + 0.01, s.u(0.03, 0.09), (0.2, 0.26, 0.22), 0.3 + 0.4 * s.haze, True, 60, 0.5)
    drift = s.u(0.01, 0.04)
    ground(s, (0.92, 0.94, 0.97), (0.88, 0.91, 0.95), s.u(0.15, 0.4), 0.08, 200, 0.8, drift)
    trees, where = int(s.rng.integers(3, 20)), s.u()
    for x, y, z in standing(s, trees, 6.0):
        x = mix(x, where, s.u(0, 0.7))
        tall, air = s.u(0.3, 0.7) / z, (1 - np.exp(-0.12 * (z - 1))) * (0.3 + 0.7 * s.haze)
        shadow(s, x, y, tall * 0.28, 0.4)
        if s.u() < 0.8:
            conifer(s, x, y, tall, (0.16, 0.23, 0.18), air, s.u(0.3, 0.9))
        else:
            bare_tree(s, x, y, tall, air)
    falling = s.u()
    if falling > 0.5:
        flakes(s, falling - 0.3)
    s.note.update(season=1.0, objects=(trees - 3) / 16, object_x=where, detail=falling)


def night_moon(s):
    s.horizon = s.u(0.5, 0.8)
    s.light(["night", "night", "blue"])
    s.sun_x = mix(0.5, s.sun_x, 0.6)
    s.sun_y = s.u(0.1, 0.6) * s.horizon
    sky(s, disc=False, glow=0.35)
    stars(s, s.u(0.2, 1.0) * (1 - 0.6 * s.haze))
    size = s.u(0.022, 0.06)
    moon(s, size)
    if s.u() < 0.7:
        clouds(s, cover=s.u(0.1, 0.65))
    settle_fog(s)
    hills(s, int(s.rng.integers(2, 4)), s.horizon - s.u(0.02, 0.2), s.horizon, (0.3, 0.33, 0.34), s.u(0.0, 1.0), 130, s.u(0.04, 0.14))
    tree_line(s, s.horizon + 0.02, s.u(0.03, 0.1), foliage(s) * 0.6, 0.15, s.u() < 0.5)
    mist(s, s.horizon, 0.04, s.haze * 0.6)
    if s.u() < 0.5:
        water(s, s.horizon + 0.02, calm=s.u(0.2, 0.9), glitter=1.3)
    else:
        ground(s, grass(s) * 0.8, grass(s) * 0.7, 0.4, 0.35)
    trees, where = int(s.rng.integers(0, 5)), s.u()
    for _ in range(trees):
        kind = (conifer, round_tree)[int(s.u() < 0.5)]
        kind(s, where + s.u(-0.25, 0.25), s.u(0.9, 1.05), s.u(0.25, 0.6), foliage(s) * 0.5)
    s.note.update(objects=trees / 4, object_x=where if trees else 0.5, detail=(size - 0.022) / 0.038)


def moon(s, size):
    """A disc with seas, and its halo in the haze."""
    dx, dy = s.x - s.sun_x, s.y - s.sun_y
    far = np.hypot(dx, dy)
    seas = sample("cloud", dy / size * 22 + s.offset(), dx / size * 22 + s.offset())
    halo = 0.20 * np.exp(-far / (size * 1.6)) + 0.10 * (0.3 + s.haze) * np.exp(-far / 0.2)
    s.rgb += lin(0.75, 0.82, 1.0) * halo
    face = lin(0.97, 0.95, 0.88) * (1.5 - 0.35 * np.clip(seas, -0.5, 1.5))
    s.over(np.clip((size - far) * s.n + 0.5, 0, 1), face, what="moon")


def canyon(s):
    open_sky(s, DAY, s.u(0.45, 0.65), cover=s.u(0.0, 0.6))
    rock = np.array((s.u(0.6, 0.78), s.u(0.36, 0.5), s.u(0.24, 0.36)), F)
    bands = np.interp(np.linspace(0, 1, 256), np.linspace(0, 1, 24), s.rng.uniform(0.55, 1.3, 24)).astype(F)
    count = int(s.rng.integers(3, 6))
    for i in range(count):
        t = i / (count - 1)
        mesa(s, mix(s.horizon + 0.02, 1.0, t), mix(0.14, 0.6, t * s.u(0.5, 1.0)), rock, bands, mix(0.6, 0.0, t), i)
        if i == 0:
            ground(s, rock * 0.95, rock, 0.4, 0.35, 260, 1.0, 0.01, patches=(0.45, 0.42, 0.28))
    s.note.update(objects=(count - 3) / 2, detail=float(bands.std() * 4))


def mesa(s, foot, tall, rock, bands, distance, i):
    """Cliffs with flat tops: strata in level bands, vertical clefts, talus at the foot, one side in shade."""
    shape = line(s.rng, s.n, s.u(1.5, 4.0), 4, 0.45)
    plateau = smooth(-0.1, 0.05, shape) * 0.55 + smooth(0.25, 0.34, shape) * 0.45
    plateau = plateau * (0.92 + 0.08 * line(s.rng, s.n, 20, 3))
    if i > 0:
        plateau = plateau * smooth(0.05, 0.35, np.abs(s.x[0] - s.u(0.25, 0.75)))
    top = foot + 0.02 - tall * plateau - 0.01 * line(s.rng, s.n, 6, 4)
    rows = slice(s.first(float(top.min())), min(s.n, s.first(foot + 0.06) + 2))
    if rows.stop <= rows.start:
        return
    y, scale = s.y[rows], s.u(160, 260)
    cleft = sample("rough", y * scale * 0.15 + s.offset(), s.x * scale + s.offset())
    rough = sample("fine", y * 420, s.x * 420)
    band = bands[np.clip((y * 255 + 3.0 * cleft + 2 * rough), 0, 255).astype(int)]
    edge = np.zeros_like(cleft)
    edge[:, 1:] = (cleft[:, 1:] - cleft[:, :-1]) * (-s.side) * s.n / scale
    turn = np.gradient(plateau) * (-s.side) * s.n * 0.12
    shade = np.clip(0.5 + 0.55 * edge + 0.12 * rough - np.tanh(turn) * 0.35, 0.03, 1.25)
    color = lin(*rock) * band * s.lit(shade)
    air = distance * (0.3 + 0.65 * s.haze) + 0.1 * s.haze
    color += (s.fog - color) * F(min(air, 0.95))
    cover = s.below(top)[rows] * smooth(foot + 0.06, foot + 0.02, y + 0.012 * cleft)
    s.over(cover, color, rows)


def meadow_flowers(s):
    open_sky(s, DAY, s.u(0.25, 0.55))
    hills(s, int(s.rng.integers(1, 4)), s.horizon - s.u(0.05, 0.15), s.horizon - 0.01, foliage(s) * 0.8, s.u(0, 0.7), 150, s.u(0.03, 0.12))
    if s.u() < 0.6:
        tree_line(s, s.horizon + 0.01, s.u(0.03, 0.08), foliage(s) * 0.8, 0.3, s.u() < 0.4, 40)
    turf = mix(grass(s), np.array((0.36, 0.50, 0.16), F), 0.4)
    rows, z, wide = ground(s, turf, turf * 1.15, 0.3, 0.5, 330, 0.35, 0.01)
    amount = s.u(0.2, 1.0)
    blossoms(s, rows, z, wide, amount)
    trees, where = int(s.rng.integers(0, 3)), s.u()
    for x, y, z_ in standing(s, trees, 5.0):
        x = mix(x, where, 0.6)
        shadow(s, x, y, 0.18 / z_)
        any_tree(s, x, y, s.u(0.5, 0.9) / z_, 0.06 * z_ * s.haze)
    s.note.update(season=s.season, objects=trees / 2, object_x=where if trees else 0.5, detail=amount)


def blossoms(s, rows, z, wide, amount):
    """Flowers by the hundred: discs lying in perspective, in drifts, two or three colors."""
    choice = np.array([(0.92, 0.2, 0.18), (0.95, 0.82, 0.2), (0.95, 0.94, 0.9), (0.55, 0.3, 0.75), (0.92, 0.5, 0.65), (0.3, 0.4, 0.85)], F)
    colors = choice[s.rng.choice(6, 3)].T ** F(2.2)
    drift = ground_noise(s, z, wide, 24, "rough")
    for scale, level in ((330, 0.0), (520, -0.2), (210, 0.1)):
        o, q = np.floor(s.offset()), np.floor(s.offset())
        v, u = z * scale * 0.8 + o, wide * scale + q
        disc = sample("dots", v, u) * np.clip(2.5 / z, 0, 1)
        pick = nearest("ident", v, u)
        grown = smooth(0.9 - 1.5 * amount, 1.4 - 1.5 * amount, drift + level + (pick * 7 % 1) * 0.8)
        petal = colors[:, (pick * 2.999).astype(int)] * s.lit(0.5 + 0.4 * disc)
        s.over(disc * grown, petal, rows)
