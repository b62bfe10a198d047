"""Times PyTorch on the networks of bench/iqa at 768x768, and CoCliCo in turn.

    pip install --no-deps --target SITE torchvision==0.29.2 pyiqa==0.1.16 lpips==0.1.4 DISTS-pytorch==0.1 pytorch-msssim==1.0.0
    python iqa.py --site SITE [--rounds 3] [--only MUSIQ,DBCNN,LPIPS-vgg,LPIPS-alex,DISTS]

Needs torch and what bench/golden/iqa.py needs. The networks are those of that program, with weights of the law, in float32 (Exact,
here) on all cores, in PyTorch's default order of memory and in channels_last; the faster one counts. CoCliCo runs
BenchmarkScore of bench/iqa. One line for each network: seconds of both and their ratio, below 1 if CoCliCo is faster. Rounds
alternate, the minimum of each side counts: machines are shared, but rarely all the time.
"""

import argparse
import os
import re
import subprocess
import sys
import time

import numpy as np
import torch

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(HERE, "..", "golden"))
sys.dont_write_bytecode = True
import iqa as golden  # noqa: E402


def networks(p, side):
    """Names, and functions of a memory format."""
    rng = np.random.RandomState(1)
    x = golden.rgb(rng.randint(0, 256, (side, side, 3)).astype(np.uint8), torch.float32)
    y = golden.rgb(rng.randint(0, 256, (side, side, 3)).astype(np.uint8), torch.float32)
    fill, trunk = golden.fill, golden.trunk_names
    pair = lambda m: lambda f: (m.to(memory_format=f)(x.contiguous(memory_format=f), y.contiguous(memory_format=f)))
    alone = lambda m: lambda f: (m.to(memory_format=f)(x.contiguous(memory_format=f)))
    return {
        "MUSIQ": alone(fill(p.musiq.MUSIQ(pretrained=False))),
        "DBCNN": alone(fill(p.dbcnn.DBCNN(pretrained=False))),
        "LPIPS-vgg": pair(fill(p.lpips_package.LPIPS(net="vgg", pretrained=False, pnet_rand=True, verbose=False), trunk)),
        "LPIPS-alex": pair(fill(p.lpips_package.LPIPS(net="alex", pretrained=False, pnet_rand=True, verbose=False), trunk)),
        "DISTS": pair(fill(p.dists_package.DISTS(load_weights=False), trunk)),
    }


def timed(f):
    start = time.perf_counter()
    f()
    return time.perf_counter() - start


def coclico(binary, names):
    """Seconds of each network from BenchmarkScore."""
    pattern = "^BenchmarkScore$/^(%s)$/^exact$" % "|".join(names)
    out = subprocess.run([binary, "-test.run", "^$", "-test.bench", pattern, "-test.benchtime", "2x"], check=True, capture_output=True, text=True, cwd=os.path.join(ROOT, "bench", "iqa")).stdout
    return {m[1]: float(m[2]) / 1e9 for m in re.finditer(r"BenchmarkScore/([^/\s]+)/exact\S*\s+\d+\s+([\d.]+) ns/op", out)}


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("--site", required=True)
    a.add_argument("--rounds", type=int, default=3)
    a.add_argument("--only", default="MUSIQ,DBCNN,LPIPS-vgg,LPIPS-alex,DISTS")
    a = a.parse_args()
    names = a.only.split(",")
    torch.set_num_threads(os.cpu_count())
    binary = os.path.join("/tmp", "coclico-iqa.test")
    subprocess.run(["go", "test", "-c", "-o", binary, "./bench/iqa"], check=True, cwd=ROOT)
    theirs, ours = {n: [] for n in names}, {n: [] for n in names}
    nets = networks(golden.load_packages(a.site), 768)
    for n in names:
        nets[n](torch.contiguous_format)  # the first run allocates
    for _ in range(a.rounds):
        for n in names:
            for f in (torch.contiguous_format, torch.channels_last):
                theirs[n].append(timed(lambda: nets[n](f)))
        for n, s in coclico(binary, names).items():
            ours[n].append(s)
    for n in names:
        us, them = min(ours[n]), min(theirs[n])
        print(f"{n:12} CoCliCo {us:7.2f} s   PyTorch {them:7.2f} s   ratio {us / them:.2f}", flush=True)


if __name__ == "__main__":
    main()
