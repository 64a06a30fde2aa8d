"""Survivors of several batches together: the same answers, in order, and no sample waits longer than it may."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import Tensor

from cascade_core import ExitRule
from cascade_core.nets.recording.precompute import precompute
from cascade_core.nets.running.engines import TorchEngine
from cascade_core.nets.running.gathering import gathered
from cascade_core.nets.running.runner import Answers, Runner
from cascade_core.nets.staged import State
from tests.nets.running.bundles import DIGITS, hybrid, rule_for
from tests.nets.running.test_runner import pool_of
from tests.oracle import f32


@pytest.fixture(scope="module", params=["own", "pooled", "by class"])
def runner(request: pytest.FixtureRequest) -> Runner:
    model = hybrid().eval()
    outputs = precompute(model, DIGITS, device="cpu", progress=False)
    record = outputs.record(pool=pool_of(len(outputs.stages)) if request.param == "pooled" else None)
    return Runner(model, rule_for(record, request.param == "by class"), "cpu")


def assert_equal(found: list[Answers], wanted: list[Answers]) -> None:
    assert [one.stages.tolist() for one in found] == [one.stages.tolist() for one in wanted]
    assert [one.predictions.tolist() for one in found] == [one.predictions.tolist() for one in wanted]
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_allclose(one.confidence, other.confidence, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("size", [1, 7, 90])
@pytest.mark.parametrize(("worth", "wait"), [(1, 0), (16, 0), (16, 3), (1000, 2), (1000, 1000)])
def test_answers_are_the_runners_batch_by_batch(
    runner: Runner, images: Tensor, size: int, worth: int, wait: int
) -> None:
    batches = images.split(size)
    assert_equal(list(gathered(runner, batches, worth=worth, wait=wait)), [runner(some) for some in batches])


def test_empty_batches_keep_their_place(runner: Runner, images: Tensor) -> None:
    batches = [images[:0], images[:5], images[:0], images[5:9]]
    assert_equal(list(gathered(runner, batches)), [runner(some) for some in batches])
    assert list(gathered(runner, [])) == []


def test_where_nothing_leaves_early_nothing_waits(images: Tensor) -> None:
    runner = Runner(hybrid(), ExitRule(thresholds=f32(np.inf, np.inf, np.inf)), "cpu")
    came: list[int] = []

    def batches() -> Iterator[Tensor]:
        for number, some in enumerate(images.split(30)):
            came.append(number)
            yield some

    for number, _ in enumerate(gathered(runner, batches(), worth=1000, wait=1000)):
        assert came[-1] == number


@pytest.mark.parametrize("wait", [0, 1, 4])
def test_no_batch_waits_for_more_than_it_may(runner: Runner, images: Tensor, wait: int) -> None:
    """Answers to batch b are there before batch b + wait + 1 is asked for."""
    came, waited = [-1], []

    def batches() -> Iterator[Tensor]:
        for number, some in enumerate(images.split(6)):
            came.append(number)
            yield some

    for number, _ in enumerate(gathered(runner, batches(), worth=1000, wait=wait)):
        waited.append(came[-1] - number)
    assert len(waited) == 15
    assert max(waited) == wait


class Counted(TorchEngine):
    """Notes for how many samples each stage is computed."""

    def extend(self, state: State, stage: int) -> State:
        self.seen = [*getattr(self, "seen", []), (stage, len(state[0]))]
        return super().extend(state, stage)


def test_late_stages_are_computed_for_as_many_as_they_are_worth(images: Tensor) -> None:
    """Of 90 samples in 15 batches a third leaves at each of two stages: all others go on, at least 20 at a time."""
    model = hybrid().eval()
    record = precompute(model, DIGITS, device="cpu", progress=False).record()
    engine = Counted(model, "cpu")
    runner = Runner(model, rule_for(record), engine=engine)
    list(gathered(runner, images.split(6), worth=20, wait=1000))
    assert [count for stage, count in engine.seen if stage == 0] == [6] * 15
    reach = [int((rule_for(record).exit_stages(record) >= stage).sum()) for stage in range(4)]
    for stage in (1, 2, 3):
        counts = [count for own, count in engine.seen if own == stage]
        assert sum(counts) == reach[stage]
        assert len(counts) > 1
        assert min(counts[:-1]) >= 20
        assert max(counts) < 26 + 20


@pytest.mark.parametrize("wrong", [{"worth": 0}, {"wait": -1}])
def test_numbers_out_of_range_are_refused(runner: Runner, wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=f"Expected {next(iter(wrong))} to be"):
        list(gathered(runner, [torch.zeros(1)], **wrong))
