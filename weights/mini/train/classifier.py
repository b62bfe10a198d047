"""Judges of kinds and of objects, which have nothing in common with the tower: convolutions, other views, other seeds."""

import os

import torch
import torch.nn.functional as F
from torch import nn

import data


class Block(nn.Module):
    def __init__(self, a, b, stride):
        super().__init__()
        self.conv1, self.norm1 = nn.Conv2d(a, b, 3, stride, 1, bias=False), nn.BatchNorm2d(b)
        self.conv2, self.norm2 = nn.Conv2d(b, b, 3, 1, 1, bias=False), nn.BatchNorm2d(b)
        self.skip = nn.Conv2d(a, b, 1, stride, bias=False)

    def forward(self, x):
        y = self.norm2(self.conv2(F.relu(self.norm1(self.conv1(x)))))
        return F.relu(y + self.skip(x))


# Widths and seeds: the judge's, and those of the two eyes, so that no training ever sees the judge.
KNOWN = {"classifier": ((32, 48, 96, 128), 77), "eye": ((24, 64, 80, 160), 78), "second_eye": ((40, 40, 112, 112), 79)}
EYES = "eye", "second_eye"


def build(widths):
    a, b, c, d = widths
    return nn.Sequential(
        nn.Conv2d(3, a, 5, 2, 2), nn.ReLU(), Block(a, b, 2), Block(b, c, 2), Block(c, d, 2),
        nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Dropout(0.2), nn.Linear(4 * d, len(data.KINDS) + len(data.OBJECTS)),
    )


def load(work, name="classifier"):
    m = build(KNOWN[name][0])
    m.load_state_dict(torch.load(os.path.join(work, name + ".pt")))
    return m.eval().requires_grad_(False)


def judge(m, x):
    """float32 pictures [N, 3, H, W] in [0, 1] -> probabilities [N, kinds]."""
    return m(2 * x - 1).float()[:, : len(data.KINDS)].softmax(1)


def objects(m, x):
    """float32 pictures [N, 3, H, W] in [0, 1] -> probabilities of each object [N, objects]."""
    return m(2 * x - 1).float()[:, len(data.KINDS) :].sigmoid()


def features(m, x):
    """float32 pictures [N, 3, H, W] in [0, 1] -> what the last layer sees of them [N, 4 d]."""
    return m[:-1](2 * x - 1).float()


def blocks(m, x):
    """float32 pictures [N, 3, H, W] in [-1, 1] -> what the three blocks see of them, at quarters, eighths and sixteenths."""
    out = []
    for layer in m[:5]:
        x = layer(x)
        out.append(x)
    return out[2:]


def mistakes(logits, kinds, seen, certain):
    """The loss of logits [N, kinds + objects]: cross entropy of kinds, and of objects where it is certain whether they stand there."""
    kind, objects = logits.float().split([len(data.KINDS), len(data.OBJECTS)], 1)
    each = F.binary_cross_entropy_with_logits(objects, seen.float(), reduction="none") * certain
    return F.cross_entropy(kind, kinds, label_smoothing=0.05) + each.sum(1).mean()


def train(work, minutes, name="classifier", n=64):
    widths, seed = KNOWN[name]
    torch.manual_seed(seed)
    pixels, kinds, _ = data.load(work, "train")
    seen, certain = data.objects(work, "train")
    m = build(widths)
    opt = torch.optim.AdamW(m.parameters(), 2e-3, weight_decay=0.02)
    clock, log, share = data.Clock(minutes), data.Log(work, name), 0.0
    while share < 1:
        i = torch.randint(0, len(pixels), (n,))
        x = data.view(pixels[i], 0.85, 0.7)
        with data.narrow():
            logits = m(2 * x - 1)
        loss = mistakes(logits, kinds[i], seen[i], certain[i])
        opt.zero_grad()
        loss.backward()
        for g in opt.param_groups:
            g["lr"] = data.rate(share, 2e-3)
        opt.step()
        share = clock.tick()
        log.add(share, loss=loss.detach(), right=(logits[:, : len(data.KINDS)].argmax(1) == kinds[i]).float().mean())
    torch.save(m.state_dict(), os.path.join(work, name + ".pt"))
    measure(work, name, log)


@torch.no_grad()
def measure(work, name, log):
    m = load(work, name)
    pixels, kinds, _ = data.load(work, "held_out")
    plain = torch.cat([judge(m, data.floats(p)) for p in pixels.split(128)]).argmax(1)
    views = torch.cat([judge(m, data.view(p, 0.85)) for p in pixels.split(128)]).argmax(1)
    right = lambda y: 100 * (y == kinds).float().mean()
    log.say(f"held out: {right(plain):.1f} % right, {right(views):.1f} % of views")
    seen, certain = data.objects(work, "held_out")
    said = torch.cat([objects(m, data.floats(p)) for p in pixels.split(128)]) >= 0.5
    for k, name in enumerate(data.OBJECTS):
        there, gone = seen[:, k] & certain[:, k], ~seen[:, k] & certain[:, k]
        log.say(f"{name}: seen in {100 * said[there, k].float().mean():.1f} % of {int(there.sum())} pictures, and in {100 * said[gone, k].float().mean():.1f} % of {int(gone.sum())} without")
