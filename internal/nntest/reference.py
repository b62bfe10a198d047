"""Helpers of the scripts that make reference cases of unusual configurations.

The scripts need torch, diffusers, transformers and safetensors, and are run by hand:

    python unet/testdata/odd.py      (likewise vae, vit)

Every script writes its cases beside itself: the configuration NAME.json, and NAME.safetensors with the library's float32
results for the synthetic weights (synth.py, seed 1): in/..., out/... and mid/... as in the golden cases. The Go tests run
the same configuration on weights.Synthetic(1).
"""

import json
import os

import numpy as np
import synth
import torch
from safetensors.torch import save_file

SEED = 1
torch.set_grad_enabled(False)


def fill(module, prefix=""):
    for name, p in module.state_dict().items():
        if not name.endswith("position_ids"):
            if not name.startswith(prefix):
                name = prefix + name
            p.copy_(torch.from_numpy(synth.tensor(name, tuple(p.shape), SEED)).float())
    return module.eval()


def noise(name, shape):
    return torch.from_numpy(synth.noise(name, shape, SEED))


def hooks(module, types):
    keep = {}
    def hook(name):
        def f(_m, _i, o):
            o = o[0] if isinstance(o, tuple) else getattr(o, "sample", o)
            keep["mid/" + name] = o.detach().clone()
        return f
    for k, m in module.named_modules():
        if type(m).__name__ in types:
            m.register_forward_hook(hook(k))
    return keep


def save(folder, name, config, tensors):
    with open(os.path.join(folder, name + ".json"), "w") as f:
        json.dump(config, f, indent=2)
        f.write("\n")
    tensors = {k: (v if torch.is_tensor(v) else torch.from_numpy(np.ascontiguousarray(v))).contiguous() for k, v in tensors.items()}
    save_file(tensors, os.path.join(folder, name + ".safetensors"))
    print(name, {k: tuple(v.shape) for k, v in tensors.items() if not k.startswith("mid/")})
