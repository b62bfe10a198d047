"""What paintings may have no more of than their pictures: detail, and detail that returns with the latents' grid.

Limits hold on one side only. A term that asks for as much detail as a picture has is had by any stripes or dots; see README.md.
"""

import torch
import torch.nn.functional as F

import autoencoder
import looks

YUV = torch.tensor([[1 / 3, 1 / 3, 1 / 3], [0.5, -0.5, 0.0], [-0.25, -0.25, 0.5]])  # of texture: gray, and two differences of colors


def texture(x, scales=3):
    """Mean absolute slopes over 16x16 pixels of pictures [N, 3, H, W], gray and colors, at some scales: a list of [N, C, H/16, W/16]."""
    x, out = torch.einsum("kc,nchw->nkhw", YUV, x), []
    for k in range(scales):
        if k:
            x = F.avg_pool2d(x, 2)
        for e, p in zip(autoencoder.edges(x), ((0, 1, 0, 0), (0, 0, 0, 1))):
            out.append(F.avg_pool2d(F.pad(e.abs(), p), 16 // 2**k))
    return out


def lattice(x):
    """What fine detail returns every 8 pixels: mean absolute values of its means over 4x4 cells of 8x8 pixels, [N, 3, H/16 - 1, W/16 - 1].

    Convolutions that up-sample paint alike in every cell wherever the latents are smooth, as linen or dots; pictures' detail seldom falls on that grid.
    """
    fine = x - F.avg_pool2d(F.pad(x, (2, 2, 2, 2), mode="reflect"), 5, 1)
    cells = F.pixel_unshuffle(fine, 8)  # a channel for each of a cell's 64 places
    return F.avg_pool2d(cells, 4, 2).unflatten(1, (3, 64)).abs().mean(2)


def slopes(y, x):
    """By how much paintings y [N] have more of slopes, in the whole, than 0.95 of those of pictures x: squares, since the worst disturb."""
    return 4 * (looks.gradient_ratio(y, x) - 0.95).relu().square()


def excess(y, x, alike):
    """By how much paintings y have more than pictures x, of texture and lattice, [N] each.

    Where a painting is not alike its picture, place by place, the whole of it is compared with the whole of the picture.
    Square roots: in flat places little is already much.
    """

    def of(a, b):
        root = lambda v: (v + 1e-3).sqrt()
        here, whole = ((root(p) - root(q)).relu().mean((1, 2, 3)) for p, q in ((a, b), (a.mean((2, 3), keepdim=True), b.mean((2, 3), keepdim=True))))
        return torch.where(alike, here, whole)

    textures = [of(a, b) for a, b in zip(texture(y), texture(x))]
    return sum(textures) / len(textures), of(lattice(y), lattice(x))
