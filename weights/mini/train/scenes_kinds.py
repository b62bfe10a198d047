"""The kinds of landscape: each function composes one picture, from the sky to the foreground.

A kind is its content. It picks a horizon, asks the scene for a sky out of the list it shares with
the others, and lays its elements far to near; it notes season, objects, object_x and detail where
they mean something.
"""

import numpy as np

from scenes_elements import (
    clouds, depth_of, flakes, ground, ground_noise, lin, mist, mix, range_, relief, settle_fog, sky,
    stars, streaks, water,
)
from scenes_noise import F, line, nearest, sample, smooth
from scenes_objects import (
    airy, bare_tree, boat, building, conifer, foliage, grass, lightning, palm, round_tree, shadow, tree_line, trunk,
)

DAY = ["noon", "noon", "noon", "afternoon", "afternoon", "golden", "dusk", "pink", "overcast", "teal", "twilight"]
LOW_SUN = ["dusk", "golden", "pink", "twilight", "dusk", "blue", "afternoon"]


def open_sky(s, names, horizon, cover=None):
    """Horizon, light, sky and one or two layers of cloud: how most kinds begin."""
    s.horizon = horizon
    s.light(names)
    sky(s)
    if s.u() < 0.5:
        clouds(s, cover=s.u(0.05, 0.5), flat=s.u(0.05, 0.15))
    if s.u() < 0.7:
        clouds(s, cover=cover)
    settle_fog(s)


def hills(s, count, top, bottom, rock, sharp, scale, amplitude, snow=None):
    """Ranges behind each other from top to bottom, the far ones paler."""
    for i in range(count):
        t = i / max(count - 1, 1)
        height = mix(top, bottom, t) - amplitude * mix(1.0, 0.6, t) * line(s.rng, s.n, s.u(1.5, 3.5), 6, 0.46, sharp)
        rock_i = np.clip(np.array(rock, F) * F(s.u(0.85, 1.15)), 0, 1)
        range_(s, height, rock_i, mix(0.62, 0.08, t), scale * mix(1.5, 0.9, t), snow)


def any_tree(s, x, y, tall, air=0.0):
    """A tree of the season: bare in winter now and then, otherwise in leaf."""
    if s.season > 0.85 and s.u() < 0.7:
        bare_tree(s, x, y, tall, air)
    else:
        round_tree(s, x, y, tall, foliage(s, 0.08), air)


def standing(s, count, near=4.0):
    """Places on the ground, far to near: (x, y, distance), with the foot at y."""
    z = np.sort(1 + (near - 1) * s.rng.random(count))[::-1]
    return [(float(s.rng.uniform(0, 1)), float(s.horizon + (1 - s.horizon) / k * 0.95), float(k)) for k in z]


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
    colour = lin(*sand) * s.lit(shade)
    air = distance * (0.2 + 0.75 * s.haze) + 0.15 * s.haze * smooth(0.0, 0.2, down)
    colour += (s.fog - colour) * np.clip(air, 0, 0.95)
    s.over(s.below(crest)[rows], colour, rows)


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
    colour = base * s.lit(shade)
    air = np.clip((1 - np.exp(-0.10 * (z - 1))) * (0.3 + 0.7 * s.haze), 0, 0.95)
    colour += (s.fog - colour) * air
    s.over(s.below(np.full(s.n, s.horizon, F))[rows], colour, rows)


