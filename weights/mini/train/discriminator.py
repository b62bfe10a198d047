"""Says of patches of 10, 22 and 46 pixels, and of what the eye sees of a picture, whether they are of a picture or of a painting.

It is there for painter.py and journeys.py, and learns all the time. It is given the pictures' fine detail beside them, four times as strong, and begins with
weights that keep the size of what passes through: without either it learns nothing of texture in 600 steps, and lets stripes and dots pass.
It compares each painted patch with the same place of its picture, and its slopes are kept small: of the ways to a better verdict there
are always some that nobody sees, and a painter takes the steepest. The table in README.md has what other discriminators led to.
"""

import torch
import torch.nn.functional as F
from torch import nn

import classifier
import data

SHIFT = 8  # pixels by which crops are moved before they are looked at, so that no place on the latents' grid has a look of its own


class Discriminator(nn.Module):
    """Pictures [N, 3, H, W] in [-1, 1] -> logits of six heads [N, 1, H/4, W/4], H/8 and H/16, twice, and the features of four layers.

    The second three look at what the eye sees (arXiv 2111.01007): whether it is as a picture's, when each patch alone would do."""

    def __init__(self, eye, c=32):
        super().__init__()
        self.eye = (eye,)  # no part of what is trained
        widths = [6, c, 2 * c, 4 * c, 4 * c]
        self.down = nn.ModuleList([nn.Conv2d(a, b, 4, 2, 1) for a, b in zip(widths, widths[1:])])
        self.heads = nn.ModuleList([data.Exact(w, 1, 3, 1, 1) for w in widths[2:]])
        seen = classifier.KNOWN["eye"][0][1:]
        self.sights = nn.ModuleList([nn.Sequential(nn.Conv2d(w, 2 * c, 1), nn.LeakyReLU(0.2), data.Exact(2 * c, 1, 3, 1, 1)) for w in seen])
        for layer in self.down:
            nn.init.kaiming_normal_(layer.weight, 0.2)
            nn.init.zeros_(layer.bias)

    def forward(self, x):
        with data.narrow():
            return self.verdicts(x)

    def verdicts(self, x):
        seen = classifier.blocks(self.eye[0], x)
        blurred, features = F.avg_pool2d(F.pad(x, (2, 2, 2, 2), mode="reflect"), 5, 1), []
        x = torch.cat([x, 4 * (x - blurred)], 1).contiguous(memory_format=torch.channels_last)
        for layer in self.down:
            x = F.leaky_relu(layer(x), 0.2)
            features.append(x)
        heads, sights = ([h(f) for h, f in zip(*v)] for v in ((self.heads, features[1:]), (self.sights, seen)))
        return heads + sights, features


def moved(*pictures):
    """Batches of pictures, all cut to SHIFT pixels less at the same place, and half the time mirrored."""
    at, mirror, size = torch.randint(0, SHIFT + 1, (2,)).tolist(), torch.rand(()) < 0.5, pictures[0].shape[-1] - SHIFT
    out = []
    for x in pictures:
        x = x[..., at[0] : at[0] + size, at[1] : at[1] + size]
        out.append((x.flip(3) if mirror else x).contiguous(memory_format=torch.channels_last))
    return out


def lesson(d, real, fake):
    """The discriminator's loss, each real patch beside the painted one at its place (arXiv 1807.00734), and the shares that it has wrong."""
    logits, n = d(torch.cat([real, fake]))[0], len(real)
    loss = sum(F.softplus(y[n:] - y[:n]).mean() for y in logits)
    return loss, torch.stack([(y[n:] > y[:n]).float().mean() for y in logits]).detach()


def told(painted, real):
    """How far the logits of paintings are below those of their pictures [N], the loss of the network that paints."""
    return sum(F.softplus(b - a).mean((1, 2, 3)) for a, b in zip(painted, real))


def slope(d, x):
    """The mean square, over patches, of the length of the gradient of a patch's logit by the pixels x, summed over the heads (arXiv 1801.04406).

    A sum of logits with random signs has that as its gradient's mean square, since patches' products cancel."""
    x = x.detach().requires_grad_(True)
    total = sum((y * (torch.randint(0, 2, y.shape) * 2.0 - 1)).sum() / y[0].numel() ** 0.5 for y in d(x)[0])
    g, = torch.autograd.grad(total, x, create_graph=True)
    return g.square().sum((1, 2, 3)).mean()
