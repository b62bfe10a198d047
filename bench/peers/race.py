"""CoCliCo against a peer, in turn, on the same weights and inputs; prints the ratio of each pair and their median.

    python bench/peers/race.py MODEL_DIR CASES_DIR [--peer openvino] [--rounds 3] [--kernels avx2|avx512|avx512bf16] [unet vae-decode vae-encode vision ...]

PyTorch runs in bfloat16 as torch_bench.py has it, eager and channels_last, and the better of the two counts. With --kernels both
sides are held to that instruction set, and PyTorch runs in float32 unless it has bfloat16. OpenVINO (unet and vae-decode) runs as openvino_bench.py has it. CoCliCo runs `go test ./bench`; the build is not timed. A run
is a process of its own, whose shortest time counts: what the machine's other tenants do hits both sides alike.
"""
import argparse
import ast
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).parent
WORK = {"unet": "UNet$", "vae-decode": "VAE/decode", "vae-encode": "VAE/encode", "vision": "ViT/exact", "vision-fast": "ViT/fast"}  # and the Go benchmark
TORCH_LIMIT = {
    "avx2": {"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2", "MKL_ENABLE_INSTRUCTIONS": "AVX2"},
    "avx512bf16": {"ATEN_CPU_CAPABILITY": "avx512", "ONEDNN_MAX_CPU_ISA": "AVX512_CORE_BF16", "MKL_ENABLE_INSTRUCTIONS": "AVX512"},
    "avx512": {"ATEN_CPU_CAPABILITY": "avx512", "ONEDNN_MAX_CPU_ISA": "AVX512_CORE", "MKL_ENABLE_INSTRUCTIONS": "AVX512"},
}


def output(command, **env):
    """What a command prints; its failure ends the race."""
    done = subprocess.run(command, env=os.environ | env, cwd=HERE.parent.parent, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}: {done.stderr[-2000:]}")
    return done.stdout


def torch_seconds(args, work):
    """The shortest of PyTorch's runs, over its memory formats."""
    limit = TORCH_LIMIT.get(args.kernels, {})
    dtype = "float32" if args.kernels in ("avx2", "avx512") else "bf16"
    best = float("inf")
    for layout in (["channels_last"] if "vision" not in work else []), []:
        text = output([sys.executable, HERE / "torch_bench.py", args.model, args.cases, work.removesuffix("-fast"), dtype, *layout], **limit)
        best = min(best, *ast.literal_eval(re.search(r"run s (\[.*?\])", text)[1]))
    return best


def openvino_seconds(args, work):
    """The shortest of OpenVINO's four runs after compiling."""
    text = output([sys.executable, HERE / "openvino_bench.py", args.model, args.cases, work])
    return min(ast.literal_eval(re.search(rf" {work} (\[.*?\])", text)[1]))


PEERS = {"pytorch": torch_seconds, "openvino": openvino_seconds}


def coclico_seconds(args, work, test):
    """The shortest of three benchmarks of one run each."""
    env = {"COCLICO_MODEL": str(pathlib.Path(args.model).resolve())}
    if args.kernels:
        env["COCLICO_KERNELS"] = args.kernels
    text = output([test, "-test.run", "-", "-test.bench", WORK[work], "-test.benchtime", "1x", "-test.count", "3"], **env)
    return min(float(ns) for ns in re.findall(r"\s([\d.]+) ns/op", text)) / 1e9


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("cases")
    parser.add_argument("work", nargs="*", choices=[*WORK, []], help="default: all")
    parser.add_argument("--peer", choices=PEERS, default="pytorch")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--kernels", choices=TORCH_LIMIT)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        test = os.path.join(folder, "bench.test")
        output(["go", "test", "-c", "-o", test, "./bench"], CGO_ENABLED="0")
        for work in args.work or WORK:
            ratios = []
            for _ in range(args.rounds):
                ours, theirs = coclico_seconds(args, work, test), PEERS[args.peer](args, work)
                ratios.append(ours / theirs)
                print(f"{work:11} CoCliCo {ours:7.2f} s   {args.peer} {theirs:7.2f} s   ratio {ratios[-1]:.2f}", flush=True)
            print(f"{work:11} median ratio {statistics.median(ratios):.2f}", flush=True)


if __name__ == "__main__":
    main()
