"""How long a slider's 401 positions take, beside the loop that public early-exit code runs for each.

Run with ``pytest -m benchmark tests/benchmarks``.  Times are medians of several runs on this machine.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
import torch

from cascade_core import CheapestWithinDrop, PaperRule, Record, evaluate_path
from tests.oracle import random_rules

pytestmark = pytest.mark.benchmark

POSITIONS = 401
LOOPED = 3
"""Positions that the slow loop really does; its time is scaled up to all."""

Show = Callable[[str, Sequence[tuple[str, str]]], None]


def median_seconds(work: Callable[[], object], times: int) -> float:
    seconds = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


@pytest.mark.parametrize("policy", [CheapestWithinDrop, PaperRule])
def test_all_positions_of_a_slider(policy: Any, large_record: Record, show: Show) -> None:
    positions = policy.positions(large_record, POSITIONS)

    def prepare() -> None:
        evaluate_path(large_record, policy.path(large_record, positions))

    path = policy.path(large_record, positions)
    prepared = median_seconds(prepare, 5)
    evaluated = median_seconds(lambda: evaluate_path(large_record, path), 15)
    show(
        f"{policy.__name__}: {POSITIONS} positions, {large_record.n:,} samples, {len(large_record.stages)} stages",
        [("choose and evaluate, s", f"{prepared:.3f}"), ("evaluate a chosen path, s", f"{evaluated:.4f}")],
    )
    assert prepared < 1.5
    assert evaluated < 0.020


def test_thresholds_in_any_order(large_record: Record, show: Show) -> None:
    """The slowest case: no order along the path, and no two samples alike."""
    thresholds = random_rules(1, large_record, POSITIONS)
    path = replace(PaperRule.path(large_record, range(POSITIONS)), thresholds=thresholds)
    seconds = median_seconds(lambda: evaluate_path(large_record, path), 5)
    show(f"{POSITIONS} rules in any order", [("evaluate, s", f"{seconds:.4f}")])
    assert seconds < 0.5


def looped(
    confidence: torch.Tensor, correct: torch.Tensor, costs: list[int], thresholds: list[float]
) -> tuple[int, int]:
    """Correct answers and MACs in all, sample by sample and stage by stage with ``.item()``."""
    right = macs = 0
    stages, samples = confidence.shape
    for sample in range(samples):
        for stage in range(stages):
            if stage == stages - 1 or confidence[stage][sample].item() >= thresholds[stage]:
                right += int(correct[stage][sample].item())
                macs += costs[stage]
                break
    return right, macs


def test_against_a_loop_over_samples(large_record: Record, show: Show) -> None:
    path = CheapestWithinDrop.path(large_record, CheapestWithinDrop.positions(large_record, POSITIONS))
    found = evaluate_path(large_record, path)
    confidence = torch.tensor(large_record.confidence)
    correct = torch.tensor(large_record.correct)
    chosen = [0, POSITIONS // 2, POSITIONS - 1][:LOOPED]
    start = time.perf_counter()
    for g in chosen:
        answer = looped(confidence, correct, found.costs[g].tolist(), path.thresholds[g].tolist())
        assert answer == (found.correct_counts[g].sum(), found.exit_counts[g] @ found.costs[g])
    slow = (time.perf_counter() - start) / len(chosen) * POSITIONS
    fast = median_seconds(lambda: evaluate_path(large_record, path), 15)
    show(
        f"{POSITIONS} threshold settings on {large_record.n:,} samples",
        [
            ("loop over samples, s (scaled up)", f"{slow:.1f}"),
            ("evaluate_path, s", f"{fast:.4f}"),
            ("times faster", f"{slow / fast:,.0f}"),
        ],
    )
    assert slow / fast >= 1_000
