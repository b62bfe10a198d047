"""From nothing to the model folder.

    python train.py all --work DIR --out ..

Stages (in this order, each reads what the ones before wrote to DIR): render, tower, classifier, eye,
autoencoder, latents, denoiser, journeys, paintings, painter, export. Each training stops when its minutes are used up.

Two stages are not among them. "restore" writes to DIR what the folder has, to train it on from there; pictures,
judge and eye are not in it. "rescale" makes DIR's denoiser one for latents of another deviation: after a change
of autoencoder.DEVIATION run latents, rescale --was D, and then what is to follow.
"""

import argparse
import os

import torch

import data

MINUTES = {"tower": 30, "classifier": 5, "eye": 5, "autoencoder": 10, "denoiser": 110, "journeys": 90, "painter": 120, "rescale": 10}


def render(a):
    data.render(a.work)


def tower(a):
    import tower

    tower.train(a.work, a.minutes, a.resume)


def classifier(a):
    import classifier

    classifier.train(a.work, a.minutes)


def eye(a):
    import classifier

    for name in classifier.EYES:
        classifier.train(a.work, a.minutes, name)


def autoencoder(a):
    import autoencoder

    autoencoder.train(a.work, a.minutes, a.threads)


def latents(a):
    import denoiser

    denoiser.prepare(a.work)


def denoiser(a):
    import denoiser

    denoiser.train(a.work, a.minutes, a.threads, a.resume)


def journeys(a):
    import journeys

    journeys.train(a.work, a.minutes, a.threads)


def paintings(a):
    import paintings

    paintings.prepare(a.work, a.threads)


def painter(a):
    import painter

    painter.train(a.work, a.minutes, a.threads, a.resume)


def export(a):
    import export

    export.write(a.work, a.out)


def restore(a):
    import export

    export.restore(a.work, a.out, a.was)


def rescale(a):
    import rescale

    rescale.train(a.work, a.minutes, a.threads, a.was)


STAGES = [render, tower, classifier, eye, autoencoder, latents, denoiser, journeys, paintings, painter, export]
APART = [restore, rescale]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("stage", choices=["all"] + [s.__name__ for s in STAGES + APART])
    p.add_argument("--work", required=True, help="folder for pictures and checkpoints")
    p.add_argument("--out", default="..", help="model folder")
    p.add_argument("--minutes", type=float, help="time budget of the training, instead of its usual one")
    p.add_argument("--resume", action="store_true", help="train the tower, the denoiser or the painter that is in DIR on")
    p.add_argument("--was", type=float, metavar="D", help="restore, rescale: the deviation of latents before, if it was another one")
    p.add_argument("--threads", type=int, default=os.cpu_count())
    a = p.parse_args()
    if a.stage == "rescale" and not a.was:
        p.error("rescale needs --was, the deviation that the denoiser's latents had")
    torch.set_num_threads(a.threads)
    os.makedirs(a.work, exist_ok=True)
    budget = a.minutes
    for stage in STAGES if a.stage == "all" else [s for s in STAGES + APART if s.__name__ == a.stage]:
        a.minutes = budget or MINUTES.get(stage.__name__)
        stage(a)


if __name__ == "__main__":
    main()
