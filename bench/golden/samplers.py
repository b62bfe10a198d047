#!/usr/bin/env python3
"""Make solver/testdata/samplers.safetensors: trajectories and guidance of diffusers.

    pip install torch==2.15.0 diffusers==0.42.1 safetensors numpy
    python3 bench/golden/samplers.py solver/testdata

Every sampler is run with the stand-in for the network, sin(x) (0.3 + t/2000), which is
also that of golden.py. A case NAME has NAME/config (the scheduler_config.json as text,
uint8), NAME/steps_start, NAME/timesteps, NAME/sigmas and NAME/trajectory. The noise of
an SDE comes from torch.Generator().manual_seed(SDE_SEED), one draw of the latent's
shape per step. guidance/NAME is the result of a guider of diffusers for the steps
guidance/cond[i], guidance/uncond[i].
"""

import json
import os
import sys

import torch
from diffusers import DPMSolverMultistepScheduler, UniPCMultistepScheduler
from diffusers.guiders import AdaptiveProjectedGuidance, ClassifierFreeGuidance
from safetensors.torch import save_file

SDE_SEED = 5
BASE = {
    "beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "num_train_timesteps": 1000,
    "prediction_type": "v_prediction", "steps_offset": 1,
}
COSINE = {"beta_schedule": "squaredcos_cap_v2"}
MIN = {"final_sigmas_type": "sigma_min"}
KARRAS, EXPONENTIAL, TRAILING = {"use_karras_sigmas": True}, {"use_exponential_sigmas": True}, {"timestep_spacing": "trailing"}

# Class, name, changes of BASE, steps, first step.
UNIPC = [(UniPCMultistepScheduler, "unipc/" + n, c, k, b) for n, c, k, b in [
    *((f"order{o}_steps{k}", {"solver_order": o}, k, b) for o in (1, 2, 3) for k, b in ((1, 0), (2, 0), (4, 0), (8, 1), (20, 3))),
    ("order3_steps60", {"solver_order": 3}, 60, 7),
    ("epsilon", {"prediction_type": "epsilon"}, 20, 0),
    ("sample", {"prediction_type": "sample", "solver_order": 3}, 20, 0),
    ("sigma_min", {**MIN, "solver_order": 3}, 20, 2),
    ("no_lower_order", {**MIN, "lower_order_final": False, "solver_order": 3}, 12, 0),
    ("leading", {"timestep_spacing": "leading"}, 20, 0),
    ("trailing", {**TRAILING, "solver_order": 3}, 20, 2),
    ("karras", {**KARRAS, "solver_order": 3}, 20, 0),
    ("karras_sigma_min", {**KARRAS, **MIN}, 12, 3),
    ("exponential", EXPONENTIAL, 20, 0),
    ("cosine_karras", {**COSINE, **KARRAS}, 20, 0),
]]
SDE = [(DPMSolverMultistepScheduler, "sde/" + n, {"algorithm_type": "sde-dpmsolver++", **c}, k, b) for n, c, k, b in [
    ("order1", {"solver_order": 1}, 12, 0),
    ("order2", {}, 20, 3),
    ("order2_steps4", {}, 4, 0),
    ("heun", {"solver_type": "heun"}, 20, 0),
    ("heun_sigma_min", {"solver_type": "heun", **MIN}, 20, 0),
    ("sigma_min", MIN, 16, 1),
    ("epsilon", {"prediction_type": "epsilon"}, 20, 0),
    ("karras", KARRAS, 20, 0),
    ("exponential", EXPONENTIAL, 20, 2),
    ("trailing", TRAILING, 20, 2),
    ("euler_at_final", {"euler_at_final": True, **MIN}, 20, 0),
]]
DPM = [(DPMSolverMultistepScheduler, "dpm/" + n, c, k, b) for n, c, k, b in [
    *((f"exponential{k}", EXPONENTIAL, k, 0) for k in (1, 2, 3, 7, 20, 50)),
    ("exponential_order3", {**EXPONENTIAL, "solver_order": 3}, 20, 3),
    ("exponential_sigma_min", {**EXPONENTIAL, **MIN}, 20, 0),
    ("exponential_cosine", {**EXPONENTIAL, **COSINE}, 20, 0),
    ("trailing_order3", {**TRAILING, "solver_order": 3}, 20, 2),
]]

