"""A critic of latents: which kind of scene, which 768 bits, and is it of a picture or painted?

It is there for journeys.py, which trains the denoiser on what it paints. It sees latents, not pixels, and learns all the
time, so that what fools it today is called painted tomorrow. The judge of the table (classifier.py) is another network,
of pixels, that no training but its own has ever used.
"""

import torch
import torch.nn.functional as F
from torch import nn

import autoencoder
import data
import tower


class Block(nn.Module):
    def __init__(self, a, b, stride=1):
        super().__init__()
        self.norm1, self.conv1 = nn.GroupNorm(8, a), nn.Conv2d(a, b, 3, stride, 1)
        self.norm2, self.conv2 = nn.GroupNorm(8, b), nn.Conv2d(b, b, 3, 1, 1)
        self.skip = nn.Conv2d(a, b, stride, stride)

    def forward(self, x):
        y = self.conv1(F.silu(self.norm1(x)))
        return self.skip(x) + self.conv2(F.silu(self.norm2(y)))


class Critic(nn.Module):
    """Latents [N, 4, 16, 16] -> logits of kinds [N, 14], of bits [N, 768], of being a picture's [N]."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(4, 48, 3, 1, 1), Block(48, 48), Block(48, 96, 2), Block(96, 128, 2), Block(128, 128),
            nn.GroupNorm(8, 128), nn.SiLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten(),
        )
        self.kind, self.bits, self.real = nn.Linear(512, len(data.KINDS)), nn.Linear(512, tower.DIM), nn.Linear(512, 1)

    def forward(self, z):
        h = self.body(z)
        return self.kind(h).float(), self.bits(h).float(), self.real(h)[:, 0].float()


def view(z):
    """Latents, of deviation 1, in another light, mirrored, moved by up to two places, noisy: the first three channels are about Y, U and V."""
    n, z = len(z), z / autoencoder.DEVIATION
    z = torch.where(torch.rand(n, 1, 1, 1) < 0.5, z, z.flip(3))
    dy, dx = torch.randint(0, 5, (2,)).tolist()
    z = F.pad(z, (2, 2, 2, 2), mode="reflect")[:, :, dy : dy + 16, dx : dx + 16]
    light = torch.rand(n, 1, 1, 1) < 0.7
    mean = z.mean((2, 3), keepdim=True)
    gain = torch.exp(torch.cat([0.25 * torch.randn(n, 1, 1, 1), (0.4 * torch.randn(n, 1, 1, 1)).expand(-1, 2, -1, -1), torch.zeros(n, 1, 1, 1)], 1))
    shift = torch.randn(n, 4, 1, 1) * torch.tensor([0.28, 0.22, 0.22, 0])[:, None, None]
    z = torch.where(light, (z - mean) * gain + mean + shift, z)
    turn = (torch.rand(n, 1, 1) < 0.25) * torch.rand(n, 1, 1) * 2 * torch.pi
    c, s = torch.cos(turn), torch.sin(turn)
    y, u, v, w = z.unbind(1)
    z = torch.stack([y, c * u - s * v, s * u + c * v, w], 1)
    return z + 0.22 * torch.rand(n, 1, 1, 1) * (torch.rand(n, 1, 1, 1) < 0.5) * torch.randn_like(z)


class Lessons:
    """A critic and what it learns from: the latents of pictures, and of late those that were painted."""

    def __init__(self, latents, kinds, bits, keep=256):
        self.latents, self.kinds, self.bits, self.keep = latents, kinds, bits, keep
        self.critic = Critic()
        self.opt = torch.optim.AdamW(self.critic.parameters(), 1e-3, weight_decay=0.02, betas=(0.9, 0.98))
        self.painted = latents[:0]

    def add(self, z):
        self.painted = torch.cat([self.painted, z])[-self.keep :]

    def step(self, n=24, peak=None):
        """Learns from n pictures and, where there are any, n / 2 painted ones; returns the share of kinds that was right."""
        i = torch.randint(0, len(self.latents), (n,))
        z, painted = self.latents[i], min(len(self.painted), n // 2)
        if painted:
            z = torch.cat([z, self.painted[torch.randint(0, len(self.painted), (painted,))]])
        with data.narrow():
            kind, bits, real = self.critic(view(z))
        loss = F.cross_entropy(kind[:n], self.kinds[i], label_smoothing=0.05) + F.binary_cross_entropy_with_logits(bits[:n], self.bits[i].float())
        if painted:
            loss = loss + 0.5 * (F.softplus(-real[:n]).mean() + F.softplus(real[n:]).mean())
        self.opt.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.critic.parameters(), 1.0)
        if peak:
            for g in self.opt.param_groups:
                g["lr"] = peak
        self.opt.step()
        return (kind[:n].argmax(1) == self.kinds[i]).float().mean()

    def opinion(self, z):
        """What the critic says of painted latents, with gradients to them and none to it."""
        for p in self.critic.parameters():
            p.requires_grad_(False)
        with data.narrow():
            out = self.critic(view(z))
        for p in self.critic.parameters():
            p.requires_grad_(True)
        return out
