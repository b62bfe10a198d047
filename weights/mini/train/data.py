"""Pictures for training, and what is done to them: crops, light, colors, blur.

Pictures are uint8 [N, H, W, 3] on disk and float32 [N, 3, H, W] in [0, 1] where they are worked on.
"""

import json
import os
import statistics
import time

import numpy as np
import torch
import torch.nn.functional as F
from torch import distributed, multiprocessing, nn

import scenes

SIZE = 128  # of a picture
TRAIN, HELD_OUT = 12000, 1120
TRAIN_SEED, HELD_OUT_SEED = 1_000_000, 9_000_000
KINDS, OBJECTS = scenes.KINDS, scenes.OBJECTS
LEAST = {"tree": 0.012, "palm": 0.006, "moon": 0.001, "tower": 0.02, "lightning": 0.003, "water": 0.03}
CONTENT = [0, 2, 4, 5, 6, 9]  # attributes that are content: horizon, sun's height, haze, season, objects, detail
CLIP_MEAN = torch.tensor([0.48145466, 0.4578275, 0.40821073])[:, None, None]
CLIP_STD = torch.tensor([0.26862954, 0.26130258, 0.27577711])[:, None, None]


def render(work, train=TRAIN, held_out=HELD_OUT):
    """Draws the training and the held-out pictures into work/scenes_*.npy."""
    for name, n, seed in (("train", train, TRAIN_SEED), ("held_out", held_out, HELD_OUT_SEED)):
        pixels, kinds, notes, seen = scenes.make(n, seed, SIZE)
        for part, array in (("pixels", pixels), ("kinds", kinds), ("notes", notes), ("objects", seen)):
            np.save(os.path.join(work, f"scenes_{name}_{part}.npy"), array)


def load(work, name):
    """Returns pixels uint8 [N, H, W, 3], kinds int64 [N] and attributes float32 [N, 10] of train or held_out."""
    return [torch.from_numpy(np.load(os.path.join(work, f"scenes_{name}_{part}.npy"))) for part in ("pixels", "kinds", "notes")]


def objects(work, name):
    """Returns which OBJECTS stand in the pictures of train or held_out, and whether that is certain: bool [N, 6] each.

    An object that covers less than LEAST of a picture does not count, and one that covers less than a quarter of that is certainly absent.
    """
    share = torch.from_numpy(np.load(os.path.join(work, f"scenes_{name}_objects.npy")))
    least = torch.tensor([LEAST[k] for k in OBJECTS])
    return share >= least, (share >= least) | (share < least / 4)


def floats(pixels):
    """uint8 [N, H, W, 3] -> float32 [N, 3, H, W] in [0, 1]."""
    return pixels.permute(0, 3, 1, 2).float() / 255


def rand(n, low, high):
    return low + (high - low) * torch.rand(n, 1, 1, 1)


def chance(x, p, change):
    """Replaces a share p of the pictures by change(of them)."""
    on = torch.rand(len(x)) < p
    if on.any():
        x = x.clone()
        x[on] = change(x[on])
    return x


def crop(x, least):
    """Random windows of at least the given share of the side, half of them mirrored, back at full size."""
    n = len(x)
    side = rand(n, least, 1)[:, 0, 0, 0]
    aspect = torch.exp(torch.empty(n).uniform_(-0.15, 0.15))
    sx, sy = (side * aspect).clamp(max=1), (side / aspect).clamp(max=1)
    theta = torch.zeros(n, 2, 3)
    theta[:, 0, 0] = sx * (torch.randint(0, 2, (n,)) * 2 - 1)
    theta[:, 1, 1] = sy
    theta[:, 0, 2] = (torch.rand(n) * 2 - 1) * (1 - sx)
    theta[:, 1, 2] = (torch.rand(n) * 2 - 1) * (1 - sy)
    return F.grid_sample(x, F.affine_grid(theta, x.shape, align_corners=False), mode="bilinear", padding_mode="reflection", align_corners=False)


def recolor(x):
    """Other light: gains per channel, contrast, gamma, saturation."""
    n = len(x)
    gray = x.mean(1, keepdim=True)
    x = gray + (x - gray) * rand(n, 0.3, 1.5)
    x = x * (1 + 0.3 * (torch.rand(n, 3, 1, 1) * 2 - 1))
    mean = x.mean((1, 2, 3), keepdim=True)
    x = (x - mean) * rand(n, 0.7, 1.3) + mean + rand(n, -0.1, 0.1)
    return x.clamp(0, 1) ** torch.exp(rand(n, -0.4, 0.4))


def turn_hue(x):
    """Colors turned about the gray axis by any angle; brightness stays."""
    n = len(x)
    angle = torch.rand(n) * 2 * torch.pi
    c, s, k = torch.cos(angle), torch.sin(angle), 1 / 3
    r = 3**-0.5
    rows = [c + k * (1 - c), k * (1 - c) - r * s, k * (1 - c) + r * s]
    m = torch.stack([torch.stack([rows[(j - i) % 3] for j in range(3)], 1) for i in range(3)], 1)
    return torch.einsum("nij,njhw->nihw", m, x).clamp(0, 1)


