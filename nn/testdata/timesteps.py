"""Makes timesteps.safetensors: what diffusers 0.42.1 computes as the features of time steps 0, 1, 849 and 999.

    pip install torch diffusers safetensors
    python timesteps.py

A tensor's name has the arguments of get_timestep_embedding: "DIM FLIP_SIN_TO_COS DOWNSCALE_FREQ_SHIFT".
"""

import torch
from diffusers.models.embeddings import get_timestep_embedding
from safetensors.torch import save_file

t = {}
for dim in (1, 2, 3, 32, 33, 320, 1024):
    for flip in (False, True):
        for shift in (0, 0.5):
            t[f"{dim} {str(flip).lower()} {shift}"] = get_timestep_embedding(torch.tensor([0, 1, 849, 999.0]), dim, flip, shift)
save_file(t, "timesteps.safetensors")
