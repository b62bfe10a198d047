"""The autoencoder: 8x8 pixels are 4 numbers, and colors come back."""

import os

import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL
from diffusers.models.attention_processor import AttnProcessor
from torch import nn

import data

CONFIG = {
    "_class_name": "AutoencoderKL", "in_channels": 3, "out_channels": 3, "latent_channels": 4,
    "block_out_channels": [16, 32, 64, 96], "layers_per_block": 1, "norm_num_groups": 2, "act_fn": "silu",
    "down_block_types": ["DownEncoderBlock2D"] * 4, "up_block_types": ["UpDecoderBlock2D"] * 4,
    "sample_size": data.SIZE, "scaling_factor": 1.0,
}

# The deviation of the latents that the denoiser sees. A cell of the color map is 12x12 latents of a picture of 768x768 and
# 2x2 of one of 128x128, so noise of the same size hides the map's colors sooner: the latents are made larger than 1.
DEVIATION = 4.0


def build():
    m = AutoencoderKL(**{k: v for k, v in CONFIG.items() if not k.startswith("_")})
    m.decoder.conv_out = data.Exact(CONFIG["block_out_channels"][0], 3, 3, 1, 1)
    for a in (m.encoder.mid_block.attentions[0], m.decoder.mid_block.attentions[0]):
        a.set_processor(AttnProcessor())  # its backward pass is several times faster on a CPU
    return m


@torch.no_grad()
def begin(m):
    """Weights to begin with: three latents are the mean color of 8x8 pixels, and come back as smooth colors.

    The main path carries RGB in its first six channels, as x and -x, because silu(x) - silu(-x) = x. The last norm of each
    half would take the mean color away; constants in other channels of the group keep its mean and deviation where they are.
    All residual branches add 0 at first. From random weights, colors were not learnt in a thousand steps.
    """
    blur = torch.tensor([0.25, 0.5, 0.25])
    kernels = {"shortcut": torch.ones(1, 1), "downsamplers.0.conv": F.pad(torch.full((2, 2), 0.25), (0, 1, 0, 1)), "upsamplers.0.conv": torch.outer(blur, blur)}
    for name, layer in m.named_modules():
        if name.endswith(("conv2", "to_out.0")):
            layer.weight.zero_()
            layer.bias.zero_()
        for end, kernel in kernels.items():
            if name.endswith(end):
                pass_on(layer, torch.eye(6), kernel)
    yuv = torch.tensor([[0.299, 0.587, 0.114], [-0.1687, -0.3313, 0.5], [0.5, -0.4187, -0.0813]]) * torch.tensor([[1.5], [3], [3]])
    pair = torch.cat([torch.eye(3), -torch.eye(3)])  # RGB -> x and -x
    first, last = m.encoder, m.decoder
    pass_on(first.conv_in, pair, torch.ones(1, 1))
    first.down_blocks[-1].resnets[0].conv_shortcut.bias[6:48] = 4 * (-1.0) ** torch.arange(42)
    pass_on(first.conv_out, 3.74 * yuv @ pair.T, torch.ones(1, 1))
    first.conv_out.weight[4:] *= 0.1
    first.conv_out.bias[4:] = -4
    pass_on(m.quant_conv, torch.eye(8), torch.ones(1, 1))
    pass_on(m.post_quant_conv, torch.eye(4), torch.ones(1, 1))
    pass_on(last.conv_in, pair @ torch.linalg.inv(yuv), torch.ones(1, 1))
    widths = last.up_blocks[-1].resnets[0].conv_shortcut
    widths.weight[6:8] = 0
    widths.bias[6:8] = torch.tensor([6.0, -6.0])
    last.conv_out.weight *= 0.1
    pass_on(last.conv_out, 3.05 * pair.T, torch.ones(1, 1))


def pass_on(layer, matrix, kernel):
    """The first outputs of a convolution become the given matrix of its first inputs, each under the kernel."""
    out, inside = matrix.shape
    size, k = layer.weight.shape[-1], kernel.shape[0]
    at = (size - k) // 2
    layer.weight[:out] = 0
    layer.bias[:out] = 0
    layer.weight[:out, :inside, at : at + k, at : at + k] = matrix[:, :, None, None] * kernel


def load(work, name="autoencoder"):
    """The autoencoder, or the one with the painter for a decoder, and the factor that gives its latents their deviation."""
    saved = torch.load(os.path.join(work, name + ".pt"))
    m = build()
    m.load_state_dict(saved["weights"])
    return m.eval().requires_grad_(False), DEVIATION * saved["scaling_factor"]


def maps(x, size):
    """Color maps of pictures as the decoder meets them: 8x8, 2 bits a value, up-sampled."""
    n = 2 ** int(torch.randint(1, 4, (1,)))
    m = F.interpolate(x, (n, n), mode="area")
    levels = 2 ** int(torch.randint(2, 5, (1,)))
    m = ((m * levels).floor().clamp(max=levels - 1) + 0.5) / levels
    return F.interpolate(m, (size, size), mode="bilinear")


