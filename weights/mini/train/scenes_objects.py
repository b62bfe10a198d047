"""Things that stand in a landscape: trees, tree lines, buildings, boats, lightning.

Each is drawn on a small patch around its own place, with soft edges a pixel wide, and takes its
light from the scene: a lit side toward the sun, a shadow side, and the color of air with distance.
"""

import numpy as np

from scenes_elements import lin, mix
from scenes_noise import F, line, sample, smooth


def foliage(s, wild=0.0):
    """Leaf color for the season: spring green, summer, autumn gold and red, winter brown (sRGB)."""
    stops = (0.0, 0.35, 0.6, 0.75, 1.0)
    keys = np.array([(0.42, 0.55, 0.18), (0.20, 0.36, 0.12), (0.55, 0.46, 0.12), (0.58, 0.26, 0.08), (0.30, 0.23, 0.16)])
    t = np.clip(s.season + wild * s.u(-1, 1), 0, 1)
    return np.array([np.interp(t, stops, keys[:, c]) for c in range(3)], F) * F(s.u(0.85, 1.1))


def grass(s, wild=0.0):
    """Color of grass for the season: never as red as leaves, straw in late summer, dull in winter."""
    stops = (0.0, 0.35, 0.6, 0.8, 1.0)
    keys = np.array([(0.40, 0.54, 0.17), (0.25, 0.41, 0.13), (0.46, 0.48, 0.19), (0.58, 0.50, 0.27), (0.42, 0.37, 0.24)])
    t = np.clip(s.season + wild * s.u(-1, 1), 0, 1)
    return np.array([np.interp(t, stops, keys[:, c]) for c in range(3)], F) * F(s.u(0.9, 1.1))


def patch(s, x, y, half, above, under=0.0):
    """Rows and columns of the patch x +- half, y - above .. y + under, or None outside the picture."""
    r0, r1 = max(0, int((y - above) * s.n)), min(s.n, int((y + under) * s.n) + 2)
    c0, c1 = max(0, int((x - half) * s.n)), min(s.n, int((x + half) * s.n) + 2)
    return (slice(r0, r1), slice(c0, c1)) if r1 > r0 and c1 > c0 else None


def airy(s, color, columns, air):
    """Color seen through air: mixed with the fog of its columns."""
    return color + (s.fog[:, :, columns] - color) * F(air)


def shadow(s, x, y, width, strength=0.55):
    """The soft shadow on the ground at the foot of something, cast away from the sun."""
    long = width * mix(3.0, 0.8, s.elevation)
    at = patch(s, x - s.side * long * 0.6, y, long + width, width, width)
    if at is None:
        return
    dx = (s.x[:, at[1]] - x + s.side * long * 0.6) / (long * 0.7 + width * 0.4)
    dy = (s.y[at[0]] - y) / (width * 0.28)
    s.rgb[:, at[0], at[1]] *= 1 - strength * np.exp(-(dx * dx + dy * dy))


def conifer(s, x, y, tall, leaf, air=0.0, snow=0.0):
    """A fir: a cone cut into drooping whorls by noise, snow on the upper side of each whorl."""
    wide = tall * s.u(0.17, 0.27)
    at = patch(s, x, y, wide * 1.2, tall)
    if at is None:
        return
    t = (y - s.y[at[0]]) / tall
    dx = (s.x[:, at[1]] - x) / wide
    o, whorls = s.offset(), s.u(7, 12)
    rag = sample("fine", t * 90 + o, dx * 16 + o)
    step = (t * whorls + 0.35 * np.abs(dx) * whorls * 0.3 + 0.15 * rag) % 1.0
    reach = np.clip(1 - t, 0, 1) ** 0.85 * (1.0 - 0.42 * step) + 0.06 * rag
    soft = max(1.2 / (wide * s.n), 0.06)
    cover = smooth(0, soft, reach - np.abs(dx)) * (t > 0.05)
    cover = np.maximum(cover, (np.abs(dx) < 0.07) & (t > 0) & (t < 0.2))
    shade = np.clip(0.42 + 0.4 * dx * s.side - 0.4 * (step - 0.5) + 0.16 * rag, 0.02, 1.2)
    base = lin(*leaf)
    if snow > 0:
        white = smooth(0.75 - 0.7 * snow, 1.0 - 0.6 * snow, 1 - step + 0.25 * rag)
        base = mix(base, lin(0.92, 0.94, 0.97), white)
        shade = shade + 0.2 * white
    s.over(cover, airy(s, base * s.lit(shade), at[1], air), *at, what="tree")


