"""The autoencoder's decoder trained on as a painter: where a journey ends smooth, it paints what scenes have there.

The denoiser points at means, so a journey's latents lack texture, and the decoder, which has learnt true latents alone, shows them
as they are. Here it learns from the journeys' own ends (paintings.py) what a picture of them looks like, against a discriminator. Nothing else
changes: tower, denoiser, encoder and files stay what they are.

What holds the paintings (y) to their pictures (x):
  low      colours of 8x8 pixels, for journeys of one picture; where bits and map are of two, those that the decoder painted before
  pixels   the pixels themselves, lightly, so that nothing wanders
  texture  the square root of mean absolute slopes over 16x16 pixels, across and down, at three scales: as much detail as the picture has
           there, wherever in there it is, and none where the picture has none
  sight    the tower's vector of y beside the one that the bits stand for
  known    kinds and objects, by the discriminator's eyes
  real     the discriminator's hinges; and its features, of journeys their means over 4x4 places
  true     the autoencoder's own loss, on true latents
"""

import functools
import os

import torch
import torch.nn.functional as F
from torch import nn

import autoencoder
import classifier
import data
import discriminator
import looks
import tower

JOURNEYS, TRUE = 4, 1  # pictures of a step of each process
SEEN = 2  # of them, by the tower
PEAK, PEAK_D = 2.5e-4, 7e-4  # of the painter; at 4e-4 its colours wandered from step to step
WEIGHTS = {"low": 1.5, "pixels": 0.1, "texture": 0.5, "sight": 0.4, "known": 0.06, "real": 0.15, "features": 0.3, "true": 0.8, "true_real": 0.05, "true_features": 0.3}
WARM = 0.02, 0.06  # shares of the training: the discriminator is listened to from the first on, wholly from the second on
HELD = 48  # journeys that are not trained on


