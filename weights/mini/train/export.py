"""The model folder, float16, and beside it golden cases and a few held-out pictures."""

import json
import os

import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from transformers import CLIPImageProcessor

import autoencoder
import data
import denoiser
import pipeline
import tower

EXTRACTOR = {
    "crop_size": {"height": data.SIZE, "width": data.SIZE}, "do_center_crop": True, "do_convert_rgb": True, "do_normalize": True,
    "do_rescale": True, "do_resize": True, "image_mean": [0.48145466, 0.4578275, 0.40821073],
    "image_std": [0.26862954, 0.26130258, 0.27577711], "image_processor_type": "CLIPImageProcessor", "resample": 3,
    "rescale_factor": 1 / 255, "size": {"shortest_edge": data.SIZE},
}
INDEX = {
    "_class_name": "StableUnCLIPImg2ImgPipeline",
    "feature_extractor": ["transformers", "CLIPImageProcessor"], "image_encoder": ["transformers", "CLIPVisionModelWithProjection"],
    "image_normalizer": ["stable_diffusion", "StableUnCLIPImageNormalizer"], "image_noising_scheduler": ["diffusers", "DDPMScheduler"],
    "scheduler": ["diffusers", "PNDMScheduler"], "text_encoder": ["transformers", "CLIPTextModel"],
    "tokenizer": ["transformers", "CLIPTokenizer"], "unet": ["diffusers", "UNet2DConditionModel"], "vae": ["diffusers", "AutoencoderKL"],
}


def half(m):
    """Rounds a module's weights to float16, as they are stored, and keeps them as float32."""
    for p in m.parameters():
        p.data = p.data.half().float()
    return m.eval().requires_grad_(False)


def parts(work):
    """The networks as the folder stores them: image_encoder, text_encoder, unet, vae, and numbers beside them."""
    vae, scaling = autoencoder.load(work, "painter" if os.path.exists(os.path.join(work, "painter.pt")) else "autoencoder")
    stat = torch.load(os.path.join(work, "statistics.pt"))
    text = denoiser.text_tower()
    return {
        "image_encoder": half(tower.load(work)), "text_encoder": text, "context": denoiser.context(),
        "unet": half(denoiser.load(work)), "vae": half(vae), "scaling_factor": round(scaling, 6),
        "mean": stat["mean"].half().float(), "std": stat["std"].half().float(),
    }


def store(path, state):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    save_file({k: v.contiguous() for k, v in state.items()}, path, metadata={"format": "pt"})


def half_state(m):
    return {k: v.half() for k, v in m.state_dict().items() if not k.endswith("position_ids")}


def write(work, out):
    """Writes the folder out, and out/testdata."""
    p = parts(work)
    at = lambda *names: os.path.join(out, *names)
    configs = {
        "image_encoder": tower.CONFIG, "text_encoder": denoiser.TEXT_CONFIG, "unet": denoiser.CONFIG,
        "vae": {**autoencoder.CONFIG, "scaling_factor": p["scaling_factor"]},
        "image_normalizer": {"_class_name": "StableUnCLIPImageNormalizer", "embedding_dim": tower.DIM},
    }
    for part, config in configs.items():
        data.write_json(at(part, "config.json"), config)
    for part, config in (("scheduler", pipeline.SCHEDULER), ("image_noising_scheduler", pipeline.NOISING)):
        data.write_json(at(part, "scheduler_config.json"), config)
    data.write_json(at("feature_extractor", "preprocessor_config.json"), EXTRACTOR)
    data.write_json(at("model_index.json"), INDEX)
    for part in ("image_encoder", "text_encoder"):
        state = {k if k.startswith(("text_model.", "vision_model.", "visual_projection")) else "text_model." + k: v for k, v in half_state(p[part]).items()}
        store(at(part, "model.safetensors"), state)
    for part in ("unet", "vae"):
        store(at(part, "diffusion_pytorch_model.safetensors"), half_state(p[part]))
    store(at("image_normalizer", "diffusion_pytorch_model.safetensors"), {k: p[k][None].half() for k in ("mean", "std")})
    store(os.path.join(work, "prompt_embeds.safetensors"), {"prompt_embeds": p["context"].half()})
    pictures(work, at("testdata", "scenes"))
    cases(p, work, at("testdata"))


