"""Makes the golden cases: what transformers and diffusers compute on synthetic weights.

    python golden.py --model tiny --seed 1 --out DIR          8 s
    python golden.py --model unclip-l --seed 1 --out DIR      10 min, 3.2 GB of weights

The model folder goes to DIR/model (or to --weights), and the cases, which are float32 on the CPU, to DIR/cases.
A case is a safetensors file: "in/..." are inputs, "out/..." outputs, "mid/..." outputs of the submodule of
that name. Activations are NCHW, as in PyTorch. At full size the VAE's image is float16, that of the round trip
uint8. The weights are float16 on disk (see synth.py) and float32 in the computation.
"""

import argparse
import json
import math
import os

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL, DDPMScheduler, DPMSolverMultistepScheduler, PNDMScheduler, UNet2DConditionModel, UniPCMultistepScheduler
from diffusers.guiders import AdaptiveProjectedGuidance, ClassifierFreeGuidance
from diffusers.models.embeddings import get_timestep_embedding
from diffusers.pipelines.stable_diffusion.stable_unclip_image_normalizer import StableUnCLIPImageNormalizer
from PIL import Image
from safetensors.torch import save_file
from transformers import CLIPImageProcessor, CLIPTextConfig, CLIPTextModel, CLIPVisionConfig, CLIPVisionModelWithProjection

import configs
import synth

torch.set_grad_enabled(False)


def write_json(path, obj):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        json.dump(obj, f, indent=2)


def fill(module, seed, path, prefix=""):
    """Replaces every weight by the law's, saves them as float16, and leaves them as float32 in the module.

    A prefix is put before names that lack it, so that the file has the names of the published checkpoints.
    """
    state = {}
    for name, p in module.state_dict().items():
        if name.endswith("position_ids"):
            continue
        if not name.startswith(prefix):
            name = prefix + name
        w = torch.from_numpy(synth.tensor(name, tuple(p.shape), seed))
        state[name] = w.contiguous()
        p.copy_(w.float())
    os.makedirs(os.path.dirname(path), exist_ok=True)
    save_file(state, path, metadata={"format": "pt"})
    return module.eval()


def build(model, seed, folder):
    cfg = configs.MODELS[model]
    d = lambda *p: os.path.join(folder, *p)
    for part in ("image_encoder", "text_encoder", "unet", "vae"):
        write_json(d(part, "config.json"), cfg[part])
    write_json(d("scheduler", "scheduler_config.json"), configs.SCHEDULER)
    write_json(d("image_noising_scheduler", "scheduler_config.json"), configs.NOISING)
    write_json(d("image_normalizer", "config.json"), {"_class_name": "StableUnCLIPImageNormalizer", "embedding_dim": cfg["embedding_dim"]})
    size = cfg["image_encoder"]["image_size"]
    write_json(d("feature_extractor", "preprocessor_config.json"), {
        "crop_size": {"height": size, "width": size}, "do_center_crop": True, "do_convert_rgb": True, "do_normalize": True,
        "do_rescale": True, "do_resize": True, "image_mean": [0.48145466, 0.4578275, 0.40821073],
        "image_std": [0.26862954, 0.26130258, 0.27577711], "image_processor_type": "CLIPImageProcessor", "resample": 3,
        "rescale_factor": 1 / 255, "size": {"shortest_edge": size}})
    write_json(d("model_index.json"), {"_class_name": "StableUnCLIPImg2ImgPipeline",
        "feature_extractor": ["transformers", "CLIPImageProcessor"], "image_encoder": ["transformers", "CLIPVisionModelWithProjection"],
        "image_normalizer": ["stable_diffusion", "StableUnCLIPImageNormalizer"], "image_noising_scheduler": ["diffusers", "DDPMScheduler"],
        "scheduler": ["diffusers", "PNDMScheduler"], "text_encoder": ["transformers", "CLIPTextModel"],
        "tokenizer": ["transformers", "CLIPTokenizer"], "unet": ["diffusers", "UNet2DConditionModel"], "vae": ["diffusers", "AutoencoderKL"]})
    torch_cfg = lambda c: {k: v for k, v in c.items() if not k.startswith("_") and k not in ("architectures", "model_type")}
    m = {}
    m["image_encoder"] = lambda: fill(CLIPVisionModelWithProjection(CLIPVisionConfig(**torch_cfg(cfg["image_encoder"]))), seed, d("image_encoder", "model.safetensors"))
    m["text_encoder"] = lambda: fill(CLIPTextModel(CLIPTextConfig(**torch_cfg(cfg["text_encoder"]))), seed, d("text_encoder", "model.safetensors"), "text_model.")
    m["unet"] = lambda: fill(UNet2DConditionModel(**torch_cfg(cfg["unet"])), seed, d("unet", "diffusion_pytorch_model.safetensors"))
    m["vae"] = lambda: fill(AutoencoderKL(**torch_cfg(cfg["vae"])), seed, d("vae", "diffusion_pytorch_model.safetensors"))
    m["image_normalizer"] = lambda: fill(StableUnCLIPImageNormalizer(embedding_dim=cfg["embedding_dim"]), seed, d("image_normalizer", "diffusion_pytorch_model.safetensors"))
    return cfg, m


