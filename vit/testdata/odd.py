"""Reference cases of unusual CLIP towers. See bench/golden/reference.py."""

import os
import sys

import torch
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPVisionConfig, CLIPVisionModelWithProjection

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "bench", "golden"))
import reference as ref


def vision(name, config, batch):
    m = ref.fill(CLIPVisionModelWithProjection(CLIPVisionConfig(**config)))
    x = ref.noise("pixels/" + name, (batch, 3, config["image_size"], config["image_size"]))
    mid = ref.hooks(m, {"CLIPEncoderLayer", "CLIPVisionEmbeddings", "LayerNorm"})
    ref.save(name, config, {"in/pixel_values": x, "out/image_embeds": m(pixel_values=x).image_embeds, **mid})


def text(name, config, ids):
    m = ref.fill(CLIPTextModel(CLIPTextConfig(**config)), "text_model.")
    ids = torch.tensor(ids)
    mid = ref.hooks(m, {"CLIPEncoderLayer"})
    ref.save(name, config, {"in/input_ids": ids, "out/last_hidden_state": m(input_ids=ids).last_hidden_state, **mid})


def embed(name, config, ids):
    m = ref.fill(CLIPTextModelWithProjection(CLIPTextConfig(**config)))
    ids = torch.tensor(ids)
    ref.save(name, config, {"in/input_ids": ids, "out/text_embeds": m(input_ids=ids).text_embeds})


# Patches of one pixel, head size 5.
vision("odd_patch1", {
    "hidden_size": 30, "intermediate_size": 37, "num_hidden_layers": 2, "num_attention_heads": 6, "image_size": 5, "patch_size": 1,
    "projection_dim": 7, "hidden_act": "gelu", "layer_norm_eps": 1e-6,
}, 3)

# A picture that is no multiple of the patch; one head.
vision("odd_remainder", {
    "hidden_size": 18, "intermediate_size": 20, "num_hidden_layers": 1, "num_attention_heads": 1, "image_size": 11, "patch_size": 3,
    "projection_dim": 33, "hidden_act": "silu",
}, 1)

# Fewer tokens than positions, head size 7.
text("odd_text", {
    "hidden_size": 21, "intermediate_size": 50, "num_hidden_layers": 2, "num_attention_heads": 3, "vocab_size": 50,
    "max_position_embeddings": 9, "hidden_act": "quick_gelu", "bos_token_id": 48, "eos_token_id": 49,
}, [[48, 3, 49, 0, 0], [48, 7, 8, 9, 49]])

# The published CLIP's eos_token_id of 2, which is not that of its tokenizer: the largest id ends a text.
embed("odd_embed_largest", {
    "hidden_size": 24, "intermediate_size": 40, "num_hidden_layers": 2, "num_attention_heads": 4, "vocab_size": 50,
    "max_position_embeddings": 9, "projection_dim": 15, "eos_token_id": 2,
}, [[48, 3, 49, 49, 49], [48, 7, 2, 9, 49], [48, 49, 0, 0, 0]])

# Any other eos_token_id: the first of it ends a text.
embed("odd_embed_first", {
    "hidden_size": 24, "intermediate_size": 40, "num_hidden_layers": 1, "num_attention_heads": 4, "vocab_size": 50,
    "max_position_embeddings": 9, "projection_dim": 31, "eos_token_id": 11, "hidden_act": "gelu",
}, [[48, 3, 11, 49, 11], [48, 7, 2, 9, 11], [48, 7, 2, 9, 1]])
