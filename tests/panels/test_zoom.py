"""What a browser says of zoomed charts is taken for ranges of axes, or passed over."""

from __future__ import annotations

import pytest

from cascade_core.panels.live import zoomed_axes


def test_ranges_of_the_chart_that_is_asked_for() -> None:
    zoom = {"a": {"xaxis": [0.25, 4], "yaxis2": [9, -1]}, "b": {"xaxis": [0, 1]}}
    assert zoomed_axes(zoom, "a") == {"xaxis": (0.25, 4.0), "yaxis2": (9.0, -1.0)}
    assert zoomed_axes(zoom, "c") == {}


@pytest.mark.parametrize(
    "zoom",
    [
        None,
        "a",
        {"a": None},
        {"a": {"title": [0, 1]}},
        {"a": {"xaxis.title": [0, 1]}},
        {"a": {"xaxis": "01"}},
        {"a": {"xaxis": [0]}},
        {"a": {"xaxis": [0, None]}},
        {"a": {"xaxis": [0, float("nan")]}},
        {"a": {"xaxis": [0, 10**400]}},
        {"a": {"xaxis": {"0": 0, "1": 1}}},
    ],
)
def test_anything_else_is_passed_over(zoom: object) -> None:
    assert zoomed_axes(zoom, "a") == {}
