"""Makes prompts.safetensors: what diffusers' StableUnCLIPImg2ImgPipeline paints on the tiny model with a prompt.

    python prompts.py               into the current folder

The pipeline gets a prompt and a negative prompt as texts, and its tokenizer is the tiny model's own. It has no color
map: its latents are the codec's own start, the noised latent of the map, at strength 1; and the noise of its CLIP
vector, which is drawn even at level 0, is zero as the codec's.
"""

import os
import tempfile

import configs
import golden
import numpy as np
import synth
import torch
import torch.nn.functional as F
from diffusers import DDPMScheduler, StableUnCLIPImg2ImgPipeline
from safetensors.torch import save_file
from transformers import CLIPImageProcessor, CLIPTokenizer

HERE = os.path.dirname(os.path.abspath(__file__))
TOKENIZER = os.path.join(HERE, "..", "..", "codec", "model", "synth", "configs", "tiny", "tokenizer")
SEED, SIDE, STEPS, GUIDANCE = 1, 128, 20, 12.0
PROMPT, NEGATIVE = "A painting of a Fox, in the Snow; it's 1/2 café 東京", "blurry!, low quality"


class Pipeline(StableUnCLIPImg2ImgPipeline):
    def noise_image_embeddings(self, image_embeds, noise_level, noise=None, generator=None):
        return super().noise_image_embeddings(image_embeds, noise_level, torch.zeros_like(image_embeds), generator)


def codes():
    """Random codes of the paper's profile: of the vector, and of the planes of the color map."""
    rng = np.random.RandomState(3)
    return rng.randint(0, 2, 32), [rng.randint(0, 4, (n, n)) for n in (8, 4, 4)]


def pack(vector, planes):
    bits = "".join(map(str, vector)) + "".join(f"{v:02b}" for p in planes for v in p.flatten())
    return np.array([int(bits[i : i + 8], 2) for i in range(0, len(bits), 8)], np.uint8)


def colors(planes):
    """The map's RGB [3,8,8] in [0,1]."""
    y, u, v = ((torch.from_numpy(p).float() + 0.5) / 4 for p in planes)
    u, v = (F.interpolate(c[None, None], scale_factor=2, mode="nearest")[0, 0] for c in (u, v))
    r, b = y + 1.402 * (v - 0.5), y + 1.772 * (u - 0.5)
    return torch.stack([r, (y - 0.299 * r - 0.114 * b) / 0.587, b]).clamp(0, 1)


def main():
    with tempfile.TemporaryDirectory() as folder:
        cfg, make = golden.build("tiny", SEED, folder)
        parts = {k: f() for k, f in make.items()}
    solver = golden.solver(STEPS)
    pipe = Pipeline(
        feature_extractor=CLIPImageProcessor(), image_encoder=parts["image_encoder"], image_normalizer=parts["image_normalizer"],
        image_noising_scheduler=DDPMScheduler.from_config(configs.NOISING), tokenizer=CLIPTokenizer.from_pretrained(TOKENIZER),
        text_encoder=parts["text_encoder"], unet=parts["unet"], scheduler=solver, vae=parts["vae"])
    pipe.set_progress_bar_config(disable=True)
    vector, planes = codes()
    up = F.interpolate(colors(planes)[None], (SIDE, SIDE), mode="bilinear", align_corners=False) * 2 - 1
    z = parts["vae"].encode(up).latent_dist.mode() * parts["vae"].config.scaling_factor
    noise = torch.from_numpy(synth.noise("prompts_noise", (1, 4, SIDE // 8, SIDE // 8), SEED))
    start = solver.add_noise(z, noise, solver.timesteps[:1])
    out = {"in/raw": torch.from_numpy(pack(vector, planes)), "in/noise": noise, "in/prompt": text(PROMPT), "in/negative_prompt": text(NEGATIVE)}
    for name, prompt, negative in (("both", PROMPT, NEGATIVE), ("prompt", PROMPT, None), ("negative", "", NEGATIVE)):
        steps = []
        image = pipe(
            prompt=prompt, negative_prompt=negative, image_embeds=torch.from_numpy(vector - 0.5).float()[None], height=SIDE, width=SIDE,
            num_inference_steps=STEPS, guidance_scale=GUIDANCE, latents=start.clone(), output_type="pt", callback=lambda i, t, x: steps.append(x.clone()),
        ).images[0]
        assert len(steps) == STEPS
        out[f"out/{name}/latents"], out[f"out/{name}/image"] = steps[-1], image.half()
    save_file({k: v.contiguous() for k, v in out.items()}, "prompts.safetensors")


def text(s):
    return torch.tensor(list(s.encode()), dtype=torch.uint8)


if __name__ == "__main__":
    main()
