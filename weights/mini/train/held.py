"""Scenes that neither the tower nor the words of search have seen, for bench/recall.

    python held.py DIR [count]    PNG files named KIND-NUMBER.png
"""

import os
import sys

from PIL import Image

import data
import scenes

SEED, COUNT = 20_000_000, 2000  # training draws below 10 million, words.py from 30 million on


def main():
    out = sys.argv[1]
    os.makedirs(out, exist_ok=True)
    pixels, kinds, *_ = scenes.make(int(sys.argv[2]) if len(sys.argv) > 2 else COUNT, SEED, data.SIZE)
    for i, (p, k) in enumerate(zip(pixels, kinds)):
        Image.fromarray(p).save(os.path.join(out, f"{scenes.KINDS[k]}-{i:04d}.png"))


if __name__ == "__main__":
    main()
