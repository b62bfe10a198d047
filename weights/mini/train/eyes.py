"""What is seen of paintings: by two eyes, classifiers of other widths and seeds than the judge, whom no training sees, and by the tower.

Two, since what fools one of them seldom fools the other.
"""

import torch
import torch.nn.functional as F

import classifier
import data
import tower


class Eyes:
    def __init__(self, work):
        (self.eye, self.second), self.tower = (classifier.load(work, name) for name in classifier.EYES), tower.load(work)

    def terms(self, y, wanted, own, known):
        """The terms of paintings y [N, 3, H, W] in [-1, 1], and which of their kinds are seen [N].

        wanted has kinds [N], seen and certain [N, objects], vectors [N, 768]. own [N]: bits and map are of one picture; known [N]: all bits are.
        """
        with data.narrow():
            p = (y / 2 + 0.5).clamp(0, 1)
            views = data.chance(data.crop(p, 0.85), 0.5, data.recolor)
            both, e = torch.stack([eye(2 * views - 1).float() for eye in (self.eye, self.second)]), tower.embed(self.tower, p)
        kind, objects = both.split([len(data.KINDS), len(data.OBJECTS)], 2)
        unlike = [F.cross_entropy(k, wanted["kinds"], label_smoothing=0.05, reduction="none") for k in kind]
        missed = F.binary_cross_entropy_with_logits(objects, wanted["seen"].float().expand_as(objects), reduction="none") * wanted["certain"]
        return {
            "eye": data.mean(sum(unlike) / 2, known),
            "objects": data.mean(missed.sum(2).mean(0), own),
            "tower": (1 - F.cosine_similarity(e, wanted["vectors"].float())).mean(),
        }, (kind.argmax(2) == wanted["kinds"]).float().mean(0)

    def look(self, y, x):
        """How different the eye sees y and x [N], place by place."""
        with data.narrow():
            seen = [classifier.blocks(self.eye, v) for v in (y, x)]
        return sum((a.float() - b.float()).abs().mean((1, 2, 3)) for a, b in zip(*seen))
