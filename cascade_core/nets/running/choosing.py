"""The choice of an engine by a short measurement: whichever computes all stages of a batch in the least time.

PyTorch, with batch norms folded if that is wished, and ONNX Runtime with all cores and with one thread take turns, so
that a busy moment hits them all.  Where ONNX Runtime cannot be had the reason is told, and PyTorch is taken.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence

from torch import Tensor

from cascade_core.nets.devices import resolve_device
from cascade_core.nets.running.engines import Engine, OnnxEngine, TorchEngine
from cascade_core.nets.staged import StagedModel
from cascade_core.support import checks

ENGINES = ("auto", "torch", "onnx")
WARM_UP, TURNS = 2, 7

Clock = Callable[[], float]
"""Seconds from some beginning."""


def make_engine(
    name: str,
    model: StagedModel,
    device: str,
    *,
    fold: bool = False,
    example: Tensor | None = None,
    clock: Clock = time.perf_counter,
) -> tuple[Engine, str]:
    """An engine, and why it is this one, in a line.

    Args:
        name: One of `ENGINES`.
        device: "auto", or a device's name.
        example: Images of the shape that will come, as many as usually come at once; "torch" needs none.

    Raises:
        ValueError: The name or the device is unknown, the example is missing, or "onnx" was asked for and cannot be.
    """
    checks.one_of("engine", name, ENGINES)
    if name == "torch":
        return TorchEngine(model, resolve_device(device), fold=fold), "torch, as asked for"
    if example is None or not len(example):
        raise ValueError(
            f"Expected an example of the images, which the engine {name} is compiled for, but there is none"
        )
    place = "cpu" if name == "onnx" and device == "auto" else resolve_device(device)
    if name == "onnx":
        if place != "cpu":
            raise ValueError(f"Expected the device cpu for the engine onnx but it was {device!r}")
        return OnnxEngine(model, example), "onnx, as asked for"
    eager = TorchEngine(model, place, fold=fold)
    if place != "cpu":
        return eager, f"torch, as onnx is for processors and the device is {place}"
    try:
        compiled = OnnxEngine(model, example)
    except (ValueError, OSError) as error:
        return eager, f"torch, as onnx cannot be had: {error}"
    single = OnnxEngine(model, example, parts=compiled.parts, threads=1)
    return fastest((eager, compiled, single), example, clock)


def fastest(engines: Sequence[Engine], images: Tensor, clock: Clock = time.perf_counter) -> tuple[Engine, str]:
    """The engine that computes all stages of `images` in the least time, the median of `TURNS`, and what all took."""
    times: list[list[float]] = [[] for _ in engines]
    for turn in range(-WARM_UP, TURNS):
        for engine, own in zip(engines, times, strict=True):
            start = clock()
            _through_all_stages(engine, images)
            if turn >= 0:
                own.append(clock() - start)
    taken = [1000 * statistics.median(own) for own in times]
    order = sorted(range(len(engines)), key=taken.__getitem__)
    first, *others = (f"{engines[place].title} ({taken[place]:.2f} ms)" for place in order)
    count = f"{len(images):,} sample{'s' if len(images) > 1 else ''}"
    return engines[order[0]], f"{first} computes all stages of {count} in less time than {', '.join(others)}"


def _through_all_stages(engine: Engine, images: Tensor) -> None:
    with engine.without_gradients():
        state = engine.begin(images)
        for stage in range(engine.stages):
            state = engine.extend(state, stage)
            engine.classify(state, stage)
