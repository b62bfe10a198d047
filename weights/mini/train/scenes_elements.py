"""What every landscape is made of: light, sky, clouds, terrain, ground, water and weather.

A Scene is a square of linear light, and each function here adds one element to it, far to near.
Positions are fractions of the picture (x right, y down); colors are written in sRGB and turned
into linear light by lin, because light adds and colors do not. Arrays are planar, [3, rows, columns]:
numpy is several times faster on them than on interleaved ones.
"""

from dataclasses import dataclass, field

import numpy as np

from scenes_noise import F, line, sample, smooth

# Skies: zenith, middle, horizon, sunlight in sRGB, and the height of the sun (0 set, 1 noon).
SKIES = {
    "noon": ((0.14, 0.34, 0.68), (0.42, 0.63, 0.88), (0.78, 0.87, 0.94), (1.0, 0.96, 0.88), 0.95),
    "afternoon": ((0.24, 0.42, 0.68), (0.58, 0.69, 0.80), (0.92, 0.86, 0.72), (1.0, 0.89, 0.68), 0.6),
    "golden": ((0.34, 0.42, 0.58), (0.78, 0.66, 0.53), (1.0, 0.77, 0.45), (1.0, 0.74, 0.40), 0.3),
    "dusk": ((0.16, 0.18, 0.36), (0.62, 0.36, 0.38), (1.0, 0.54, 0.24), (1.0, 0.55, 0.25), 0.1),
    "pink": ((0.28, 0.31, 0.52), (0.70, 0.51, 0.62), (0.97, 0.71, 0.64), (1.0, 0.68, 0.56), 0.15),
    "twilight": ((0.08, 0.09, 0.24), (0.30, 0.21, 0.42), (0.74, 0.41, 0.46), (0.8, 0.45, 0.42), 0.0),
    "overcast": ((0.50, 0.54, 0.59), (0.64, 0.67, 0.70), (0.78, 0.79, 0.79), (0.78, 0.79, 0.80), 0.6),
    "blue": ((0.05, 0.10, 0.22), (0.15, 0.25, 0.45), (0.45, 0.53, 0.63), (0.42, 0.50, 0.66), 0.0),
    "teal": ((0.10, 0.31, 0.42), (0.38, 0.59, 0.63), (0.80, 0.84, 0.74), (1.0, 0.92, 0.76), 0.5),
    "dark": ((0.12, 0.14, 0.18), (0.24, 0.27, 0.31), (0.47, 0.49, 0.50), (0.52, 0.53, 0.54), 0.4),
    "night": ((0.010, 0.015, 0.05), (0.035, 0.05, 0.12), (0.10, 0.13, 0.22), (0.40, 0.46, 0.60), 0.7),
}


def lin(*c):
    """sRGB to linear light (a plain power is near enough for painting)."""
    return (np.asarray(c, F) ** F(2.2)).reshape(3, 1, 1)


def pale(c, t):
    """A color drawn toward its own gray, as eyes and cameras do with the color of the light."""
    return c + (c.mean() - c) * F(t)


def mix(a, b, t):
    return a + (b - a) * t


