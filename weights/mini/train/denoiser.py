"""The denoiser: latents and 768 bits in, a picture's latents out.

Guidance is trained, not added afterwards. The decoder computes u + g (c - u) of the network's
outputs without and with the class vector; training computes the same sum at g = GUIDANCE and
compares that with the picture. So the decoder's large g amplifies nothing that training has not
seen, and pictures do not burn. The outputs u alone are trained too, as those of a network
without class vectors, so that any other g is between the two or beyond.
"""

import os

import torch
import torch.nn.functional as F
from diffusers import UNet2DConditionModel
from diffusers.models.attention_processor import AttnProcessor
from transformers import CLIPTextConfig, CLIPTextModel

import autoencoder
import data
import pipeline
import tower

CONTEXT = 32
CONFIG = {
    "_class_name": "UNet2DConditionModel", "sample_size": data.SIZE // 8, "in_channels": 4, "out_channels": 4,
    "block_out_channels": [64, 128, 128], "layers_per_block": 1, "norm_num_groups": 8, "norm_eps": 1e-5,
    "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"],
    "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"],
    "mid_block_type": "UNetMidBlock2DCrossAttn", "attention_head_dim": [2, 4, 4], "cross_attention_dim": CONTEXT,
    "use_linear_projection": True, "class_embed_type": "projection", "projection_class_embeddings_input_dim": 2 * tower.DIM,
    "time_embedding_dim": 256, "act_fn": "silu", "flip_sin_to_cos": True, "freq_shift": 0, "downsample_padding": 1,
    "center_input_sample": False, "upcast_attention": True,
}
TEXT_CONFIG = {
    "architectures": ["CLIPTextModel"], "model_type": "clip_text_model", "hidden_size": CONTEXT, "num_hidden_layers": 1,
    "num_attention_heads": 1, "intermediate_size": 2 * CONTEXT, "vocab_size": 4, "max_position_embeddings": 77,
    "hidden_act": "gelu", "layer_norm_eps": 1e-5, "bos_token_id": 2, "eos_token_id": 3, "pad_token_id": 1, "projection_dim": 512,
}
GUIDANCE = 6.0  # at which the guided sum is trained; the decoder's 12 is then a guidance of 2 of an ordinary model
UNGUIDED = 0.15  # weight of the outputs without class vectors in the loss, as the usual share of dropped ones
RANGED = 0.35  # share of the color maps that are as the tuned profile has them
MIXED = 0.2  # share of the training steps in which bits and color map are of two different pictures


def build():
    m = UNet2DConditionModel(**{k: v for k, v in CONFIG.items() if not k.startswith("_")})
    m.set_attn_processor(AttnProcessor())  # its backward pass is several times faster on a CPU
    return m


@torch.no_grad()
def begin(m):
    """Weights to begin with: v is 0, attention adds nothing, and a class vector's effect is small, as it will be multiplied."""
    m.conv_out.weight *= 0.1
    for name, layer in m.named_modules():
        if name.endswith("proj_out"):
            layer.weight.zero_()
    m.class_embedding.linear_2.weight /= GUIDANCE
    return m


def text_tower():
    """A text tower of random weights: its output is a constant that the denoiser learns with."""
    torch.manual_seed(3)
    m = CLIPTextModel(CLIPTextConfig(**{k: v for k, v in TEXT_CONFIG.items() if k not in ("architectures", "model_type")}))
    for p in m.parameters():
        p.data = p.data.half().float()  # as it will be stored
    return m.eval().requires_grad_(False)


@torch.no_grad()
def context():
    """The tower's output for the empty prompt, float32 [1, 77, CONTEXT]."""
    v = TEXT_CONFIG["vocab_size"]
    return text_tower()(input_ids=torch.tensor([[v - 2, v - 1] + [0] * 75])).last_hidden_state


def load(work):
    m = build()
    m.load_state_dict(torch.load(os.path.join(work, "denoiser.pt")))
    return m.eval().requires_grad_(False)


def variants(pixels):
    """Scenes as the denoiser meets them: mirrored or not, some in other colors."""
    x = data.floats(pixels)
    x = data.chance(x, 0.5, lambda y: y.flip(3))
    x = data.chance(x, 0.2, data.recolor)
    return data.chance(x, 0.06, data.turn_hue)


