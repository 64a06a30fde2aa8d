"""Measuring how long each stage of a model takes on this machine, for batches of several sizes.

Each trunk piece, head and pooled answer and the plain network are timed by themselves as a `Runner` computes them, on
what the stages before left, after warming up; stages take turns within a repeat, so that a busy moment hits them all.
Medians are what to expect, 95th percentiles what to be ready for.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from cascade_core.nets.progress import Bar
from cascade_core.nets.running.choosing import make_engine
from cascade_core.nets.running.engines import Engine, Softmaxes
from cascade_core.nets.running.runner import Answers, note_answers
from cascade_core.nets.staged import StagedModel
from cascade_core.simulation.exits import ExitRule
from cascade_core.simulation.pool import Pool
from cascade_core.simulation.timing import MAX_BATCH, Profile, Seconds
from cascade_core.support import checks

BATCH_SIZES = (1, 2, 4, 8, 16, 32, 64)
WARM_UP = 3

Result = TypeVar("Result")


def measure(
    model: StagedModel,
    example: Tensor,
    *,
    batch_sizes: Sequence[int] = BATCH_SIZES,
    repeats: int = 30,
    device: str = "auto",
    engine: str = "torch",
    progress: bool = True,
) -> Profile:
    """Time `model` on this machine.

    Args:
        model: Put in eval mode and moved to the device, as by a `Runner`.
        example: One sample, such as a normalised image (1, channels, height, width).
        batch_sizes: Whole numbers, rising, from 1.
        repeats: Times that each part is timed.
        engine: What computes, as a `Runner` has it.

    Raises:
        ValueError: The device is absent, a number is out of range, or the engine cannot be had.
    """
    checks.whole("repeats", repeats, 1, 100_000)
    for size in batch_sizes:
        checks.whole("batch size", size, 1, MAX_BATCH)
    computing, _ = make_engine(engine, model, device, example=example)
    place = computing.device
    m = len(model.stage_names)
    times = np.empty((3 * m + 1, len(batch_sizes), repeats))
    for column, size in enumerate(Bar(batch_sizes, unit="batch sizes", shown=progress)):
        images = computing.placed(example.expand(size, *example.shape[1:]))
        for turn in range(-WARM_UP, repeats):
            with computing.without_gradients():
                seconds = _timed(computing, images)
            if turn >= 0:
                times[:, column, turn] = seconds
    parts: dict[str, Seconds] = {}
    for suffix, share in (("", 0.5), ("_p95", 0.95)):
        *stages, plain = np.quantile(times, share, axis=2)
        trunk, head, pool = np.split(np.array(stages), 3)
        parts |= {f"trunk{suffix}": trunk, f"head{suffix}": head, f"pool{suffix}": pool, f"plain{suffix}": plain}
    return Profile(
        stage_names=model.stage_names,
        batch_sizes=tuple(batch_sizes),
        **parts,
        circumstances={**_machine(place), "engine": computing.title, "repeats": repeats, "warm_up": WARM_UP},
    )


def _machine(device: str) -> dict[str, str | int]:
    """What computes: a graphics card by its name, a processor by its widest instructions."""
    on_cuda = device.startswith("cuda")
    processor = torch.cuda.get_device_name(device) if on_cuda else torch.backends.cpu.get_cpu_capability()
    return {
        "device": device,
        "processor": processor,
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
    }


def _timed(engine: Engine, images: Tensor) -> list[float]:
    """Seconds of every trunk piece, of every head with its answers noted, of every pool, and of the plain network."""
    samples, last, device = np.arange(len(images)), engine.stages - 1, engine.device
    # All are compared with thresholds that nothing reaches, and all go on.
    rule = ExitRule(thresholds=np.full(last, np.inf))
    # All stages are pooled by all later ones, as much as there can be to do.
    everything = Pool(weights=tuple((*[0.5] * stage, 1.0) for stage in range(last + 1)))
    result = Answers.of(len(images), last)
    passed: list[Softmaxes] = []

    def answer(stage: int, classify: Callable[[], Softmaxes]) -> None:
        passed.append(classify())
        note_answers(passed, stage, samples, rule, result)

    trunk, head, pool, state = [], [], [], engine.begin(images)
    for stage in range(last + 1):
        seconds, state = _clocked(partial(engine.extend, state, stage), device)
        trunk.append(seconds)
        head.append(_clocked(partial(answer, stage, partial(engine.classify, state, stage)), device)[0])
        pool.append(_clocked(partial(everything.answer, passed, stage), device)[0])
    passed.pop()
    plain, _ = _clocked(partial(answer, last, partial(engine.plain, images)), device)
    return [*trunk, *head, *pool, plain]


def _clocked(work: Callable[[], Result], device: str) -> tuple[float, Result]:
    """Seconds of some work, its end on the device included, and its result."""
    start = time.perf_counter()
    result = work()
    if device.startswith("cuda"):
        torch.cuda.synchronize(device)
    elif device.startswith("mps"):
        torch.mps.synchronize()
    return time.perf_counter() - start, result
