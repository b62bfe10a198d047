"""Noise for the landscapes: periodic random fields that are sampled anywhere, and height lines.

A field costs one FFT when the program starts and one gather each time it is used, which is what
makes a picture cost milliseconds: every texture of every picture reads one of a few tiles at its
own offset, scale and warp. Units: a tile is TILE x TILE texels with zero mean and unit variance.
"""

import functools

import numpy as np

TILE = 512
F = np.float32


def smooth(lo, hi, v):
    """Smoothstep: 0 below lo, 1 above hi (hi < lo falls instead of rising)."""
    t = np.clip((v - lo) * (1.0 / (hi - lo)), 0, 1)
    return t * t * (3 - 2 * t)


def _spectrum(seed, slope, low, high=TILE):
    """A Gaussian field whose amplitude falls as f**-slope between low and high cycles per tile."""
    rng = np.random.Generator(np.random.PCG64(seed))
    white = np.fft.rfft2(rng.standard_normal((TILE, TILE)))
    fy = np.fft.fftfreq(TILE, 1 / TILE)[:, None]
    fx = np.fft.rfftfreq(TILE, 1 / TILE)[None]
    f = np.maximum(np.hypot(fy, fx), 1e-3)
    gain = np.maximum(f, low) ** -slope / (1 + (low / (2 * f)) ** 4) * np.exp(-((f / high) ** 2))
    field = np.fft.irfft2(white * gain, s=(TILE, TILE))
    return ((field - field.mean()) / field.std()).astype(F)


def _dots(seed, identity):
    """Soft discs on a jittered 16-texel lattice; with identity, a constant number per disc instead."""
    rng = np.random.Generator(np.random.PCG64(seed))
    cells = TILE // 16
    jitter = rng.uniform(5, 11, (cells, cells, 2))
    number, radius = rng.random((cells, cells)), rng.uniform(1.5, 5, (cells, cells))
    wide = lambda a: np.repeat(np.repeat(a, 16, 0), 16, 1)
    if identity:
        return wide(number).astype(F)
    at = np.arange(TILE) % 16
    far = np.hypot(at[:, None] - wide(jitter[..., 0]), at[None] - wide(jitter[..., 1]))
    return smooth(1.0, 0.4, far / wide(radius)).astype(F)


@functools.cache
def tile(name):
    """The tile's four bilinear corners, [TILE*TILE, 4], so that one gather reads a texel's cell."""
    t = {
        "cloud": lambda: _spectrum(1, 1.75, 4),
        "rough": lambda: _spectrum(2, 1.35, 6),
        "soft": lambda: _spectrum(3, 2.3, 5),
        "fine": lambda: _spectrum(4, 0.7, 30),
        "ridge": lambda: 1.6 * (0.7 - np.abs(_spectrum(5, 1.7, 5))),
        "dots": lambda: _dots(6, False),
        "ident": lambda: _dots(6, True),
    }[name]()
    right = np.roll(t, -1, 1)
    four = np.stack([t, right, np.roll(t, -1, 0), np.roll(right, -1, 0)], -1)
    return np.ascontiguousarray(four.reshape(-1, 4), F)


def sample(name, v, u):
    """Bilinear lookup of a tile at texel coordinates (row v, column u), any broadcastable shapes."""
    v, u = np.broadcast_arrays(np.asarray(v, F), np.asarray(u, F))
    fv, fu = np.floor(v), np.floor(u)
    at = (fv.astype(np.int32) & (TILE - 1)) * TILE + (fu.astype(np.int32) & (TILE - 1))
    c = np.take(tile(name), at, axis=0)
    fv, fu = v - fv, u - fu
    top = c[..., 0] + (c[..., 1] - c[..., 0]) * fu
    low = c[..., 2] + (c[..., 3] - c[..., 2]) * fu
    return top + (low - top) * fv


def nearest(name, v, u):
    """Unfiltered lookup, for tiles of identities."""
    at = (np.floor(v).astype(np.int32) & (TILE - 1)) * TILE + (np.floor(u).astype(np.int32) & (TILE - 1))
    return np.take(tile(name)[:, 0], at)


def line(rng, n, frequency, octaves, gain=0.5, sharp=0.0):
    """A fractal height line of n samples in about [-1, 1]; sharp 1 gives crests and straight flanks."""
    out, amplitude, total = np.zeros(n, F), 1.0, 0.0
    for _ in range(octaves):
        knots = rng.uniform(-1, 1, int(frequency) + 3).astype(F)
        at = np.arange(n, dtype=F) * F(frequency / n) + F(rng.random())
        i = at.astype(np.int32)
        t = at - i
        t = t + (t * t * (3 - 2 * t) - t) * F(1 - sharp)
        value = knots[i] + (knots[i + 1] - knots[i]) * t
        if sharp > 0:
            value = value + (0.7 - 1.6 * np.abs(value) - value) * F(sharp if amplitude > 0.2 else 0.3 * sharp)
        out += amplitude * value
        total += amplitude
        amplitude *= gain
        frequency *= 2.03
    return out * F(1.3 / total)
