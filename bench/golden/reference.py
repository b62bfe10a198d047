"""Helpers of the programs that make reference cases of unusual configurations:
unet/testdata/odd.py, vae/testdata/odd.py and vit/testdata/odd.py.

Each of them writes its cases into the current folder: the configuration
NAME.json, and NAME.safetensors with what the library computes in float32 from
the synthetic weights (synth.py, seed 1): in/..., out/... and mid/... as in the
golden cases. The Go tests run the same configuration on weights.Synthetic(1).
"""

import json

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


def save(name, config, tensors):
    with open(name + ".json", "w") as f:
        json.dump(config, f, indent=2)
        f.write("\n")
    tensors = {k: (v if torch.is_tensor(v) else torch.from_numpy(np.ascontiguousarray(v))).contiguous() for k, v in tensors.items()}
    save_file(tensors, name + ".safetensors")
    print(name, {k: tuple(v.shape) for k, v in tensors.items() if not k.startswith("mid/")})
