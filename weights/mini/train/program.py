"""The Go program, as a user runs it: pictures through encode and decode with a model folder."""

import os
import subprocess

import numpy as np
import torch
from PIL import Image

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..")


class Program:
    """coclico, built into the folder work, with a model."""

    def __init__(self, work, model):
        self.work, self.model, self.path = work, os.path.abspath(model), os.path.join(work, "coclico")
        subprocess.run(["go", "build", "-o", self.path, "./cmd/coclico"], cwd=ROOT, check=True)

    def run(self, *arguments):
        subprocess.run([self.path, *arguments, "--model", self.model], check=True, stderr=subprocess.DEVNULL)

    def paint(self, pixels, profile, seed=0, *flags):
        """Pictures uint8 [N, H, W, 3] through the program -> what it paints, float32 [N, 3, H, W] in [0, 1]."""
        at = lambda *names: os.path.join(self.work, *names)
        for folder in ("in", "files", "out"):
            subprocess.run(["rm", "-rf", at(folder)], check=True)
        os.makedirs(at("in"))
        for i, p in enumerate(pixels):
            Image.fromarray(np.asarray(p)).save(at("in", f"{i:05d}.png"), compress_level=1)
        self.run("encode", at("in"), "-o", at("files"), "--profile", profile)
        self.run("decode", at("files"), "-o", at("out"), "--seed", str(seed), *flags)
        painted = sorted(os.path.join(folder, n) for folder, _, names in os.walk(at("out")) for n in names if n.endswith(".png"))
        assert len(painted) == len(pixels), "some pictures were not painted"
        out = [np.asarray(Image.open(path).convert("RGB")) for path in painted]
        return torch.from_numpy(np.stack(out)).permute(0, 3, 1, 2).float() / 255
