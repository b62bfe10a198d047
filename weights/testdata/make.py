"""Makes the fixtures of this folder: the law of bench/golden/synth.py and the safetensors library as oracles.

    PYTHONPATH=../../bench/golden python make.py          (numpy 2.4.6, safetensors 0.8.0)
"""

import hashlib

import numpy as np
import synth
from safetensors.numpy import save_file

# One tensor for each case of the law. The scale of "wide" makes subnormal float16 values.
law = {
    "norm.weight": (7,),
    "norm.bias": (7,),
    "class_embedding": (5,),
    "mean": (1, 6),
    "normalizer.std": (1, 6),
    "text_model.embeddings.position_embedding.weight": (3, 4),
    "text_model.embeddings.token_embedding.weight": (4, 3),
    "patch_embedding.weight": (4, 3, 2, 2),
    "proj.weight": (6, 5),
    "wide.weight": (2, 3000),
    "scalar": (),
}
out = {k: synth.tensor(k, s, 1) for k, s in law.items()}
save_file(out, "law.safetensors", metadata={"format": "pt"})
save_file({f"{n}/{seed}": synth.noise(n, (3, 50), seed) for n in ("x", "sample/square") for seed in (1, -7)}, "noise.safetensors", metadata={"format": "pt"})

# Every dtype, names out of order and with odd characters: what WriteSafetensors must write byte for byte.
types = ["float16", "float32", "float64", "bool", "uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64"]
save_file({f"{t}.<é\"\\>": (np.arange(6).reshape(2, 3) * 3 - (0 if t[0] in "ub" else 7)).astype(t) for t in types}, "types.safetensors", metadata={"format": "pt"})

for name, shape, seed in [("big.weight", (1000, 1003), 1), ("big.weight", (1000, 1003), -3), ("big.bias", (1 << 20,), 12345)]:
    print(name, shape, seed, hashlib.sha256(synth.tensor(name, shape, seed).tobytes()).hexdigest())
