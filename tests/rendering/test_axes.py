"""Places on the confidence axes, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from cascade_core.rendering.axes import BINS, confidence_axis


def test_nines_are_equally_spaced() -> None:
    axis = confidence_axis("max_probability", 10)
    # 0.9 is one nine of five, 0.99 two; beyond 0.99999 everything stands at the end.
    assert axis.place([0.0, 0.9, 0.99, 0.99999, 1.0, np.inf]) == pytest.approx([0, 0.2, 0.4, 1, 1, 1])


def test_negative_entropy_is_linear_from_uniform_to_certain() -> None:
    axis = confidence_axis("negative_entropy", 10)
    assert axis.place([-np.log(10), -np.log(10) / 2, 0.0]) == pytest.approx([0, 0.5, 1])


@pytest.mark.parametrize("score", ["max_probability", "margin", "negative_entropy"])
def test_steps_cover_the_score(score: str) -> None:
    axis = confidence_axis(score, 10)
    assert (axis.steps[0], axis.steps[-1]) == ((axis.low, 0.0) if score == "negative_entropy" else (0.0, 1.0))
    assert (np.diff(axis.steps) > 0).all()


@pytest.mark.parametrize("score", ["max_probability", "margin", "negative_entropy"])
def test_bins_never_fall_as_confidence_rises(score: str) -> None:
    axis = confidence_axis(score, 10)
    low, high = (-2, 0) if score == "negative_entropy" else (0, 1)
    confidence = np.append(np.sort(np.random.default_rng(0).uniform(low, high, 5000)), high)
    bins = axis.bins(confidence)
    assert (np.diff(bins) >= 0).all()
    assert bins.min() >= 0
    assert bins.max() == BINS - 1


def test_a_given_confidence_has_the_scale_on_which_it_came() -> None:
    percent = confidence_axis("confidence", 10, np.array([[20, 40], [60, 100]], np.float32))
    assert percent.place([20, 60, 100, np.inf]) == pytest.approx([0.2, 0.6, 1, 1])
    assert [text for _, text in percent.ticks] == ["0", "25", "50", "75", "100"]
    logits = confidence_axis("confidence", 10, np.array([[-4, 0], [2, 4]], np.float32))
    assert logits.place([-4, 0, 4, np.inf]) == pytest.approx([0, 0.5, 1, 1])
    assert [text for _, text in logits.ticks] == ["-4", "-2", "0", "2", "4"]
    shares = confidence_axis("confidence", 10, np.array([[0.3, 0.99999]], np.float32))
    assert shares.nines
    # As narrow as it may be, thresholds set by hand tell its values apart.
    narrow = confidence_axis("confidence", 10, np.array([[7e-4, 9e-4]], np.float32) - 5e-4)
    assert len(narrow.grid) > 900
