"""Counting equals `evaluate` rule by rule in every branch, and histograms and blocks equal a loop."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from cascade_core import exit_stages
from cascade_core.simulation import counting
from tests.oracle import random_pooled, random_record, random_rules
from tests.pathcases import assert_same, by_class_path, falling_rules, path_of


@pytest.fixture
def branches(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a test went through where thresholds do not only fall: whether samples were merged."""
    seen: list[str] = []
    for name, said in (("_merged", "merged"), ("_count_groups", "groups")):
        real = getattr(counting, name)

        def spy(*arguments: Any, real: Any = real, said: str = said) -> Any:
            seen.append(said)
            return real(*arguments)

        monkeypatch.setattr(counting, name, spy)
    return seen


@pytest.mark.parametrize("stages", [1, 2, 3, 4])
@pytest.mark.parametrize("decimals", [1, 2, None])
def test_falling_paths(stages: int, decimals: int | None, branches: list[str]) -> None:
    record = random_record(stages, stages=stages, decimals=decimals)
    assert_same(record, path_of(record, falling_rules(stages, record, 20)))
    assert branches == []


@pytest.mark.parametrize("stages", [2, 3, 4])
def test_rising_paths_of_many_distinct_thresholds(stages: int, branches: list[str]) -> None:
    record = random_record(30 + stages, stages=stages, decimals=None, n=16)
    assert_same(record, path_of(record, random_rules(stages, record, 40)))
    assert branches == ["groups"]


@pytest.mark.parametrize("stages", [2, 3, 4])
def test_rising_paths_of_few_thresholds_merge_samples(stages: int, branches: list[str]) -> None:
    record = random_record(40 + stages, stages=stages, decimals=1, n=140)
    choices = np.array([0.5, 0.9, 1.0, np.inf], dtype=np.float32)[: 4 if stages < 4 else 3]
    rules = np.random.default_rng(stages).choice(choices, (25, stages - 1))
    rules[:2] = [[0.5] * (stages - 1), [1.0] * (stages - 1)]  # the second rises above the first
    assert_same(record, path_of(record, rules))
    assert branches == ["groups", "merged"]


