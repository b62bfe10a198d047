"""The denoiser, trained on along the journeys that it makes itself.

The usual training knows noisy pictures. The decoder's journeys begin with a color map instead, are guided, and with the bits
of one picture and the map of another there is no picture they should lead to. So journeys are made here, a step of the solver
for a step of training, and wherever one is, the picture that the guided sum points to is judged: a critic (critic.py) says
whether it is of the bits' kind, has their content and looks like a picture, and its colors are compared with those of the
picture that the map is of. Gradients go through the one evaluation (as in DRaFT-1, Clark et al. 2023, but at every step of a
journey), journeys go on from what was painted. Half of each batch is the usual training, which keeps the rest as it was.

Those nearest to their end are decoded, by the painter where DIR has one. Then the painter's discriminator and limits say of them
what they say in painter.py, so that the denoiser puts edges where the painter could only guess them.
"""

import functools
import os

import torch
import torch.nn.functional as F
from diffusers import DPMSolverMultistepScheduler, PNDMScheduler

import autoencoder
import critic
import data
import denoiser
import discriminator
import eyes
import limits
import pipeline

STEPS, GUIDANCE = 20, 12.0
SWAPPED = 0.6  # share of the journeys whose color map is another picture's
KNOWN = 0.2  # share that begins with the noise of seed 0, which files of the paper's profile have
USUAL, MADE = 6, 12  # batch of a process: usual samples, steps of journeys
POOL = 96  # journeys that are under way, a process
DECODED = 4  # of a step's journeys that are seen as pictures,
SOME = 6  # from this step on, while what they will show is still open: nearest to their end nothing but fine detail is
PEAK = 3e-4  # learning rate
WEIGHTS = {
    "kind": 0.4, "bits": 0.5, "real": 0.15, "color": 40.0, "donor": 200.0, "eye": 0.5, "objects": 0.25, "tower": 0.5,
    "look": 0.7, "texture": 10.0, "lattice": 10.0, "slopes": 0.5, "told": 0.15,
}
PEAK_D = 5e-4  # of the discriminator
USUALLY = 3.2 / autoencoder.DEVIATION**2  # weight of the usual loss, so that it is as heavy whatever the latents' deviation
SOFTER = 0.6  # weight of the colors of another picture's map beside that of a picture's own
MARGIN = 0.02  # by which colors shall be nearer to those of the map's picture than to those of the bits' picture


class Solver:
    """DPM-Solver++ (2M) as the decoder has it, each row at a step of its own."""

    def __init__(self):
        s = DPMSolverMultistepScheduler.from_config(PNDMScheduler.from_config(pipeline.SCHEDULER).config)
        s.set_timesteps(STEPS)
        self.times, sigma = s.timesteps.long(), s.sigmas.float()  # sigma[-1] is 0
        self.alpha = (1 / (sigma**2 + 1).sqrt())[:, None, None, None]
        self.sigma = sigma[:, None, None, None] * self.alpha
        self.log = self.alpha.log() - self.sigma.clamp(min=1e-20).log()

    def begin(self, start, first, noise):
        return self.alpha[first] * start + self.sigma[first] * noise

    def step(self, z, x0, before, k, first):
        """From step k on: latents, the picture they point to and that of the step before -> latents of step k + 1."""
        h = self.log[k + 1] - self.log[k]
        r = (self.log[k] - self.log[(k - 1).clamp(min=0)]) / h
        second = ((k > first) & (k < STEPS - 1))[:, None, None, None]
        d = torch.where(second, x0 + (x0 - before) / (2 * r.clamp(min=1e-6)), x0)
        return self.sigma[k + 1] / self.sigma[k] * z - self.alpha[k + 1] * torch.expm1(-h) * d


class Colors:
    """RGB [N, 3, 16, 16] of latents, as a linear function of them that is fitted to what the autoencoder decodes."""

    def __init__(self, work, latents):
        m, scaling = autoencoder.load(work)
        with torch.no_grad():
            x = torch.cat([m.decode(z / scaling).sample / 2 + 0.5 for z in latents[:256].split(32)])
            self.taps = lambda z: F.unfold(F.pad(z, (1, 1, 1, 1), mode="replicate"), 3)
            a = self.taps(latents[:256]).transpose(1, 2).flatten(0, 1)
            a = torch.cat([a, torch.ones(len(a), 1)], 1)
            y = F.adaptive_avg_pool2d(x, 16).flatten(2).transpose(1, 2).flatten(0, 1)
            self.w = torch.linalg.lstsq(a, y).solution
            self.error = ((a @ self.w - y) ** 2).mean().item()

    def __call__(self, z):
        y = self.taps(z).transpose(1, 2) @ self.w[:-1] + self.w[-1]
        return y.transpose(1, 2).unflatten(2, (16, 16))