@dataclass
class Scene:
    """The picture under way and the light that falls on it."""

    n: int
    rng: np.random.Generator
    horizon: float = 0.5
    sun_x: float = 0.5
    sun_y: float = 0.3
    haze: float = 0.3
    season: float = 0.5
    elevation: float = 0.5
    note: dict = field(default_factory=dict)
    seen: dict = field(default_factory=dict)

    def __post_init__(self):
        at = (np.arange(self.n, dtype=F) + F(0.5)) / F(self.n)
        self.x, self.y = at[None], at[:, None]
        self.rgb = np.zeros((3, self.n, self.n), F)

    def u(self, lo=0.0, hi=1.0):
        return lo + (hi - lo) * self.rng.random()

    def offset(self):
        return self.u(0, 512)

    def light(self, names):
        """Draws the sky: a random blend of two of the named ones, tinted a little."""
        a, b = self.rng.choice(len(names), 2)
        t = self.u()
        four = [mix(lin(*p), lin(*q), t) for p, q in zip(SKIES[names[a]][:4], SKIES[names[b]][:4])]
        tint = 1 + 0.08 * self.rng.uniform(-1, 1, (4, 3, 1, 1)).astype(F)
        self.zenith, self.middle, self.low, self.sun = [c * k for c, k in zip(four, tint)]
        self.elevation = mix(SKIES[names[a]][4], SKIES[names[b]][4], t)
        self.sun_y = self.horizon - 0.02 - self.elevation * self.u(0.4, 1.5) * self.horizon
        self.sun = pale(self.sun, self.u(0.3, 0.6))
        self.ambient = pale(0.55 * self.middle + 0.25 * self.zenith + 0.2 * self.low, self.u(0.4, 0.7))
        self.side = 1.0 if self.sun_x > 0.5 else -1.0
        self.fog = np.broadcast_to(self.low, (3, 1, self.n))

    def lit(self, shade):
        """The light on a surface that the sun reaches by shade (0..1.5): [3, ...]."""
        return self.ambient * 0.75 + self.sun * (np.asarray(shade, F) * F(0.95))

    def over(self, cover, color, rows=slice(None), columns=slice(None), what=None):
        """Paints color over the picture, or over the given part of it, where cover is 1; what is the object's name."""
        part = self.rgb[:, rows, columns]
        part += (color - part) * cover
        if what:
            self.see(what, np.broadcast_to(cover, part.shape[1:]))

    def see(self, what, cover):
        """Notes that an object covers so much of the picture, as far as nothing is painted over it later."""
        self.seen[what] = self.seen.get(what, 0.0) + float(cover.sum()) / self.n**2

    def below(self, height):
        """Coverage of everything under a height line y = height(x), with a one-pixel soft edge."""
        return np.clip((self.y - height) * F(self.n) + F(0.5), 0, 1)

    def first(self, y):
        """The first row at or above y, so that work can skip the rows over it."""
        return int(np.clip(np.floor(y * self.n) - 1, 0, self.n - 1))


def sky(s, disc=True, glow=1.0):
    """Gradient from zenith to horizon, and sunlight scattered around the sun, widest when it is low."""
    up = np.clip((s.horizon - s.y) / max(s.horizon, 0.2), 0, 1.2)
    k = s.u(0.5, 0.9)
    w = np.exp(-up * s.u(3.0, 6.0))
    column = mix(mix(s.middle, s.zenith, smooth(0.0, k, up)), s.low, w)
    dx, dy = s.x - s.sun_x, s.y - s.sun_y
    far = np.sqrt(dx * dx * mix(0.45, 1, s.elevation) + dy * dy * mix(1.8, 1, s.elevation))
    scatter = glow * (0.5 * np.exp(-5 * far) + 0.9 * np.exp(-22 * far) * (1 - 0.5 * s.haze))
    s.rgb[:] = column + s.sun * scatter
    if disc:
        true = np.sqrt(dx * dx + dy * dy)
        size = s.u(0.012, 0.026)
        s.over(smooth(size * mix(1.4, 3.0, s.elevation), size * 0.9, true) * (1 - 0.6 * s.haze), s.sun * 5 + 0.5)


