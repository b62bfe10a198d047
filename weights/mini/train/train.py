"""From nothing to the model folder.

    python train.py all --work DIR --out ..

Stages (in this order, each reads what the ones before wrote to DIR): render, tower, classifier, eye,
autoencoder, latents, denoiser, journeys, export. Each training stops when its minutes are used up.
"""

import argparse
import os

import torch

import data

MINUTES = {"tower": 30, "classifier": 5, "eye": 5, "autoencoder": 10, "denoiser": 110, "journeys": 90}


def render(work, _minutes, _out, _resume):
    data.render(work)


def tower(work, minutes, _out, resume):
    import tower

    tower.train(work, minutes, resume)


def classifier(work, minutes, _out, _resume):
    import classifier

    classifier.train(work, minutes)


def eye(work, minutes, _out, _resume):
    import classifier

    classifier.train(work, minutes, "eye")


def autoencoder(work, minutes, _out, _resume):
    import autoencoder

    autoencoder.train(work, minutes, torch.get_num_threads())


def latents(work, _minutes, _out, _resume):
    import denoiser

    denoiser.prepare(work)


def denoiser(work, minutes, _out, resume):
    import denoiser

    denoiser.train(work, minutes, torch.get_num_threads(), resume)


def journeys(work, minutes, _out, _resume):
    import journeys

    journeys.train(work, minutes, torch.get_num_threads())


def export(work, _minutes, out, _resume):
    import export

    export.write(work, out)


STAGES = [render, tower, classifier, eye, autoencoder, latents, denoiser, journeys, export]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("stage", choices=["all"] + [s.__name__ for s in STAGES])
    p.add_argument("--work", required=True, help="folder for pictures and checkpoints")
    p.add_argument("--out", default="..", help="model folder")
    p.add_argument("--minutes", type=float, help="time budget of the training, instead of its usual one")
    p.add_argument("--resume", action="store_true", help="train the tower or the denoiser that is in DIR on")
    p.add_argument("--threads", type=int, default=os.cpu_count())
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    os.makedirs(a.work, exist_ok=True)
    for stage in STAGES:
        if a.stage in ("all", stage.__name__):
            stage(a.work, a.minutes or MINUTES.get(stage.__name__), a.out, a.resume)


if __name__ == "__main__":
    main()
