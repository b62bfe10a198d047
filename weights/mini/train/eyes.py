"""What is seen of paintings: by the eye, a classifier of other widths and seed than the judge, whom no training sees, and by the tower."""

import torch.nn.functional as F

import classifier
import data
import tower


class Eyes:
    def __init__(self, work):
        self.eye, self.tower = classifier.load(work, "eye"), tower.load(work)

    def terms(self, y, wanted, own, known):
        """The terms of paintings y [N, 3, H, W] in [-1, 1], and which of their kinds are seen [N].

        wanted has kinds [N], seen and certain [N, objects], vectors [N, 768]. own [N]: bits and map are of one picture; known [N]: all bits are.
        """
        with data.narrow():
            p = (y / 2 + 0.5).clamp(0, 1)
            views = data.chance(data.crop(p, 0.85), 0.5, data.recolour)
            logits, e = self.eye(2 * views - 1).float(), tower.embed(self.tower, p)
        kind, objects = logits.split([len(data.KINDS), len(data.OBJECTS)], 1)
        mistaken = F.binary_cross_entropy_with_logits(objects, wanted["seen"].float(), reduction="none") * wanted["certain"]
        return {
            "eye": data.mean(F.cross_entropy(kind, wanted["kinds"], label_smoothing=0.05, reduction="none"), known),
            "objects": data.mean(mistaken.sum(1), own),
            "tower": (1 - F.cosine_similarity(e, wanted["vectors"].float())).mean(),
        }, (kind.argmax(1) == wanted["kinds"]).float()

    def look(self, y, x):
        """How different the eye sees y and x [N], place by place."""
        with data.narrow():
            seen = [classifier.blocks(self.eye, v) for v in (y, x)]
        return sum((a.float() - b.float()).abs().mean((1, 2, 3)) for a, b in zip(*seen))
