"""The codec's own arithmetic and the decoder's journey, in PyTorch, on pictures in batches."""

import torch
import torch.nn.functional as F
from diffusers import DDPMScheduler, DPMSolverMultistepScheduler, PNDMScheduler
from diffusers.models.embeddings import get_timestep_embedding

SCHEDULER = {  # as shipped beside Stable unCLIP 2.1
    "_class_name": "PNDMScheduler", "beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear",
    "clip_sample": False, "num_train_timesteps": 1000, "prediction_type": "v_prediction", "set_alpha_to_one": False,
    "skip_prk_steps": True, "steps_offset": 1, "trained_betas": None,
}
NOISING = {"_class_name": "DDPMScheduler", "beta_schedule": "squaredcos_cap_v2", "num_train_timesteps": 1000}


def alphas(config):
    """The square roots of abar and of 1 - abar, of every time step of a schedule."""
    kind = DDPMScheduler if config is NOISING else PNDMScheduler
    abar = kind.from_config(config).alphas_cumprod
    return abar.sqrt(), (1 - abar).sqrt()


def color_codes(rgb, size=8, bits=2):
    """Pictures [N, 3, H, W] in [0, 1] -> the codes that the stream keeps: Y [N, size, size] and U, V of half the side.

    Bilinear to size x size, BT.601 full-range YUV, chroma averaged over 2x2, mid-rise quantizer of 2^bits levels on [0, 1].
    """
    r, g, b = F.interpolate(rgb, (size, size), mode="bilinear", align_corners=False).unbind(1)
    y = 0.299 * r + 0.587 * g + 0.114 * b
    u, v = (F.avg_pool2d(c[:, None], 2)[:, 0] for c in ((b - y) / 1.772 + 0.5, (r - y) / 1.402 + 0.5))
    return [torch.clamp(torch.floor(c * 2**bits), 0, 2**bits - 1).long() for c in (y, u, v)]


def color_map(rgb, size=8, bits=2):
    """The color map that the decoder has of pictures, as RGB [N, 3, size, size]."""
    y, u, v = ((c + 0.5) / 2**bits for c in color_codes(rgb, size, bits))
    u, v = (F.interpolate(c[:, None], scale_factor=2, mode="nearest")[:, 0] for c in (u, v))
    r, b = y + 1.402 * (v - 0.5), y + 1.772 * (u - 0.5)
    return torch.stack([r, (y - 0.299 * r - 0.114 * b) / 0.587, b], 1).clamp(0, 1)


def ranged_map(rgb, size=8, bits=2):
    """The map of the tuned profile (codec/quant/color.go): averages, in levels that are spread over the picture's own range."""
    r, g, b = F.interpolate(rgb, (size, size), mode="area").unbind(1)
    y = 0.299 * r + 0.587 * g + 0.114 * b
    uv = F.avg_pool2d(torch.stack([(b - y) / 1.772 + 0.5, (r - y) / 1.402 + 0.5], 1), 2)

    def nearest(x, ranges):
        """x [N, ...] in the levels of that range in which they are nearest to it."""
        best, least = x, torch.full((len(x),), torch.inf)
        for lo, hi in ranges:
            v = lo + (((x - lo) / (hi - lo) * 2**bits).floor().clamp(0, 2**bits - 1) + 0.5) / 2**bits * (hi - lo)
            error = ((v - x) ** 2).flatten(1).sum(1)
            at = (error < least).view(-1, *[1] * (x.dim() - 1))
            best, least = torch.where(at, v, best), least.minimum(error)
        return best

    y = nearest(y, [(low / 16, 1 - high / 16) for low in range(8) for high in range(8)])
    uv = nearest(uv, [(0.5 - 2 ** (-1 - c / 2), 0.5 + 2 ** (-1 - c / 2)) for c in range(8)])
    u, v = F.interpolate(uv, scale_factor=2, mode="nearest").unbind(1)
    r, b = y + 1.402 * (v - 0.5), y + 1.772 * (u - 0.5)
    return torch.stack([r, (y - 0.299 * r - 0.114 * b) / 0.587, b], 1).clamp(0, 1)


