"""How much of the MACs saved becomes time saved: the runner and a bundle beside the plain network, by one engine.

    CASCADE_DATA=... python -m tests.benchmarks.clock [RUN ...]

prints a table for each run, at one point of accuracy given up: batches of 1, 16 and 64, one and two threads.  The plain
network is compiled by the same engine and has its usual settings; all take turns on the same images, and medians are
compared, so that ratios hold where nothing else computes.  The eager runner of PyTorch stands beside, the compiled one
where survivors of up to eight batches are gathered (`nets.running.gathering`), and the limit:
what parts take by themselves for whole batches, times the share of images that reach them.  What a runner takes beyond
that are survivors that are few, and what lies between parts; what the limit lacks of 1 are parts that take longer for
their MACs than the network does.
Exporting takes a minute or two a run; what was exported is kept in a temporary folder until the program ends.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray

from cascade_core import CheapestUncorrected, ExitRule, Record, choose, evaluate, load_run, save_choice
from cascade_core.nets.devices import threads as torch_threads
from cascade_core.nets.networks.named import find
from cascade_core.nets.opening import open_data
from cascade_core.nets.running.bundle import write_bundle
from cascade_core.nets.running.bundled_run import Bundle
from cascade_core.nets.running.classify import load_cascade
from cascade_core.nets.running.engines import OnnxEngine
from cascade_core.nets.running.exporting import exported_plain
from cascade_core.nets.running.gathering import gathered
from cascade_core.nets.running.runner import Runner
from cascade_core.nets.staged import StagedModel

CACHE = Path(__file__).resolve().parents[2] / "cache"
RUNS = ("cifar10-resnet20-resnet56", "cifar10-resnet56-fine-heads", "cifar10-resnet56-ladder", "cifar10-hybrid")
BATCHES, THREADS, REPEATS = (1, 16, 64), (1, 2), 5
SINGLE, BATCHED = 128, 512
"""Images of a repeat at batch 1, and in larger batches."""

LEAST_WORTH, WAIT = 16, 8
"""Survivors that are gathered for a stage, or a batch if that is more, and batches that one waits at most."""

REST = 0.1
"""Seconds in which threads that spin after what was measured before come to rest."""

Images = NDArray[np.float32]
Work = Callable[[Images, int], object]
"""Classifies images in batches of a size."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """What was measured with one batch size and number of threads.

    Attributes:
        macs: Share of the plain network's MACs that is saved on these images.
        milliseconds: An image, of "plain", "runner", "bundle", "eager", "gathered" and "limit".
    """

    threads: int
    batch: int
    macs: float
    milliseconds: Mapping[str, float]

    def ratio(self, name: str) -> float:
        """Time saved beside the compiled plain network, as a share of the MACs saved."""
        return (1 - self.milliseconds[name] / self.milliseconds["plain"]) / self.macs

    def __str__(self) -> str:
        told = [f"batch {self.batch:2}, threads {self.threads}: MACs {self.macs:.3f}"]
        told.append(f"plain {self.milliseconds['plain']:.2f} ms")
        names = ("runner", "bundle", "gathered", "limit")
        told += [f"{name} {self.milliseconds[name]:.2f} ms ({self.ratio(name):.2f})" for name in names]
        return (
            f"{', '.join(told)}, eager {self.milliseconds['eager'] / self.milliseconds['runner']:.1f} times the runner"
        )


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A run's cascade, compiled, with the images and the rule."""

    model: StagedModel
    rule: ExitRule
    record: Record
    folder: Path
    parts: Mapping[str, bytes]
    plain: bytes
    images: Images


def networks(name: str, weights: Path) -> list[str]:
    """A shipped run's networks, as --network takes them."""
    small, large = (
        f"cifar-resnet{d}={weights / f}" for d, f in ((20, "resnet20-12fca82f.th"), (56, "resnet56-4bfd9763.th"))
    )
    return {
        "cifar10-resnet56-fine-heads": [f"{large}+{CACHE / 'cifar10-resnet56-fine-heads.safetensors'}"],
        "cifar10-resnet56-ladder": [f"{large}+{CACHE / 'cifar10-resnet56-ladder.safetensors'}"],
        "cifar10-resnet20-resnet56": [small, large],
        "cifar10-front-resnet20-resnet56": [f"front={CACHE / 'cifar10-front.safetensors'}", small, large],
        "cifar10-hybrid": [f"{small}+{CACHE / 'cifar10-resnet20-ladder.safetensors'}", large],
    }[name]