def skyline(s):
    open_sky(s, DAY + ["blue", "night", "night"], s.u(0.6, 0.86))
    lights = float(np.clip(0.75 - 1.3 * s.elevation, 0.03, 0.7)) if s.ambient.mean() > 0.05 else s.u(0.3, 0.7)
    centre, spread, count = s.u(0.1, 0.9), s.u(0.2, 0.5), int(s.rng.integers(15, 36))
    for depth in range(3):
        air = (0.75, 0.4, 0.05)[depth] * (0.4 + 0.6 * s.haze)
        tint = np.array((s.u(0.4, 0.66), s.u(0.4, 0.6), s.u(0.4, 0.6)), F)
        for _ in range(count // 3):
            x = s.u(-0.05, 1.05)
            peak = 0.3 + 0.9 * np.exp(-(((x - centre) / spread) ** 2))
            tall = s.horizon * s.u(0.25, 0.75) * peak * (0.9, 0.8, 0.6)[depth]
            building(s, x, s.horizon + 0.01, s.u(0.05, 0.12), tall, tint * s.u(0.7, 1.15), air, lights)
    if s.u() < 0.65:
        water(s, s.horizon, calm=s.u(0.3, 0.85), tint=(0.06, 0.13, 0.18), glitter=0.4)
    else:
        ground(s, grass(s) * 0.9, (0.4, 0.4, 0.4), 0.4, 0.3)
        tree_line(s, s.horizon + 0.03, 0.05, foliage(s) * 0.8, 0.1, False, 40)
    s.note.update(objects=(count - 15) / 20, object_x=centre, detail=lights)


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
    s.over(np.clip((size - far) * s.n + 0.5, 0, 1), face)


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
    streaks(s, rain, s.u(-0.4, 0.4))
    s.note.update(objects=float(strike), object_x=where, detail=rain)


def surf(s):
    """White caps on a rough sea."""
    rows = slice(s.first(s.horizon) + 2, s.n)
    z, wide = depth_of(s, rows)
    wave = ground_noise(s, z, wide, 40, "ridge", 3.0) + 0.5 * ground_noise(s, z, wide, 300, "fine", 1.5)
    s.over(smooth(1.0, 2.0, wave) * 0.75, lin(0.85, 0.88, 0.9) * s.lit(np.full(wave.shape, 0.5, F)), rows)


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
    colour = lin(*rock) * band * s.lit(shade)
    air = distance * (0.3 + 0.65 * s.haze) + 0.1 * s.haze
    colour += (s.fog - colour) * F(min(air, 0.95))
    cover = s.below(top)[rows] * smooth(foot + 0.06, foot + 0.02, y + 0.012 * cleft)
    s.over(cover, colour, rows)


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
    colour = sand * s.lit(np.clip(0.62 * (1 + 0.14 * rough + 0.13 * grain), 0.1, 1.3))
    s.over(s.below(edge + 0.006)[rows], colour, rows)


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
    """Flowers by the hundred: discs lying in perspective, in drifts, two or three colours."""
    choice = np.array([(0.92, 0.2, 0.18), (0.95, 0.82, 0.2), (0.95, 0.94, 0.9), (0.55, 0.3, 0.75), (0.92, 0.5, 0.65), (0.3, 0.4, 0.85)], F)
    colours = choice[s.rng.choice(6, 3)].T ** F(2.2)
    drift = ground_noise(s, z, wide, 24, "rough")
    for scale, level in ((330, 0.0), (520, -0.2), (210, 0.1)):
        o, q = np.floor(s.offset()), np.floor(s.offset())
        v, u = z * scale * 0.8 + o, wide * scale + q
        disc = sample("dots", v, u) * np.clip(2.5 / z, 0, 1)
        pick = nearest("ident", v, u)
        grown = smooth(0.9 - 1.5 * amount, 1.4 - 1.5 * amount, drift + level + (pick * 7 % 1) * 0.8)
        petal = colours[:, (pick * 2.999).astype(int)] * s.lit(0.5 + 0.4 * disc)
        s.over(disc * grown, petal, rows)


def waterfall(s):
    open_sky(s, DAY, s.u(0.62, 0.85))
    rim = s.u(0.08, 0.35)
    x0, wide = s.u(0.25, 0.75), s.u(0.04, 0.16)
    pool, s.season = s.horizon, s.season
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
    s.over(cover, lin(0.92, 0.95, 0.97) * s.lit(shade), rows)


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