def round_tree(s, x, y, tall, leaf, air=0.0):
    """A broad-leaved tree: a heap of leafy balls over a trunk, holes of sky, lit from the sun's side."""
    wide = tall * s.u(0.30, 0.52)
    at = patch(s, x, y, wide * 1.35, tall * 1.05)
    if at is None:
        return
    t = (y - s.y[at[0]]) / tall
    dx = (s.x[:, at[1]] - x) / wide
    o = s.offset()
    rag = sample("fine", t * 45 + o, dx * 22 + o)
    best, shade = np.full(rag.shape, -9, F), np.zeros(rag.shape, F)
    low = s.u(0.38, 0.55)
    for _ in range(7 if tall * s.n > 34 else 4):
        bx, by, r = s.u(-0.62, 0.62), s.u(low, 0.82), s.u(0.26, 0.46)
        ex, ey = (dx - bx) / r, (t - by) / (r * 0.5)
        inside = 1 - np.sqrt(ex * ex + ey * ey)
        ball = 0.42 + 0.30 * ex * s.side + 0.26 * ey + 0.25 * (by - 0.6)
        shade = np.where(inside > best, ball, shade)
        best = np.maximum(best, inside)
    soft = max(2.0 / (wide * s.n), 0.12)
    cover = smooth(0, soft, best + 0.16 * rag + 0.02)
    trunk = (np.abs(dx + 0.05 * np.sin(t * 9)) < 0.06 + 0.04 * (t < 0.06)) & (t > 0) & (t < 0.6)
    color = lin(*leaf) * s.lit(np.clip(shade + 0.2 * rag, 0.02, 1.25))
    bark = lin(0.23, 0.18, 0.13) * s.lit(np.clip(0.4 + 4 * dx * s.side, 0, 1) + 0 * t)
    s.over(trunk * (1 - cover) * 0.9, airy(s, bark, at[1], air), *at)
    s.over(cover, airy(s, color, at[1], air), *at, what="tree")


def strokes(s, at, segments, width):
    """Coverage of the patch by tapering line segments [k, (x0, y0, x1, y1, thickness)]."""
    cover = np.zeros((s.n, s.n), F)
    for x0, y0, x1, y1, thick in segments:
        rim = width * thick + 1.5 / s.n
        box = patch(s, 0.5 * (x0 + x1), max(y0, y1), 0.5 * abs(x1 - x0) + rim, abs(y1 - y0) + rim, rim)
        if box is None:
            continue
        px, py = s.x[:, box[1]], s.y[box[0]]
        ex, ey = x1 - x0, y1 - y0
        t = np.clip(((px - x0) * ex + (py - y0) * ey) / (ex * ex + ey * ey + 1e-9), 0, 1)
        far = np.hypot(px - x0 - t * ex, py - y0 - t * ey)
        solid = np.clip((width * thick - far) * s.n + 0.5, 0, min(1.0, 0.25 + width * thick * s.n * 1.5))
        np.maximum(cover[box], solid, out=cover[box])
    return cover[at]


def bare_tree(s, x, y, tall, air=0.0):
    """A leafless tree: branches that fork three times, over a haze of twigs."""
    at = patch(s, x, y, tall * 0.6, tall * 1.1)
    if at is None:
        return
    segments, tips = [], [(x, y, 0.5 * np.pi + s.u(-0.1, 0.1), tall * 0.36, 1.0)]
    for _ in range(4):
        grown = []
        for bx, by, angle, long, thick in tips:
            ex, ey = bx + np.cos(angle) * long, by - np.sin(angle) * long
            segments.append((bx, by, ex, ey, thick))
            for turn in (s.u(0.2, 0.7), -s.u(0.2, 0.7)):
                grown.append((ex, ey, angle + turn, long * s.u(0.62, 0.85), thick * 0.62))
        tips = grown
    cover = strokes(s, at, segments, tall * 0.022)
    bark = lin(0.17, 0.14, 0.12) * s.lit(np.full(cover.shape, 0.35, F))
    s.over(cover, airy(s, bark, at[1], air), *at, what="tree")


