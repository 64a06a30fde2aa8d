"""Verbs that run networks: what they tell of time."""

from __future__ import annotations

import pytest

from cascade_core.commands.deploying import percentiles


@pytest.mark.parametrize(
    ("milliseconds", "told"),
    [
        (range(1, 101), "p50 50.0 ms, p95 95.0 ms, p99 99.0 ms"),
        ([3, 1, 2], "p50 2.0 ms, p95 3.0 ms, p99 3.0 ms"),
        ([7], "p50 7.0 ms, p95 7.0 ms, p99 7.0 ms"),
    ],
)
def test_percentiles_are_times_within_which_that_share_was_answered(milliseconds: list[int], told: str) -> None:
    assert percentiles([one / 1000 for one in milliseconds]) == told
