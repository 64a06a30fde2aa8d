"""Whether MACs saved become milliseconds saved in PyTorch: the runner beside the plain network, in one run.

Run with ``CASCADE_DATA=... pytest -m benchmark -s tests/benchmarks/test_runner_speed.py``; it takes some minutes.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from cascade_core import CheapestUncorrected, ExitRule, choose, evaluate, load_run
from cascade_core.nets.networks.named import find
from cascade_core.nets.opening import open_data
from cascade_core.nets.running.classify import load_cascade
from cascade_core.nets.running.profile import measure
from cascade_core.nets.running.runner import Runner
from tests.benchmarks.clock import CACHE, RUNS, networks

pytestmark = pytest.mark.benchmark

REPEATS = 5
SIZES = (1, 2, 4, 8, 16, 32, 64)
SINGLE, BATCHED = 192, 1024
"""Images of a repeat at batch 1, and in larger batches."""

LEAST = {"cifar10-resnet20-resnet56": 0.9}
"""Of the MAC saving that time must save; exits in a trunk come behind its early blocks, whose MACs take longer."""

LEAST_OTHERWISE = 0.7

Show = Callable[[str, Sequence[tuple[str, str]]], None]


def seconds(work: Callable[[Tensor], object], images: Tensor, batch: int) -> float:
    start = time.perf_counter()
    for some in images.split(batch):
        work(some)
    return time.perf_counter() - start


@pytest.mark.parametrize("name", RUNS)
def test_milliseconds_follow_macs(name: str, cifar10: Path, weights: Path, show: Show) -> None:
    found = [find(text) for text in networks(name, weights)]
    model = load_cascade(found, 10)
    data = open_data(f"imagefolder:{cifar10 / 'test'}", found[0].images)
    record = load_run(CACHE / f"{name}.parquet").record()
    rule = choose(record, CheapestUncorrected(0.01))
    order = torch.randperm(len(data), generator=torch.Generator().manual_seed(0))[:BATCHED]
    evaluation = evaluate(record.take(order.numpy()), rule)
    images = data.normalise(data.pixels(order)).contiguous(memory_format=torch.channels_last)
    # Where nothing may leave early a runner is the plain network, made as fast by the same means.
    never = ExitRule(thresholds=np.full(len(model.stage_names) - 1, np.inf))
    rows = [("MAC saving", f"{evaluation.saving:.3f}")]
    failed = []
    for fold in (False, True):
        fast, slow = (Runner(model, one, "cpu", fold=fold) for one in (rule, never))
        for batch in (1, 16, 64):
            some = images[: SINGLE if batch == 1 else BATCHED]
            own = evaluate(record.take(order[: len(some)].numpy()), rule)
            # Just before, for other machines on the same processor come and go.
            profile = measure(model, images[:1], batch_sizes=SIZES, repeats=12, device="cpu", progress=False)
            seconds(fast, some[:64], batch), seconds(slow, some[:64], batch)
            times = [(seconds(fast, some, batch), seconds(slow, some, batch)) for _ in range(REPEATS)]
            saving = statistics.median(1 - short / long for short, long in times)
            taken, plain = (1000 * statistics.median(one) / len(some) for one in zip(*times, strict=True))
            expected = 1000 * profile.expected_seconds(own, batch)
            told = "" if fold else f", expected {expected:.2f}"
            rows.append(
                (
                    f"batch {batch}{', folded' if fold else ''}",
                    f"time saving {saving:.3f} ({saving / own.saving:.2f} of the MACs'), {taken:.2f} of {plain:.2f} ms "
                    f"an image{told}",
                )
            )
            if not fold and batch != 16 and saving < LEAST.get(name, LEAST_OTHERWISE) * own.saving:
                failed.append(f"time saving at batch {batch}")
            if not fold and abs(expected / taken - 1) > 0.15:
                failed.append(f"expected time at batch {batch}")
    show(name, rows)
    assert not failed
