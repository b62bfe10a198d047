"""PyTorch's image vectors of a folder of pictures: the peer of `coclico encode`.

    python bench/peers/encode_torch.py MODEL_DIR PICTURES [--dtype bf16|f32] [--batches 1,2,4,8,16,32]

Reads and resizes in threads ahead of the tower, as CoCliCo does, and prints
pictures a second, reading included, for each batch size. The best one counts.
"""
import argparse, concurrent.futures, itertools, os, pathlib, time
import torch
from PIL import Image
from transformers import CLIPImageProcessor, CLIPVisionModelWithProjection

parser = argparse.ArgumentParser()
parser.add_argument("model")
parser.add_argument("pictures")
parser.add_argument("--dtype", choices=["bf16", "f32"], default="bf16")
parser.add_argument("--batches", default="1,2,4,8,16,32")
args = parser.parse_args()

torch.set_grad_enabled(False)
dtype = torch.bfloat16 if args.dtype == "bf16" else torch.float32
tower = CLIPVisionModelWithProjection.from_pretrained(args.model + "/image_encoder", torch_dtype=dtype).eval()
processor = CLIPImageProcessor.from_pretrained(args.model + "/feature_extractor")
paths = sorted(p for p in pathlib.Path(args.pictures).rglob("*") if p.suffix.lower() in {".jpg", ".jpeg", ".png", ".webp"})


def read(path):
    with Image.open(path) as picture:
        return processor(picture.convert("RGB"), return_tensors="pt").pixel_values.to(dtype)


def run(size):
    start = time.perf_counter()
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        ahead, rest = [], iter(paths)
        for path in itertools.islice(rest, 2 * size):
            ahead.append(pool.submit(read, path))
        while ahead:
            batch, ahead = ahead[:size], ahead[size:]
            for path in itertools.islice(rest, size):
                ahead.append(pool.submit(read, path))
            tower(pixel_values=torch.cat([b.result() for b in batch])).image_embeds
    return len(paths) / (time.perf_counter() - start)


run(1)
rates = {size: run(size) for size in map(int, args.batches.split(","))}
for size, rate in rates.items():
    print(f"batch {size:2d}: {rate:.2f} pictures/s")
print(f"{torch.__version__} {args.dtype}, {len(paths)} pictures, best: {max(rates.values()):.2f} pictures/s")