def prepared(name: str, images: Path, weights: Path, folder: Path) -> Prepared:
    """A run's cascade, exported into `folder`, with a rule for one point."""
    found = [find(text) for text in networks(name, weights)]
    model, data = load_cascade(found, 10), open_data(f"imagefolder:{images}", found[0].images)
    record = load_run(CACHE / f"{name}.parquet").record()
    rule = choose(record, CheapestUncorrected(0.01))
    order = torch.randperm(len(data), generator=torch.Generator().manual_seed(0))[:BATCHED]
    some = data.normalise(data.pixels(order)).contiguous()
    choice = save_choice(folder / f"{name}.json", rule, evaluate(record, rule))
    out = write_bundle(folder / name, model, choice, preprocessing=found[0].images, class_names=data.class_names)
    return Prepared(
        model=model,
        rule=rule,
        record=record.take(order.numpy()),
        folder=out,
        parts={file.stem: file.read_bytes() for file in out.glob("*.onnx")},
        plain=exported_plain(model, some[:2]).model_proto.SerializeToString(),
        images=some.numpy(),
    )


def rows(cascade: Prepared) -> Iterator[Row]:
    """A row for each number of threads and batch size."""
    for threads in THREADS:
        compiled = OnnxEngine(cascade.model, torch.from_numpy(cascade.images[:2]), parts=cascade.parts, threads=threads)
        works = _works(cascade, compiled, threads)
        for batch in BATCHES:
            images = cascade.images[: SINGLE if batch == 1 else BATCHED]
            saved = evaluate(cascade.record.take(np.arange(len(images))), cascade.rule).saving
            with torch_threads(threads):
                taken = _milliseconds(works, images, batch) | {"limit": _limit(cascade, compiled, images, batch)}
                yield Row(threads=threads, batch=batch, macs=saved, milliseconds=taken)


def _works(cascade: Prepared, compiled: OnnxEngine, threads: int) -> dict[str, Work]:
    """What takes turns, each with `threads`."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(cascade.plain, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    runner, eager = Runner(cascade.model, cascade.rule, engine=compiled), Runner(cascade.model, cascade.rule, "cpu")
    return {
        "plain": _batch_by_batch(lambda images: session.run(None, {name: images})),
        "runner": _batch_by_batch(lambda images: runner(torch.from_numpy(images))),
        "bundle": _batch_by_batch(Bundle(cascade.folder, threads)),
        "eager": _batch_by_batch(lambda images: eager(torch.from_numpy(images))),
        "gathered": lambda images, batch: [
            *gathered(runner, torch.from_numpy(images).split(batch), worth=max(batch, LEAST_WORTH), wait=WAIT)
        ],
    }


def _batch_by_batch(classify: Callable[[Images], object]) -> Work:
    def work(images: Images, batch: int) -> None:
        for first in range(0, len(images), batch):
            classify(images[first : first + batch])

    return work


def _milliseconds(works: Mapping[str, Work], images: Images, batch: int) -> dict[str, float]:
    """Of an image: the median of `REPEATS` in turn, after one that does not count."""
    taken: dict[str, list[float]] = {name: [] for name in works}
    for turn in range(-1, REPEATS):
        for name, work in works.items():
            time.sleep(REST)
            work(images[:batch], batch)  # wakes its own
            start = time.perf_counter()
            work(images, batch)
            if turn >= 0:
                taken[name].append(time.perf_counter() - start)
    return {name: 1000 * statistics.median(own) / len(images) for name, own in taken.items()}


def _limit(cascade: Prepared, compiled: OnnxEngine, images: Images, batch: int) -> float:
    """Milliseconds an image if a part took as long for each of its survivors as for each of a whole batch."""
    rule, last = cascade.rule, len(cascade.rule.thresholds)
    exits = rule.exit_stages(cascade.record.take(np.arange(len(images))))
    reach = [(exits >= stage).mean() for stage in range(last + 1)]
    taken = []
    for first in range(0, len(images), batch):
        state, own = compiled.begin(torch.from_numpy(images[first : first + batch])), []
        for stage in range(last + 1):
            start = time.perf_counter()
            state = compiled.extend(state, stage)
            if rule.active[stage]:
                compiled.classify(state, stage)
            own.append(time.perf_counter() - start)
        taken.append(own)
    return 1000 * float(np.median(taken, axis=0) @ reach) / batch


def main(arguments: Sequence[str]) -> None:
    """Measure the runs named, or all of `RUNS`."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.clock", description=__doc__.split("\n\n")[0])
    parser.add_argument("runs", nargs="*", choices=RUNS, metavar="RUN", help=", ".join(RUNS))
    parser.add_argument("--images", type=Path, help="CIFAR-10's test images, a folder a class (default: cifar10.zip's)")
    args, data = parser.parse_args(arguments), Path(os.environ["CASCADE_DATA"])
    with tempfile.TemporaryDirectory() as place:
        if args.images is None:
            shutil.unpack_archive(data / "cifar10.zip", place)
        images = args.images or Path(place, "test")
        for name in args.runs or RUNS:
            cascade = prepared(name, images, data / "weights", Path(place))
            print(f"{name}, one point given up; in brackets: time saved / MACs saved", flush=True)
            for row in rows(cascade):
                print(f"  {row}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