STEPS = 6
GUIDERS = {
    "plain": ClassifierFreeGuidance(guidance_scale=12.0),
    "rescale": ClassifierFreeGuidance(guidance_scale=12.0, guidance_rescale=0.7),
    "interval": ClassifierFreeGuidance(guidance_scale=5.0, start=0.25, stop=0.7),
    "interval_rescale": ClassifierFreeGuidance(guidance_scale=5.0, guidance_rescale=0.5, start=0.4, stop=0.95),
    "one": ClassifierFreeGuidance(guidance_scale=1.0),
    "apg": AdaptiveProjectedGuidance(guidance_scale=12.0, eta=0.0, adaptive_projected_guidance_rescale=0.0),
    "apg_eta": AdaptiveProjectedGuidance(guidance_scale=7.5, eta=0.3, adaptive_projected_guidance_rescale=0.0),
    "apg_threshold": AdaptiveProjectedGuidance(guidance_scale=7.5, eta=0.0, adaptive_projected_guidance_rescale=8.0),
    "apg_all": AdaptiveProjectedGuidance(
        guidance_scale=7.5, eta=0.2, adaptive_projected_guidance_rescale=9.0, adaptive_projected_guidance_momentum=-0.5,
        guidance_rescale=0.4, start=0.2, stop=0.8),
}


def trajectory(t, cls, name, changes, steps, start):
    config = {"_class_name": cls.__name__, **BASE, **changes}
    s = cls.from_config(config)
    s.set_timesteps(steps)
    s.set_begin_index(start)
    x = t["in/x"]
    if start:
        x = s.add_noise(x, t["in/noise"], s.timesteps[start : start + 1])
    xs = [x.clone()]
    g = torch.Generator().manual_seed(SDE_SEED)
    kw = {"generator": g} if name.startswith("sde/") else {}
    for ts in s.timesteps[start:]:
        x = s.step(torch.sin(x) * (0.3 + float(ts) / 2000), ts, x, **kw).prev_sample
        xs.append(x.clone())
    assert torch.isfinite(torch.stack(xs)).all(), name
    t[f"{name}/config"] = torch.frombuffer(bytearray(json.dumps(config).encode()), dtype=torch.uint8)
    t[f"{name}/steps_start"] = torch.tensor([steps, start])
    t[f"{name}/timesteps"] = s.timesteps[start:].long()
    t[f"{name}/sigmas"] = s.sigmas[start:].float()
    t[f"{name}/trajectory"] = torch.stack(xs)


def guidance(t, name, guider):
    cond, uncond = t["guidance/cond"], t["guidance/uncond"]
    out = []
    for i in range(STEPS):
        guider.set_state(step=i, num_inference_steps=STEPS, timestep=torch.tensor(0))
        guider.prepare_inputs({})  # resets the momentum before the first step
        out.append(guider.forward(cond[i : i + 1], uncond[i : i + 1]).pred)
    t["guidance/" + name] = torch.cat(out)


def main():
    torch.set_num_threads(1)
    g = torch.Generator().manual_seed(3)
    t = {"in/x": torch.randn((1, 4, 2, 2), generator=g), "in/noise": torch.randn((1, 4, 2, 2), generator=g)}
    for case in UNIPC + SDE + DPM:
        trajectory(t, *case)
    t["guidance/uncond"] = torch.randn((STEPS, 4, 4, 4), generator=g)
    t["guidance/cond"] = t["guidance/uncond"] + 0.5 * torch.randn((STEPS, 4, 4, 4), generator=g) + 0.1
    for name, guider in GUIDERS.items():
        guidance(t, name, guider)
    save_file({k: v.contiguous() for k, v in t.items()}, os.path.join(sys.argv[1], "samplers.safetensors"))


if __name__ == "__main__":
    main()