def upsample(rgb_map, side):
    return F.interpolate(rgb_map, (side, side), mode="bilinear", align_corners=False)


def condition(e, mean, std, level, noise):
    """noise_image_embeddings of the Stable unCLIP pipeline: vectors [N, D], levels [N], noise [N, D] -> [N, 2 D]."""
    a, s = (c[level][:, None] for c in alphas(NOISING))
    x = ((e - mean) / std * a + s * noise) * std + mean
    return torch.cat([x, get_timestep_embedding(level, e.shape[1], flip_sin_to_cos=True, downscale_freq_shift=0)], 1)


def low_band(z, n):
    """The projection of latents [N, C, h, w] onto the n x n lowest coefficients of the discrete cosine transform of each channel."""

    def cosines(side):
        i, j = torch.arange(min(n, side))[:, None], torch.arange(side)[None]
        d = torch.cos(torch.pi * i * (j + 0.5) / side) * (2 / side) ** 0.5
        return torch.where(i == 0, d / 2**0.5, d)

    down, across = cosines(z.shape[2]), cosines(z.shape[3])
    return down.T @ (down @ z @ across.T) @ across


@torch.no_grad()
def journey(parts, e_hat, rgb_map, noise, steps=20, strength=0.88, guidance=12.0, color=0.0, trace=None):
    """The CoCliCo decoder up to the VAE: vectors [N, 768] and maps [N, 3, n, n] -> latents [N, 4, H/8, W/8].

    parts has unet, context [1, 77, C], mean, std, vae, scaling_factor; noise is [N or 1, 4, H/8, W/8]. color is the weight of
    color guidance (solver/lowband.go). trace, a dictionary, is given the class vectors, the color map's latents and the latents of every step.
    """
    n, zero = len(e_hat), torch.zeros(len(e_hat), dtype=torch.long)
    cond = condition(e_hat, parts["mean"], parts["std"], zero, torch.zeros_like(e_hat))
    labels = torch.cat([torch.zeros_like(cond), cond])
    context = parts["context"].expand(2 * n, -1, -1)
    start = parts["vae"].encode(2 * upsample(rgb_map, 8 * noise.shape[-1]) - 1).latent_dist.mode() * parts["scaling_factor"]
    s = DPMSolverMultistepScheduler.from_config(PNDMScheduler.from_config(SCHEDULER).config)
    s.set_timesteps(steps)
    first = steps - min(int(steps * strength), steps)
    s.set_begin_index(first)
    z = s.add_noise(start.float(), noise.expand(n, -1, -1, -1), s.timesteps[first : first + 1])
    trajectory = [z]
    alpha, sigma = alphas(SCHEDULER)
    for k, t in enumerate(s.timesteps[first:]):
        u, c = parts["unet"](torch.cat([z, z]), t, encoder_hidden_states=context, class_labels=labels).sample.float().chunk(2)
        v = u + guidance * (c - u)
        if color:
            fade = color * (1 - 7 / 8 * k / max(1, steps - first - 1))
            v = v - fade / sigma[t] * low_band(start - (alpha[t] * z - sigma[t] * v), (3 * rgb_map.shape[-1] + 3) // 4)
        z = s.step(v, t, z).prev_sample
        trajectory.append(z)
    if trace is not None:
        trace.update(condition=cond, z_color=start, latents=torch.stack(trajectory))
    return z


@torch.no_grad()
def decode(parts, e_hat, rgb_map, noise, **options):
    """The whole decoder: as journey, and then pictures [N, 3, H, W] in [0, 1]."""
    z = journey(parts, e_hat, rgb_map, noise, **options)
    return (parts["vae"].decode(z / parts["scaling_factor"]).sample.float() / 2 + 0.5).clamp(0, 1)
