"""What many kinds of landscape begin with: an open sky, ranges of hills, places to stand.

A sky is drawn out of a list of names; the lists are shared, so that colors do not give a kind away.
"""

import numpy as np

from scenes_elements import clouds, mix, range_, settle_fog, sky
from scenes_noise import F, line
from scenes_objects import bare_tree, foliage, round_tree

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