class Paintings:
    """What is said of decoded pictures: by the eye and the tower, and by a painter's limits and discriminator, which learns from them."""

    def __init__(self, work):
        self.eyes, state = eyes.Eyes(work), os.path.join(work, "painter_state.pt")
        self.painter = os.path.exists(state)
        self.vae, self.scaling = autoencoder.load(work, "painter" if self.painter else "autoencoder")
        if self.painter:
            self.d = discriminator.Discriminator(self.eyes.eye)
            self.d.load_state_dict(torch.load(state)["d"])
            self.opt = torch.optim.AdamW(self.d.parameters(), PEAK_D, weight_decay=0, betas=(0.5, 0.95))

    def terms(self, x0, i, own, batches):
        """The terms of latents x0 [N, 4, 16, 16] with the bits of pictures i, and which of their kinds are seen [N]."""
        with data.narrow():
            y = self.vae.decode(x0 / self.scaling).sample.float()
        terms, recognized = self.eyes.terms(y, batches.wanted(i), own, torch.ones_like(own))
        if self.painter:
            terms |= self.painted(y, batches.pixels[i].float() / 127.5 - 1, own)
        return terms, recognized

    def painted(self, y, x, own):
        """The terms of paintings y of pictures x [N, 3, H, W] in [-1, 1]; the discriminator learns from them."""
        fake, real = discriminator.moved(y, x)
        loss, _ = discriminator.lesson(self.d, real, fake.detach())
        self.opt.zero_grad()
        loss.backward()
        self.opt.step()
        self.d.requires_grad_(False)
        with torch.no_grad():
            beside = self.d(real)[0]
        told = discriminator.told(self.d(fake)[0], beside).mean()
        self.d.requires_grad_(True)
        texture, lattice = limits.excess(y, x, own)
        return {
            "look": data.mean(self.eyes.look(y, x), own), "texture": texture.mean(), "lattice": lattice.mean(),
            "slopes": limits.slopes(y, x).mean(), "told": told,
        }


class Journeys:
    """A pool of journeys under way: bits of picture i, color map of picture j."""

    def __init__(self, batches, solver):
        self.batches, self.solver = batches, solver
        self.known = torch.randn(batches.latents.shape[1:], generator=torch.Generator().manual_seed(0))
        self.i = self.j = self.k = self.first = torch.zeros(POOL, dtype=torch.long)
        self.z = self.before = torch.zeros(POOL, *batches.latents.shape[1:])
        self.begin(torch.arange(POOL))

    def begin(self, rows):
        """New journeys in the given rows; most at the default strength."""
        n, total = len(rows), len(self.batches.latents)
        new = {name: getattr(self, name).clone() for name in ("i", "j", "k", "first", "z", "before")}
        i = torch.randint(0, total, (n,))
        j = torch.where(torch.rand(n) < SWAPPED, torch.randint(0, total, (n,)), i)
        first = torch.where(torch.rand(n) < 0.85, torch.tensor(STEPS - int(STEPS * 0.88)), torch.randint(0, 7, (n,)))
        new["i"][rows], new["j"][rows], new["k"][rows], new["first"][rows] = i, j, first, first
        noise = torch.where(torch.rand(n, 1, 1, 1) < KNOWN, self.known, torch.randn(n, *self.known.shape))
        new["z"][rows] = self.solver.begin(self.batches.maps[j], first, noise)
        self.__dict__.update(new)

    def of(self, rows):
        """The rows' latents, times and class vectors."""
        e, zero = self.batches.vectors[self.i[rows]], torch.zeros(len(rows), dtype=torch.long)
        cond = pipeline.condition(e, self.batches.mean, self.batches.std, zero, torch.zeros_like(e))
        return self.z[rows], self.solver.times[self.k[rows]], cond

    def points_to(self, rows, v):
        """The pictures that the rows' latents and v stand for."""
        k = self.k[rows]
        return self.solver.alpha[k] * self.z[rows] - self.solver.sigma[k] * v

    @torch.no_grad()
    def spread(self, denoise):
        """Lets all go on to steps of their own, so that from the first step of the training on some are near to their end."""
        until = self.first + (torch.rand(POOL) * (STEPS - self.first)).long()
        while (self.k < until).any():
            rows = (self.k < until).nonzero()[:24, 0]
            u, c = denoise(*self.of(rows))
            self.go(rows, self.points_to(rows, u + GUIDANCE * (c - u)))

    def go(self, rows, x0):
        """The given rows go a step on; in place of those that have arrived, new ones begin."""
        k = self.k[rows]
        z = self.solver.step(self.z[rows], x0, self.before[rows], k, self.first[rows])
        arrived = k == STEPS - 1
        self.z[rows], self.before[rows], self.k[rows] = z, x0, k + 1
        if arrived.any():
            self.begin(rows[arrived])


