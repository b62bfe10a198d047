"""The autoencoder's decoder trained on as a painter: where a journey ends smooth, it paints what scenes have there.

The denoiser points at means, so a journey's latents lack texture, and the decoder, which has learnt true latents alone, shows them
as they are. Here it learns from the journeys' own ends (paintings.py) what a picture of them looks like, against a discriminator. Nothing else
changes: tower, denoiser, encoder and files stay what they are.

What holds the paintings (y) to their pictures (x):
  low      colors of 8x8 pixels, for journeys of one picture; where bits and map are of two, those that the decoder painted before
  pixels   the pixels themselves, lightly, so that nothing wanders
  texture, lattice, slopes   no more detail than the picture has; nothing asks for as much, which any stripes would give (limits.py)
  look     what the eye sees of them, place by place
  eye, objects, tower   the eye sees what the bits' picture has, the tower its vector
  true     the autoencoder's own loss, on true latents, and the discriminator's features
What pulls them on:
  real     the discriminator's verdicts, as strongly as all the others together, measured by their gradients at the pixels
"""

import contextlib
import functools
import os

import torch
import torch.nn.functional as F
from torch import nn

import autoencoder
import data
import discriminator
import eyes
import limits
import looks

JOURNEYS, TRUE = 2, 1  # pictures of a step of each process
PEAK, PEAK_D = 2.5e-4, 1e-3  # of the painter and of the discriminator; at 4e-4 the painter's colors wandered from step to step
WEIGHTS = {
    "low": 1.5, "pixels": 0.1, "texture": 3.5, "lattice": 2.5, "slopes": 1.0, "look": 0.3, "eye": 0.02, "objects": 0.02, "tower": 0.08,
    "true": 1.2, "true_features": 0.08, "real": 1.0, "true_real": 0.8,
}
FREE = "real", "true_real"  # terms that pull on; their sum is scaled to HEARD times the pull of the others
HEARD = 1.0
STEEP = 0.005  # weight of the discriminator's slopes; at 0.5 and at 0.05 its verdicts were near to chance
SELDOM = 4  # it is asked for in every fourth step, four times as heavy, since it costs as much as the rest of a step (arXiv 1912.04958, appendix B)
SHARE = 0.95  # of the trained weights in those that are kept, the rest are those before (arXiv 1809.00219, section 3.4); see README.md
WARM = 0.02, 0.06  # shares of the training: the discriminator is listened to from the first on, wholly from the second on
HELD = 48  # journeys that are not trained on


def rate(share):
    """Share of the peak learning rate: a linear rise, level, and from six tenths on down to a twentieth."""
    return min(1.0, 0.05 + share / 0.01, max(0.05, (1 - share) / 0.4))


class Pool:
    """Journeys' ends, their pictures, and what is to be seen in them."""

    def __init__(self, work, painter, scaling):
        p = torch.load(os.path.join(work, "paintings.pt"))
        order = torch.randperm(len(p["of"]), generator=torch.Generator().manual_seed(5))
        self.of, self.own, self.swapped, self.vectors = (p[k][order] for k in ("of", "own", "swapped", "vectors"))
        self.ends, self.latents = p["ends"][order].float() / scaling, p["latents"][order].float() / scaling
        self.pixels, kinds, _ = data.load(work, "train")
        self.kinds, (self.seen, self.certain) = kinds[self.of], (v[self.of] for v in data.objects(work, "train"))
        self.low = torch.empty(len(order), 3, 16, 16)
        others = (~self.own).nonzero()[:, 0]
        with torch.no_grad():
            for rows in others.split(20):
                self.low[rows] = F.avg_pool2d(painter.decode(self.ends[rows]).sample.clamp(-1, 1), 8)

    def wanted(self, rows):
        """What eyes.py wants to see of the rows' paintings."""
        return {"kinds": self.kinds[rows], "seen": self.seen[rows], "certain": self.certain[rows], "vectors": self.vectors[rows]}

    def picture(self, rows):
        return 2 * data.floats(self.pixels[self.of[rows]]) - 1


def terms(s, y, x, rows, pool):
    """The terms of the loss of paintings y [JOURNEYS + TRUE, 3, H, W] of pictures x, which are the pool's rows."""
    n, shrink = JOURNEYS, lambda p: F.avg_pool2d(p, 8)
    own = pool.own[rows[:n]]
    alike = torch.cat([own, torch.ones(TRUE, dtype=torch.bool)])
    shown, beside = discriminator.moved(y, x)
    logits, f = s.d(shown)
    with torch.no_grad():
        logits_x, g = s.d(beside)
    told = discriminator.told(logits, logits_x)
    texture, lattice = limits.excess(y, x, alike)
    low = torch.where(own[:, None, None, None], shrink(x[:n]), pool.low[rows[:n]])
    return s.eyes.terms(y[:n], pool.wanted(rows[:n]), own, own | pool.swapped[rows[:n]])[0] | {
        "low": (shrink(y[:n]) - low).abs().mean(),
        "pixels": data.mean((y[:n] - x[:n]).abs().mean((1, 2, 3)), own),
        "texture": texture.mean(), "lattice": lattice.mean(), "slopes": limits.slopes(y, x).mean(),
        "look": data.mean(s.eyes.look(y, x), alike),
        "true": autoencoder.difference(y[n:], x[n:]),
        "true_features": sum((a[n:].float() - b[n:].float()).abs().mean() for a, b in zip(f, g)),
        "real": told[:n].mean(), "true_real": told[n:].mean(),
    }


