"""Makes the golden cases of the built-in model again, from its weights.

    python mini.py          writes weights/mini's cases and held-out pictures into the current folder

weights/mini/train/export.py wrote them when the model was trained. The weights in the folder are those of the
networks, rounded to float16, so that the same program makes the same cases of them.
"""

import json
import os
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MINI = os.path.join(ROOT, "weights", "mini")
sys.path.insert(0, os.path.join(MINI, "train"))

import data
import export


def main():
    with open(os.path.join(MINI, "testdata", "scenes", "kinds.json")) as f:
        last = max(p["seed"] for p in json.load(f).values())
    with tempfile.TemporaryDirectory() as work:
        data.render(work, train=1, held_out=last - data.HELD_OUT_SEED + 1)
        export.restore(work, MINI)
        export.pictures(work, "scenes")
        export.cases(export.parts(work), work, ".")


if __name__ == "__main__":
    main()