def blur(x):
    """Smaller and back, as a decoder that lacks detail would do it."""
    size = x.shape[-1]
    small = int(size / float(torch.empty(1).uniform_(1.3, 3)))
    return F.interpolate(F.interpolate(x, (small, small), mode="area"), (size, size), mode="bilinear")


def transfer(x, donor, share=1.0):
    """x with a share of the donor's colors where they are: low frequencies of the donor, the rest of x."""
    low = lambda p: F.interpolate(F.interpolate(p, (8, 8), mode="area"), p.shape[-2:], mode="bilinear")
    return (x + share * (low(donor) - low(x))).clamp(0, 1)


def view(pixels, least=0.6, p=0.8):
    """A random view of uint8 pictures, as float32."""
    x = crop(floats(pixels), least)
    x = chance(x, p, recolor)
    x = chance(x, 0.25, turn_hue)
    x = chance(x, 0.4, blur)
    return chance(x, 0.3, lambda y: (y + 0.04 * torch.randn_like(y)).clamp(0, 1))


def narrow(on=True):
    """A context of bfloat16 products where the processor has them; elsewhere PyTorch's are fifteen times slower than float32."""
    return torch.autocast("cpu", torch.bfloat16, enabled=on and torch.ops.mkldnn._is_mkldnn_bf16_supported())


class Exact(nn.Conv2d):
    """A convolution in float32 wherever it stands: bfloat16 has 8 bits, so pixels and verdicts that differ by little would be alike."""

    def forward(self, x):
        with narrow(False):
            return super().forward(x.float())


def mean(v, of):
    """The mean of those v [N] that of [N] is true of, 0 where there are none."""
    return (v * of).sum() / of.sum().clamp(min=1)


class Clock:
    """The share of a time budget that is used up, in which no step counts for more than three usual ones.

    So a machine that is stopped or taken away for a while costs waiting, not training.
    """

    def __init__(self, minutes):
        self.budget, self.used, self.last, self.steps = minutes * 60, 0.0, time.monotonic(), []

    def tick(self):
        """Counts a step; returns the share used, at most 1."""
        now = time.monotonic()
        self.steps = self.steps[-49:] + [now - self.last]
        self.used += min(self.steps[-1], 3 * statistics.median(self.steps))
        self.last = now
        return min(1.0, self.used / self.budget)


def in_processes(train, workers, work, minutes):
    """Runs train(rank, workers, work, minutes) in processes of one thread each, which wait for each other once a step only."""
    meet = os.path.join(work, "meet")
    if os.path.exists(meet):
        os.remove(meet)
    address = "file://" + os.path.abspath(meet)
    multiprocessing.start_processes(_joined, (train, workers, address, work, minutes), workers, start_method="fork")


def _joined(rank, train, workers, address, work, minutes):
    torch.set_num_threads(1)
    distributed.init_process_group("gloo", init_method=address, rank=rank, world_size=workers)
    train(rank, workers, work, minutes)
    distributed.destroy_process_group()


def share_gradients(m, progress, workers):
    """Averages the gradients of all processes; returns the first one's progress, which all follow."""
    flat = torch.cat([p.grad.flatten() for p in m.parameters()] + [torch.tensor([progress])])
    distributed.all_reduce(flat)
    flat[:-1] /= workers
    at = 0
    for p in m.parameters():
        p.grad.copy_(flat[at : at + p.numel()].view_as(p))
        at += p.numel()
    return float(flat[-1])


def descend(m, opt, progress, workers):
    """A step of all processes down their average gradient, at the rate that the progress asks for; returns progress and the gradient's norm."""
    share = share_gradients(m, progress, workers)
    norm = torch.nn.utils.clip_grad_norm_(m.parameters(), 1.0)
    for g in opt.param_groups:
        g["lr"] = rate(share, g["peak"])
    opt.step()
    return share, norm


def rate(share, peak, warm=0.03):
    """Learning rate at a share of the training: linear rise, then half a cosine down to 2 % of the peak."""
    if share < warm:
        return peak * (share + 0.002) / (warm + 0.002)
    return peak * (0.02 + 0.98 * 0.5 * (1 + float(np.cos(np.pi * (share - warm) / (1 - warm)))))


class Log:
    """One line of numbers now and then, on the terminal and in work/log.txt."""

    def __init__(self, work, stage, every=20):
        self.path, self.stage, self.every = os.path.join(work, "log.txt"), stage, every
        self.step, self.sums, self.next = 0, {}, 0.0
        self.start = time.monotonic()

    def add(self, share, **values):
        self.step += 1
        for k, v in values.items():
            s = self.sums.setdefault(k, [0.0, 0])
            s[0], s[1] = s[0] + float(v), s[1] + 1
        if time.monotonic() - self.start >= self.next or share >= 1:
            self.next = time.monotonic() - self.start + self.every
            means = " ".join(f"{k} {s / n:.4f}" for k, (s, n) in self.sums.items())
            self.say(f"step {self.step} share {share:.3f} {time.monotonic() - self.start:.0f} s: {means}")
            self.sums = {}

    def say(self, text):
        line = f"{self.stage}: {text}"
        print(line, flush=True)
        with open(self.path, "a") as f:
            f.write(line + "\n")


def write_json(path, value):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        json.dump(value, f, indent=2)
        f.write("\n")
