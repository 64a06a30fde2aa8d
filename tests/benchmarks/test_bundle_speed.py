"""Whether a bundle saves time: its ONNX stages beside the plain network as one ONNX file, in one run.

Run with ``CASCADE_DATA=... pytest -m benchmark -s tests/benchmarks/test_bundle_speed.py``; it takes two minutes a run.
"""

from __future__ import annotations

import statistics
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from cascade_core import CheapestUncorrected, choose, evaluate, load_run, save_choice
from cascade_core.nets.networks.named import find
from cascade_core.nets.opening import open_data
from cascade_core.nets.running.bundle import write_bundle
from cascade_core.nets.running.bundled_run import Bundle
from cascade_core.nets.running.classify import load_cascade
from cascade_core.nets.staged import StagedModel
from tests.benchmarks.test_runner_speed import BATCHED, CACHE, REPEATS, SINGLE, Show, networks

pytestmark = pytest.mark.benchmark

LEAST = 0.5
"""Of the MAC saving that time must save at each batch size and number of threads."""

Work = Callable[[NDArray[np.float32]], object]


def export_plain(network: StagedModel, images: Tensor, file: Path) -> Path:
    """The whole network as one ONNX file."""
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        shapes = ({0: torch.export.Dim("batch")},)
        exported = torch.onnx.export(network.eval(), (images,), dynamic_shapes=shapes, dynamo=True, verbose=False)
    assert exported is not None
    exported.save(str(file))
    return file


def plain_session(file: Path, threads: int) -> Work:
    """The plain network as ONNX Runtime runs it by default."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    outputs, name = [session.get_outputs()[0].name], session.get_inputs()[0].name
    return lambda images: session.run(outputs, {name: images})


def seconds(work: Work, images: NDArray[np.float32], batch: int) -> float:
    start = time.perf_counter()
    for first in range(0, len(images), batch):
        work(images[first : first + batch])
    return time.perf_counter() - start


def ratios(fast: Work, slow: Work, images: NDArray[np.float32], batch: int) -> Sequence[float]:
    """Time saved in each of several pairs, after one of each that does not count."""
    seconds(fast, images[:batch], batch), seconds(slow, images[:batch], batch)
    return [1 - seconds(fast, images, batch) / seconds(slow, images, batch) for _ in range(REPEATS)]


@pytest.mark.parametrize("name", ["cifar10-resnet56-fine-heads", "cifar10-resnet20-resnet56"])
def test_a_bundle_is_faster_than_the_plain_network(
    name: str, cifar10: Path, weights: Path, tmp_path: Path, show: Show
) -> None:
    found = [find(text) for text in networks(name, weights)]
    model, data = load_cascade(found, 10), open_data(f"imagefolder:{cifar10 / 'test'}", found[0].images)
    record = load_run(CACHE / f"{name}.parquet").record()
    rule = choose(record, CheapestUncorrected(0.01))
    choice = save_choice(tmp_path / "choice.json", rule, evaluate(record, rule))
    folder = write_bundle(tmp_path / "out", model, choice, preprocessing=found[0].images, class_names=data.class_names)
    large = load_cascade([find(networks("cifar10-resnet20-resnet56", weights)[-1])], 10)
    order = torch.randperm(len(data), generator=torch.Generator().manual_seed(0))[:BATCHED]
    images = data.normalise(data.pixels(order)).numpy()
    plain = export_plain(large, torch.from_numpy(images[:2]), tmp_path / "plain.onnx")
    rows, failed = [], []
    for threads in (1, 2):
        fast, slow = Bundle(folder, threads), plain_session(plain, threads)
        for batch in (1, 16, 64):
            some = images[: SINGLE if batch == 1 else BATCHED]
            macs = evaluate(record.take(order[: len(some)].numpy()), rule).saving
            saving = statistics.median(ratios(fast, slow, some, batch))
            rows.append((f"batch {batch}, threads {threads}", f"time saving {saving:.3f} (MACs {macs:.3f})"))
            if saving < LEAST * macs:
                failed.append(rows[-1])
    show(name, rows)
    assert not failed
