"""Where the decoder's journeys end: what painter.py learns to paint.

Journeys of many ways, as the codec's users will have them: bits and map of one picture, of two, bits that lie between two
pictures (as a photo's, which is no scene); the paper's map, and the default profile's with color guidance; other strengths and noise.
"""

import os

import torch

import autoencoder
import data
import denoiser
import pipeline
import tower

COUNT, BATCH = 4800, 50
OWN, SWAPPED = 0.7, 0.15  # shares of journeys; the rest have the bits of two pictures
DEFAULT = 0.5  # share of journeys as the default profile has them
GUIDED = 0.8  # its color guidance
USUAL = 0.7  # share of journeys at strength 0.88
KNOWN = 0.3  # share of the paper's journeys with the noise of seed 0


def prepare(work, workers):
    """Writes work/paintings.pt: latents [N, 4, 16, 16] of journeys and of their pictures, which pictures they are of, and what their bits stand for."""
    data.in_processes(walk, workers, work, 0)
    parts = [torch.load(os.path.join(work, f"paintings_{rank}.pt")) for rank in range(workers)]
    torch.save({k: torch.cat([p[k] for p in parts]) for k in parts[0]}, os.path.join(work, "paintings.pt"))
    for rank in range(workers):
        os.remove(os.path.join(work, f"paintings_{rank}.pt"))


def open_work(work):
    """The networks in DIR, as pipeline.py wants them."""
    vae, scaling = autoencoder.load(work)
    stat = torch.load(os.path.join(work, "statistics.pt"))
    return {"unet": denoiser.load(work), "context": denoiser.context(), "vae": vae, "scaling_factor": scaling, **stat}


def narrowed(m):
    """A network whose products, and nothing else of a journey, are of bfloat16 where the processor has them."""

    def run(*inputs, **more):
        with data.narrow():
            return m(*inputs, **more)

    return run


@torch.no_grad()
def walk(rank, workers, work, _):
    torch.manual_seed(700 + rank)
    parts, eyes, log = open_work(work), tower.load(work), data.Log(work, "paintings")
    parts["unet"] = narrowed(parts["unet"].to(memory_format=torch.channels_last))  # a fifth faster
    pixels = data.load(work, "train")[0]
    first = torch.randn((1, 4, data.SIZE // 8, data.SIZE // 8), generator=torch.Generator().manual_seed(0))
    out = {k: [] for k in ("of", "own", "swapped", "vectors", "ends", "latents")}
    for at in range(rank * BATCH, COUNT, workers * BATCH):
        i = torch.arange(at, at + BATCH)
        x = data.floats(pixels[i])
        e = tower.embed(eyes, x)
        r = torch.rand(BATCH)
        own, swapped = r < OWN, (r >= OWN) & (r < OWN + SWAPPED)
        other = torch.randint(0, COUNT, (BATCH,))
        j = torch.where(swapped, other, i)
        between = torch.where(torch.rand(BATCH, tower.DIM) < data.rand(BATCH, 0.3, 0.7)[:, :, 0, 0], tower.embed(eyes, data.floats(pixels[other])), e)
        bits = torch.where((own | swapped)[:, None], e, between)
        donor = data.floats(pixels[j])
        donor = data.chance(donor, 0.15, data.recolor)
        default = torch.rand(()) < DEFAULT
        strength = 0.88 if torch.rand(()) < USUAL else float(torch.empty(()).uniform_(0.5, 1))
        noise = torch.randn(BATCH, *first.shape[1:])
        if not default:  # in the default profile each file has noise of its own
            noise = torch.where(torch.rand(BATCH, 1, 1, 1) < KNOWN, first, noise)
        maps = pipeline.ranged_map(donor) if default else pipeline.color_map(donor)
        e_hat = (bits + tower.quantize(bits)) / 2 if default else tower.quantize(bits)  # the default profile keeps the vector better
        z = pipeline.journey(parts, e_hat, maps, noise, strength=strength, color=GUIDED if default else 0.0)
        latents = parts["vae"].encode(2 * x - 1).latent_dist.mean * parts["scaling_factor"]
        for k, v in {"of": i, "own": own, "swapped": swapped, "vectors": e_hat.half(), "ends": z.half(), "latents": latents.half()}.items():
            out[k].append(v)
        if rank == 0:
            log.add(min(1, (at + workers * BATCH) / COUNT), spread=z.std())
    torch.save({k: torch.cat(v) for k, v in out.items()}, os.path.join(work, f"paintings_{rank}.pt"))
