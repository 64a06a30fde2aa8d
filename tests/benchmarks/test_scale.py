"""Ten million samples by four stages: how long and in how much memory, beside a loop and a plain vectorised version.

Run with ``pytest -m benchmark -s tests/benchmarks/test_scale.py``; it takes a few minutes and 3 GB.
"""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from cascade_core import CheapestUncorrected, CheapestWithinDrop, PaperRule, Record, Stage, StageOutputs, evaluate_path
from cascade_core.policies import SWEEPS
from cascade_core.simulation.evaluation import count
from cascade_core.storage.reading import load_record
from cascade_core.storage.writing import save_run
from tests.benchmarks.test_paths_speed import looped

pytestmark = pytest.mark.benchmark

SAMPLES = 10_000_000
POSITIONS = 401
Show = Callable[[str, Sequence[tuple[str, str]]], None]


def plausible(n: int, stages: int, seed: int = 0) -> Record:
    """Stages from about 70 % to 93 % right, surer where they are right, hard samples hard for all."""
    random = np.random.default_rng(seed)
    ease = random.normal(0, 1.6, n).astype(np.float32)
    confidence, correct = np.empty((stages, n), dtype=np.float32), np.empty((stages, n), dtype=bool)
    for k in range(stages):
        logits = ease + 1 + 0.5 * k + random.normal(0, 0.8, n).astype(np.float32)
        confidence[k] = 1 / (1 + np.exp(-2 * logits))
        correct[k] = random.random(n, dtype=np.float32) < np.maximum(confidence[k], 0.1)
    return Record(
        confidence=confidence,
        predictions=np.where(correct, 0, 1),
        correct=correct,
        labels=np.zeros(n, dtype=np.int64),
        stages=tuple(Stage(name=f"stage {k}", trunk_macs=1000, head_macs=20) for k in range(stages)),
    )


@pytest.fixture(scope="module")
def large() -> Record:
    return plausible(SAMPLES, 4)


def measured(work: Callable[[], Any]) -> tuple[float, int, Any]:
    """Seconds, most bytes held beyond what there was, and the result."""
    start = time.perf_counter()
    result = work()
    seconds = time.perf_counter() - start
    tracemalloc.start()
    work()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return seconds, peak, result


@pytest.mark.parametrize("policy", [CheapestUncorrected, PaperRule])
def test_a_path_of_401_positions(policy: Any, large: Record, show: Show) -> None:
    arrays = sum(a.nbytes for a in (large.confidence, large.predictions, large.correct, large.labels))
    path = policy.path(large, policy.positions(large, POSITIONS))
    seconds, peak, found = measured(lambda: evaluate_path(large, path))
    start = time.perf_counter()
    found[200]
    position = time.perf_counter() - start
    plain = looped_plainly(large, path.thresholds[[0, 200, 400]]) / 3 * POSITIONS
    few = large.take(np.arange(20_000))
    start = time.perf_counter()
    confidence, correct = torch.tensor(few.confidence), torch.tensor(few.correct)
    looped(confidence, correct, [1020, 2040, 3060, 4080], path.thresholds[200].tolist())
    slow = (time.perf_counter() - start) * POSITIONS * SAMPLES / few.n
    show(
        f"{policy.name}: {POSITIONS} positions, {SAMPLES:,} x 4",
        [
            ("evaluate the path, s", f"{seconds:.2f}"),
            ("memory beyond the arrays, share of them", f"{peak / arrays:.2f}"),
            ("one position looked up, ms", f"{1000 * position:.3f}"),
            ("rule by rule, vectorised, s (scaled up)", f"{plain:.0f}"),
            ("loop over samples, s (scaled up)", f"{slow:,.0f}"),
        ],
    )
    assert seconds < 5
    assert peak < arrays
    assert position < 0.001


def looped_plainly(record: Record, rules: Any) -> float:
    """Seconds for rules one by one, each over all samples at once."""
    start = time.perf_counter()
    for thresholds in rules:
        leaves = np.concatenate([record.confidence[:-1] >= thresholds[:, None], np.ones((1, record.n), dtype=bool)])
        count(record, leaves.argmax(axis=0), np.append(thresholds < np.inf, True))
    return time.perf_counter() - start


def test_the_cheapest_within_a_drop(large: Record, show: Show) -> None:
    start = time.perf_counter()
    # The positions choose the family, which the path then knows.
    CheapestWithinDrop.path(large, CheapestWithinDrop.positions(large, POSITIONS))
    seconds = time.perf_counter() - start
    show(f"CheapestWithinDrop, {SAMPLES:,} x 4, {POSITIONS} positions", [("choose, s", f"{seconds:.1f}")])
    assert seconds < 60


def test_all_policies_prepare_together(show: Show) -> None:
    record = plausible(50_000, 5)
    times = {}
    for name, policy in SWEEPS.items():
        start = time.perf_counter()
        policy.path(record, policy.positions(record, POSITIONS))
        times[name] = time.perf_counter() - start
    show("all policies, 50,000 x 5", [(name, f"{seconds:.2f} s") for name, seconds in times.items()])
    assert sum(times.values()) < 5


def test_opening_reads_score_columns_only(tmp_path: Path, show: Show) -> None:
    """A file of ten million rows, written some at a time; what is read is a small share of it."""
    path = tmp_path / "large.parquet"
    classes, part = 10, 500_000
    random = np.random.default_rng(0)
    probs = random.dirichlet(np.full(classes, 0.2), (4, part)).astype(np.float32)
    outputs = StageOutputs(
        probs=probs,
        labels=random.integers(0, classes, part),
        stages=tuple(Stage(name=f"stage {k}", trunk_macs=1000, head_macs=20) for k in range(4)),
    )
    table = pq.read_table(save_run(outputs, tmp_path / "part.parquet"))
    with pq.ParquetWriter(path, table.schema, compression="zstd") as writer:
        for _ in range(SAMPLES // part):
            writer.write_table(table)
    pa.default_memory_pool().release_unused()
    start = time.perf_counter()
    record = load_record(path)
    seconds = time.perf_counter() - start
    show(
        f"open a run of {record.n:,} x 4 with {classes} classes, {path.stat().st_size / 1e9:.1f} GB",
        [("load_record, s", f"{seconds:.1f}")],
    )
    assert record.n == SAMPLES