def clouds(s, cover=None, scale=None, dark=0.0, flat=None):
    """A layer of warped fractal noise seen in perspective, lit by density lost toward the sun."""
    rows = slice(0, min(s.n, s.first(s.horizon) + 2))
    cover = s.u(0.1, 0.9) if cover is None else cover
    scale = s.u(35, 110) if scale is None else scale
    flat = s.u(0.06, 0.5) if flat is None else flat
    up = np.clip((s.horizon - s.y[rows]), 0, 1)
    p = 1 / (up + flat)
    stretch = s.u(1.0, 2.6)
    u = (s.x - 0.5) * p * scale + s.offset()
    v = p * scale * flat * stretch * 4 + s.offset() + np.zeros_like(u)
    warp = sample("soft", v * 0.5 + 91, u * 0.5) * s.u(3, 14)
    puff = s.u(0, 0.7)
    here = sample("cloud", v + warp, u + warp)
    here += puff * (sample("ridge", (v + warp) * 0.8, (u + warp) * 0.8) - here)
    step = max(1, s.n // 48)
    at, last = np.arange(s.n), here.shape[0] - 1
    above = np.clip(at[: last + 1] + (-step if s.elevation > 0.25 else step), 0, last)
    beside = np.clip(at + int(step * s.side), 0, s.n - 1)
    toward = here[above][:, beside]
    edge = mix(1.3, -1.0, cover)
    thick = smooth(edge, edge + s.u(0.7, 1.6), here)
    thick *= smooth(0.0, 0.03 + 0.12 * s.haze, up) * s.u(0.8, 1.0)
    lift = np.clip(0.55 + 0.5 * (here - toward) - 0.25 * (here - edge - 0.8), 0, 1.2)
    near = np.exp(-3.0 * np.hypot(s.x - s.sun_x, s.y[rows] - s.sun_y))
    shadow = mix(s.ambient * 0.75, s.low, 0.25) * (1 - dark)
    bright = mix(s.low, s.sun, 0.6) * (1.25 - 0.9 * dark)
    color = shadow + (bright - shadow) * lift + s.sun * (near * (1 - thick) * 0.6)
    s.over(thick, color, rows)


def settle_fog(s):
    """Takes the color of distance, column by column, from the sky just above the horizon."""
    row = min(s.n - 1, max(0, int(s.horizon * s.n) - 2))
    band = s.rgb[:, max(0, row - s.n // 12) : row + 1].mean(1)
    k = s.n // 4
    pad = np.pad(band, ((0, 0), (k + 1, k)), mode="edge")
    total = np.cumsum(pad, 1, dtype=F)
    s.fog = np.minimum((total[:, 2 * k :] - total[:, : -2 * k])[:, : s.n] / (2 * k), 1.1)[:, None]
    s.fog = s.fog + (s.fog.mean(0) - s.fog) * F(0.3)


def relief(s, rows, scale, name="ridge", steep=0.5, strength=1.0):
    """Shade of a rough slope: the slope of a noise field against the light, about 0.55 +- 0.4."""
    v = s.y[rows] * scale * steep + s.offset()
    u = s.x * scale + s.offset()
    warp = sample("soft", v * 0.7, u * 0.7) * 6
    a = sample(name, v + warp * 0.5, u + warp)
    slope = np.zeros_like(a)
    slope[:, 1:] = (a[:, 1:] - a[:, :-1]) * (-s.side)
    slope[1:] += 0.5 * (a[1:] - a[:-1])
    return np.clip(0.55 + slope * (strength * s.n / scale * 0.6), 0.05, 1.3), a


def range_(s, height, rock, distance, scale=120, snow=None, snow_rgb=(0.93, 0.95, 0.98), mist=0.5, name="ridge"):
    """A mountain range or hill under a height line: relief, snow above a line, air in between."""
    top = float(height.min())
    rows = slice(s.first(top), s.n)
    shade, a = relief(s, rows, scale, name, strength=mix(1.8, 1.2, distance))
    down = s.y[rows] - height
    base = lin(*rock) * (1 + 0.2 * a)
    if snow is not None:
        white = smooth(-0.03, 0.04, snow - s.y[rows] + 0.05 * a + 0.06 * (shade - 0.5))
        base += (lin(*snow_rgb) - base) * white
    color = base * s.lit(shade)
    air = np.clip(distance * (0.22 + 0.75 * s.haze) + mist * s.haze * smooth(0.0, 0.3, down), 0, 0.97)
    color += (s.fog - color) * air
    s.over(s.below(height)[rows], color, rows)


def depth_of(s, rows, horizon=None):
    """Ground plane: distance z (1 at the lower edge) and sideways X for each pixel of rows."""
    h = s.horizon if horizon is None else horizon
    z = (1 - h) / np.maximum(s.y[rows] - h, 0.35 / s.n)
    return z, (s.x - 0.5) * z


def ground_noise(s, z, wide, scale, name="fine", stretch=1.0):
    """Noise lying on the ground: denser toward the horizon, and fading where pixels outgrow it."""
    foot = z * z * (scale * stretch / s.n)
    fade = 1 / (1 + (foot * 0.7) ** 2)
    return sample(name, z * (scale * stretch) + s.offset(), wide * scale + s.offset()) * fade


def ground(s, color_near, color_far, coarse=0.25, grain=0.25, scale=260, stretch=1.0, line_=0.0, patches=None):
    """A textured plain from the horizon down: two scales of noise, patches of color, haze with distance."""
    rows = slice(s.first(s.horizon), s.n)
    z, wide = depth_of(s, rows)
    big = ground_noise(s, z, wide, scale * 0.2, "rough", 1.5)
    small = ground_noise(s, z, wide, scale, "fine", stretch)
    near = np.broadcast_to(smooth(6, 1, z), big.shape)
    base = mix(lin(*color_far), lin(*color_near), near)
    if patches is not None:
        base = base + (lin(*patches) - base) * smooth(0.1, 1.3, big)
    shade = np.clip(0.6 * (1 + coarse * big + grain * small), 0.08, 1.5)
    color = base * s.lit(shade)
    air = np.clip((1 - np.exp(-0.12 * (z - 1))) * (0.25 + 0.75 * s.haze), 0, 0.95)
    color += (s.fog - color) * air
    edge = s.horizon + line_ * line(s.rng, s.n, 4, 4)
    s.over(s.below(edge)[rows], color, rows)
    return rows, z, wide


def water(s, level, calm=0.5, tint=(0.05, 0.16, 0.22), glitter=1.0, mask=None):
    """Water from level down: the scene mirrored, shaken by ripples, blurred downward, with sun glitter."""
    rows = slice(s.first(level) + 1, s.n)
    z, wide = depth_of(s, rows, level)
    rip = ground_noise(s, z, wide, s.u(60, 130), "rough", 3.0) + 0.6 * ground_noise(s, z, wide, 320, "fine", 2.0)
    down = s.y[rows] - level
    jolt = rip * (1 - calm) * (0.012 + 0.09 * down)
    ys = (level - down * s.u(0.8, 1.0) - jolt) * s.n
    xs = s.x * s.n + rip * (1 - calm) * 3
    column = np.clip(xs, 0, s.n - 1).astype(np.int32)
    spread = (0.006 + 0.05 * (1 - calm) * down / max(1 - level, 0.1)) * s.n
    flat, total = s.rgb.reshape(3, -1), 0
    for k in (-1.0, 0.0, 1.0):
        row = np.clip(np.abs(ys + k * spread), 0, max(0, level * s.n - 1)).astype(np.int32)
        total = total + np.take(flat, row * s.n + column, axis=1)
    facing = np.clip(0.35 + 0.6 * np.exp(-3.0 * down) + 0.22 * rip * (1 - calm), 0.1, 1)
    color = lin(*tint) * (s.ambient * 1.2 + 0.15 * s.sun)
    color = color + (total / 3 - color) * facing
    path = np.exp(-(((s.x - s.sun_x) / (0.035 + 0.20 * down + 0.05 * (1 - calm))) ** 2))
    spark = smooth(0.5, 1.7, rip + 0.9 * path) * path * glitter
    color += s.sun * (spark * 1.6)
    far = np.exp(-down * 26) * (0.2 + 0.6 * s.haze)
    color += (s.fog - color) * far
    cover = s.below(np.full(s.n, level, F))[rows]
    s.over(cover if mask is None else cover * mask[rows], color, rows, what="water")


def mist(s, level, thickness, amount):
    """A bank of fog around a height, torn by noise."""
    torn = sample("cloud", s.y * 160 + s.offset(), s.x * 50 + s.offset())
    bank = np.exp(-(((s.y - level + 0.02 * torn) / thickness) ** 2))
    s.over(np.clip(bank * amount * (1 + 0.35 * torn), 0, 0.95), s.fog)


def stars(s, amount):
    """Points of very different brightness, over the horizon only."""
    count = int(amount * 160)
    ys = (s.rng.random(count) * s.horizon * s.n).astype(int)
    xs = s.rng.integers(0, s.n, count)
    s.rgb[:, ys, xs] += (s.rng.random(count) ** 4 * 0.9 + 0.02).astype(F) * (1 + 0.2 * s.rng.uniform(-1, 1, (3, count)).astype(F))


def streaks(s, amount, slant, length=0.45, bright=0.6):
    """Falling rain: noise drawn out along its path, in two depths."""
    for scale in (520, 300):
        u = (s.x + s.y * slant) * scale + s.offset()
        v = s.y * scale * 0.06 / length + s.offset()
        rain = smooth(0.5, 2.2, sample("fine", v, u))
        s.over(rain * amount * 0.6, s.fog * bright + 0.5 * s.ambient)


def flakes(s, amount):
    """Falling snow: discs of three sizes, the near ones large and faint."""
    for scale, strength in ((560, 0.75), (300, 0.6), (120, 0.4)):
        d = sample("dots", s.y * scale + s.offset(), s.x * scale + s.offset())
        keep = sample("rough", s.y * scale * 0.5 + s.offset(), s.x * scale * 0.5 + s.offset())
        s.over(d * smooth(1.2 - 1.6 * amount, 1.7 - 1.6 * amount, keep) * strength, lin(0.95, 0.96, 1.0) * (s.ambient + 0.3 * s.sun + 0.1))
