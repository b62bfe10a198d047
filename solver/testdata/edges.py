"""Makes edges.safetensors: what diffusers 0.42.1 and PyTorch 2.15 compute where schedules are unusual.

    pip install torch diffusers safetensors numpy
    python edges.py

Every case carries its scheduler_config.json as text (uint8), the number of steps and the step it starts with.
"""

import json

import numpy as np
import torch
from diffusers import DPMSolverMultistepScheduler, PNDMScheduler
from safetensors.torch import save_file

SHIPPED = {
    "_class_name": "PNDMScheduler", "beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear",
    "clip_sample": False, "num_train_timesteps": 1000, "prediction_type": "v_prediction", "set_alpha_to_one": False,
    "skip_prk_steps": True, "steps_offset": 1, "trained_betas": None,
}
LINEAR = {"_class_name": "DDIMScheduler", "clip_sample": True}  # nothing else: the defaults of the solver's class
COSINE = {"_class_name": "DDPMScheduler", "beta_schedule": "squaredcos_cap_v2", "variance_type": "fixed_small"}
SAVED = {  # as save_config of the solver itself writes it
    "_class_name": "DPMSolverMultistepScheduler", "_diffusers_version": "0.42.1", "algorithm_type": "dpmsolver++", "beta_end": 0.012,
    "beta_schedule": "scaled_linear", "beta_start": 0.00085, "dynamic_thresholding_ratio": 0.995, "euler_at_final": False,
    "final_sigmas_type": "zero", "flow_shift": 1.0, "lambda_min_clipped": -float("inf"), "lower_order_final": True,
    "num_train_timesteps": 1000, "prediction_type": "v_prediction", "rescale_betas_zero_snr": False, "sample_max_value": 1.0,
    "solver_order": 3, "solver_type": "heun", "steps_offset": 1, "thresholding": False, "time_shift_type": "exponential",
    "timestep_spacing": "trailing", "trained_betas": None, "use_beta_sigmas": False, "use_dynamic_shifting": False,
    "use_exponential_sigmas": False, "use_flow_sigmas": False, "use_karras_sigmas": False, "use_lu_lambdas": False, "variance_type": None,
}
CASES = [(f"order{o}_steps{n}", SHIPPED, {"solver_order": o}, n, 0) for o in (1, 2, 3) for n in (1, 2, 3, 14, 15)] + [
    ("steps200", SHIPPED, {}, 200, 24),
    ("order3_steps60", SHIPPED, {"solver_order": 3}, 60, 7),
    ("order3_sigma_min", SHIPPED, {"solver_order": 3, "final_sigmas_type": "sigma_min"}, 20, 1),
    ("no_lower_order", SHIPPED, {"lower_order_final": False, "final_sigmas_type": "sigma_min"}, 6, 0),
    ("no_lower_order_zero", SHIPPED, {"lower_order_final": False, "solver_order": 3}, 6, 0),
    ("euler_at_final", SHIPPED, {"euler_at_final": True, "final_sigmas_type": "sigma_min"}, 20, 0),
    ("heun_sigma_min", SHIPPED, {"solver_type": "heun", "final_sigmas_type": "sigma_min"}, 16, 0),
    ("last_step_only", SHIPPED, {}, 20, 19),
    ("karras1", SHIPPED, {"use_karras_sigmas": True}, 1, 0),
    ("karras2", SHIPPED, {"use_karras_sigmas": True}, 2, 0),
    ("karras60", SHIPPED, {"use_karras_sigmas": True, "solver_order": 3}, 60, 4),
    ("karras_sigma_min", SHIPPED, {"use_karras_sigmas": True, "final_sigmas_type": "sigma_min"}, 20, 3),
    ("karras_cosine", COSINE, {"use_karras_sigmas": True}, 25, 0),
    ("leading7", SHIPPED, {"timestep_spacing": "leading"}, 7, 0),
    ("leading999", SHIPPED, {"timestep_spacing": "leading", "solver_order": 1}, 999, 990),
    ("trailing7", SHIPPED, {"timestep_spacing": "trailing"}, 7, 0),
    ("trailing64", SHIPPED, {"timestep_spacing": "trailing"}, 64, 50),
    ("trailing1000", SHIPPED, {"timestep_spacing": "trailing"}, 1000, 985),
    ("linear", LINEAR, {}, 20, 0),
    ("linear37", LINEAR, {"num_train_timesteps": 37, "beta_start": 0.01, "beta_end": 0.2}, 9, 2),
    ("cosine", COSINE, {"prediction_type": "sample"}, 20, 3),
    ("cosine_clipped", COSINE, {"lambda_min_clipped": -5.1}, 20, 0),
    ("cosine_clipped_trailing", COSINE, {"lambda_min_clipped": -3, "timestep_spacing": "trailing"}, 20, 0),
    ("trained_betas", SHIPPED, {"num_train_timesteps": 5, "trained_betas": [0.1, 0.2, 0.05, 0.4, 0.3]}, 4, 0),
    ("one_timestep", SHIPPED, {"num_train_timesteps": 1}, 1, 0),
    ("saved", SAVED, {}, 20, 3),
    ("unipc", {**SHIPPED, "_class_name": "UniPCMultistepScheduler"}, {"solver_type": "bh2"}, 20, 0),
    ("unknown_keys", {**SHIPPED, "shift": [1, {"a": None}], "interpolation_type": "linear", "sigma_min": None}, {}, 5, 0),
]


def main():
    torch.set_num_threads(1)
    g = torch.Generator().manual_seed(3)
    x0, noise = torch.randn((1, 4, 2, 2), generator=g), torch.randn((1, 4, 2, 2), generator=g)
    t = {"in/x": x0, "in/noise": noise}
    for name, base, keys, steps, start in CASES:
        config = {**base, **keys}
        text = json.dumps(config)
        s = DPMSolverMultistepScheduler.from_config(PNDMScheduler.from_config(json.loads(text)).config)
        s.set_timesteps(steps)
        s.set_begin_index(start)
        x = s.add_noise(x0, noise, s.timesteps[start : start + 1]) if start else x0
        xs = [x.clone()]
        for ts in s.timesteps[start:]:
            x = s.step(torch.sin(x) * (0.3 + float(ts) / 2000), ts, x).prev_sample
            xs.append(x.clone())
        assert torch.isfinite(torch.stack(xs)).all(), name
        t[f"{name}/config"] = torch.frombuffer(bytearray(text.encode()), dtype=torch.uint8)
        t[f"{name}/steps_start"] = torch.tensor([steps, start])
        t[f"{name}/timesteps"] = s.timesteps[start:].long()
        t[f"{name}/sigmas"] = s.sigmas[start:].float()
        t[f"{name}/trajectory"] = torch.stack(xs)
    g = torch.Generator().manual_seed(7)  # every size from one generator: what a draw leaves behind counts too
    t["randn/sizes"] = torch.cat([torch.randn((n,), generator=g) for n in list(range(41)) + list(range(40, -1, -1))])
    t["randn/negative_seed"] = torch.randn((20,), generator=torch.Generator().manual_seed(-5))
    t["randn/long_seed"] = torch.randn((20,), generator=torch.Generator().manual_seed(2**63 + 11))
    t = {k: v.contiguous() for k, v in t.items()}
    save_file(t, "edges.safetensors")


if __name__ == "__main__":
    main()
