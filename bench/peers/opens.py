"""Does diffusers open a converted folder, and does it paint the same picture?

    coclico models convert MODEL OUT [--constant-context]
    python bench/peers/opens.py MODEL OUT

Opens both folders with StableUnCLIPImg2ImgPipeline, runs three steps with each in float32 from the same
vector and noise, and prints by how much the pictures differ. Parts that a folder does not have are passed as None,
as diffusers wants it; a constant context is passed as prompt_embeds.
"""

import json
import os
import sys

import torch
from diffusers import StableUnCLIPImg2ImgPipeline
from safetensors.torch import load_file


def paint(folder):
    with open(os.path.join(folder, "model_index.json")) as f:
        index = json.load(f)
    absent = {k: None for k, v in index.items() if v == [None, None]}
    pipe = StableUnCLIPImg2ImgPipeline.from_pretrained(folder, torch_dtype=torch.float32, **absent)
    pipe.set_progress_bar_config(disable=True)
    constant = os.path.join(folder, "prompt_embeds", "model.safetensors")
    if os.path.exists(constant):
        embeds = load_file(constant)["prompt_embeds"][None]
        prompt = dict(prompt_embeds=embeds, negative_prompt_embeds=embeds)
    else:
        prompt = dict(prompt="", negative_prompt="")
    dim = pipe.image_normalizer.mean.shape[1]
    size = 8 * pipe.vae_scale_factor
    return pipe(image_embeds=torch.linspace(-1, 1, dim)[None], num_inference_steps=3, guidance_scale=5, height=size, width=size,
                generator=torch.Generator().manual_seed(0), output_type="pt", **prompt).images


a, b = paint(sys.argv[1]), paint(sys.argv[2])
d = (a - b).abs()
print(f"both opened and painted; values in [0,1] differ by {d.mean().item():.1e} on average, {d.max().item():.1e} at most")
