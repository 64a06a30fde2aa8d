"""Engines say what the simulation says, and which one is taken follows from a clock."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from cascade_core import ExitRule
from cascade_core.nets.recording.precompute import precompute
from cascade_core.nets.running import choosing, engines
from cascade_core.nets.running.choosing import TURNS, WARM_UP, fastest, make_engine
from cascade_core.nets.running.engines import Engine, OnnxEngine, State, TorchEngine
from cascade_core.nets.running.runner import Runner
from cascade_core.nets.staged import StagedModel
from tests.nets.running.bundles import DIGITS, rule_for
from tests.nets.running.test_runner import pool_of
from tests.oracle import f32
from tests.smallnets import in_one_piece, with_exits


def parts_of(folder: Path) -> dict[str, bytes]:
    """What was exported for a bundle, by name."""
    return {file.stem: file.read_bytes() for file in folder.glob("*.onnx")}


@pytest.fixture
def each(written: tuple[StagedModel, Path], images: Tensor) -> list[Engine]:
    model, folder = written
    parts = parts_of(folder)
    return [
        TorchEngine(model, "cpu"),
        TorchEngine(model, "cpu", fold=True),
        OnnxEngine(model, images[:1], parts=parts),
        OnnxEngine(model, images[:1], parts=parts, threads=1),
    ]


@pytest.mark.parametrize("pooled", [False, True])
def test_exits_equal_the_simulation(
    written: tuple[StagedModel, Path], images: Tensor, each: list[Engine], pooled: bool
) -> None:
    model, _ = written
    outputs = precompute(model, DIGITS, device="cpu", progress=False)
    record = outputs.record(pool=pool_of(len(outputs.stages)) if pooled else None)
    rule = rule_for(record)
    wanted, own = rule.exit_stages(record), np.arange(record.n)
    assert len(set(wanted.tolist())) > 1
    for engine in each:
        runner = Runner(model, rule, engine=engine)
        for batch in (1, 7, 90):
            found = [runner(some) for some in images.split(batch)]
            assert [s for one in found for s in one.stages] == wanted.tolist()
            assert [p for one in found for p in one.predictions] == record.predictions[wanted, own].tolist()
            confidence = np.concatenate([one.confidence for one in found])
            np.testing.assert_allclose(confidence, record.confidence[wanted, own], rtol=1e-4, atol=1e-5)
        assert len(runner(images[:0]).stages) == 0


def test_where_nothing_leaves_early_each_runs_the_plain_network(images: Tensor) -> None:
    model = in_one_piece().eval()
    with torch.no_grad():
        wanted = model.plain(images).softmax(dim=-1).numpy()
    for engine in (TorchEngine(model, "cpu"), OnnxEngine(model, images[:1])):
        found = Runner(model, ExitRule(thresholds=f32()), engine=engine)(images)
        assert found.predictions.tolist() == wanted.argmax(axis=1).tolist()
        np.testing.assert_allclose(found.confidence, wanted.max(axis=1), rtol=1e-4)


def test_states_are_joined_as_they_were_before(written: tuple[StagedModel, Path], images: Tensor, each: Any) -> None:
    for engine in each:
        with torch.inference_mode():
            whole, halves = (
                [engine.extend(engine.begin(some), 0) for some in images.split(size)] for size in (len(images), 30)
            )
            some = [engine.keep(state, np.arange(10)) for state in halves]
            found = engine.classify(engine.join(some), 0)
            wanted = engine.classify(whole[0], 0)
        places = np.concatenate([np.arange(10) + start for start in (0, 30, 60)])
        np.testing.assert_allclose(found, wanted[places], rtol=1e-4, atol=1e-6)


def test_other_shapes_are_refused(written: tuple[StagedModel, Path], images: Tensor) -> None:
    model, folder = written
    engine = OnnxEngine(model, images[:1], parts=parts_of(folder))
    channels, size, _ = images.shape[1:]
    wrong = rf"of shape \({channels}, {size}, {size}\), as was compiled for, but they were of \({channels}, 5, 5\)"
    with pytest.raises(ValueError, match=wrong):
        engine.begin(torch.zeros(2, channels, 5, 5))


def test_what_cannot_be_made_is_refused(images: Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    model = with_exits()
    with pytest.raises(ValueError, match="engine to be one of auto, torch, onnx but it was 'jax'"):
        make_engine("jax", model, "cpu")
    with pytest.raises(ValueError, match="an example of the images, which the engine auto is compiled for"):
        make_engine("auto", model, "cpu")
    with pytest.raises(ValueError, match="takes texts; torch runs it"):
        make_engine("onnx", model, "cpu", example=torch.zeros(1, 5, dtype=torch.int64))
    monkeypatch.setattr(engines, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match="Expected onnxruntime, which is not installed"):
        make_engine("onnx", model, "cpu", example=images)
    engine, why = make_engine("auto", model, "cpu", example=images)
    assert isinstance(engine, TorchEngine)
    assert why == (
        "torch, as onnx cannot be had: Expected onnxruntime, which is not installed; pip install onnxruntime"
    )


def test_a_processor_is_what_onnx_is_for(images: Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choosing, "resolve_device", lambda name: "meta")
    with pytest.raises(ValueError, match="the device cpu for the engine onnx but it was 'cuda'"):
        make_engine("onnx", with_exits(), "cuda", example=images)
    engine, why = make_engine("auto", with_exits(), "auto", example=images)
    assert why == "torch, as onnx is for processors and the device is meta"
    assert isinstance(engine, TorchEngine)


class Slow(Engine):
    """Takes given seconds, one after the other, of a clock of its own."""

    now = 0.0

    def __init__(self, title: str, seconds: Sequence[float]) -> None:
        super().__init__(2, "cpu")
        self.title, self.seconds = title, list(seconds)

    def without_gradients(self) -> AbstractContextManager[None]:
        return nullcontext()

    def placed(self, images: Tensor) -> Tensor:
        return images

    def begin(self, images: Tensor) -> State:
        Slow.now += self.seconds.pop(0)
        return ()

    def extend(self, state: State, stage: int) -> State:
        return state

    def classify(self, state: State, stage: int) -> NDArray[np.float32]:
        return np.empty((0, 2), dtype=np.float32)

    keep = join = plain = None  # type: ignore[assignment]


def test_the_fastest_is_taken_by_its_median() -> None:
    """Warming up does not count, nor does one busy moment."""
    turns = [9.0] * WARM_UP
    steady = Slow("steady", [*turns, *[0.002] * TURNS])
    first = Slow("disturbed", [*turns, *[0.001] * (TURNS - 2), 5.0, 5.0])
    cold = Slow("cold", [*[0.0] * WARM_UP, *[0.0031] * TURNS])
    taken, why = fastest((steady, first, cold), torch.zeros(1, 1), lambda: Slow.now)
    assert taken is first
    assert why == (
        "disturbed (1.00 ms) computes all stages of 1 sample in less time than steady (2.00 ms), cold (3.10 ms)"
    )
    even = [Slow(name, [0.0] * WARM_UP + [0.5] * TURNS) for name in ("one", "other")]
    assert fastest(even, torch.zeros(3, 1), lambda: Slow.now)[0] is even[0]