@torch.no_grad()
def prepare(work, n=8):
    """Encodes the training pictures: latents, those of the color maps, the 768 bits, and notes what they show.

    Every other picture is encoded a second time in the colors of the one before it ("mixed"): the picture that the
    decoder shall paint of the bits of the one and the map of the other.
    """
    torch.manual_seed(4)
    pixels, kinds, _ = data.load(work, "train")
    order = torch.randperm(len(pixels))
    pixels, kinds = pixels[order], kinds[order]
    m, scaling = autoencoder.load(work)
    eyes = tower.load(work)
    encode = lambda x: m.encode(2 * x - 1).latent_dist.mean.float() * scaling
    out = {"pixels": [], "latents": [], "maps": [], "bits": [], "mixed": []}
    for p in pixels.split(n):
        x = variants(p)
        out["pixels"].append((255 * x).round().byte())
        ranged = torch.rand(len(x), 1, 1, 1) < RANGED
        maps = torch.where(ranged, pipeline.ranged_map(x), pipeline.color_map(x))
        with data.narrow():
            out["bits"].append(tower.embed(eyes, x) >= 0)
            out["latents"].append(encode(x))
            out["maps"].append(encode(pipeline.upsample(maps, data.SIZE)))
            out["mixed"].append(encode(data.transfer(x[1::2], x[0::2], data.rand(len(x) // 2, 0.75, 1))))
    seen, certain = (v[order] for v in data.objects(work, "train"))
    known = {"kinds": kinds, "seen": seen, "certain": certain}
    torch.save({k: torch.cat(v) for k, v in out.items()} | known, os.path.join(work, "latents.pt"))


def levels(n):
    """Noise levels of the class vector: 0, as the decoder has it, for most; now and then up to 999."""
    return torch.where(torch.rand(n) < 0.6, torch.zeros(n), 1000 * torch.rand(n) ** 3).long()


class Batches:
    """Noisy latents, time steps, class vectors and the v that is wanted."""

    def __init__(self, work):
        saved = torch.load(os.path.join(work, "latents.pt"))
        self.pixels, self.latents, self.maps, self.mixed = (saved[k] for k in ("pixels", "latents", "maps", "mixed"))
        self.kinds, self.bits, self.seen, self.certain = (saved[k] for k in ("kinds", "bits", "seen", "certain"))
        self.vectors = torch.where(self.bits, 0.5, -0.5)
        stat = torch.load(os.path.join(work, "statistics.pt"))
        self.mean, self.std = stat["mean"], stat["std"]
        self.alpha, self.sigma = pipeline.alphas(pipeline.SCHEDULER)

    def wanted(self, i):
        """What eyes.py wants to see of paintings with the bits of pictures i."""
        return {"kinds": self.kinds[i], "seen": self.seen[i], "certain": self.certain[i], "vectors": self.vectors[i]}

    def pictures(self, n):
        """Latents of pictures, those of their color maps, and vectors."""
        k = int(n * MIXED)
        i, j = torch.randint(0, len(self.latents), (n - k,)), torch.randint(0, len(self.mixed), (k,))
        return (torch.cat([self.latents[i], self.mixed[j]]), torch.cat([self.maps[i], self.maps[2 * j]]),
                self.vectors[torch.cat([i, 2 * j + 1])])

    def __call__(self, n):
        x0, maps, e = self.pictures(n)
        t = torch.where(torch.rand(n) < 0.93, 10 + 870 * torch.rand(n) ** 0.75, 880 + 120 * torch.rand(n)).long()  # more at large ones, where the scene is decided
        early = (t >= 620) & (torch.rand(n) < 0.6)  # the decoder begins with a color map: from there to the picture
        start = torch.where(early[:, None, None, None], maps, x0)
        a, s = self.alpha[t][:, None, None, None], self.sigma[t][:, None, None, None]
        x = a * start + s * torch.randn_like(x0)
        e = torch.where(torch.rand_like(e) < 0.02 * torch.rand(n, 1), -e, e)
        level = levels(n)
        noise = torch.randn_like(e) * (level > 0)[:, None]
        return x, t, pipeline.condition(e, self.mean, self.std, level, noise), (a * x - x0) / s


def losses(m, x, t, cond, v, words):
    """Mean squared errors of the guided sum and of the outputs without class vectors."""
    two = lambda a: torch.cat([a, a])
    with data.narrow():
        out = m(two(x), two(t), encoder_hidden_states=words.expand(2 * len(x), -1, -1),
                class_labels=torch.cat([torch.zeros_like(cond), cond])).sample
    u, c = out.float().chunk(2)
    return F.mse_loss(u + GUIDANCE * (c - u), v), F.mse_loss(u, v)


def groups(m, peak):
    """Parameters by learning rate: what is small because its effect is multiplied has small steps."""
    small = list(m.class_embedding.linear_2.parameters())
    rest = [p for p in m.parameters() if all(p is not q for q in small)]
    return [{"params": rest, "peak": peak}, {"params": small, "peak": peak / GUIDANCE}]


def train(work, minutes, workers, resume):
    data.in_processes(train_on if resume else train_anew, workers, work, minutes)


def train_anew(rank, workers, work, minutes):
    torch.manual_seed(5)
    run(rank, workers, work, minutes, begin(build()), 50, 1.2e-3)


def train_on(rank, workers, work, minutes):
    run(rank, workers, work, minutes, load(work).requires_grad_(True), 500, 8e-4)


def run(rank, workers, work, minutes, m, seed, peak, n=32):
    batches, words = Batches(work), context()
    fused = torch.compile(m, dynamic=False)  # 0.68 s a step instead of 0.94; takes minutes, the first time
    average = torch.optim.swa_utils.AveragedModel(m, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.998))
    opt = torch.optim.AdamW(groups(m, peak), peak, weight_decay=0.01, betas=(0.9, 0.98))
    clock, log, share = data.Clock(minutes), data.Log(work, "denoiser"), 0.0
    torch.manual_seed(seed + rank)
    while share < 1:
        guided, unguided = losses(fused, *batches(n // workers), words)
        opt.zero_grad()
        (guided + UNGUIDED * unguided).backward()
        share, _ = data.descend(m, opt, clock.tick() if rank == 0 else 0.0, workers)
        average.update_parameters(m)
        if rank == 0:
            log.add(share, guided=guided.detach(), unguided=unguided.detach())
            if log.step % 100 == 0 or share >= 1:
                torch.save(average.module.state_dict(), os.path.join(work, "denoiser.pt"))
