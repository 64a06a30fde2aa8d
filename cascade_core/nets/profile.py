"""Measuring how long each stage of a model takes on this machine, for batches of several sizes.

Each trunk piece, each head and the plain network are timed by themselves as a `Runner` computes them, on the state that
the stages before left, after warming up; stages take turns within a repeat, so that a busy moment hits them all.
Medians are what to expect, 95th percentiles what to be ready for.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from cascade_core import _check
from cascade_core.nets.devices import resolve_device
from cascade_core.nets.runner import made_ready
from cascade_core.nets.staged import StagedModel
from cascade_core.timing import MAX_BATCH, Profile

BATCH_SIZES = (1, 2, 4, 8, 16, 32, 64)
WARM_UP = 3

Part = TypeVar("Part")
Result = TypeVar("Result")


def measure(
    model: StagedModel,
    example: Tensor,
    *,
    batch_sizes: Sequence[int] = BATCH_SIZES,
    repeats: int = 30,
    device: str = "auto",
    progress: bool = True,
) -> Profile:
    """Time `model` on this machine.

    Args:
        model: Put in eval mode and moved to the device, as by a `Runner`.
        example: One image, (1, channels, height, width), normalised.
        batch_sizes: Whole numbers, rising, from 1.
        repeats: Times that each part is timed.

    Raises:
        ValueError: The device is absent, or a number is out of range.
    """
    place = resolve_device(device)
    _check.whole("repeats", repeats, 1, 100_000)
    for size in batch_sizes:
        _check.whole("batch size", size, 1, MAX_BATCH)
    m = len(model.stage_names)
    times = np.empty((2 * m + 1, len(batch_sizes), repeats))
    piece = made_ready(model, place)
    for column, size in enumerate(tqdm(batch_sizes, unit="batch sizes", disable=not progress)):
        images = example.to(place).expand(size, -1, -1, -1).contiguous(memory_format=torch.channels_last)
        for turn in range(-WARM_UP, repeats):
            seconds = _timed(model, images.split(piece), place)
            if turn >= 0:
                times[:, column, turn] = seconds
    low, high = np.median(times, axis=2), np.quantile(times, 0.95, axis=2)
    return Profile(
        stage_names=model.stage_names,
        batch_sizes=tuple(batch_sizes),
        trunk=low[:m],
        head=low[m : 2 * m],
        plain=low[-1],
        trunk_p95=high[:m],
        head_p95=high[m : 2 * m],
        plain_p95=high[-1],
        circumstances={
            "device": place,
            "threads": torch.get_num_threads(),
            "torch": torch.__version__,
            "repeats": repeats,
            "warm_up": WARM_UP,
        },
    )


@torch.inference_mode()
def _timed(model: StagedModel, images: Sequence[Tensor], device: str) -> list[float]:
    """Seconds of every trunk piece, of every head, and of the plain network, for a batch in pieces."""
    trunk, head, states = [], [], [model.begin(some) for some in images]
    for stage in range(len(model.stage_names)):
        seconds, states = _clocked(model.extend, states, stage, device)
        trunk.append(seconds)
        head.append(_clocked(model.classify, states, stage, device)[0])
    plain, _ = _clocked(lambda some, _: model.plain(some), images, 0, device)
    return [*trunk, *head, plain]


def _clocked(
    work: Callable[[Part, int], Result], pieces: Sequence[Part], stage: int, device: str
) -> tuple[float, list[Result]]:
    """Seconds of a stage's work on all pieces, its end on the device included, and its results."""
    start = time.perf_counter()
    result = [work(piece, stage) for piece in pieces]
    if device.startswith("cuda"):
        torch.cuda.synchronize(device)
    elif device.startswith("mps"):
        torch.mps.synchronize()
    return time.perf_counter() - start, result
