"""What paintings look like, in numbers: as much detail as pictures have, the same statistics, the same objects, and how easily they are told apart."""

import os

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageOps
from torch import nn

import autoencoder
import classifier
import data


def slopes(x):
    """Mean absolute differences of neighboring gray pixels [N] of pictures [N, 3, H, W]."""
    gray = (x * torch.tensor([0.299, 0.587, 0.114])[:, None, None]).sum(1, keepdim=True)
    return sum(e.abs().mean((1, 2, 3)) for e in autoencoder.edges(gray))


def gradient_ratio(painted, real):
    """Ratios of the slopes [N] of paintings to those of their pictures."""
    return slopes(painted) / slopes(real)


def features(judge, x):
    return torch.cat([classifier.features(judge, p) for p in x.split(64)])


def frechet(a, b):
    """The Frechet distance of two sets of features [N, D] and [M, D] (arXiv 1706.08500)."""
    a, b = a.double(), b.double()
    mean, cov = [v.mean(0) for v in (a, b)], [torch.cov(v.T) for v in (a, b)]
    # The trace of sqrt(A B) is that of sqrt(sqrt(A) B sqrt(A)), a symmetric matrix.
    w, q = torch.linalg.eigh(cov[0])
    root = q * w.clamp(min=0).sqrt() @ q.T
    cross = torch.linalg.eigvalsh(root @ cov[1] @ root).clamp(min=0).sqrt().sum()
    return float(((mean[0] - mean[1]) ** 2).sum() + cov[0].trace() + cov[1].trace() - 2 * cross)


def objects_kept(judge, painted, real, seen):
    """Of the objects [N, objects] that stand in the pictures and that the judge sees there: which it sees in the paintings; a pair of numbers for each object."""
    see = lambda x: torch.cat([classifier.objects(judge, p) for p in x.split(64)]) >= 0.5
    there = seen & see(real)
    return [(int((see(painted) & there)[:, k].sum()), int(there[:, k].sum())) for k in range(len(data.OBJECTS))]


class Afresh:
    """A discriminator trained from nothing on paintings and pictures: convolutions as the judge's, one answer."""

    def __init__(self, painted, real, minutes, seed=5, n=32):
        torch.manual_seed(seed)
        widths = (32, 48, 96, 128)
        body = classifier.build(widths)
        self.m = nn.Sequential(*body[:-1], nn.Linear(4 * widths[-1], 1)).to(memory_format=torch.channels_last).train()
        opt = torch.optim.AdamW(self.m.parameters(), 1e-3, weight_decay=0.05)
        clock, share = data.Clock(minutes), 0.0
        while share < 1:
            x = torch.cat([painted[torch.randint(0, len(painted), (n,))], real[torch.randint(0, len(real), (n,))]])
            x = data.crop(x, 0.9)
            want = torch.cat([torch.ones(n), torch.zeros(n)])
            loss = F.binary_cross_entropy_with_logits(self.m(2 * x - 1)[:, 0], want)
            opt.zero_grad()
            loss.backward()
            for g in opt.param_groups:
                g["lr"] = data.rate(share, 1e-3)
            opt.step()
            share = clock.tick()
        self.m.eval()

    @torch.no_grad()
    def says(self, x):
        """The probability [N] that pictures are painted."""
        return torch.cat([self.m(2 * p - 1)[:, 0] for p in x.split(64)]).sigmoid()

    def right(self, painted, real):
        """The share of paintings and pictures that it tells right."""
        return float(((self.says(painted) > 0.5).float().mean() + (self.says(real) <= 0.5).float().mean()) / 2)


def photos(folder, side=data.SIZE):
    """Photos of a folder as encode sees them: their middle square, uint8 [N, side, side, 3]."""
    names = sorted(n for n in os.listdir(folder) if n.lower().endswith((".jpg", ".jpeg", ".png")))
    read = lambda n: ImageOps.exif_transpose(Image.open(os.path.join(folder, n))).convert("RGB")
    return np.stack([np.asarray(ImageOps.fit(read(n), (side, side), Image.Resampling.BICUBIC)) for n in names])