LAYERS = True  # keep the outputs of layers


def save(out, name, tensors, layers=()):
    """Writes a case. layers are the outputs of layers, which are left out with --no-layers."""
    os.makedirs(out, exist_ok=True)
    tensors = {**tensors, **(layers if layers and LAYERS else {})}
    save_file({k: (v if torch.is_tensor(v) else torch.from_numpy(np.ascontiguousarray(v))).contiguous() for k, v in tensors.items()},
              os.path.join(out, name + ".safetensors"))
    print(name, {k: tuple(v.shape) for k, v in tensors.items() if not k.startswith("mid/")}, flush=True)


def n(name, shape, seed):
    return torch.from_numpy(synth.noise(name, shape, seed))


def hooks(module, types, keep):
    def hook(name):
        def f(_m, _i, o):
            o = o[0] if isinstance(o, tuple) else getattr(o, "sample", o)
            keep["mid/" + name] = o.detach().clone()
        return f
    return [m.register_forward_hook(hook(k)) for k, m in module.named_modules() if type(m).__name__ in types]


# ---- test pictures: smooth scenes with texture ------------------------------------------------------------------

def picture(h, w, seed):
    """uint8 [h, w, 3]: gradients, discs and a little noise."""
    rng = np.random.RandomState(seed)
    y, x = np.mgrid[0:h, 0:w].astype(np.float64)
    img = np.stack([(0.2 + 0.6 * (y / h) * rng.rand() + 0.3 * np.sin(x / w * 3 + c + seed)) for c in range(3)], -1)
    for _ in range(6):
        cy, cx, r = rng.rand() * h, rng.rand() * w, (0.05 + 0.2 * rng.rand()) * min(h, w)
        img[(y - cy) ** 2 + (x - cx) ** 2 < r * r] = rng.rand(3)
    img += rng.randn(h, w, 1) * 0.03
    return (np.clip(img, 0, 1) * 255).round().astype(np.uint8)


# ---- the codec's own arithmetic, as the paper gives it ----------------------------------------------------------

