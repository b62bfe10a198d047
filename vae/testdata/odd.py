"""Reference cases of unusual autoencoders. See bench/golden/reference.py."""

import os
import sys

from diffusers import AutoencoderKL

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "bench", "golden"))
import reference as ref


def case(name, config, batch, size, latent):
    m = ref.fill(AutoencoderKL(**config))
    x = ref.noise("image/" + name, (batch, config["in_channels"], *size))
    z = ref.noise("latent/" + name, (batch, config["latent_channels"], *latent))
    mid = ref.hooks(m, {"Attention", "Downsample2D", "Upsample2D"})
    ref.save(name, config, {"in/image": x, "out/latent_mean": m.encode(x).latent_dist.mode(), "in/latent": z, "out/image": m.decode(z).sample, **mid})


# One level, no convolutions of size 1 around the latent.
case("odd_single", {
    "in_channels": 3, "out_channels": 3, "latent_channels": 3, "block_out_channels": [20], "norm_num_groups": 5,
    "down_block_types": ["DownEncoderBlock2D"], "up_block_types": ["UpDecoderBlock2D"],
    "use_quant_conv": False, "use_post_quant_conv": False,
}, 2, (9, 13), (6, 7))

# Three levels, odd sides at each, three layers, no attention in the middle, gelu.
case("odd_levels", {
    "in_channels": 3, "out_channels": 3, "latent_channels": 5, "block_out_channels": [6, 18, 12], "norm_num_groups": 6,
    "layers_per_block": 3, "down_block_types": ["DownEncoderBlock2D"] * 3, "up_block_types": ["UpDecoderBlock2D"] * 3,
    "act_fn": "gelu", "mid_block_add_attention": False, "scaling_factor": 0.5,
}, 1, (15, 22), (1, 3))
