"""Makes the golden files of the image quality networks and metrics: bench/iqa/testdata.

    pip install --no-deps --target SITE torchvision==0.29.2 pyiqa==0.1.16 lpips==0.1.4 DISTS-pytorch==0.1 pytorch-msssim==1.0.0
    python iqa.py --site SITE [--out DIR] [--only musiq,dbcnn,lpips,dists,metrics,beyond]        (about 2 min, one thread)

Needs huggingface_hub besides requirements.txt. No trained weights are used: they follow from the law in synth.py, under the
names that they have in a checkpoint. The networks are the packages' own, used as black boxes; nothing of them is repeated
here.

"in/..." are inputs (pictures are uint8 [h,w,3]), "mid/..." inner values, "out/..." results. mid and out are computed in float64
and rounded once to float32 (scores stay float64); "..._float32" is what PyTorch gives in float32. With beyond, measured.tsv gets
the differences of the two, and of PyTorch's bfloat16.

The law is unchanged, with these exceptions, since an untrained network must give a number that depends on the picture:

    features2.N.running_var     the law under the name features2.N.running_var.weight: 1 +- .1; its own would be negative
    fc.weight [1,65536]         the law with shape [65536,1]: its input has length 1
    lin0..4.model.1.weight      the law's absolute value, as trained ones are not negative
    alpha, beta                 likewise
    num_batches_tracked         0, unused
"""

import argparse
import contextlib
import importlib
import math
import os
import sys
import types
import warnings

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save_file

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.dont_write_bytecode = True
import synth  # noqa: E402

SEED = 1
torch.set_grad_enabled(False)
torch.set_num_threads(1)
warnings.filterwarnings("ignore")


# ---- the packages, without their weights ------------------------------------------------------------------------

def load_packages(site):
    """Imports the architectures alone: no package __init__, no downloads. Returns a namespace."""
    sys.path.insert(0, site)
    for part in ("", ".archs", ".utils", ".data", ".matlab_utils"):
        m = types.ModuleType("pyiqa" + part)
        m.__path__ = [os.path.join(site, "pyiqa", part[1:])]
        sys.modules[m.__name__] = m
    padding = importlib.import_module("pyiqa.matlab_utils.padding")
    for name in ("ExactPadding2d", "exact_padding_2d"):
        setattr(sys.modules["pyiqa.matlab_utils"], name, getattr(padding, name))
    import torchvision
    for name in ("vgg16", "alexnet"):
        make = getattr(torchvision.models, name)
        setattr(torchvision.models, name, lambda *a, _make=make, **k: _make(weights=None))
    p = types.SimpleNamespace(torchvision=torchvision)
    for name in ("musiq", "dbcnn", "lpips", "dists"):
        arch = importlib.import_module(f"pyiqa.archs.{name}_arch")
        arch.load_pretrained_network = lambda *a, **k: None
        setattr(p, name, arch)
    p.patches = importlib.import_module("pyiqa.data.multiscale_trans_util")
    sys.modules["lpips.trainer"] = types.ModuleType("lpips.trainer")  # wants scipy
    import lpips
    import pytorch_msssim
    from DISTS_pytorch import DISTS_pt
    p.lpips_package, p.dists_package, p.msssim_package = lpips, DISTS_pt, pytorch_msssim
    print("torch", torch.__version__, "torchvision", torchvision.__version__)
    return p


# ---- weights ----------------------------------------------------------------------------------------------------

def weight(name, shape):
    """The tensor of this name in the checkpoint: the law with the exceptions above."""
    shape = tuple(shape)
    law_name, law_shape = name, shape
    if name.endswith(".running_var"):
        law_name = name + ".weight"  # 1 +- 0.1; the law itself would give variances below 0
    if name == "fc.weight" and shape == (1, 65536):
        law_shape = (65536, 1)  # scale sqrt(3): its input has unit length
    w = torch.from_numpy(synth.tensor(law_name, law_shape, SEED)).float().reshape(shape)
    if name in ("alpha", "beta") or name.startswith("lin"):
        w = w.abs()
    return w