def quantize_vector(x, bits):
    """Eq. 3 on [-1, 1] with 2^bits levels: step q = 2^(1-bits). Returns (codes int64, dequantized)."""
    q = 2.0 ** (1 - bits)
    k = torch.clamp(torch.floor(torch.clamp(x, -1, 1) / q), -(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    return (k + 2 ** (bits - 1)).long(), k * q + q / 2


def color_map(rgb, size, bits, antialias=False):
    """rgb float [3,H,W] in [0,1] -> codes Y [n,n], U, V [n/2,n/2] and the dequantized RGB map [3,n,n].

    Bilinear to n x n, BT.601 full-range YUV, chroma averaged over 2x2, uniform mid-rise quantizer with 2^bits levels on [0,1].
    """
    m = F.interpolate(rgb[None], (size, size), mode="bilinear", align_corners=False, antialias=antialias)[0]
    r, g, b = m
    y = 0.299 * r + 0.587 * g + 0.114 * b
    u = (b - y) / 1.772 + 0.5
    v = (r - y) / 1.402 + 0.5
    u, v = (F.avg_pool2d(c[None, None], 2)[0, 0] for c in (u, v))
    code = lambda c: torch.clamp(torch.floor(c * 2**bits), 0, 2**bits - 1)
    ky, ku, kv = code(y), code(u), code(v)
    y, u, v = ((k + 0.5) / 2**bits for k in (ky, ku, kv))
    u, v = (F.interpolate(c[None, None], scale_factor=2, mode="nearest")[0, 0] for c in (u, v))
    r = y + 1.402 * (v - 0.5)
    b = y + 1.772 * (u - 0.5)
    g = (y - 0.299 * r - 0.114 * b) / 0.587
    return (ky.long(), ku.long(), kv.long()), torch.stack([r, g, b]).clamp(0, 1)


def unclip_condition(embeds, normalizer, noising, level, noise):
    """noise_image_embeddings of the Stable unCLIP pipeline."""
    t = torch.tensor([level] * embeds.shape[0])
    x = noising.add_noise(normalizer.scale(embeds), timesteps=t, noise=noise)
    e = get_timestep_embedding(timesteps=t, embedding_dim=embeds.shape[-1], flip_sin_to_cos=True, downscale_freq_shift=0)
    return torch.cat((normalizer.unscale(x), e), 1)


def solver(steps, cls=DPMSolverMultistepScheduler, **kw):
    s = cls.from_config(PNDMScheduler.from_config(configs.SCHEDULER).config, **kw)
    s.set_timesteps(steps)
    return s


# ---- cases ------------------------------------------------------------------------------------------------------

def case_preprocess(out, seed):
    t = {}
    for i, (h, w, size) in enumerate([(128, 128, 56), (97, 211, 56), (300, 180, 56), (60, 40, 56), (256, 256, 224), (97, 131, 224)]):
        img = picture(h, w, seed * 10 + i)
        t[f"in/{i}"] = img
        p = CLIPImageProcessor(size={"shortest_edge": size}, crop_size={"height": size, "width": size})
        if size == 56:
            t[f"out/{i}/pixel_values"] = p(images=Image.fromarray(img), return_tensors="pt").pixel_values[0]
        t[f"out/{i}/resized_uint8"] = np.asarray(p(images=Image.fromarray(img), do_rescale=False, do_normalize=False, return_tensors="np").pixel_values[0]).astype(np.uint8)
    save(out, "preprocess", t)


def case_randn(out):
    """torch.randn of a CPU generator, from which diffusers' pipelines with a seed take their noise."""
    t = {}
    for seed in (0, 1, 42, 20240426, 2**31 + 5):
        for shape in [(7,), (16,), (37,), (1, 4, 16, 16)]:
            t[f"seed{seed}/" + "x".join(map(str, shape))] = torch.randn(shape, generator=torch.Generator().manual_seed(seed))
    g = torch.Generator().manual_seed(12345)  # two draws from one generator: embedding noise first, then latents
    t["two_draws/first"], t["two_draws/second"] = torch.randn((1, 768), generator=g), torch.randn((1, 4, 8, 8), generator=g)
    save(out, "randn", t)


def case_schedules(out, seed):
    t = {}
    for name, steps, start, kw in [
        ("default20", 20, 0, {}), ("strength088", 20, 3, {}), ("steps25", 25, 3, {}), ("steps10", 10, 0, {}), ("steps4", 4, 0, {}),
        ("sigma_min", 20, 3, {"final_sigmas_type": "sigma_min"}), ("order1", 12, 0, {"solver_order": 1}), ("order3", 20, 0, {"solver_order": 3}),
        ("epsilon", 20, 0, {"prediction_type": "epsilon"}), ("sample", 20, 0, {"prediction_type": "sample"}),
        ("leading", 20, 0, {"timestep_spacing": "leading"}), ("trailing", 20, 0, {"timestep_spacing": "trailing"}),
        ("karras", 20, 0, {"use_karras_sigmas": True}), ("heun", 20, 2, {"solver_type": "heun"}),
    ]:
        s = solver(steps, **kw)
        x = n("x", (1, 4, 6, 6), seed)
        noise = n("noise", (1, 4, 6, 6), seed)
        if start:
            s.set_begin_index(start)
            x = s.add_noise(x, noise, s.timesteps[start : start + 1])
        xs = [x.clone()]
        for ts in s.timesteps[start:]:
            # In place of a network, and easy to repeat anywhere: m = sin(x) * (0.3 + t/2000).
            m = torch.sin(x) * (0.3 + float(ts) / 2000)
            x = s.step(m, ts, x).prev_sample
            xs.append(x.clone())
        t[f"{name}/timesteps"] = s.timesteps[start:].long()
        t[f"{name}/sigmas"] = s.sigmas[start:].float()
        t[f"{name}/trajectory"] = torch.stack(xs)
    t["in/x"], t["in/noise"] = n("x", (1, 4, 6, 6), seed), n("noise", (1, 4, 6, 6), seed)
    ddpm = DDPMScheduler.from_config(configs.NOISING)
    t["noising/alphas_cumprod"] = ddpm.alphas_cumprod
    save(out, "schedules", t)


def case_vision(out, cfg, enc, seed, mids):
    keep = {}
    hs = hooks(enc, {"CLIPEncoderLayer", "CLIPVisionEmbeddings", "LayerNorm"} if mids else set(), keep)
    size = cfg["image_encoder"]["image_size"]
    x = n("pixels", (2, 3, size, size), seed)
    o = enc(pixel_values=x)
    for h in hs:
        h.remove()
    save(out, "vision", {"in/pixel_values": x, "out/image_embeds": o.image_embeds}, keep)


def case_text(out, cfg, enc, seed, mids):
    v = cfg["text_encoder"]["vocab_size"]
    rng = np.random.RandomState(seed)
    empty = [v - 2, v - 1] + [0] * 75
    words = [v - 2] + rng.randint(1, v - 2, 9).tolist() + [v - 1] + [0] * 66
    ids = torch.tensor([empty, words])
    keep = {}
    hs = hooks(enc, {"CLIPEncoderLayer"} if mids else set(), keep)
    o = enc(input_ids=ids)
    for h in hs:
        h.remove()
    save(out, "text", {"in/input_ids": ids, "out/last_hidden_state": o.last_hidden_state}, keep)


def case_unet(out, cfg, unet, seed, name, t, h, w, mids):
    u = cfg["unet"]
    x = n("sample/" + name, (2, 4, h, w), seed)
    ctx = n("context/" + name, (2, 77, u["cross_attention_dim"]), seed)
    cls = n("class/" + name, (2, u["projection_class_embeddings_input_dim"]), seed)
    cls[0] = 0  # the unconditional half of classifier-free guidance
    keep = {}
    hs = hooks(unet, {"ResnetBlock2D", "Transformer2DModel", "BasicTransformerBlock", "Downsample2D", "Upsample2D", "TimestepEmbedding", "Timesteps"} if mids else set(), keep)
    o = unet(x, t, encoder_hidden_states=ctx, class_labels=cls).sample
    for hh in hs:
        hh.remove()
    save(out, "unet_" + name, {"in/sample": x, "in/timestep": torch.tensor([t]), "in/encoder_hidden_states": ctx, "in/class_labels": cls, "out/sample": o}, keep)


def case_vae(out, vae, seed, h, w, mids):
    img = torch.from_numpy(picture(h, w, seed)).permute(2, 0, 1)[None].float() / 127.5 - 1
    keep = {}
    hs = hooks(vae, {"Attention", "Downsample2D", "Upsample2D"} if mids else set(), keep)
    image = lambda x: x if mids else x.half()
    mean = vae.encode(img).latent_dist.mode()
    z = n("latent", (1, 4, h // 8, w // 8), seed)
    dec = vae.decode(z).sample
    for hh in hs:
        hh.remove()
    save(out, "vae", {"in/image_uint8": picture(h, w, seed), "out/latent_mean": mean, "in/latent": z, "out/image": image(dec)}, keep)


def case_condition(out, cfg, normalizer, seed):
    e = n("embeds", (1, cfg["embedding_dim"]), seed) * 0.4
    noise = n("embed_noise", (1, cfg["embedding_dim"]), seed)
    ddpm = DDPMScheduler.from_config(configs.NOISING)
    t = {"in/image_embeds": e, "in/noise": noise}
    for level in (0, 100, 999):
        t[f"out/level{level}"] = unclip_condition(e, normalizer, ddpm, level, noise)
    t["out/level0_noiseless"] = unclip_condition(e, normalizer, ddpm, 0, torch.zeros_like(noise))
    save(out, "condition", t)


def case_quantizers(out, cfg, seed):
    t = {}
    e = n("q_embeds", (cfg["embedding_dim"],), seed) * 0.5
    e[:4] = torch.tensor([0.0, -1.0, 1.0, 1.7])
    t["in/embedding"] = e
    for bits in (1, 2, 4, 8):
        t[f"out/embedding_codes_{bits}"], t[f"out/embedding_{bits}"] = quantize_vector(e, bits)
    for i, (h, w) in enumerate([(256, 256), (150, 200)]):
        img = picture(h, w, seed + i)
        t[f"in/image{i}"] = img
        rgb = torch.from_numpy(img).permute(2, 0, 1).float() / 255
        for size in (4, 8, 16, 32):
            for bits in (1, 2, 3, 4):
                for aa in (False, True):
                    (y, u, v), rec = color_map(rgb, size, bits, aa)
                    key = f"out/{i}/{size}x{size}b{bits}" + ("_antialias" if aa else "")
                    for plane, c in zip("yuv", (y, u, v)):
                        t[f"{key}/{plane}"] = c.to(torch.uint8)
                    t[f"{key}/rgb"] = rec
    save(out, "quantizers", t)


def decode(cfg, parts, embeds_hat, rgb_map, size, noise, steps, strength, guidance, dtype=torch.float32, s=None, guider=None, of_x0=False, g=None):
    """Decodes at size x size pixels from noise [1,4,size/8,size/8].

    s is a scheduler other than the paper's, and guider a guider other than plain guidance, of estimates of x0 if
    of_x0 is set. g draws the noise of an SDE.

    Returns the context, the condition, the color map's latent, the trajectory of latents and the image [3,H,W] in [0,1].
    """
    v = cfg["text_encoder"]["vocab_size"]
    ids = torch.tensor([[v - 2, v - 1] + [0] * 75])
    ctx = parts["text_encoder"]()(input_ids=ids).last_hidden_state.to(dtype)
    cond = unclip_condition(embeds_hat[None], parts["image_normalizer"](), DDPMScheduler.from_config(configs.NOISING), 0, torch.zeros(1, cfg["embedding_dim"])).to(dtype)
    vae = parts["vae"]().to(dtype)
    up = F.interpolate(rgb_map[None], (size, size), mode="bilinear", align_corners=False)
    z = (vae.encode((up * 2 - 1).to(dtype)).latent_dist.mode() * vae.config.scaling_factor).float()
    zc = z.clone()
    unet = parts["unet"]().to(dtype)
    s = s or solver(steps)
    start = steps - min(int(steps * strength), steps)
    s.set_begin_index(start)
    z = s.add_noise(z, noise, s.timesteps[start : start + 1])
    traj = [z.clone()]
    for i, t in enumerate(s.timesteps[start:]):
        both = unet(torch.cat([z, z]).to(dtype), t, encoder_hidden_states=torch.cat([ctx, ctx]), class_labels=torch.cat([torch.zeros_like(cond), cond])).sample.float()
        v_hat = both[:1] + guidance * (both[1:] - both[:1])
        if guider:
            guider.set_state(step=i, num_inference_steps=len(s.timesteps) - start, timestep=t)
            guider.prepare_inputs({})  # resets the momentum before the first step
            level = s.sigmas[start + i]
            alpha, sigma = 1 / (1 + level**2).sqrt(), level / (1 + level**2).sqrt()
            into, back = (lambda v: alpha * z - sigma * v, lambda x0: (alpha * z - x0) / sigma) if of_x0 else (lambda v: v,) * 2
            v_hat = back(guider.forward(into(both[1:]), into(both[:1])).pred)
        z = s.step(v_hat, t, z, **({"generator": g} if g else {})).prev_sample
        traj.append(z.clone())
        print("step", int(t), float(z.std()), flush=True)
    img = vae.decode((z / vae.config.scaling_factor).to(dtype)).sample.float()
    return ctx, cond, zc, torch.stack(traj), (img[0] / 2 + 0.5).clamp(0, 1)


def case_roundtrip(out, cfg, parts, seed, size, name="roundtrip"):
    img = picture(size, size, seed + 100)
    clip = CLIPImageProcessor(size={"shortest_edge": cfg["image_encoder"]["image_size"]}, crop_size={"height": cfg["image_encoder"]["image_size"], "width": cfg["image_encoder"]["image_size"]})
    px = clip(images=Image.fromarray(img), return_tensors="pt").pixel_values
    e = parts["image_encoder"]()(pixel_values=px).image_embeds[0]
    codes, e_hat = quantize_vector(e, 1)
    (y, u, v), rgb = color_map(torch.from_numpy(img).permute(2, 0, 1).float() / 255, 8, 2)
    noise = n("roundtrip_noise", (1, 4, size // 8, size // 8), seed)
    ctx, cond, zc, traj, rec = decode(cfg, parts, e_hat, rgb, size, noise, 20, 0.88, 12.0)
    save(out, name, {"in/image": img, "in/noise": noise, "mid/pixel_values": px, "mid/image_embeds": e, "mid/embedding_codes": codes, "mid/y": y, "mid/u": u, "mid/v": v,
                     "mid/rgb_map": rgb, "mid/condition": cond, "mid/z_color": zc, "mid/latents": traj if size < 256 else traj[[0, 1, -1]],
                     "out/image": rec if size < 256 else (rec * 255).round().to(torch.uint8)})


SAMPLER_SEED = 7  # torch.manual_seed: the noise of a latent and then of an SDE's steps


def case_samplers(out, cfg, parts, seed, size):
    """Decodes of the round trip's picture by other samplers."""
    e_hat = quantize_vector(n("samplers_embeds", (cfg["embedding_dim"],), seed) * 0.5, 1)
    (y, u, v), rgb = color_map(torch.from_numpy(picture(size, size, seed + 200)).permute(2, 0, 1).float() / 255, 8, 2)
    t = {"in/codes": e_hat[0], "in/y": y, "in/u": u, "in/v": v}
    for name, kw in {
        "unipc3_karras": {"s": solver(20, UniPCMultistepScheduler, solver_order=3, use_karras_sigmas=True)},
        "sde_exponential": {"s": solver(20, algorithm_type="sde-dpmsolver++", use_exponential_sigmas=True)},
        "trailing_rescale": {"s": solver(20, timestep_spacing="trailing"),
                             "guider": ClassifierFreeGuidance(guidance_scale=12.0, guidance_rescale=0.7, start=0.2, stop=0.8)},
        "apg": {"of_x0": True, "guider": AdaptiveProjectedGuidance(
            guidance_scale=12.0, eta=0.25, adaptive_projected_guidance_rescale=9.0, adaptive_projected_guidance_momentum=-0.5)},
    }.items():
        g = torch.Generator().manual_seed(SAMPLER_SEED)
        noise = torch.randn((1, 4, size // 8, size // 8), generator=g)
        sde = name.startswith("sde")
        t[f"out/{name}"] = decode(cfg, parts, e_hat[1], rgb, size, noise, 20, 0.88, 12.0, g=g if sde else None, **kw)[3][[0, 1, 2, -2, -1]]
    save(out, "samplers", t)


def main():
    global LAYERS
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("--model", default="tiny", choices=list(configs.MODELS))
    a.add_argument("--seed", type=int, default=1)
    a.add_argument("--out", required=True)
    a.add_argument("--weights", help="the model folder (default OUT/model)")
    a.add_argument("--only", default="", help="the cases to make, such as text,unet (default all)")
    a.add_argument("--no-layers", action="store_true", help="leave out the outputs of layers")
    a = a.parse_args()
    LAYERS = not a.no_layers
    small = a.model == "tiny"
    weights = a.weights or os.path.join(a.out, "model")
    cases = os.path.join(a.out, "cases")
    cfg, make = build(a.model, a.seed, weights)
    made = {}
    def part(k):  # one big network in memory at a time
        if k not in made:
            if not small:
                made.clear()
            made[k] = make[k]()
        return made[k]
    parts = {k: (lambda k=k: part(k)) for k in make}
    want = lambda c: not a.only or c in a.only.split(",")
    if small and want("preprocess"):
        case_preprocess(cases, a.seed)
        case_randn(cases)
    if small and want("schedules"):
        case_schedules(cases, a.seed)
    if small and want("quantizers"):
        case_quantizers(cases, cfg, a.seed)
    if want("vision"):
        case_vision(cases, cfg, parts["image_encoder"](), a.seed, small)
    if want("text"):
        case_text(cases, cfg, parts["text_encoder"](), a.seed, small)
    if want("condition"):
        case_condition(cases, cfg, parts["image_normalizer"](), a.seed)
    side = cfg["unet"]["sample_size"]
    if want("unet"):
        u = parts["unet"]()
        case_unet(cases, cfg, u, a.seed, "square", 849, side, side, small)
        case_unet(cases, cfg, u, a.seed, "wide", 50, side // 2, side + 8 if small else side, False)
    if want("vae"):
        if small:
            case_vae(cases, parts["vae"](), a.seed, side * 4, side * 4, True)
        else:
            case_vae(cases, parts["vae"](), a.seed, side * 8, side * 8, False)
    if want("roundtrip"):
        case_roundtrip(cases, cfg, parts, a.seed, side * 8)
    if small and want("samplers"):
        case_samplers(cases, cfg, parts, a.seed, side * 8)


if __name__ == "__main__":
    main()