def palm(s, x, y, tall, air=0.0):
    """A palm: a leaning curved trunk and a crown of drooping fronds, against the light."""
    at = patch(s, x, y, tall * 0.75, tall * 1.35)
    if at is None:
        return
    lean, segments = s.u(-0.3, 0.3), []
    bend = lambda t: (x + lean * tall * t * t, y - tall * t)
    for i in range(5):
        segments.append((*bend(i / 5), *bend((i + 1) / 5), 1.0 - 0.09 * i))
    cx, cy = bend(1.0)
    for k in range(9):
        angle, long = np.pi * (k / 8 * 1.3 - 0.15) + s.u(-0.12, 0.12), tall * s.u(0.36, 0.5)
        px, py = cx, cy
        for i in range(3):
            qx = cx + np.cos(angle) * long * (i + 1) / 3
            qy = cy - np.sin(angle) * long * (i + 1) / 3 * 0.7 + long * 0.55 * ((i + 1) / 3) ** 2
            segments.append((px, py, qx, qy, (1.1, 1.0, 0.5)[i]))
            px, py = qx, qy
    cover = strokes(s, at, segments, tall * 0.026)
    dark = mix(lin(0.20, 0.16, 0.10), lin(0.16, 0.28, 0.10), smooth(cy + tall * 0.3, cy + tall * 0.2, s.y[at[0]]))
    grain = sample("fine", s.y[at[0]] * 400, s.x[:, at[1]] * 400)
    s.over(cover, airy(s, dark * s.lit(np.clip(0.4 + 0.25 * grain, 0, 1)), at[1], air), *at, what="palm")


def tree_line(s, base, tall, leaf, air, pointed, count=60, snow=0.0):
    """A wood seen from afar: a height line of spikes or crowns over base, with leafy noise below."""
    xs = s.rng.uniform(-0.05, 1.05, (count, 1)).astype(F)
    hs = (tall * s.rng.uniform(0.45, 1.0, (count, 1))).astype(F)
    ws = hs * F(0.26 if pointed else 0.5)
    t = np.abs(s.x - xs) / ws
    crown = hs * np.clip(1 - t if pointed else np.sqrt(np.maximum(1 - t * t, 0)), 0, 1)
    rag = line(s.rng, s.n, s.n / 3, 1) * tall * 0.12
    height = base - np.maximum(crown.max(0) + rag, tall * 0.3)
    rows = slice(s.first(float(height.min())), s.n)
    o = s.offset()
    a = sample("fine", s.y[rows] * (260 if pointed else 420) + o, s.x * 520 + o)
    body = sample("rough", s.y[rows] * 300 + o, s.x * 420 + o)
    shade = np.clip(0.42 + 0.16 * a + 0.16 * body - 1.6 * (s.y[rows] - height), 0.04, 1.1)
    ground = lin(*leaf) * (1 + 0.2 * body)
    if snow > 0:
        ground = mix(ground, lin(0.9, 0.93, 0.97), smooth(0.9 - snow, 1.9 - snow, a + 0.5 * body))
    s.over(s.below(height)[rows] * (s.y[rows] < base + 0.5 * tall), airy(s, ground * s.lit(shade), slice(None), air), rows)
    return height


def trunk(s, x, wide, top, bottom, bark, air):
    """A bare trunk crossing the picture: rounded shading and bark drawn out along it."""
    lean = s.u(-0.05, 0.05)
    at = patch(s, x, bottom, wide * 1.6 + abs(lean) * 0.6, bottom - top, wide * 0.3)
    if at is None:
        return
    y = s.y[at[0]]
    o = s.offset()
    flare = wide * (1 + 1.2 * np.exp((y - bottom) * 14 / (wide * 12 + 0.2)) * 0.5)
    dx = (s.x[:, at[1]] - x - lean * (y - bottom) * 0.6) / flare * 2
    rough = sample("fine", y * 90 + o, dx * 28 + o)
    cover = np.clip((1 - np.abs(dx)) * flare * s.n * 0.5 + 0.5, 0, 1) * smooth(bottom + wide * 0.3, bottom - 0.003, y + 0.01 * rough)
    shade = np.clip(0.35 + 0.4 * dx * s.side + 0.2 * rough, 0.02, 1.2)
    s.over(cover, airy(s, lin(*bark) * s.lit(shade), at[1], air), *at, what="tree")


