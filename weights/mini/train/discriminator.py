"""Says of pixels whether they are a picture's or painted, at four scales, and of what kind and objects they are.

It is there for painter.py, and learns all the time. It is given the pictures' fine detail beside them, four times as strong, and begins with
weights that keep the size of what passes through: without either it learnt nothing of texture in 600 steps, and let stripes and dots pass (the table
in README.md). Three heads see patches of 10, 22 and 46 pixels and know nothing of what shall be painted; the fourth sees the whole, and is asked whether that
fits the 768 bits: by a projection (arXiv 1802.05637), taught with pictures under other pictures' bits too (arXiv 1605.05396). Kinds and
objects it learns from real pictures only, so a painting must show them as pictures do.
"""

import torch
import torch.nn.functional as F
from torch import nn

import classifier
import data
import tower

SHIFT = 8  # pixels by which a picture is moved before it is looked at, so that no place has a look of its own


class Discriminator(nn.Module):
    """Pictures [N, 3, 128, 128] in [-1, 1] and bits [N, 768] as +-0.5 -> logits of four heads, features, logits of kinds and objects."""

    def __init__(self, c=32):
        super().__init__()
        widths = [6, c, 2 * c, 4 * c, 4 * c, 6 * c]
        self.down = nn.ModuleList([nn.Conv2d(a, b, 4, 2, 1) for a, b in zip(widths, widths[1:])])
        self.patch = nn.ModuleList([nn.Conv2d(w, 1, 3, 1, 1) for w in widths[2:5]])
        self.whole, self.fits = nn.Linear(16 * widths[5], 128), nn.Linear(tower.DIM, 128, bias=False)
        self.real, self.known = nn.Linear(128, 1), nn.Linear(128, len(data.KINDS) + len(data.OBJECTS))
        for layer in [*self.down, self.whole]:
            nn.init.kaiming_normal_(layer.weight, 0.2)
            nn.init.zeros_(layer.bias)

    def look(self, x):
        """Features of every scale, the last one a vector [N, 128]."""
        features, blurred = [], F.avg_pool2d(F.pad(x, (2, 2, 2, 2), mode="reflect"), 5, 1)
        x = torch.cat([x, 4 * (x - blurred)], 1).contiguous(memory_format=torch.channels_last)
        for layer in self.down:
            x = F.leaky_relu(layer(x), 0.2)
            features.append(x)
        return features + [F.leaky_relu(self.whole(x.flatten(1)), 0.2)]

    def fit(self, h, bits):
        return self.real(h)[:, 0] + (h * self.fits(2 * bits)).sum(1) / 128**0.5

    def forward(self, x, bits):
        f = self.look(x)
        return [head(g) for head, g in zip(self.patch, f[1:4])] + [self.fit(f[-1], bits)], f


def moved(*pictures):
    """Batches of pictures, all moved by the same few pixels, with what lies at their edges mirrored, and half the time mirrored as a whole."""
    at, mirror, size = torch.randint(0, 2 * SHIFT + 1, (2,)).tolist(), torch.rand(()) < 0.5, pictures[0].shape[-1]
    out = []
    for x in pictures:
        x = F.pad(x, (SHIFT, SHIFT, SHIFT, SHIFT), mode="reflect")[..., at[0] : at[0] + size, at[1] : at[1] + size]
        out.append((x.flip(3) if mirror else x).contiguous(memory_format=torch.channels_last))
    return out


def lesson(d, real, fake, bits_real, bits_fake, kinds, seen, certain):
    """The discriminator's loss: hinges, whether bits fit, and what stands in the real pictures."""
    logits, f = d(torch.cat([real, fake]), torch.cat([bits_real, bits_fake]))
    n, loss, wrong = len(real), 0.0, []
    for y in logits:
        loss = loss + F.relu(1 - y[:n]).mean() + F.relu(1 + y[n:]).mean()
        wrong.append(((y[:n] < 0).float().mean() + (y[n:] > 0).float().mean()) / 2)
    other = d.fit(f[-1][:n], bits_real.roll(1, 0))
    known = classifier.mistakes(d.known(f[-1][:n]), kinds, seen, certain)
    return loss + 0.25 * F.relu(1 + other).mean() + 0.25 * known, torch.stack(wrong).detach(), known.detach()
