"""Reference cases of unusual UNets. See bench/golden/reference.py."""

import os
import sys

import torch
from diffusers import UNet2DConditionModel

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "bench", "golden"))
import reference as ref

TRACED = {"ResnetBlock2D", "Transformer2DModel", "BasicTransformerBlock", "Downsample2D", "Upsample2D", "TimestepEmbedding", "Timesteps"}


def case(name, config, batch, size, t, context, length, classes=0):
    m = ref.fill(UNet2DConditionModel(**config))
    x = ref.noise("sample/" + name, (batch, config["in_channels"], *size))
    ctx = ref.noise("context/" + name, (batch, length, context))
    kw = {"encoder_hidden_states": ctx}
    if classes:
        kw["class_labels"] = ref.noise("class/" + name, (batch, classes))
    mid = ref.hooks(m, TRACED)
    y = m(x, t, **kw).sample
    ref.save(name, config, {"in/sample": x, "in/timestep": torch.tensor([t]), "out/sample": y, **{"in/" + k: v for k, v in kw.items()}, **mid})


# Odd latent; mixed block types; heads that do not divide the channels (40 = 7*5 + 5), head sizes 3, 8 and 5; lists per
# level; deeper transformers; 1x1 convolutions as projections; gelu; sines first.
case("odd_mixed", {
    "in_channels": 4, "out_channels": 4, "block_out_channels": [24, 40, 40], "layers_per_block": [1, 2, 1],
    "down_block_types": ["CrossAttnDownBlock2D", "DownBlock2D", "CrossAttnDownBlock2D"],
    "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"],
    "transformer_layers_per_block": [1, 1, 2], "attention_head_dim": [8, 5, 7], "cross_attention_dim": 20,
    "use_linear_projection": False, "norm_num_groups": 8, "norm_eps": 1e-6, "act_fn": "gelu", "flip_sin_to_cos": False,
    "freq_shift": 1, "class_embed_type": "projection", "projection_class_embeddings_input_dim": 10,
}, 2, (5, 7), 421, 20, 6, 10)

# One level; a picture one pixel wide; no class vector; head size 9; a time embedding of its own width; sample centred.
case("odd_single", {
    "in_channels": 5, "out_channels": 3, "block_out_channels": [36], "layers_per_block": 1,
    "down_block_types": ["CrossAttnDownBlock2D"], "up_block_types": ["CrossAttnUpBlock2D"], "mid_block_type": "UNetMidBlock2D",
    "attention_head_dim": 4, "cross_attention_dim": 17, "use_linear_projection": True, "norm_num_groups": 6,
    "time_embedding_dim": 50, "center_input_sample": True,
}, 1, (5, 1), 999, 17, 3)

# No attention, no middle block, levels shrink to one pixel.
case("odd_plain", {
    "in_channels": 4, "out_channels": 4, "block_out_channels": [7, 14, 21], "layers_per_block": 2,
    "down_block_types": ["DownBlock2D"] * 3, "up_block_types": ["UpBlock2D"] * 3, "mid_block_type": None,
    "norm_num_groups": 7, "cross_attention_dim": 8, "attention_head_dim": 1,
}, 2, (1, 3), 0, 8, 1)
