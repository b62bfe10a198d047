"""The configurations of the models tiny and unclip-l, as the dictionaries of their config.json files."""

SCHEDULER = {  # as published with Stable unCLIP 2.1
    "_class_name": "PNDMScheduler", "beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear",
    "clip_sample": False, "num_train_timesteps": 1000, "prediction_type": "v_prediction", "set_alpha_to_one": False,
    "skip_prk_steps": True, "steps_offset": 1, "trained_betas": None,
}
NOISING = {"_class_name": "DDPMScheduler", "beta_schedule": "squaredcos_cap_v2", "num_train_timesteps": 1000}


def unet(channels, heads, context, class_dim, sample, layers=2, groups=32, cross=None):
    n = len(channels)
    cross = cross or [True] * (n - 1) + [False]
    return {
        "_class_name": "UNet2DConditionModel", "sample_size": sample, "in_channels": 4, "out_channels": 4,
        "block_out_channels": channels, "layers_per_block": layers, "norm_num_groups": groups, "norm_eps": 1e-5,
        "down_block_types": ["CrossAttnDownBlock2D" if c else "DownBlock2D" for c in cross],
        "up_block_types": ["CrossAttnUpBlock2D" if c else "UpBlock2D" for c in reversed(cross)],
        "mid_block_type": "UNetMidBlock2DCrossAttn", "attention_head_dim": heads, "cross_attention_dim": context,
        "use_linear_projection": True, "class_embed_type": "projection",
        "projection_class_embeddings_input_dim": class_dim, "act_fn": "silu", "flip_sin_to_cos": True, "freq_shift": 0,
        "downsample_padding": 1, "center_input_sample": False, "upcast_attention": True,
    }


def vae(channels, sample, layers=2, groups=32):
    n = len(channels)
    return {
        "_class_name": "AutoencoderKL", "in_channels": 3, "out_channels": 3, "latent_channels": 4,
        "block_out_channels": channels, "layers_per_block": layers, "norm_num_groups": groups, "act_fn": "silu",
        "down_block_types": ["DownEncoderBlock2D"] * n, "up_block_types": ["UpDecoderBlock2D"] * n,
        "sample_size": sample, "scaling_factor": 0.18215,
    }


def vision(hidden, layers, heads, ffn, image, patch, proj, act="quick_gelu"):
    return {
        "architectures": ["CLIPVisionModelWithProjection"], "model_type": "clip_vision_model", "hidden_size": hidden,
        "num_hidden_layers": layers, "num_attention_heads": heads, "intermediate_size": ffn, "image_size": image,
        "patch_size": patch, "projection_dim": proj, "hidden_act": act, "layer_norm_eps": 1e-5, "num_channels": 3,
    }


def text(hidden, layers, heads, ffn, vocab, act="gelu"):
    return {
        "architectures": ["CLIPTextModel"], "model_type": "clip_text_model", "hidden_size": hidden,
        "num_hidden_layers": layers, "num_attention_heads": heads, "intermediate_size": ffn, "vocab_size": vocab,
        "max_position_embeddings": 77, "hidden_act": act, "layer_norm_eps": 1e-5, "bos_token_id": vocab - 2,
        "eos_token_id": vocab - 1, "pad_token_id": 1, "projection_dim": 512,
    }


MODELS = {
    # The topology of the real model, small enough for tests.
    "tiny": {
        "image_encoder": vision(64, 3, 4, 160, 56, 14, 32),
        "text_encoder": text(64, 2, 4, 128, 600),
        "unet": unet([32, 64, 64, 64], [2, 4, 4, 4], 64, 64, 16),
        "vae": vae([32, 32, 64, 64], 128),
        "embedding_dim": 32,
    },
    # Stable unCLIP 2.1 with CLIP ViT-L/14, at full size.
    "unclip-l": {
        "image_encoder": vision(1024, 24, 16, 4096, 224, 14, 768),
        "text_encoder": text(1024, 23, 16, 4096, 49408),
        "unet": unet([320, 640, 1280, 1280], [5, 10, 20, 20], 1024, 1536, 96),
        "vae": vae([128, 256, 512, 512], 768),
        "embedding_dim": 768,
    },
}
