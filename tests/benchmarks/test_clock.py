"""Whether MACs saved become time saved where the network is compiled; `clock` measures and prints.

Run with ``CASCADE_DATA=... pytest -m benchmark -s tests/benchmarks/test_clock.py``; it takes some minutes a run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.benchmarks.clock import RUNS, prepared, rows

pytestmark = pytest.mark.benchmark

LEAST = 0.5
"""Of the MAC saving that time must save at each batch size and number of threads."""

Show = Callable[[str, Sequence[tuple[str, str]]], None]


@pytest.mark.parametrize("name", RUNS)
def test_runner_and_bundle_are_faster_than_the_plain_network(
    name: str, cifar10: Path, weights: Path, tmp_path: Path, show: Show
) -> None:
    found = list(rows(prepared(name, cifar10 / "test", weights, tmp_path)))
    show(name, [("", str(row)) for row in found])
    assert not [row for row in found if min(row.ratio("runner"), row.ratio("bundle")) < LEAST]
