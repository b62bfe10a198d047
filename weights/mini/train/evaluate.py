"""What the model folder can do, on pictures that it has not seen.

    python evaluate.py --work DIR [--model ..] [--pictures 140] [--second] [--seed 1]
    python evaluate.py --work DIR --looks

Draws the held-out pictures and trains the judge of kinds and objects where DIR has none. Prints a table and
writes sweep.png (strength 0.5 .. 1.0) and sheet.png (inputs and decoded pictures).

--looks measures instead what paintings look like: the Go program paints all held-out pictures with the default profile.
Then a discriminator is trained to tell them apart, and its surest pictures are written to telling.png.
"""

import argparse
import os
import tempfile

import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL, UNet2DConditionModel
from safetensors.torch import load_file
from transformers import CLIPTextModel, CLIPVisionModelWithProjection

import autoencoder
import classifier
import data
import looks
import pipeline
import program
import tower

HERE = os.path.dirname(os.path.abspath(__file__))
STRENGTHS = [0.5, 0.6, 0.7, 0.8, 0.88, 0.95, 1.0]


def open_folder(folder):
    """The networks of a diffusers folder, in float32."""
    at = lambda *names: os.path.join(folder, *names)
    text = CLIPTextModel.from_pretrained(at("text_encoder"), dtype=torch.float32)
    v = text.config.vocab_size
    normalizer = load_file(at("image_normalizer", "diffusion_pytorch_model.safetensors"))
    vae = AutoencoderKL.from_pretrained(at("vae"), torch_dtype=torch.float32)
    with torch.no_grad():
        context = text(input_ids=torch.tensor([[v - 2, v - 1] + [0] * 75])).last_hidden_state
    return {
        "image_encoder": CLIPVisionModelWithProjection.from_pretrained(at("image_encoder"), dtype=torch.float32).eval(),
        "unet": UNet2DConditionModel.from_pretrained(at("unet"), torch_dtype=torch.float32).eval(), "context": context,
        "vae": vae.eval(), "scaling_factor": vae.config.scaling_factor,
        "mean": normalizer["mean"].float(), "std": normalizer["std"].float(),
    }


def small(x):
    """The maps of the color score: 32 x 32."""
    return F.interpolate(x, (32, 32), mode="bilinear", align_corners=False)


def color_score(x, y):
    return ((small(x) - small(y)) ** 2).mean((1, 2, 3))