def train(work, minutes, workers, resume=False):
    data.in_processes(functools.partial(run, resume=resume), workers, work, minutes)


class State:
    """Everything that a training is made of, and its file."""

    def __init__(self, work, vae):
        self.path = os.path.join(work, "painter_state.pt")
        self.eyes = eyes.Eyes(work)
        self.g, self.d = nn.ModuleList([vae.post_quant_conv, vae.decoder]), discriminator.Discriminator(self.eyes.eye)
        for m in (self.g, self.d):
            m.to(memory_format=torch.channels_last).requires_grad_(True).train()
        self.before, self.average = ([p.detach().clone() for p in self.g.parameters()] for _ in range(2))
        self.opt_g = torch.optim.AdamW(self.g.parameters(), PEAK, weight_decay=0, betas=(0.5, 0.95))
        self.opt_d = torch.optim.AdamW(self.d.parameters(), PEAK_D, weight_decay=0, betas=(0.5, 0.95))
        self.step, self.ratio = 0, None

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

    def direction(self, terms, y, heard):
        """The loss's gradient at the pixels y, its free terms scaled to the length of the others."""
        held, free = (sum(WEIGHTS[n] * v for n, v in terms.items() if (n in FREE) == want) for want in (False, True))
        pull, push = torch.autograd.grad(held, y, retain_graph=True)[0], torch.autograd.grad(free, y)[0]
        now = (pull.norm() / push.norm()).item()
        self.ratio = 0.9 * self.ratio + 0.1 * now if self.ratio else now
        return pull + HEARD * heard * min(1.0, self.ratio) * push

    @torch.no_grad()
    def follow(self):
        """Moves the average: over the last fifth of the steps at first, over a thousand later."""
        self.step += 1
        k = min(0.999, 1 - 5 / (self.step + 5))
        torch._foreach_mul_(self.average, k)
        torch._foreach_add_(self.average, [p.detach() for p in self.g.parameters()], alpha=1 - k)

    @contextlib.contextmanager
    def kept(self):
        """Has the painter's weights be those that are kept."""
        trained = [p.detach().clone() for p in self.g.parameters()]
        with torch.no_grad():
            for p, b, a in zip(self.g.parameters(), self.before, self.average):
                p.copy_(torch.lerp(b, a, SHARE))
            yield
            for p, t in zip(self.g.parameters(), trained):
                p.copy_(t)


def learn(s, x, y, clock, workers):
    """A step of the discriminator. Its pictures are those that are painted, so that what tells them apart is the painting."""
    real, fake = discriminator.moved(x, y)
    loss, wrong = discriminator.lesson(s.d, real, fake)
    if s.step % SELDOM == 0:
        loss = loss + SELDOM * STEEP * discriminator.slope(s.d, torch.cat([real, fake]))
    s.opt_d.zero_grad()
    loss.backward()
    share = data.share_gradients(s.d, clock.tick() if clock else 0.0, workers)
    s.opt_d.step()
    return loss.detach(), wrong, share


def run(rank, workers, work, minutes, resume):
    vae, scaling = autoencoder.load(work)
    pool = Pool(work, vae, scaling)
    s = State(work, vae)
    if resume:
        s.load()
    torch.manual_seed(1200 + rank + s.step)
    clock, log, share = data.Clock(minutes), data.Log(work, "painter"), 0.0
    trained = len(pool.of) - HELD
    while share < 1:
        rows = torch.randint(0, trained, (JOURNEYS + TRUE,))
        z = torch.cat([pool.ends[rows[:JOURNEYS]], pool.latents[rows[JOURNEYS:]]]).contiguous(memory_format=torch.channels_last)
        x = pool.picture(rows)
        with data.narrow():
            y = vae.decode(z).sample
        loss_d, wrong, share = learn(s, x, y.detach(), clock if rank == 0 else None, workers)
        s.d.requires_grad_(False)
        t = terms(s, y, x, rows, pool)
        s.opt_g.zero_grad()
        y.backward(s.direction(t, y, min(1.0, max(0.0, (share - WARM[0]) / (WARM[1] - WARM[0])))))
        s.d.requires_grad_(True)
        data.share_gradients(s.g, 0.0, workers)
        norm = nn.utils.clip_grad_norm_(s.g.parameters(), 1.0)
        for o, peak in ((s.opt_g, PEAK), (s.opt_d, PEAK_D)):
            o.param_groups[0]["lr"] = peak * rate(share)
        s.opt_g.step()
        s.follow()
        if rank == 0:
            log.add(share, norm=norm, ratio=torch.tensor(s.ratio), d=loss_d, **{f"wrong{k}": w for k, w in enumerate(wrong)}, **{n: v.detach() for n, v in t.items()})
            if s.step % 200 == 0 or share >= 1:
                s.save()
                with s.kept():
                    keep(work, vae, scaling)
                    report(work, vae, pool, log)


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
