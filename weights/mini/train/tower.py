"""The vision tower: which picture is it, in 768 bits, whatever its colors and its crop."""

import os

import torch
import torch.nn.functional as F
from torch import nn
from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

import data

CONFIG = {
    "architectures": ["CLIPVisionModelWithProjection"], "model_type": "clip_vision_model", "hidden_size": 192,
    "num_hidden_layers": 6, "num_attention_heads": 3, "intermediate_size": 768, "image_size": data.SIZE,
    "patch_size": 16, "projection_dim": 768, "hidden_act": "quick_gelu", "layer_norm_eps": 1e-5, "num_channels": 3,
}
DIM = CONFIG["projection_dim"]
PEAK = 1e-3  # learning rate


def build():
    c = {k: v for k, v in CONFIG.items() if k not in ("architectures", "model_type")}
    # Plain attention: the fused one has a backward pass that is several times slower on a CPU.
    return CLIPVisionModelWithProjection(CLIPVisionConfig(**c, attn_implementation="eager"))


def load(work):
    m = build()
    m.load_state_dict(torch.load(os.path.join(work, "tower.pt")))
    return m.eval().requires_grad_(False)


def embed(tower, x):
    """float32 pictures [N, 3, H, W] in [0, 1] -> vectors [N, 768]."""
    return tower(pixel_values=(x - data.CLIP_MEAN) / data.CLIP_STD).image_embeds.float()


def quantize(e):
    """The codec's 1 bit: +0.5 from 0 on, -0.5 below."""
    return torch.where(e >= 0, 0.5, -0.5)


def straight_through(e):
    """quantize, with the gradient of clamping to [-1, 1]."""
    soft = e.clamp(-1, 1)
    return soft + (quantize(e) - soft).detach()


def wanted_cosine(kinds, notes):
    """How near two pictures shall be [N, N]: 1 to itself, 0.45 to 0.85 within a kind, by content, and near 0 otherwise."""
    near = torch.exp(-4 * torch.cdist(notes, notes) ** 2)
    same = kinds[:, None] == kinds[None]
    want = torch.where(same, 0.45 + 0.4 * near, 0.1 * near)
    return want.fill_diagonal_(1), same


def alignment(a, b, want, same):
    """Mean squared error of cosines between two views, pairs of a kind as heavy as all others."""
    d = (F.normalize(a) @ F.normalize(b).T - want) ** 2
    return d[same].mean() + d[~same].mean() + d.diagonal().mean()


def spread(e):
    """Dimensions shall have mean 0 and deviation 0.5 and be uncorrelated."""
    mean, std = e.mean(0), e.std(0)
    z = (e - mean) / (std + 1e-4)
    cov = z.T @ z / len(e)
    return 4 * (mean**2).mean() + (std - 0.5).pow(2).mean() + 0.02 * (cov - torch.diag(cov.diagonal())).pow(2).mean()


def train(work, minutes, resume, batch=64):
    torch.manual_seed(11 if resume else 1)
    pixels, kinds, notes = data.load(work, "train")
    notes = notes[:, data.CONTENT]
    tower, kind_head, note_head = build(), nn.Linear(DIM, len(data.KINDS)), nn.Linear(DIM, len(data.CONTENT))
    if resume:
        tower.load_state_dict(torch.load(os.path.join(work, "tower.pt")))
    params = [p for m in (tower, kind_head, note_head) for p in m.parameters()]
    opt = torch.optim.AdamW(params, PEAK, weight_decay=0.05, betas=(0.9, 0.98))
    clock, log, share = data.Clock(minutes), data.Log(work, "tower"), 0.0
    while share < 1:
        i = torch.randint(0, len(pixels), (batch,))
        x = torch.cat([data.view(pixels[i], 0.6), data.view(pixels[i], 0.75, 0.5)])
        with data.narrow():
            e = embed(tower, x)
        a, b = e.float().chunk(2)
        want, same = wanted_cosine(kinds[i], notes[i])
        q = straight_through(e)
        align = alignment(a, b, want, same) + alignment(*q.chunk(2), want, same)
        ce = F.cross_entropy(kind_head(2 * q), kinds[i].repeat(2), label_smoothing=0.05)
        mse = F.mse_loss(note_head(2 * q), notes[i].repeat(2, 1))
        wide = spread(a) + spread(b)
        loss = 2 * align + 0.5 * ce + 2 * mse + wide
        opt.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(params, 1.0)
        for g in opt.param_groups:
            g["lr"] = data.rate(share, PEAK)
        opt.step()
        share = clock.tick()
        log.add(share, align=align.detach(), kind=ce.detach(), notes=mse.detach(), spread=wide.detach(), std=a.detach().std(0).mean(), mean=a.detach().mean(0).abs().mean())
    torch.save(tower.state_dict(), os.path.join(work, "tower.pt"))
    measure(work, log)


@torch.no_grad()
def embed_all(tower, pixels, batch=128):
    with data.narrow():
        return torch.cat([embed(tower, data.floats(p)) for p in pixels.split(batch)])


@torch.no_grad()
def measure(work, log):
    """The statistics of the embeddings, kept for the normalizer, and how well they tell held-out pictures apart."""
    tower = load(work)
    pixels, kinds, _ = data.load(work, "train")
    pixels, kinds = pixels[:3000], kinds[:3000]
    e = embed_all(tower, pixels)
    torch.save({"mean": e.mean(0), "std": e.std(0)}, os.path.join(work, "statistics.pt"))
    held, held_kinds = (a[:700] for a in data.load(work, "held_out")[:2])
    h = embed_all(tower, held)
    cos = F.normalize(h) @ F.normalize(h).T
    same = (held_kinds[:, None] == held_kinds).fill_diagonal_(False)
    other = held_kinds[:, None] != held_kinds
    near = kinds[(F.normalize(quantize(h)) @ F.normalize(quantize(e)).T).argmax(1)]
    other_view = F.cosine_similarity(embed_all(tower, (data.view(held) * 255).to(torch.uint8).permute(0, 2, 3, 1)), h)
    log.say(f"held out: cosine same kind {cos[same].mean():.3f}, other kinds {cos[other].mean():.3f}, other view {other_view.mean():.3f}; "
            f"kind of nearest by bits {100 * (near == held_kinds).float().mean():.1f} %; |mean| {e.mean(0).abs().mean():.3f}, "
            f"std {e.std(0).mean():.3f}, ones {100 * (e >= 0).float().mean():.1f} %")