class Journeys:
    """Decodes many pictures, as one does: the noise is that of one seed, by default 0, for each of them."""

    def __init__(self, parts, exact, n=20, seed=0):
        self.parts, self.exact, self.n = parts, exact, n
        self.noise = torch.randn((1, 4, data.SIZE // 8, data.SIZE // 8), generator=torch.Generator().manual_seed(seed))

    @torch.no_grad()
    def embed(self, x):
        return torch.cat([tower.embed(self.parts["image_encoder"], p) for p in x.split(self.n)])

    def decode(self, e, rgb_map, **options):
        out = []
        for a, b in zip(e.split(self.n), rgb_map.split(self.n)):
            with data.narrow(not self.exact):
                out.append(pipeline.decode(self.parts, tower.quantize(a), b, self.noise, **options))
        return torch.cat(out)


def balanced(kinds, count, second=False):
    """Indices of count pictures, as many of each kind: the first of each, or those after them."""
    each = max(1, count // len(data.KINDS))
    return torch.cat([(kinds == k).nonzero()[each * second :, 0][:each] for k in range(len(data.KINDS))])


@torch.no_grad()
def table(j, judge, x, kinds):
    """Measures every row; returns [(what, value, bound)] and the decoded pictures."""
    e, maps = j.embed(x), pipeline.color_map(x)
    y = j.decode(e, maps)
    kind = lambda p: classifier.judge(judge, p).argmax(1)
    share = lambda ok: 100 * ok.float().mean().item()
    own = kind(x)
    distance = 1 - F.cosine_similarity(e, j.embed(y))
    between = 1 - F.normalize(e) @ F.normalize(e).T
    apart = between[~torch.eye(len(e), dtype=torch.bool)].mean().item()
    donor = torch.arange(len(x)).roll(len(x) // len(data.KINDS) * 5 + 1)  # another picture of another kind
    swapped = j.decode(e, maps[donor])
    rows = [
        ("kind of the decoded picture is the input's (judge)", f"{share(kind(y) == own):.1f} %", ">= 90 %"),
        ("  the judge itself on the inputs, against the truth", f"{share(own == kinds):.1f} %", ""),
        ("color score, decoded to input", f"{color_score(x, y).mean():.4f}", "<= 0.0135"),
        ("  of the 8x8 maps alone, up-sampled", f"{color_score(x, pipeline.upsample(maps, data.SIZE)).mean():.4f}", ""),
        ("  of two different pictures", f"{color_score(x, x[donor]).mean():.4f}", ""),
        ("CLIP distance, decoded to input", f"{distance.mean():.3f}", "<= 0.110"),
        ("CLIP distance of different pictures", f"{apart:.3f}", ""),
        ("  ratio of the two", f"{distance.mean() / apart:.3f}", "<= 0.333"),
        ("other CLIP bits on a map: the kind is that of the bits", f"{share(kind(swapped) == own):.1f} %", ">= 85 %"),
        ("other map under CLIP bits: colors nearer to the map's", f"{share(color_score(swapped, x[donor]) < color_score(swapped, x)):.1f} %", ">= 95 %"),
    ]
    return rows, y, swapped, donor


def kept(judge, painted, real, seen):
    """Which objects of the pictures are in the paintings, in words, and the share of all of them."""
    pairs = looks.objects_kept(judge, painted, real, seen)
    words = ", ".join(f"{name} {a}/{n}" for name, (a, n) in zip(data.OBJECTS, pairs) if n)
    return words, 100 * sum(a for a, _ in pairs) / max(1, sum(n for _, n in pairs))


@torch.no_grad()
def by_program(coclico, j, judge, pixels, seen, profile, seed):
    """The rows of what the Go program paints of pictures uint8 [N, H, W, 3]; returns them and the paintings."""
    x = data.floats(pixels)
    y = coclico.paint(pixels, profile, seed)
    kind = lambda p: classifier.judge(judge, p).argmax(1)
    ratio = looks.gradient_ratio(y, x)
    words, share = kept(judge, y, x, seen)
    rows = [
        ("kind kept", f"{100 * (kind(y) == kind(x)).float().mean():.1f} %", ">= 90 %"),
        ("color score", f"{color_score(x, y).mean():.4f}", "<= 0.0135"),
        ("CLIP distance", f"{(1 - F.cosine_similarity(j.embed(x), j.embed(y))).mean():.3f}", "<= 0.110"),
        ("gradient ratio", f"{ratio.mean():.3f}", ">= 0.75"),
        ("  the largest", f"{ratio.max():.2f}", "<= 1.2"),
        (f"objects of the pictures ({words})", f"{share:.1f} %", ">= 70 %"),
    ]
    return [(f"{profile}, seed {seed}: {what}", value, bound) for what, value, bound in rows], y


@torch.no_grad()
def there_and_back(parts, judge, pixels, seen):
    """The rows of the autoencoder alone."""
    x = data.floats(pixels)
    vae = parts["vae"]
    y = torch.cat([(vae.decode(vae.encode(2 * p - 1).latent_dist.mode()).sample / 2 + 0.5).clamp(0, 1) for p in x.split(20)])
    words, share = kept(judge, y, x, seen)
    return [
        ("autoencoder alone: PSNR", f"{-10 * ((x - y) ** 2).mean((1, 2, 3)).log10().mean():.2f} dB", ">= 27"),
        ("  gradient ratio", f"{looks.gradient_ratio(y, x).mean():.3f}", ">= 0.85"),
        (f"  objects ({words})", f"{share:.1f} %", ""),
    ]


def of_photos(coclico, folder, seed):
    """The rows of photos, which no training has seen."""
    pixels = looks.photos(folder)
    ratio = looks.gradient_ratio(coclico.paint(pixels, "tuned", seed), data.floats(torch.from_numpy(pixels)))
    return [(f"{len(pixels)} photos: gradient ratio", f"{ratio.mean():.3f}", ">= 0.60"), ("  the largest", f"{ratio.max():.2f}", "<= 1.2")]


def appearance(coclico, judge, pixels, kinds, figures, minutes):
    """The rows of how painted pictures differ from real ones: the Frechet distance, and a discriminator trained for minutes."""
    x, shown = data.floats(pixels), torch.cat([balanced(kinds, 140), balanced(kinds, 140, second=True)])
    rest = torch.ones(len(x), dtype=torch.bool)
    rest[shown] = False
    y = torch.empty_like(x)
    for some in (shown, rest) if minutes else (shown,):
        y[some] = coclico.paint(pixels[some], "tuned")
    with torch.no_grad():
        f = [looks.features(judge, p) for p in (y[shown], x[shown], x[rest])]
    rows = [
        ("Frechet distance of the judge's features, painted to real", f"{looks.frechet(f[0], f[2]):.1f}", ""),
        ("  real to other real", f"{looks.frechet(f[1], f[2]):.1f}", ""),
    ]
    if not minutes:
        return rows
    d = looks.Afresh(y[rest], x[rest], minutes)
    sure = d.says(y[shown]).argsort(descending=True)[:16]
    autoencoder.save_sheet(torch.cat([x[shown][sure[:8]], y[shown][sure[:8]], x[shown][sure[8:]], y[shown][sure[8:]]]), os.path.join(figures, "telling.png"), 8)
    return rows + [("a discriminator trained afresh is right in", f"{100 * d.right(y[shown], x[shown]):.1f} %", "<= 85 %")]


@torch.no_grad()
def sweep(j, judge, x):
    """Color score, the judge's confidence in its first choice and the share of kept kinds, by strength."""
    e, maps, own = j.embed(x), pipeline.color_map(x), classifier.judge(judge, x).argmax(1)
    points = []
    for s in STRENGTHS:
        y = j.decode(e, maps, strength=s)
        p = classifier.judge(judge, y)
        points.append((s, color_score(x, y).mean().item(), p.max(1).values.mean().item(), (p.argmax(1) == own).float().mean().item()))
    return points


def plot(points, path):
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    s, color, confidence, kept = zip(*points)
    figure, left = pyplot.subplots(figsize=(6, 3.6))
    left.plot(s, color, "o-", color="tab:red")
    left.set_xlabel("strength")
    left.set_ylabel("color score (lower is nearer)", color="tab:red")
    right = left.twinx()
    right.plot(s, confidence, "s-", color="tab:blue", label="judge's confidence")
    right.plot(s, kept, "^--", color="tab:green", label="kind kept")
    right.set_ylim(0, 1.02)
    right.legend(loc="lower right")
    left.axvline(0.88, color="gray", lw=0.7)
    figure.tight_layout()
    figure.savefig(path, dpi=110)


def show(rows, pictures):
    print(f"{pictures} held-out pictures")
    for what, value, bound in rows:
        print(f"{what:58} {value:>8}  {bound}")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--work", required=True)
    p.add_argument("--model", default=os.path.join(HERE, ".."))
    p.add_argument("--pictures", type=int, default=140)
    p.add_argument("--figures", default=HERE, help="folder for sheet.png and sweep.png")
    p.add_argument("--exact", action="store_true", help="float32 instead of bfloat16")
    p.add_argument("--seed", type=int, default=0, help="of the decoder's noise")
    p.add_argument("--no-sweep", action="store_true", help="the table alone, no files")
    p.add_argument("--photos", default=os.path.join(program.ROOT, "codec", "testdata", "photos"), help="folder of photos")
    p.add_argument("--second", action="store_true", help="the pictures after the table's")
    p.add_argument("--looks", action="store_true", help="what paintings look like, of all held-out pictures")
    p.add_argument("--minutes", type=float, default=6, help="of the discriminator that --looks trains; 0: the Frechet distances alone, of 280 pictures")
    a = p.parse_args()
    if not os.path.exists(os.path.join(a.work, "scenes_held_out_pixels.npy")):
        os.makedirs(a.work, exist_ok=True)
        data.render(a.work)
    if not os.path.exists(os.path.join(a.work, "classifier.pt")):
        classifier.train(a.work, 5)
    judge = classifier.load(a.work)
    pixels, kinds, _ = data.load(a.work, "held_out")
    seen, certain = data.objects(a.work, "held_out")
    with tempfile.TemporaryDirectory() as folder:
        coclico = program.Program(folder, a.model)
        if a.looks:
            show(appearance(coclico, judge, pixels, kinds, a.figures, a.minutes), len(pixels))
            return
        i = balanced(kinds, a.pictures, a.second)
        pixels, kinds, seen = pixels[i], kinds[i], (seen & certain)[i]
        x, j = data.floats(pixels), Journeys(open_folder(a.model), a.exact, seed=a.seed)
        rows, y, *_ = table(j, judge, x, kinds)
        rows += there_and_back(j.parts, judge, pixels, seen)
        for profile in ("paper", "tuned"):
            rows += by_program(coclico, j, judge, pixels, seen, profile, a.seed)[0]
        rows += of_photos(coclico, a.photos, a.seed)
        show(rows, len(x))
    if a.no_sweep:
        return
    every = max(1, len(x) // 14)
    both = torch.stack([x[::every], y[::every]], 1)[:14].flatten(0, 1)
    autoencoder.save_sheet(both, os.path.join(a.figures, "sheet.png"), 4)
    points = sweep(j, judge, x[::3])
    print("strength  color score  judge's confidence  kind kept")
    for s, color, confidence, kept in points:
        print(f"{s:8.2f}  {color:12.4f}  {confidence:18.3f}  {kept:9.3f}")
    plot(points, os.path.join(a.figures, "sweep.png"))


if __name__ == "__main__":
    main()