def fill(module, rename=lambda name: name):
    """Sets every weight. rename: from the module's names to the checkpoint's, None for constants."""
    for name, p in module.state_dict().items():
        to = rename(name)
        if to is None:
            continue
        if p.dtype == torch.int64:
            p.zero_()  # num_batches_tracked
        else:
            p.copy_(weight(to, p.shape))
    return module.eval()


def trunk_names(name):
    """lpips' and DISTS' module names -> torchvision's features.N.* and the published heads' lin0.model.1.weight, alpha, beta."""
    if name in ("alpha", "beta") or name.startswith("lin") and not name.startswith("lins."):
        return name
    parts = name.split(".")
    if parts[-1] in ("weight", "bias") and not name.startswith("lins."):
        return "features." + ".".join(parts[-2:])
    return None


# ---- pictures ---------------------------------------------------------------------------------------------------

def picture(h, w, seed):
    """uint8 [h, w, 3]: gradients, discs, stripes and noise."""
    rng = np.random.RandomState(seed)
    y, x = np.mgrid[0:h, 0:w].astype(np.float64)
    img = np.stack([0.2 + 0.6 * (y / h) * rng.rand() + 0.3 * np.sin(x / w * 3 + c + seed) for c in range(3)], -1)
    for _ in range(6):
        cy, cx, r = rng.rand() * h, rng.rand() * w, (0.05 + 0.2 * rng.rand()) * min(h, w)
        img[(y - cy) ** 2 + (x - cx) ** 2 < r * r] = rng.rand(3)
    img[:, : w // 3] += (0.15 * np.sin((x + 2 * y) * 0.9))[:, : w // 3, None]
    img += rng.randn(h, w, 3) * 0.03
    return (np.clip(img, 0, 1) * 255).round().astype(np.uint8)


def noisy(img, sigma, seed):
    return (img + np.random.RandomState(seed).randn(*img.shape) * sigma).round().clip(0, 255).astype(np.uint8)


def blurred(img, n):
    """Box of n x n, edges repeated."""
    h, w, _ = img.shape
    p = np.pad(img.astype(np.float64), ((n // 2, n // 2), (n // 2, n // 2), (0, 0)), mode="edge")
    return (sum(p[i : i + h, j : j + w] for i in range(n) for j in range(n)) / n**2).round().astype(np.uint8)


def rgb(img, dtype):
    return torch.from_numpy(img).permute(2, 0, 1)[None].to(dtype) / 255


# ---- files and measures -----------------------------------------------------------------------------------------

def save(out, name, tensors):
    path = os.path.join(out, name + ".safetensors")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    t = {}
    for k, v in tensors.items():
        v = v if torch.is_tensor(v) else torch.from_numpy(np.ascontiguousarray(v))
        if k.startswith("mid/") and v.dtype == torch.float64 or k.endswith("_float32"):
            v = v.float()
        if v.numel() == 1:
            v = v.reshape(1, 1)
        t[k] = v.detach().clone().contiguous()
    save_file(t, path)
    print(f"{name}: {os.path.getsize(path)} bytes", flush=True)


class Measures:
    def __init__(self):
        self.rows = []

    def add(self, case, what, variant, ref, got):
        a, b = (torch.as_tensor(v).double().reshape(-1) for v in (ref, got))
        rms = float(((a - b) ** 2).mean().sqrt() / (a**2).mean().sqrt())
        big = float((a - b).abs().max() / a.abs().max())
        self.rows.append((case, what, variant, rms, big))

    def write(self, path):
        with open(path, "w") as f:
            f.write("case\twhat\tagainst float64\trms of difference / rms\tlargest difference / largest\n")
            for r in self.rows:
                f.write("%s\t%s\t%s\t%.1e\t%.1e\n" % r)


measures = Measures()


@contextlib.contextmanager
def variant(name):
    """How the same network is computed: float32 as PyTorch does by default, without oneDNN, products in bfloat16."""
    with contextlib.ExitStack() as s:
        if name == "float32, no oneDNN":
            s.enter_context(torch.backends.mkldnn.flags(enabled=False))
        if name == "bfloat16":
            s.enter_context(torch.autocast("cpu", dtype=torch.bfloat16))
        yield


VARIANTS = ("float32", "float32, no oneDNN", "bfloat16")


def traced(module, names, run):
    """run() with the outputs of the named submodules; a name ending in "<" takes the inputs instead."""
    keep, handles = {}, []
    modules = dict(module.named_modules())
    for name in names:
        m = modules[name.rstrip("<")]
        if name.endswith("<"):
            handles.append(m.register_forward_pre_hook(lambda _m, i, name=name: keep.__setitem__(name, [v.detach().clone() for v in i])))
        else:
            handles.append(m.register_forward_hook(lambda _m, _i, o, name=name: keep.__setitem__(name, o.detach().clone())))
    result = run()
    for h in handles:
        h.remove()
    return result, keep


def probe(name, x):
    """[n, ...] -> [n, 3]: mean, rms, and the scalar product with noise(name) over sqrt(size), which a wrong order changes."""
    x = x.double().reshape(x.shape[0], -1)
    u = torch.from_numpy(synth.noise(name, (x.shape[1],), SEED)).double()
    return torch.stack([x.mean(1), (x**2).mean(1).sqrt(), x @ u / math.sqrt(x.shape[1])], 1)


# ---- MUSIQ ------------------------------------------------------------------------------------------------------

BLOCK = "transformer_encoder.transformer.encoderblock_%d"
MUSIQ_TAPS = ["conv_root<", "conv_root", "gn_root", "root_pool", "block1", "embedding", "transformer_encoder<", BLOCK % 0 + "<",
              BLOCK % 0 + ".attention", BLOCK % 0 + ".mlp", BLOCK % 0, BLOCK % 6, BLOCK % 13, "transformer_encoder.encoder_norm"]


def musiq_run(model, img, dtype):
    score, k = traced(model, MUSIQ_TAPS, lambda: model(rgb(img, dtype)))
    _, position, scale, mask = k["transformer_encoder<"]
    real = mask[0].bool()  # the references pad the two small scales with empty tokens; a port need not make them
    with_cls = torch.cat([torch.tensor([True]), real])
    t = {"patches": k["conv_root<"][0][real], "position": position[0][real].long(), "scale": scale[0][real].long()}
    for name in ("conv_root", "gn_root", "root_pool", "block1"):
        t[name] = k[name][real]
    t["embedding"] = k["embedding"][:, real]
    t["tokens"] = k[BLOCK % 0 + "<"][0][:, with_cls]
    for name in MUSIQ_TAPS[8:13]:
        t[name] = k[name][:, with_cls]
    t["encoder_norm"] = k["transformer_encoder.encoder_norm"][:, 0]
    return score.double(), t


def case_musiq(out, p):
    koniq = fill(p.musiq.MUSIQ(pretrained=False))
    ava = fill(p.musiq.MUSIQ(pretrained=False, num_class=10))
    koniq64, ava64 = fill(p.musiq.MUSIQ(pretrained=False)).double(), fill(p.musiq.MUSIQ(pretrained=False, num_class=10)).double()
    cases = [("8x96", picture(8, 96, 1)), ("96x64", picture(96, 64, 2)), ("224x160", picture(224, 160, 3)), ("300x400", picture(300, 400, 4))]
    for name, img in cases:
        h, w = img.shape[:2]
        score, t = musiq_run(koniq64, img, torch.float64)
        score32, t32 = musiq_run(koniq, img, torch.float32)
        dist = ava64(rgb(img, torch.float64), return_mos=False, return_dist=True)
        mos, mos32 = ava64(rgb(img, torch.float64)), ava(rgb(img, torch.float32))
        s = t["scale"].tolist()
        first = [s.index(i) for i in range(3)]
        last = [len(s) - 1 - s[::-1].index(i) for i in range(3)]
        rows = torch.arange(len(s) + 1) if name == "8x96" else torch.tensor([0] + sorted(1 + i for i in first + last))
        shown = torch.tensor(last)  # these patches in full
        sizes = [p.patches.resize_preserve_aspect_ratio(torch.zeros(1, 3, h, w), h, w, side)[1:] for side in (224, 384)] + [(h, w)]
        f = {"in/image": img, "mid/sizes": torch.tensor(sizes), "mid/grids": torch.tensor([[-(-a // 32), -(-b // 32)] for a, b in sizes]),
             "mid/scale": t["scale"], "mid/position": t["position"], "mid/shown": shown, "mid/patches": t["patches"][shown], "mid/rows": rows}
        if name in ("8x96", "96x64"):
            for k in ("conv_root", "gn_root", "root_pool", "block1"):
                f["mid/" + k] = t[k][shown[1:2]] if k in ("root_pool", "block1") else t[k][shown[1:2], :8]
        for k in ("patches", "root_pool", "block1"):
            f[f"mid/{k}/probe"] = probe("probe/" + k, t[k].permute(0, 2, 3, 1))
        f["mid/embedding"] = t["embedding"][:, rows[1:] - 1]
        f["mid/tokens"] = t["tokens"][:, rows]
        for k in MUSIQ_TAPS[8:13] if name == "8x96" else MUSIQ_TAPS[10:13]:
            f["mid/" + k] = t[k][:, rows]
        f["mid/transformer_encoder.encoder_norm"] = t["encoder_norm"]
        f.update({"out/score": score, "out/score_float32": score32, "out/ava_distribution": dist.float(), "out/ava_score": mos, "out/ava_score_float32": mos32})
        save(out, "musiq/" + name, f)
        assert torch.equal(t["position"], t32["position"]) and torch.equal(t["scale"], t32["scale"])
        for v in VARIANTS:
            with variant(v):
                s32, t32 = musiq_run(koniq, img, torch.float32)
                a32 = ava(rgb(img, torch.float32))
            for k in ("patches", "block1", "embedding", BLOCK % 0, BLOCK % 6, BLOCK % 13, "encoder_norm"):
                measures.add("musiq/" + name, k.rpartition(".")[2], v, t[k], t32[k])
            measures.add("musiq/" + name, "score", v, score, s32)
            measures.add("musiq/" + name, "ava_score", v, mos, a32)
    # where the rules of rounding matter: [height, width] -> [h', w'] of both small scales
    sizes = [(96, 64), (160, 224), (300, 400), (768, 301), (303, 768), (768, 305), (448, 301), (303, 448), (768, 420), (420, 768), (105, 192), (320, 45),
             (384, 210), (640, 90), (1280, 180), (896, 602), (896, 598), (1344, 3), (768, 768), (224, 384), (1, 112), (3, 500), (1000, 1500), (2560, 360), (1600, 75)]
    def small(h, w, side):
        try:
            return p.patches.resize_preserve_aspect_ratio(torch.zeros(1, 1, h, w), h, w, side)[1:]
        except RuntimeError:  # a side of 0
            return 0, 0

    f = {"in/sizes": torch.tensor(sizes)}
    for side in (224, 384):
        f[f"out/{side}"] = torch.tensor([small(*s, side) for s in sizes])
    table = torch.full((64, 64), 255, dtype=torch.uint8)
    for n in range(1, 65):
        table[n - 1, :n] = p.patches.get_hashed_spatial_pos_emb_index(10, 1, n)[0].to(torch.uint8)
    f["out/hash"] = table  # row n-1: the cell 0..9 of each of n patches in a row; 255 past the end
    save(out, "musiq/rules", f)


# ---- DBCNN ------------------------------------------------------------------------------------------------------

def dbcnn_run(model, img, dtype):
    vgg = [f"features1.{i}" for i, m in enumerate(model.features1) if isinstance(m, torch.nn.ReLU)]
    scnn = [f"features2.{i}" for i, m in enumerate(model.features2) if isinstance(m, torch.nn.ReLU)]
    score, k = traced(model, vgg + scnn + ["fc<"], lambda: model(rgb(img, dtype)))
    t = {name + "/mean": k[name].double().mean((2, 3)) for name in vgg + scnn}
    a, b = k[vgg[-1]], k[scnn[-1]]
    t["features1"], t["features2"] = a, b
    if a.shape[2:] != b.shape[2:]:
        b = t["features2_resized"] = F.interpolate(b, a.shape[2:], mode="bilinear", align_corners=True)
    t["bilinear"] = a.flatten(2) @ b.flatten(2).transpose(1, 2) / (a.shape[2] * a.shape[3])
    t["normalized"] = k["fc<"][0].reshape(1, 512, 128)
    v = (t["bilinear"].double() + 1e-8).sqrt()
    t["norm"] = v.pow(2).sum().sqrt()
    return score.double(), t, float((v / t["norm"] - t["normalized"]).abs().max())


def case_dbcnn(out, p):
    model, model64 = fill(p.dbcnn.DBCNN(pretrained=False)), fill(p.dbcnn.DBCNN(pretrained=False)).double()
    for name, img in [("64x64", picture(64, 64, 11)), ("97x131", picture(97, 131, 12)), ("200x160", picture(200, 160, 13))]:
        score, t, off = dbcnn_run(model64, img, torch.float64)
        assert off < 1e-12, off  # the values computed here are the ones the model used
        score32, _, _ = dbcnn_run(model, img, torch.float32)
        small = name == "64x64"
        rows = torch.tensor([0, 1, 255, 511])
        f = {"in/image": img}
        f.update({"mid/" + k: v for k, v in t.items() if k.endswith("/mean")})
        f["mid/features1"] = t["features1"] if small else t["features1"][:, :48]
        f["mid/features2"] = t["features2"] if small else t["features2"][:, :48]
        if "features2_resized" in t:
            f["mid/features2_resized"] = t["features2_resized"][:, :48]
        f["mid/rows"] = rows
        for k in ("bilinear", "normalized"):
            f["mid/" + k] = t[k][:, rows]
            f[f"mid/{k}/sum_of_rows"] = t[k].sum(2)
            f[f"mid/{k}/sum_of_columns"] = t[k].sum(1)
        f.update({"mid/norm": t["norm"], "out/score": score, "out/score_float32": score32})
        save(out, "dbcnn/" + name, f)
        for v in VARIANTS:
            with variant(v):
                s32, t32, _ = dbcnn_run(model, img, torch.float32)
            for k in ("features1", "features2", "bilinear", "normalized"):
                measures.add("dbcnn/" + name, k, v, t[k], t32[k])
            measures.add("dbcnn/" + name, "score", v, score, s32)


# ---- LPIPS and DISTS --------------------------------------------------------------------------------------------

def pairs():
    a, b = picture(64, 64, 21), picture(97, 75, 22)
    return [("64x64_noise", a, noisy(a, 20, 1)), ("64x64_blur", a, blurred(a, 5)), ("97x75_noise", b, noisy(b, 20, 2)), ("97x75_other", b, picture(97, 75, 23))]


def lpips_run(model, x, y, dtype):
    taps = [f"net.slice{i}" for i in range(1, 6)]
    maps = [f"lin{i}" for i in range(5)]
    seen = []
    handles = [m.register_forward_hook(lambda _m, _i, o: seen.append(o.detach().clone())) for n, m in model.named_modules() if n in taps]
    handles += [getattr(model, n).register_forward_hook(lambda _m, _i, o: seen.append(o.detach().clone())) for n in maps]
    score, layers = model(rgb(x, dtype), rgb(y, dtype), retPerLayer=True, normalize=True)
    for h in handles:
        h.remove()
    return score.double(), torch.cat([v.reshape(1, 1) for v in layers], 1).double(), seen[:5], seen[5:10], seen[10:]


def case_lpips(out, p):
    for name, x, y in pairs():
        f = {"in/image0": x, "in/image1": y}
        for net in ("alex", "vgg"):
            make = lambda: fill(p.lpips_package.LPIPS(net=net, pretrained=False, pnet_rand=True, verbose=False), trunk_names)
            model, model64 = make(), make().double()
            score, layers, t0, t1, maps = lpips_run(model64, x, y, torch.float64)
            score32, layers32, *_ = lpips_run(model, x, y, torch.float32)
            for i in range(5):
                f[f"mid/{net}/tap{i}/mean0"], f[f"mid/{net}/tap{i}/mean1"] = t0[i].mean((2, 3)), t1[i].mean((2, 3))
                if name == "64x64_noise":
                    f[f"mid/{net}/map{i}"] = maps[i]
            f.update({f"out/{net}/layers": layers, f"out/{net}/score": score, f"out/{net}/score_float32": score32})
            iqa = fill(p.lpips.LPIPS(net=net, pretrained=False), trunk_names).double()
            theirs = iqa(rgb(x, torch.float64), rgb(y, torch.float64)).reshape(1)
            assert abs(float(theirs - score)) <= 1e-12 * float(score), (theirs, score)
            for v in VARIANTS:
                with variant(v):
                    s32, l32, _, u1, _ = lpips_run(model, x, y, torch.float32)
                case = f"lpips/{name} {net}"
                measures.add(case, "tap4", v, t1[4], u1[4])
                measures.add(case, "layers", v, layers, l32)
                measures.add(case, "score", v, score, s32)
            same = float(model(rgb(x, torch.float32), rgb(x, torch.float32)))
            assert same == 0, same
        save(out, "lpips/" + name, f)


def case_dists(out, p):
    make = lambda: fill(p.dists_package.DISTS(load_weights=False), trunk_names)
    model, model64 = make(), make().double()
    iqa = fill(p.dists.DISTS(pretrained=False), trunk_names).double()
    for name, x, y in pairs():
        x64, y64 = rgb(x, torch.float64), rgb(y, torch.float64)
        score = model64(x64, y64).reshape(1)
        assert abs(float(iqa(x64, y64) - score)) < 1e-13
        score32 = model(rgb(x, torch.float32), rgb(y, torch.float32)).reshape(1)
        fx, fy = model64.forward_once(x64), model64.forward_once(y64)
        cat = lambda fn: torch.cat([fn(a[0].flatten(1), b[0].flatten(1)) for a, b in zip(fx, fy)])
        m0, m1 = cat(lambda a, b: a.mean(1)), cat(lambda a, b: b.mean(1))
        v0, v1 = cat(lambda a, b: a.var(1, unbiased=False)), cat(lambda a, b: b.var(1, unbiased=False))
        cov = cat(lambda a, b: ((a - a.mean(1, keepdim=True)) * (b - b.mean(1, keepdim=True))).mean(1))
        alpha, beta = model64.alpha.reshape(-1), model64.beta.reshape(-1)
        total = alpha.sum() + beta.sum()
        s1, s2 = (2 * m0 * m1 + 1e-6) / (m0**2 + m1**2 + 1e-6), (2 * cov + 1e-6) / (v0 + v1 + 1e-6)
        sizes = [v.shape[1] for v in fx]
        stages = torch.stack([torch.stack([v.sum() for v in torch.split(w * s / total, sizes)]) for w, s in ((alpha, s1), (beta, s2))], 1)
        assert abs(float(1 - stages.sum() - score)) < 1e-12
        save(out, "dists/" + name, {
            "in/image0": x, "in/image1": y, "mid/sizes": torch.tensor([list(v.shape[1:]) for v in fx]), "mid/mean0": m0[None], "mid/mean1": m1[None], "mid/var0": v0[None],
            "mid/var1": v1[None], "mid/cov": cov[None], "mid/stage5": fx[5][:, :32], "mid/weights_sum": total, "out/stages": stages, "out/score": score, "out/score_float32": score32})
        for v in VARIANTS:
            with variant(v):
                s32 = model(rgb(x, torch.float32), rgb(y, torch.float32)).reshape(1)
                stage5 = model.forward_once(rgb(x, torch.float32))[5]
            measures.add("dists/" + name, "stage5", v, fx[5], stage5)
            measures.add("dists/" + name, "score", v, score, s32)


# ---- MS-SSIM, PSNR, color score: plain definitions -------------------------------------------------------------

MS_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)


def ms_ssim(x, y, halve):
    """x, y [3, H, W] in 0..255. Returns the index and the means [5, 3] of each level and channel: contrast-structure, on the last level SSIM."""
    i = torch.arange(11, dtype=torch.float64) - 5
    g = torch.exp(-(i**2) / (2 * 1.5**2))
    g = g / g.sum()
    blur = lambda z: F.conv2d(F.conv2d(z[:, None], g.view(1, 1, 11, 1)), g.view(1, 1, 1, 11))[:, 0]  # no padding
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    means = []
    for level in range(5):
        mx, my = blur(x), blur(y)
        sx, sy, sxy = blur(x * x) - mx * mx, blur(y * y) - my * my, blur(x * y) - mx * my
        cs = (2 * sxy + c2) / (sx + sy + c2)
        if level == 4:
            cs = cs * (2 * mx * my + c1) / (mx * mx + my * my + c1)
        else:
            x, y = halve(x), halve(y)
        means.append(cs.mean((1, 2)).clamp(min=0))
    means = torch.stack(means)
    return torch.prod(means ** torch.tensor(MS_WEIGHTS, dtype=torch.float64)[:, None], 0).mean(), means


def halve_zero(z):
    """2x2 mean; an odd side gets a zero before its first sample (pytorch-msssim)."""
    return F.avg_pool2d(z[None], 2, padding=(z.shape[1] % 2, z.shape[2] % 2))[0]


def halve_edge(z):
    """2x2 mean; an odd side repeats its last sample (Wang's imfilter 'symmetric', TensorFlow)."""
    return F.avg_pool2d(F.pad(z[None], (0, z.shape[2] % 2, 0, z.shape[1] % 2), mode="replicate"), 2)[0]


def color_map32(x):
    return F.interpolate(x[None] / 255, (32, 32), mode="bilinear", align_corners=False, antialias=False)[0]


def case_metrics(out, p):
    ref = picture(176, 176, 31)
    y, x = np.mgrid[0:176, 0:176]
    darker = (ref * 0.7 + 20 + 10 * np.sin(x / 30.0)[..., None]).round().clip(0, 255).astype(np.uint8)
    images = {"noise": noisy(ref, 15, 3), "blur": blurred(ref, 7), "darker": darker}
    f = {"in/ref": ref, **{"in/" + k: v for k, v in images.items()}}
    todo = [(k, ref, v) for k, v in images.items()] + [("same", ref, ref), ("inverted", ref, 255 - ref), ("odd", ref[:165, :167], images["blur"][:165, :167])]
    for name, a, b in todo:
        plane = lambda z, dtype=torch.float64: torch.from_numpy(np.ascontiguousarray(z)).permute(2, 0, 1).to(dtype)
        xa, xb = plane(a), plane(b)
        mse = float(((xa - xb) ** 2).mean())
        value, means = ms_ssim(xa, xb, halve_zero)
        edge, _ = ms_ssim(xa, xb, halve_edge)
        package = float(p.msssim_package.ms_ssim(xa[None], xb[None], data_range=255))
        package32 = p.msssim_package.ms_ssim(plane(a, torch.float32)[None], plane(b, torch.float32)[None], data_range=255)
        assert abs(package - float(value)) < 2e-6, (package, value)
        ma, mb = color_map32(xa), color_map32(xb)
        f.update({f"mid/{name}/levels": means, f"out/{name}/psnr": torch.tensor(math.inf if mse == 0 else 10 * math.log10(255**2 / mse), dtype=torch.float64),
                  f"out/{name}/ms_ssim": value, f"out/{name}/ms_ssim_edge": edge, f"out/{name}/color_score": ((ma - mb) ** 2).mean()})
        if name in ("noise", "odd"):
            f[f"mid/{name}/map0"], f[f"mid/{name}/map1"] = ma[None], mb[None]
        if name not in ("same", "inverted"):
            measures.add("metrics/" + name, "ms_ssim of pytorch-msssim in float64", "float64", value, package)
            measures.add("metrics/" + name, "1 - ms_ssim of pytorch-msssim", "float32", 1 - value, 1 - package32.double())
            c32 = ((color_map32(plane(a, torch.float32)) - color_map32(plane(b, torch.float32))) ** 2).mean()
            measures.add("metrics/" + name, "color_score", "float32", ((ma - mb) ** 2).mean(), c32)
        print(f"  {name}: psnr {float(f[f'out/{name}/psnr']):.4f} ms_ssim {float(value):.6f} (edge {float(edge):.6f}, package {package:.6f}) color {float(f[f'out/{name}/color_score']):.6f}")
    save(out, "metrics/pairs", f)


# ---- larger and flat pictures: measures only, no files ----------------------------------------------------------

def case_beyond(out, p):
    flat = lambda v, h=96, w=64: np.full((h, w, 3), v, np.uint8)

    def compare(case, make, run):
        ref = run(make().double(), torch.float64)
        model = make()
        for v in VARIANTS[:2]:
            with variant(v):
                measures.add(case, "score", v, ref, run(model, torch.float32))

    for name, img in [("768x768", picture(768, 768, 41)), ("768x420", picture(768, 420, 42)), ("flat 128", flat(128))]:
        compare("beyond musiq " + name, lambda: fill(p.musiq.MUSIQ(pretrained=False)), lambda m, d: m(rgb(img, d)))
    img = picture(384, 512, 43)
    other = noisy(img, 12, 5)
    for name, one in [("384x512", img), ("flat 128", flat(128))]:
        compare("beyond dbcnn " + name, lambda: fill(p.dbcnn.DBCNN(pretrained=False)), lambda m, d: m(rgb(one, d)))
    for net in ("alex", "vgg"):
        compare(f"beyond lpips 384x512 {net}", lambda: fill(p.lpips_package.LPIPS(net=net, pretrained=False, pnet_rand=True, verbose=False), trunk_names),
                lambda m, d: m(rgb(img, d), rgb(other, d), normalize=True))
    for name, x, y in [("384x512", img, other), ("flat 100, 101", flat(100), flat(101))]:
        compare("beyond dists " + name, lambda: fill(p.dists_package.DISTS(load_weights=False), trunk_names), lambda m, d: m(rgb(x, d), rgb(y, d)))


# ---- main -------------------------------------------------------------------------------------------------------

def main():
    a = argparse.ArgumentParser()
    a.add_argument("--site", required=True, help="folder with torchvision, pyiqa, lpips, DISTS_pytorch, pytorch_msssim")
    a.add_argument("--out", default=os.path.join(HERE, "..", "iqa", "testdata"))
    a.add_argument("--only", default="musiq,dbcnn,lpips,dists,metrics")
    a = a.parse_args()
    only = a.only.split(",")
    p = load_packages(a.site)
    for name in ("musiq", "dbcnn", "lpips", "dists", "metrics", "beyond"):
        if name in only:
            globals()["case_" + name](a.out, p)
    if "beyond" in only:
        measures.write(os.path.join(a.out, "measured.tsv"))


if __name__ == "__main__":
    main()
