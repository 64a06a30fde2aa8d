"""Whether the folder for Triton Inference Server lets CIFAR-10's test images leave where the simulation says.

    CASCADE_DATA=... python -m tests.benchmarks.triton_exits [RUN]

writes the folder, reads its configurations by the published schema, and runs its script on all 10,000 images, in
requests of 1 to 64, against a stand-in of the server that answers with ONNX Runtime (`tests.nets.running.tritons`).
ONNX Runtime rounds otherwise than PyTorch, which recorded the run, so a sample may leave elsewhere whose confidence is
its threshold to within `ROUNDING`; it says how many do, and fails if any other does.  Exporting takes some minutes.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from cascade_core import CheapestWithinDrop, ExitRule, Record, StageOutputs, tune
from cascade_core.nets.images.datasets import ImageSet
from cascade_core.nets.networks.named import find
from cascade_core.nets.opening import open_data
from cascade_core.nets.running.bundle import write_bundle
from cascade_core.nets.running.classify import load_cascade
from tests.benchmarks.clock import CACHE, networks
from tests.nets.running.tritons import asked, config_of, serving
from tests.runfiles import load_softmaxes

RUNS = ("cifar10-front-resnet20-resnet56", "cifar10-resnet56-fine-heads", "cifar10-resnet20-resnet56", "cifar10-hybrid")
MAX_DROP = 0.005
ROUNDING = 1e-4
"""Largest difference of a confidence that the two are expected to have."""


def written(name: str, images: Path, weights: Path, folder: Path) -> tuple[ExitRule, StageOutputs, ImageSet, Path]:
    """The folder for a shipped run, with the rule, the run and the images."""
    run = load_softmaxes(CACHE / f"{name}.parquet")
    tuned = tune(run, CheapestWithinDrop(max_drop=MAX_DROP))
    choice = tuned.save(folder / "choice.json")
    found = [find(text) for text in networks(name, weights)]
    data = open_data(f"imagefolder:{images}", found[0].images)
    assert tuple(data.sample_ids) == tuple(run.sample_ids)
    names = data.class_names
    model, out = load_cascade(found, len(names)), folder / name
    write_bundle(out, model, choice, target="triton", preprocessing=found[0].images, class_names=names)
    return tuned.rule, run, data, out


def exits(models: Path, data: ImageSet) -> NDArray[np.int64]:
    """(N,) stages, of requests of many sizes that the server hands over together, 64 images at most."""
    found = []
    with serving(models) as (_, script):
        for place in range(0, len(data), 64):
            index = torch.arange(place, min(place + 64, len(data)))
            images = data.normalise(data.pixels(index)).numpy()
            ends = [end for end in (1, 3, 20, 50) if end < len(images)] if place % 128 else []
            found += [each["stage"][:, 0] for each in asked(script, np.split(images, ends))]
    return np.concatenate(found)


def near(record: Record, rule: ExitRule) -> NDArray[np.bool_]:
    """(N,) whether a sample's confidence is, at some stage, its threshold to within `ROUNDING`."""
    answers = record.predictions[:-1] if rule.by_class else np.zeros_like(record.predictions[:-1])
    thresholds = np.take_along_axis(rule.columns, answers, axis=1)
    return (np.abs(record.confidence[:-1] - thresholds) <= ROUNDING).any(axis=0)


def check(name: str, images: Path, weights: Path, folder: Path) -> Iterator[str]:
    """What was found, in lines; the last says whether all is well."""
    rule, run, data, out = written(name, images, weights, folder)
    configs = [config_of(place) for place in sorted((out / "models").iterdir())]
    yield f"{name}: {len(configs)} configurations parsed as ModelConfig: {', '.join(each.name for each in configs)}"
    record = run.record(score=rule.score, top_k=rule.top_k, pool=rule.pool)
    wanted, found = rule.exit_stages(record), exits(out / "models", data)
    differ, close = wanted != found, near(record, rule)
    counts = ", ".join(f"{stage} {(found == k).sum():,}" for k, stage in enumerate(record.stage_names))
    yield f"of {len(found):,} images left at {counts}"
    wrong = differ & ~close
    yield f"{(~differ).sum():,} where the simulation says; {differ.sum()} elsewhere, {wrong.sum()} of them wrongly"
    if wrong.any():
        raise SystemExit(f"exits differ: {np.flatnonzero(wrong)[:20].tolist()}")


def main(arguments: Sequence[str]) -> None:
    """Check the runs named, or the first of `RUNS`."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.triton_exits")
    parser.add_argument("runs", nargs="*", choices=RUNS, metavar="RUN", help=", ".join(RUNS))
    parser.add_argument("--images", type=Path, help="CIFAR-10's test images, a folder a class (default: cifar10.zip's)")
    args, data = parser.parse_args(arguments), Path(os.environ["CASCADE_DATA"])
    with tempfile.TemporaryDirectory() as place:
        if args.images is None:
            shutil.unpack_archive(data / "cifar10.zip", place)
        for name in args.runs or RUNS[:1]:
            for line in check(name, args.images or Path(place, "test"), data / "weights", Path(place)):
                print(line, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
