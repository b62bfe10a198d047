"""Makes golden files again and compares them with those in the repository.

    python remake.py                    every program that runs on this machine
    python remake.py edges vit          the programs of these names
    python remake.py --update edges     replace the files that are out of bounds

For every file it prints "same" if the bytes are equal, and otherwise how far the tensors of a safetensors file are
apart, relative to each one's largest value: on another processor, sums are rounded differently. The exit status is 1
if a file is out of bounds, which are 1e-5 for float32, 1e-3 for float16 and one step for uint8; files of other kinds
must be the same. README.md lists which program makes which file.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile

import numpy as np
from safetensors.numpy import load_file

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BOUNDS = {"float32": 1e-5, "float16": 1e-3}  # relative; uint8 may be one step off, other types not at all

CASES = ("condition", "preprocess", "quantizers", "randn", "roundtrip", "samplers", "schedules", "text", "unet_square", "unet_wide", "vae", "vision")
ROOMS = {  # where the tests of a case are; solver for the others
    "preprocess": "vit", "quantizers": "codec/quant", "roundtrip": "codec", "samplers": "codec", "text": "vit", "unet_square": "unet", "unet_wide": "unet",
    "vae": "vae", "vision": "vit", "condition": "solver", "randn": "solver", "schedules": "solver",
}
BARE = ("condition", "randn", "roundtrip", "schedules", "text", "unet_square", "unet_wide", "vae", "vision")

# By name: the command, with paths below the root; and the files that it makes in the current folder, with the
# places where they are kept. A folder stands for all files that the program makes in it.
PROGRAMS = {
    "tiny": (["bench/golden/golden.py", "--model", "tiny", "--seed", "1", "--out", "."],
             [(f"cases/{c}.safetensors", f"{ROOMS[c]}/testdata/{c}.safetensors") for c in CASES]
             + [("cases/condition.safetensors", "weights/testdata/condition.safetensors")]),
    "bare": (["bench/golden/golden.py", "--model", "tiny", "--seed", "1", "--no-layers", "--out", "."],
             [(f"cases/{c}.safetensors", f"bench/golden/cases/tiny/{c}.safetensors") for c in BARE]
             + [(f"cases/{c}.safetensors", f"cmd/internal/selftest/golden/{c}.safetensors") for c in ("text", "unet_wide", "vae", "vision")]),
    "full": (["bench/golden/golden.py", "--model", "unclip-l", "--seed", "1", "--only", "condition,text,unet", "--out", "."],
             [(f"cases/{c}.safetensors", f"bench/golden/cases/unclip-l/{c}.safetensors") for c in ("condition", "text", "unet_wide")]),
    "law": (["weights/testdata/make.py"], [(f"{f}.safetensors", f"weights/testdata/{f}.safetensors") for f in ("law", "noise", "types")]),
    "foreign": (["weights/foreign/testdata/make.py", "."], [(".", "weights/foreign/testdata")]),
    "timesteps": (["nn/testdata/timesteps.py"], [("timesteps.safetensors", "nn/testdata/timesteps.safetensors")]),
    "edges": (["solver/testdata/edges.py"], [("edges.safetensors", "solver/testdata/edges.safetensors")]),
    "samplers": (["bench/golden/samplers.py", "."], [("samplers.safetensors", "solver/testdata/samplers.safetensors")]),
    "unet": (["unet/testdata/odd.py"], [(".", "unet/testdata")]),
    "vae": (["vae/testdata/odd.py"], [(".", "vae/testdata")]),
    "vit": (["vit/testdata/odd.py"], [(".", "vit/testdata")]),
    "prompts": (["bench/golden/prompts.py"], [("prompts.safetensors", "codec/testdata/prompts.safetensors")]),
    "tokenizer": (["bench/golden/tokenizer.py"], [(f, f"vit/tokenizer/testdata/{f}") for f in ("merges.txt.gz", "vectors.jsonl")]),
    "added": (["bench/golden/added.py"], [("added.jsonl", "vit/tokenizer/testdata/added.jsonl")]),
    "mini": (["bench/golden/mini.py"],
             [(f"{c}.safetensors", f"weights/mini/testdata/{c}.safetensors") for c in ("roundtrip", "text", "unet_square", "unet_wide", "vae", "vision")]
             + [("scenes", "weights/mini/testdata/scenes")]),
    "icc": (["bench/golden/icc.py", "."], [(".", "cmd/internal/icc/testdata")]),
}
SLOW = ("full", "tokenizer")  # made only if named: it takes long, or needs another package


def distance(x, y):
    """The largest difference of two arrays relative to the largest value, and whether it is in bounds."""
    kind = str(y.dtype)
    if x.shape != y.shape or x.dtype != y.dtype:
        return np.inf, False
    x, y = x.astype(np.float64), y.astype(np.float64)
    if not x.size:
        return 0.0, True
    off = float(np.abs(x - y).max())
    relative = off / max(float(np.abs(y).max()), 1e-30)
    return relative, relative <= BOUNDS.get(kind, 0) or kind == "uint8" and off <= 1


def compare(made, kept):
    """Returns a word about two files, and whether they are the same or in bounds."""
    if not os.path.exists(kept):
        return "MISSING", False
    with open(made, "rb") as a, open(kept, "rb") as b:
        if a.read() == b.read():
            return "same", True
    if not made.endswith(".safetensors"):
        return "DIFFERS", False
    a, b = load_file(made), load_file(kept)
    if a.keys() != b.keys():
        return "DIFFERS in its tensors", False
    far = [(*distance(a[k], b[k]), k) for k in b]
    bad = [f for f in far if not f[1]]
    worst, _, name = max(bad or far)
    return f"{'DIFFERS by' if bad else 'within'} {worst:.1e} ({name}, {b[name].dtype})", not bad


def pairs(folder, places):
    for made, kept in places:
        path = os.path.normpath(os.path.join(folder, made))
        if not os.path.isdir(path):
            yield path, kept
            continue
        for name in sorted(os.listdir(path)):
            yield os.path.join(path, name), f"{kept}/{name}"


def run(name, update):
    command, places = PROGRAMS[name]
    good = True
    with tempfile.TemporaryDirectory() as folder:
        env = {**os.environ, "PYTHONPATH": HERE, "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run([sys.executable, os.path.join(ROOT, command[0]), *command[1:]], cwd=folder, env=env, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode:
            print(f"{name}: {command[0]} failed\n{done.stdout[-2000:]}", flush=True)
            return False
        for made, kept in pairs(folder, places):
            word, ok = compare(made, os.path.join(ROOT, kept))
            if update and not ok:
                os.makedirs(os.path.dirname(os.path.join(ROOT, kept)), exist_ok=True)
                shutil.copyfile(made, os.path.join(ROOT, kept))
                word, ok = word + ", replaced", True
            print(f"{name:10} {kept:64} {word}", flush=True)
            good &= ok
    return good


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("--update", action="store_true", help="replace files that differ")
    a.add_argument("names", nargs="*", metavar="NAME", help=", ".join(PROGRAMS))
    a = a.parse_args()
    unknown = [n for n in a.names if n not in PROGRAMS]
    if unknown:
        sys.exit(f"no program {unknown[0]}; there are {', '.join(PROGRAMS)}")
    names = a.names or [n for n in PROGRAMS if n not in SLOW]
    sys.exit(0 if all([run(n, a.update) for n in names]) else 1)


if __name__ == "__main__":
    main()