def judged(x0, rows, pool, lessons, paintings, colors):
    """The terms of the loss of pictures that journeys point to; late ones count more."""
    i, j, k, kinds = pool.i[rows], pool.j[rows], pool.k[rows], pool.batches.kinds
    late = ((k - 2) / (STEPS - 3)).clamp(0.1, 1)
    late = late / late.mean()
    kind, bits, real = lessons.opinion(x0)
    own, got, donor = (colors(z) for z in (pool.batches.latents[i], x0, pool.batches.latents[j]))
    off = lambda a, b, n: ((F.adaptive_avg_pool2d(a, n) - F.adaptive_avg_pool2d(b, n)) ** 2).mean((1, 2, 3))
    last = ((k >= SOME) + torch.rand(len(k))).argsort(descending=True)[:DECODED]
    seen_of, recognized = paintings.terms(x0[last], i[last], (i == j)[last], pool.batches)
    terms = {
        "kind": F.cross_entropy(kind, kinds[i], reduction="none"),
        "bits": F.binary_cross_entropy_with_logits(bits, pool.batches.bits[i].float(), reduction="none").mean(1),
        "real": F.softplus(-real) * (k >= SOME),
        "color": torch.where(i == j, off(got, donor, 16) + off(got, donor, 8), SOFTER * (off(got, donor, 8) + off(got, donor, 4))),
        "donor": F.relu(off(got, donor, 16) - off(got, own, 16) + MARGIN) * (i != j),
    } | seen_of
    right, swapped = (kind.argmax(1) == kinds[i]).float(), (i != j)[last]
    seen = {"own": right[i == j], "swapped": right[i != j], "eye_own": recognized[~swapped], "eye_swapped": recognized[swapped],
            "late_color": terms["color"].detach()[(k >= STEPS - 3) & (i == j)]}
    return {name: (late * term).mean() for name, term in terms.items()}, {name: v.mean() for name, v in seen.items() if len(v)}


def train(work, minutes, workers):
    data.in_processes(run, workers, work, minutes)


def run(rank, workers, work, minutes):
    batches, words, solver = denoiser.Batches(work), denoiser.context(), Solver()
    torch.manual_seed(900 + rank)
    log = data.Log(work, "journeys")
    colors = Colors(work, batches.latents)
    paintings = Paintings(work)
    lessons = critic.Lessons(batches.latents, batches.kinds, batches.bits)
    right = [lessons.step(48) for _ in range(250)]
    if rank == 0:
        log.say(f"colors of latents: mean squared error {colors.error:.5f}; critic: {100 * sum(right[-50:]) / 50:.1f} % of views right")
    m = denoiser.load(work).requires_grad_(True).to(memory_format=torch.channels_last)  # a fifth faster
    fused = torch.compile(m, dynamic=False)

    def denoise(x, t, cond, m=fused):
        """v without and with the class vectors."""
        two = lambda a: torch.cat([a, a])
        labels = torch.cat([torch.zeros_like(cond), cond])
        with data.narrow():
            return m(two(x), two(t), encoder_hidden_states=words.expand(2 * len(x), -1, -1), class_labels=labels).sample.float().chunk(2)

    pool = Journeys(batches, solver)
    pool.spread(functools.partial(denoise, m=m))
    average = torch.optim.swa_utils.AveragedModel(m, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.996))
    opt = torch.optim.AdamW(denoiser.groups(m, PEAK), PEAK, weight_decay=0.01, betas=(0.9, 0.98))
    clock, share = data.Clock(minutes), 0.0
    while share < 1:
        x, t, cond, v = batches(USUAL)
        rows = torch.randperm(POOL)[:MADE]
        u, c = denoise(*(torch.cat(p) for p in zip((x, t, cond), pool.of(rows))))
        guided = F.mse_loss((u + denoiser.GUIDANCE * (c - u))[:USUAL], v)
        unguided = F.mse_loss(u[:USUAL], v)
        x0 = pool.points_to(rows, (u + GUIDANCE * (c - u))[USUAL:])
        terms, seen = judged(x0, rows, pool, lessons, paintings, colors)
        loss = USUALLY * (guided + denoiser.UNGUIDED * unguided) + sum(WEIGHTS[name] * term for name, term in terms.items())
        opt.zero_grad()
        loss.backward()
        share, norm = data.descend(m, opt, clock.tick() if rank == 0 else 0.0, workers)
        average.update_parameters(m)
        lessons.add(x0.detach()[pool.k[rows] >= SOME])
        pool.go(rows, x0.detach())
        lessons.step(peak=5e-4)
        if rank == 0:
            log.add(share, guided=guided.detach(), unguided=unguided.detach(), norm=norm, **{n: t.detach() for n, t in (terms | seen).items()})
            if log.step % 100 == 0 or share >= 1:
                weights = {k: v.contiguous() for k, v in average.module.state_dict().items()}
                torch.save(weights, os.path.join(work, "denoiser.pt"))