def batch(pixels, n, size):
    """Windows of scenes, a quarter of them shrunk, some in other colors, some as color maps, some of noise."""
    at = torch.randint(0, data.SIZE - size + 1, (n, 2))
    i = torch.randint(0, len(pixels), (n,))
    x = torch.stack([pixels[k, y : y + size, z : z + size] for k, (y, z) in zip(i, at.tolist())])
    x = data.floats(x)
    q = max(1, n // 4)
    whole = data.floats(pixels[i[:q]])
    x[:q] = F.interpolate(whole, (size, size), mode="area")
    if torch.rand(()) < 0.5:
        x = x.flip(3)
    x = data.chance(x, 0.3, data.recolor)
    x = data.chance(x, 0.2, data.turn_hue)
    x = data.chance(x, 0.15, lambda y: maps(y, size))
    return data.chance(x, 0.05, noise)


def noise(x):
    """Colored noise of some grain about a color: textures that no scene has."""
    n, _, h, w = x.shape
    grain = 2 ** int(torch.randint(0, 5, (1,)))
    t = F.interpolate(torch.randn(n, 3, h // grain, w // grain), (h, w), mode="bilinear")
    return (torch.rand(n, 3, 1, 1) + data.rand(n, 0, 0.4) * t).clamp(0, 1)


def edges(x):
    return x[..., 1:] - x[..., :-1], x[..., 1:, :] - x[..., :-1, :]


def difference(x, y):
    """Mean absolute difference, that of colors over 8x8 pixels, and that of edges at three scales, so that detail is not paid for by blur."""
    loss = (x - y).abs().mean() + 2 * (F.avg_pool2d(x, 8) - F.avg_pool2d(y, 8)).abs().mean()
    for k in range(3):
        if k:
            x, y = F.avg_pool2d(x, 2), F.avg_pool2d(y, 2)
            loss = loss + 0.5 * (x - y).abs().mean()
        loss = loss + sum((a - b).abs().mean() for a, b in zip(edges(x), edges(y)))
    return loss


def train(work, minutes, workers):
    data.in_processes(work_on, workers, work, minutes)
    measure(work, data.Log(work, "autoencoder"))


def work_on(rank, workers, work, minutes, n=16, size=64, peak=1.5e-3):
    torch.manual_seed(2)
    pixels, m = data.load(work, "train")[0], build()
    begin(m)
    average = torch.optim.swa_utils.AveragedModel(m, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.99))
    opt = torch.optim.AdamW(m.parameters(), peak, weight_decay=1e-4, betas=(0.9, 0.98))
    clock, log, share = data.Clock(minutes), data.Log(work, "autoencoder"), 0.0
    torch.manual_seed(20 + rank)
    while share < 1:
        x = batch(pixels, n // workers, size) if share < 0.85 else batch(pixels, max(1, n // 4 // workers), data.SIZE)
        with data.narrow():
            post = m.encode(2 * x - 1).latent_dist
            z = post.mean + torch.exp(0.5 * post.logvar) * torch.randn_like(post.mean)
            y = m.decode(z).sample
        diff = difference(y.float(), 2 * x - 1)
        kl = 0.5 * (post.mean.float() ** 2 + post.logvar.float().exp() - 1 - post.logvar.float()).mean()
        opt.zero_grad()
        (diff + 1e-3 * kl).backward()
        share = data.share_gradients(m, clock.tick() if rank == 0 else 0.0, workers)
        nn.utils.clip_grad_norm_(m.parameters(), 1.0)
        for g in opt.param_groups:
            g["lr"] = data.rate(share, peak)
        opt.step()
        average.update_parameters(m)
        if rank == 0:
            log.add(share, diff=diff.detach(), kl=kl.detach(), l1=(y.detach().float() - (2 * x - 1)).abs().mean() / 2)
            if log.step % 200 == 0 or share >= 1:
                scaling = 1 / encode_all(average.module.eval(), pixels[:300], 1.0).std()
                torch.save({"weights": average.module.state_dict(), "scaling_factor": float(scaling)}, os.path.join(work, "autoencoder.pt"))


@torch.no_grad()
def encode_all(m, pixels, scaling, n=64):
    """uint8 pictures -> latents float32 [N, 4, 16, 16], times the scaling factor."""
    out = []
    for p in pixels.split(n):
        with data.narrow():
            out.append(m.encode(2 * data.floats(p) - 1).latent_dist.mean.float() * scaling)
    return torch.cat(out)


@torch.no_grad()
def measure(work, log):
    m, scaling = load(work)
    x = data.floats(data.load(work, "held_out")[0][:64])
    y = (m.decode(m.encode(2 * x - 1).latent_dist.mean).sample / 2 + 0.5).clamp(0, 1)
    mse = ((x - y) ** 2).mean((1, 2, 3))
    up = F.interpolate(F.interpolate(x, (8, 8), mode="area"), x.shape[-2:], mode="bilinear")
    back = (m.decode(m.encode(2 * up - 1).latent_dist.mean).sample / 2 + 0.5).clamp(0, 1)
    log.say(f"held out: PSNR {-10 * mse.log10().mean():.2f} dB; of color maps {-10 * ((up - back) ** 2).mean().log10():.2f} dB; scaling_factor {scaling:.4f}")
    save_sheet(torch.cat([x[:8], y[:8], up[:4], back[:4]]), os.path.join(work, "autoencoder.png"), 8)


def save_sheet(x, path, columns):
    """Pictures [N, 3, H, W] in [0, 1] as one PNG of rows of columns."""
    from PIL import Image

    n, _, h, w = x.shape
    rows = x.reshape(n // columns, columns, 3, h, w).permute(0, 3, 1, 4, 2).reshape(n // columns * h, columns * w, 3)
    Image.fromarray((rows.clamp(0, 1) * 255).round().to(torch.uint8).numpy()).save(path)