@pytest.mark.parametrize("chunk", [1, 41, 640, 1_000_000])
def test_chunk_boundaries(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks of one sample, of some with a shorter last one, of exactly a third, and one of all."""
    monkeypatch.setattr(counting, "CHUNK", chunk)
    record = random_record(50, decimals=None, n=48)
    assert_same(record, path_of(record, random_rules(50, record, 40)))


def test_first_positions_by_hand() -> None:
    thresholds = np.array([np.inf, 0.9, 0.9, 0.5], dtype=np.float32)
    confidence = np.array([1.0, 0.9, 0.8, 0.5, 0.4], dtype=np.float32)
    # 1.0 and 0.9 reach 0.9 first at position 1; 0.8 and 0.5 reach 0.5 at 3; 0.4 never leaves: 4.
    assert counting.first_positions(confidence, thresholds).tolist() == [1, 1, 3, 3, 4]


@pytest.mark.parametrize("chunk", [1, 100, 1_000_000])
@pytest.mark.parametrize("stages", [1, 2, 3])
def test_reach_histograms_equal_a_loop(stages: int, chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "CHUNK", chunk)
    record = random_record(70 + stages, stages=stages, n=50)
    path = path_of(record, random_rules(70, record, 12))
    bins = np.random.default_rng(1).integers(0, 4, record.confidence.shape)
    found, gone = counting.reach_histograms(record, path.columns, bins, 4)
    wanted, left = np.zeros((2, 12, stages, 2, 4), dtype=np.int64)
    for g in range(12):
        leaving = exit_stages(record.confidence, path.thresholds[g])
        for i in range(record.n):
            for stage in range(leaving[i] + 1):
                wanted[g, stage, 0 if record.correct[stage, i] else 1, bins[stage, i]] += 1
            left[g, leaving[i], 0 if record.correct[leaving[i], i] else 1, bins[leaving[i], i]] += 1
    assert (found == wanted).all()
    assert (gone == left).all()
    assert found[:, 0].sum() == 12 * record.n  # everybody reaches the first stage


@pytest.mark.parametrize("falling", [True, False])
@pytest.mark.parametrize("stages", [2, 3, 4])
def test_thresholds_for_each_class(stages: int, falling: bool, branches: list[str]) -> None:
    record = random_record(90 + stages, stages=stages, decimals=1, n=70)
    path = by_class_path(stages, record, 30, falling=falling)
    assert path.by_class
    assert_same(record, path)
    assert branches == ([] if falling else ["groups"])
    one = path.only(7)
    assert one.thresholds.tolist() == path.thresholds[7:8].tolist()


@pytest.mark.parametrize("by_class", [False, True])
@pytest.mark.parametrize("chunk", [1, 100, 1_000_000])
def test_discordant_blocks_equal_a_loop(by_class: bool, chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "CHUNK", chunk)
    record = random_record(95, n=50)
    path = by_class_path(1, record, 9, falling=False) if by_class else path_of(record, random_rules(1, record, 9))
    sizes = np.array([7, 0, 20, 23])
    harmed, helped = counting.discordant_blocks(record, path.columns, sizes)
    starts = np.cumsum(sizes) - sizes
    for g in range(9):
        leaving = path.rule(g).exit_stages(record)
        right = record.correct[leaving, np.arange(50)]
        for block, (start, size) in enumerate(zip(starts, sizes, strict=True)):
            own, last = right[start : start + size], record.correct[-1, start : start + size]
            assert harmed[g, block] == sum(bool(b) and not a for a, b in zip(own, last, strict=True))
            assert helped[g, block] == sum(bool(a) and not b for a, b in zip(own, last, strict=True))


@pytest.mark.parametrize("falling", [True, False])
@pytest.mark.parametrize("stages", [1, 2, 3, 4])
def test_pooled_answers(stages: int, falling: bool) -> None:
    record = random_pooled(110 + stages, stages=stages, n=80)
    rules = (falling_rules if falling else random_rules)(stages, record, 20)
    rules[:2] = np.inf
    assert_same(record, path_of(record, rules, plain=[True] + [False] * 19))


@pytest.mark.parametrize("falling", [True, False])
def test_pooled_answers_with_thresholds_for_each_class(falling: bool) -> None:
    record = random_pooled(120, n=80)
    assert_same(record, by_class_path(120, record, 25, falling=falling))


def test_pooled_answers_of_few_levels_merge_samples(branches: list[str]) -> None:
    record = random_pooled(130, n=200)
    rules = np.random.default_rng(0).choice(np.array([0.5, 0.9, np.inf], dtype=np.float32), (25, 2))
    rules[:3] = [[0.5, 0.5], [0.9, 0.9], [np.inf, np.inf]]
    assert_same(record, path_of(record, rules, plain=np.arange(25) == 2))
    assert branches == ["groups", "merged"]


def test_discordant_blocks_of_pooled_answers_are_against_the_plain_network() -> None:
    record = random_pooled(140, n=50)
    rules = random_rules(140, record, 9)
    rules[0] = np.inf
    path, sizes = path_of(record, rules), np.array([20, 30])
    harmed, helped = counting.discordant_blocks(record, path.columns, sizes)
    assert harmed[0].sum() + helped[0].sum() > 0  # pooled, the last stage says otherwise now and then
    for g in range(9):
        leaving = exit_stages(record.confidence, rules[g])
        right = record.correct[leaving, np.arange(50)]
        for block, part in enumerate((slice(20), slice(20, 50))):
            pairs = list(zip(right[part], record.baseline_correct[part], strict=True))
            assert harmed[g, block] == sum(bool(plain) and not own for own, plain in pairs)
            assert helped[g, block] == sum(bool(own) and not plain for own, plain in pairs)
