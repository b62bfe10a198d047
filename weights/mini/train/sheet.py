"""The README's sheet: pictures, and what the Go program paints of their files with the built-in model.

    python sheet.py

Writes ../sheet.png and prints the README's table of files. Needs Go; the model is the one in this repository.
"""

import os
import subprocess
import tempfile

from PIL import Image, ImageOps

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "..", "..", "..")
SCENES = ["canyon", "forest", "night_moon", "river", "sea_dusk", "skyline"]
PHOTOS = ["cat", "coffee"]
NAMES = {"night_moon": "night", "sea_dusk": "sea at dusk", "cat": "a photo", "coffee": "a photo"}
SIDE, GAP = 128, 4


def main():
    paths = [os.path.join(HERE, "..", "testdata", "scenes", n + ".png") for n in SCENES]
    paths += [os.path.join(ROOT, "codec", "testdata", "photos", n + ".jpg") for n in PHOTOS]
    sheet = Image.new("RGB", (len(paths) * (SIDE + GAP), 2 * (SIDE + GAP)), "white")
    print("| | bytes | all that is kept of it |\n|---|---|---|")
    with tempfile.TemporaryDirectory() as work:
        at = lambda name: os.path.join(work, name)
        subprocess.run(["go", "build", "-o", at("coclico"), "./cmd/coclico"], cwd=ROOT, check=True)
        call = lambda *a: subprocess.run([at("coclico"), *a, "--model", os.path.join(HERE, "..")], check=True, stderr=subprocess.DEVNULL)
        for column, (name, path) in enumerate(zip(SCENES + PHOTOS, paths)):
            call("encode", path, "-o", at("file"))
            call("decode", at("file"), "-o", at("again.png"))
            data = open(at("file"), "rb").read()
            print(f"| {NAMES.get(name, name)} | {len(data)} | `{data.hex()}` |")
            shown = ImageOps.fit(Image.open(path).convert("RGB"), (SIDE, SIDE), Image.Resampling.BICUBIC), Image.open(at("again.png")).convert("RGB")
            for row, picture in enumerate(shown):
                sheet.paste(picture, (column * (SIDE + GAP) + GAP // 2, row * (SIDE + GAP) + GAP // 2))
    sheet.save(os.path.join(HERE, "..", "sheet.png"), optimize=True)


if __name__ == "__main__":
    main()
