"""What the kinds of scene look like to the tower: the vectors that search by words compares with.

Of each kind many scenes are drawn, of other seeds than those that the tower learnt from or is measured on; the mean of their
vectors, less the mean of the model, is the kind's direction.

    python words.py --out ..        # ../words.safetensors, float16 [14, 768]
"""

import argparse
import json
import os

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

import data
import scenes

SEED, COUNT = 30_000_000, 100


def tower(folder):
    """The vision tower of a model folder, in float32."""
    with open(os.path.join(folder, "image_encoder", "config.json")) as f:
        config = json.load(f)
    m = CLIPVisionModelWithProjection(CLIPVisionConfig(**{k: v for k, v in config.items() if k not in ("architectures", "model_type")}))
    m.load_state_dict({k: v.float() for k, v in load_file(os.path.join(folder, "image_encoder", "model.safetensors")).items()})
    return m.eval().requires_grad_(False)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--out", default="..")
    out = p.parse_args().out
    m = tower(out)
    mean = load_file(os.path.join(out, "image_normalizer", "diffusion_pytorch_model.safetensors"))["mean"].float()[0]
    vectors = {}
    for k, name in enumerate(scenes.KINDS):
        pixels = np.stack([scenes.render(SEED + k * COUNT + i, data.SIZE, k)[0] for i in range(COUNT)])
        x = (data.floats(torch.from_numpy(pixels)) - data.CLIP_MEAN) / data.CLIP_STD
        vectors[name] = (m(pixel_values=x).image_embeds.mean(0) - mean).half().contiguous()
        print(name, f"{vectors[name].float().norm():.2f}", flush=True)
    save_file(vectors, os.path.join(out, "words.safetensors"), metadata={"format": "pt"})


if __name__ == "__main__":
    main()
