"""The denoiser for latents of another deviation.

Latents that are `ratio` times as large hide as little under the noise of one time step as the old ones do under that of an
earlier one. So what the denoiser should say of the new ones is known from what it says of the old ones, and it is taught just
that: first its time embedding is fitted, which is where noise is read from, then everything, on noisy pictures and on journeys.

Let z = a X + s n be the new latents at time step t, X = ratio x. With t' such that s'/a' = s/a / ratio, the old ones are
z' = a' x + s' n = z a' / (a ratio); of the old output v' follow x0 = a' z' - s' v' and the new output v = (a z - ratio x0) / s.
"""

import os

import torch
import torch.nn.functional as F

import autoencoder
import data
import denoiser
import journeys
import pipeline

N = 4  # noisy pictures and steps of journeys in a process's batch, each
PEAK = 1e-3  # learning rate


class Teacher:
    """What the old denoiser says, as an output for latents that are ratio times as large."""

    def __init__(self, m, ratio):
        self.m, self.ratio = m, ratio
        self.alpha, self.sigma = (c.double() for c in pipeline.alphas(pipeline.SCHEDULER))
        log = (self.sigma / self.alpha).log()
        want = log - torch.log(torch.tensor(ratio, dtype=torch.float64))
        k = torch.searchsorted(log, want).clamp(1, 999)
        self.times = (k - 1 + (want - log[k - 1]) / (log[k] - log[k - 1])).clamp(min=0)
        noise = log[0].exp().maximum(want.exp())
        self.alpha_old = (1 + noise**2).rsqrt()
        self.sigma_old = noise * self.alpha_old

    @torch.no_grad()
    def __call__(self, z, t, words, cond):
        a, s, a_old, s_old = (c[t].float()[:, None, None, None] for c in (self.alpha, self.sigma, self.alpha_old, self.sigma_old))
        z_old = z * a_old / (a * self.ratio)
        v_old = self.m(z_old, self.times[t].float(), encoder_hidden_states=words, class_labels=cond).sample.float()
        return (a * z - self.ratio * (a_old * z_old - s_old * v_old)) / s


def fit_times(m, teacher, steps=3000):
    """Fits the time embedding alone; returns the mean squared error over the mean square."""
    t = torch.arange(1000)
    with torch.no_grad():
        embed = lambda times: m.time_proj(times).float()
        want, x = teacher.m.time_embedding(embed(teacher.times.float())), embed(t)
    opt = torch.optim.Adam(m.time_embedding.parameters(), 2e-3)
    for step in range(steps):
        loss = F.mse_loss(m.time_embedding(x), want)
        opt.zero_grad()
        loss.backward()
        opt.param_groups[0]["lr"] = data.rate(step / steps, 2e-3)
        opt.step()
    return (loss / want.square().mean()).item()


def train(work, minutes, workers, was):
    """was is the deviation of the latents that DIR's denoiser knows; DIR's latents have autoencoder.DEVIATION already."""
    ratio = autoencoder.DEVIATION / was
    data.in_processes(lambda *a: run(*a, ratio), workers, work, minutes)


def run(rank, workers, work, minutes, ratio):
    log, batches, words = data.Log(work, "rescale"), denoiser.Batches(work), denoiser.context()
    torch.manual_seed(700)
    m, teacher = denoiser.load(work).requires_grad_(True), Teacher(denoiser.load(work), ratio)
    error = fit_times(m, teacher)
    if rank == 0:
        log.say(f"latents {ratio:.3f} times as large; time embedding: relative error {error:.6f}")
    torch.manual_seed(710 + rank)
    pool = journeys.Journeys(batches, journeys.Solver())
    average = torch.optim.swa_utils.AveragedModel(m, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.99))
    opt = torch.optim.AdamW(denoiser.groups(m, PEAK), PEAK, weight_decay=0, betas=(0.9, 0.98))
    clock, share = data.Clock(minutes), 0.0
    while share < 1:
        x, t, cond, _ = batches(N)
        rows, z, times, vectors = (a[:N] for a in pool.pick())
        x, t, cond = torch.cat([x, z]).repeat(2, 1, 1, 1), torch.cat([t, times]).repeat(2), torch.cat([cond, vectors])
        cond = torch.cat([torch.zeros_like(cond), cond])
        with data.narrow():
            out = m(x, t, encoder_hidden_states=words.expand(len(x), -1, -1), class_labels=cond).sample
            wanted = teacher(x, t, words.expand(len(x), -1, -1), cond)
        off = out.float() - wanted
        u, c = off.chunk(2)
        guided, unguided = (u + journeys.GUIDANCE * (c - u)).square().mean(), u.square().mean()
        opt.zero_grad()
        (guided + 0.5 * unguided).backward()
        share, _ = data.descend(m, opt, clock.tick() if rank == 0 else 0.0, workers)
        average.update_parameters(m)
        k = pool.k[rows]
        u, c = wanted.chunk(2)
        s = pool.solver
        pool.go(rows, s.alpha[k] * z - s.sigma[k] * (u + journeys.GUIDANCE * (c - u))[N:])
        if rank == 0:
            log.add(share, guided=guided.detach(), unguided=unguided.detach())
            if log.step % 100 == 0 or share >= 1:
                torch.save(average.module.state_dict(), os.path.join(work, "denoiser.pt"))