def building(s, x, base, wide, tall, wall, air, lights):
    """A block with a lit and a shaded face, rows of windows (lit at random), and sometimes a spire."""
    at = patch(s, x, base, wide, tall * 1.3)
    if at is None:
        return
    px, py = s.x[:, at[1]], s.y[at[0]]
    dx, up = (px - x) / wide * 2, (base - py) / tall
    taper = 1.0 - (s.u(0.1, 0.4) * (up > s.u(0.6, 0.9)) if s.u() < 0.35 else 0.0)
    cover = np.clip((taper - np.abs(dx)) * wide * s.n * 0.5 + 0.5, 0, 1) * np.clip((1 - up) * tall * s.n + 0.5, 0, 1)
    if s.u() < 0.2:
        cover = np.maximum(cover, np.clip((0.06 - np.abs(dx)) * wide * s.n + 0.4, 0, 1) * (up < 1.25))
    corner = s.u(-0.7, 0.7)
    face = np.where(dx * s.side > corner, 0.75, 0.25) + 0.10 * sample("rough", py * 200, px * 120)
    pitch_x, pitch_y = max(s.u(0.012, 0.022), 2.9 / s.n), max(s.u(0.016, 0.030), 3.2 / s.n)
    gx, gy = px / pitch_x, py / pitch_y
    glass = ((gx % 1) > 0.38) & ((gy % 1) > 0.42) & (np.abs(dx) < 0.86) & (up < 0.94)
    chance = s.rng.random((64, 64)).astype(F)[gy.astype(int) % 64, gx.astype(int) % 64]
    color = lin(*wall) * s.lit(face)
    pane = 0.35 * s.middle + 0.15 * s.low
    color = mix(color, pane, (glass * 0.6))
    color = airy(s, color, at[1], air)
    lamp = lin(1.0, s.u(0.70, 0.88), s.u(0.35, 0.65)) * (0.6 + 0.7 * chance)
    color = color + (lamp - color) * (glass * (chance < lights) * (1 - 0.7 * air))
    s.over(cover, color, *at, what="tower")


def boat(s, x, y, size, sail):
    """A small sailing boat with its own reflection."""
    at = patch(s, x, y, size * 0.7, size * 1.2, size * 0.8)
    if at is None:
        return
    px, dy = (s.x[:, at[1]] - x) / size, (y - s.y[at[0]]) / size
    up = np.abs(dy + 0.02)
    soft = lambda d: np.clip(d * size * s.n + 0.5, 0, 1)
    cloth = soft(np.minimum(0.42 * (1 - up) - np.abs(px - 0.1 * (1 - up)) * 1.1, up - 0.14))
    hull = soft(np.minimum(0.13 - up, 0.42 - 0.8 * up * -1 - np.abs(px) - 0.1))
    mirror = np.where(dy < -0.02, 0.35, 1.0)
    s.over(cloth * mirror, lin(*sail) * s.lit(0.5 + 0.4 * px * s.side + 0 * dy), *at)
    s.over(hull * mirror, lin(0.2, 0.15, 0.12) * s.lit(0.4 + 0 * px + 0 * dy), *at)


def lightning(s, x, ground):
    """A forked bolt from the cloud to the ground, with its glow."""
    path = x + 0.10 * line(s.rng, s.n, 5, 5, 0.6, 1.0)
    far = np.abs(s.x - path[:, None])
    reach = smooth(ground + 0.01, ground - 0.01, s.y)
    fork = path[:, None] + s.side * 0.55 * np.maximum(s.y - s.u(0.15, 0.3), 0)
    side = np.abs(s.x - fork) + 0.5 * (np.abs(fork - path[:, None]) < 0.01)
    part = reach * smooth(ground * 0.85, ground * 0.6, s.y)
    glow = np.exp(-far * 16) * 0.35 + np.exp(-far * 70) * 0.6 + 2.5 * np.clip(0.8 - far * s.n * 0.8, 0, 1)
    s.rgb += lin(0.80, 0.82, 1.0) * (glow * reach + np.clip(0.7 - side * s.n, 0, 1) * part)
    s.see("lightning", (far * s.n < 1.5) * reach)