def texture(x, scales=3):
    """Square roots of mean absolute slopes of grey over 16x16 pixels, of pictures [N, 3, H, W] at some scales, one after another [N, -1]."""
    g = x.mean(1, keepdim=True)
    out = []
    for k in range(scales):
        if k:
            g = F.avg_pool2d(g, 2)
        for e, p in zip(autoencoder.edges(g), ((0, 1, 0, 0), (0, 0, 0, 1))):
            out.append((F.avg_pool2d(F.pad(e.abs(), p), 16 // 2**k) + 1e-3).sqrt().flatten(1))
    return torch.cat(out, 1)


def rate(share):
    """Share of the peak learning rate: a linear rise, level, and from six tenths on down to a twentieth."""
    return min(1.0, 0.05 + share / 0.01, max(0.05, (1 - share) / 0.4))


class Pool:
    """Journeys' ends and their pictures."""

    def __init__(self, work, painter, scaling):
        p = torch.load(os.path.join(work, "paintings.pt"))
        order = torch.randperm(len(p["of"]), generator=torch.Generator().manual_seed(5))
        self.of, self.own = p["of"][order], p["own"][order]
        self.ends, self.latents = p["ends"][order].float() / scaling, p["latents"][order].float() / scaling
        self.bits, self.own_bits = torch.where(p["wanted"][order], 0.5, -0.5), tower.quantise(p["vectors"][order].float())
        one = (p["map_of"] == p["of"])[order] & ~self.own
        self.kind_known = ~one  # journeys of the bits of two pictures have no kind
        self.vectors = torch.where(self.kind_known[:, None], p["vectors"][order].float(), self.bits)
        self.pixels, self.kinds, _ = data.load(work, "train")
        self.seen, self.certain = data.objects(work, "train")
        self.low = torch.empty(len(order), 3, 16, 16)
        others = (~self.own).nonzero()[:, 0]
        with torch.no_grad():
            for rows in others.split(20):
                self.low[rows] = F.avg_pool2d(painter.decode(self.ends[rows]).sample.clamp(-1, 1), 8)

    def picture(self, rows):
        return 2 * data.floats(self.pixels[self.of[rows]]) - 1


def terms(d, pool, rows, y, x, eyes):
    """The terms of the loss of paintings y [JOURNEYS + TRUE, 3, H, W] of the given rows; their pictures are x."""
    n, own = JOURNEYS, pool.own[rows[:JOURNEYS]].float()
    low = lambda p: F.avg_pool2d(p, 8)
    target = torch.where(own[:, None, None, None] > 0, low(x[:n]), pool.low[rows[:n]])
    mean = lambda v, on: (v * on).sum() / on.sum().clamp(min=1)
    shown, beside = discriminator.moved(y, x)
    logits, f = d(shown, pool.bits[rows])
    with torch.no_grad():
        g = d.look(beside)
    places = lambda a: F.adaptive_avg_pool2d(a, max(1, a.shape[-1] // 4)) if a.dim() == 4 else a
    known = pool.kind_known[rows[:n]]
    i = pool.of[rows[:n]][known]
    hinge = sum(-l.flatten(1).mean(1) if l.dim() == 4 else -l for l in logits)
    return {
        "low": (low(y[:n]) - target).abs().mean(),
        "texture": mean((texture(y[:n]) - texture(x[:n])).abs().mean(1), own),
        "pixels": mean((y[:n] - x[:n]).abs().mean((1, 2, 3)), own),
        "sight": 1 - F.cosine_similarity(tower.embed(eyes, shown[:SEEN] / 2 + 0.5), pool.vectors[rows[:SEEN]]).mean(),
        "known": classifier.mistakes(d.known(f[-1][:n][known]), pool.kinds[i], pool.seen[i], pool.certain[i]) if known.any() else y.sum() * 0,
        "real": hinge[:n].mean(), "true_real": hinge[n:].mean(),
        "features": sum(mean((places(a[:n]) - places(b[:n])).abs().flatten(1).mean(1), own) for a, b in zip(f, g)),
        "true_features": sum((a[n:] - b[n:]).abs().mean() for a, b in zip(f, g)),
        "true": autoencoder.difference(y[n:], x[n:]) + (texture(y[n:]) - texture(x[n:])).abs().mean(),
    }


def train(work, minutes, workers, resume=False):
    data.in_processes(functools.partial(run, resume=resume), workers, work, minutes)


class State:
    """Everything that a training is made of, and its file."""

    def __init__(self, work, vae):
        self.path = os.path.join(work, "painter_state.pt")
        self.g, self.d = nn.ModuleList([vae.post_quant_conv, vae.decoder]), discriminator.Discriminator()
        for m in (self.g, self.d):
            m.to(memory_format=torch.channels_last).requires_grad_(True).train()
        self.average = [p.detach().clone() for p in self.g.parameters()]
        self.opt_g = torch.optim.AdamW(self.g.parameters(), PEAK, weight_decay=0, betas=(0.5, 0.95))
        self.opt_d = torch.optim.AdamW(self.d.parameters(), PEAK_D, weight_decay=0, betas=(0.5, 0.95))
        self.step = 0

    def parts(self):
        return {"g": self.g, "d": self.d, "opt_g": self.opt_g, "opt_d": self.opt_d}

    def save(self):
        torch.save({k: m.state_dict() for k, m in self.parts().items()} | {"average": self.average, "step": self.step}, self.path + ".new")
        os.replace(self.path + ".new", self.path)

    def load(self):
        saved = torch.load(self.path)
        for k, m in self.parts().items():
            m.load_state_dict(saved[k])
        self.average, self.step = saved["average"], saved["step"]

    @torch.no_grad()
    def follow(self):
        """Moves the average: over the last fifth of the steps at first, over a thousand later."""
        self.step += 1
        k = min(0.999, 1 - 5 / (self.step + 5))
        torch._foreach_mul_(self.average, k)
        torch._foreach_add_(self.average, [p.detach() for p in self.g.parameters()], alpha=1 - k)

    @torch.no_grad()
    def swap(self):
        """Exchanges the weights and their average."""
        for p, a in zip(self.g.parameters(), self.average):
            b = p.detach().clone()
            p.copy_(a)
            a.copy_(b)


def run(rank, workers, work, minutes, resume):
    vae, scaling = autoencoder.load(work)
    pool = Pool(work, vae, scaling)
    eyes, s = tower.load(work), State(work, vae)
    if resume:
        s.load()
    torch.manual_seed(1200 + rank + s.step)
    clock, log, share = data.Clock(minutes), data.Log(work, "painter"), 0.0
    trained = len(pool.of) - HELD
    while share < 1:
        rows = torch.randint(0, trained, (JOURNEYS + TRUE,))
        x, z = pool.picture(rows), torch.cat([pool.ends[rows[:JOURNEYS]], pool.latents[rows[JOURNEYS:]]])
        y = vae.decode(z.contiguous(memory_format=torch.channels_last)).sample
        # Real are the same pictures that are painted, so that what tells them apart is the painting.
        real, fake = discriminator.moved(x, y.detach())
        i = pool.of[rows]
        loss_d, wrong, known = discriminator.lesson(s.d, real, fake, pool.own_bits[rows], pool.bits[rows], pool.kinds[i], pool.seen[i], pool.certain[i])
        s.opt_d.zero_grad()
        loss_d.backward()
        share = data.share_gradients(s.d, clock.tick() if rank == 0 else 0.0, workers)
        s.opt_d.step()
        s.d.requires_grad_(False)
        heard = 1.0 if resume else min(1.0, max(0.0, (share - WARM[0]) / (WARM[1] - WARM[0])))
        t = terms(s.d, pool, rows, y, x, eyes)
        loss = sum(WEIGHTS[n] * v * (heard if n in ("real", "true_real", "features", "true_features", "known") else 1) for n, v in t.items())
        s.opt_g.zero_grad()
        loss.backward()
        s.d.requires_grad_(True)
        data.share_gradients(s.g, 0.0, workers)
        norm = nn.utils.clip_grad_norm_(s.g.parameters(), 1.0)
        for o, peak in ((s.opt_g, PEAK), (s.opt_d, PEAK_D)):
            o.param_groups[0]["lr"] = peak * rate(share)
        s.opt_g.step()
        s.follow()
        if rank == 0:
            log.add(share, norm=norm, d=loss_d.detach(), d_known=known, **{f"wrong{k}": w for k, w in enumerate(wrong)}, **{n: v.detach() for n, v in t.items()})
            if s.step % 200 == 0 or share >= 1:
                s.save()
                s.swap()
                keep(work, vae, scaling)
                report(work, vae, pool, log)
                s.swap()


def keep(work, vae, scaling):
    """Writes work/painter.pt, an autoencoder as autoencoder.load reads it."""
    torch.save({"weights": {k: v.contiguous() for k, v in vae.state_dict().items()}, "scaling_factor": scaling / autoencoder.DEVIATION}, os.path.join(work, "painter.pt"))


@torch.no_grad()
def report(work, vae, pool, log):
    """What it paints of journeys that it has not learnt from, beside what it makes of their true latents."""
    rows = torch.arange(len(pool.of) - HELD, len(pool.of))
    x = pool.picture(rows)
    y, z = (torch.cat([vae.decode(p).sample for p in v[rows].split(10)]).clamp(-1, 1) for v in (pool.ends, pool.latents))
    ratio = looks.gradient_ratio(y, x)[pool.own[rows]]
    psnr = -10 * (((z - x) / 2) ** 2).mean((1, 2, 3)).log10().mean()
    log.say(f"held out: gradient ratio {ratio.mean():.3f} (largest {ratio.max():.2f}) of journeys, {looks.gradient_ratio(z, x).mean():.3f} of true latents; these {psnr:.2f} dB")
    autoencoder.save_sheet(torch.cat([x[:12], y[:12], z[:12], x[12:24], y[12:24], z[12:24]]) / 2 + 0.5, os.path.join(work, "painter.png"), 12)