def restore(work, folder, was=None):
    """The other way: from a folder's weights the files of DIR that the networks are trained on from.

    was is the deviation of its latents, where that is not autoencoder.DEVIATION.
    """
    at = lambda *names: load_file(os.path.join(folder, *names))
    full = lambda state: {k: v.float() for k, v in state.items()}
    keep = lambda name, value: torch.save(value, os.path.join(work, name))
    with open(os.path.join(folder, "vae", "config.json")) as f:
        scaling = json.load(f)["scaling_factor"]
    keep("tower.pt", full(at("image_encoder", "model.safetensors")))
    keep("statistics.pt", {k: v[0].float() for k, v in at("image_normalizer", "diffusion_pytorch_model.safetensors").items()})
    keep("autoencoder.pt", {"weights": full(at("vae", "diffusion_pytorch_model.safetensors")), "scaling_factor": scaling / (was or autoencoder.DEVIATION)})
    keep("denoiser.pt", full(at("unet", "diffusion_pytorch_model.safetensors")))


def pictures(work, out):
    """One held-out picture of each of six kinds, and a list that says which kind each is."""
    pixels, kinds, _ = data.load(work, "held_out")
    os.makedirs(out, exist_ok=True)
    listed = {}
    for name in ("sea_dusk", "forest", "skyline", "night_moon", "canyon", "river"):
        k = data.KINDS.index(name)
        i = int((kinds == k).nonzero()[0])
        Image.fromarray(pixels[i].numpy()).save(os.path.join(out, name + ".png"))
        listed[name + ".png"] = {"kind": name, "seed": data.HELD_OUT_SEED + i}
    data.write_json(os.path.join(out, "kinds.json"), listed)


@torch.no_grad()
def cases(p, work, out):
    """Golden cases: inputs and PyTorch's outputs of each network and of a whole journey, in float32."""
    g = torch.Generator().manual_seed(1)
    rand = lambda *shape: torch.randn(shape, generator=g)
    x = rand(1, 3, data.SIZE, data.SIZE).half().float()
    store(os.path.join(out, "vision.safetensors"), {"in/pixel_values": x.half(), "out/image_embeds": p["image_encoder"](pixel_values=x).image_embeds})
    v = denoiser.TEXT_CONFIG["vocab_size"]
    ids = torch.tensor([[v - 2, v - 1] + [0] * 75])
    store(os.path.join(out, "text.safetensors"), {"in/input_ids": ids, "out/last_hidden_state": p["text_encoder"](input_ids=ids).last_hidden_state})
    for name, t, h, w in (("square", 849, 16, 16), ("wide", 50, 8, 24)):
        z, words, labels = rand(2, 4, h, w), p["context"].expand(2, -1, -1), rand(2, 2 * tower.DIM)
        labels[0] = 0  # the unconditional half of classifier-free guidance
        store(os.path.join(out, f"unet_{name}.safetensors"), {
            "in/sample": z, "in/timestep": torch.tensor([t]), "in/encoder_hidden_states": words, "in/class_labels": labels,
            "out/sample": p["unet"](z, t, encoder_hidden_states=words, class_labels=labels).sample})
    pixels = data.load(work, "held_out")[0]
    window = pixels[0][:64, :64].contiguous()
    z = rand(1, 4, 8, 8)
    store(os.path.join(out, "vae.safetensors"), {
        "in/image_uint8": window, "out/latent_mean": p["vae"].encode(2 * data.floats(window[None]) - 1).latent_dist.mode(),
        "in/latent": z, "out/image": p["vae"].decode(z).sample.half()})
    journey(p, pixels[1], rand(1, 4, 16, 16), os.path.join(out, "roundtrip.safetensors"))


@torch.no_grad()
def journey(p, pixels, noise, path):
    """A picture through the whole codec at the paper's parameters."""
    clip = CLIPImageProcessor(**{k: EXTRACTOR[k] for k in ("size", "crop_size")})
    px = clip(images=Image.fromarray(pixels.numpy()), return_tensors="pt").pixel_values
    e = p["image_encoder"](pixel_values=px).image_embeds
    e_hat = tower.quantize(e)
    rgb = data.floats(pixels[None])
    (y, u, v), small, trace = [c[0] for c in pipeline.color_codes(rgb)], pipeline.color_map(rgb), {}
    out = pipeline.decode(p, e_hat, small, noise, trace=trace)
    store(path, {"in/image": pixels, "in/noise": noise, "mid/pixel_values": px, "mid/image_embeds": e[0],
                 "mid/embedding_codes": (e_hat[0] > 0).long(), "mid/y": y, "mid/u": u, "mid/v": v, "mid/rgb_map": small[0],
                 **{"mid/" + k: t for k, t in trace.items()}, "out/image": (out[0] * 255).round().to(torch.uint8)})
