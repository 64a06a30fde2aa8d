"""Scores: values by hand, the direction that all share, and ranks of tied classes."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from cascade_core import load_record, load_run, save_run
from cascade_core.__main__ import main
from cascade_core.nets.running import bundled_rule
from cascade_core.rendering.axes import confidence_axis
from cascade_core.simulation import scores
from cascade_core.storage.choice_schema import schema
from tests.oracle import f32, random_outputs
from tests.samples import sample_run


def test_values_by_hand() -> None:
    probs = f32(0.5, 0.25, 0.125, 0.125)
    assert scores.max_probability(probs) == np.float32(0.5)
    assert scores.margin(probs) == np.float32(0.25)  # 0.5 - 0.25
    # 0.5 ln 0.5 + 0.25 ln 0.25 + 2 * 0.125 ln 0.125 = -(0.5 + 0.5 + 0.75) ln 2
    assert scores.negative_entropy(probs) == pytest.approx(-1.75 * math.log(2), rel=1e-6)
    assert scores.top_k_sum(probs, 2) == np.float32(0.75)
    assert scores.top_k_sum(probs, 4) == np.float32(1.0)


def test_a_saturated_softmax_is_surest_under_every_score() -> None:
    probs = f32(0, 1, 0)
    assert scores.max_probability(probs) == 1
    assert scores.margin(probs) == 1
    assert scores.negative_entropy(probs) == 0  # 0 ln 0 counts as 0


def test_a_tie_has_no_margin() -> None:
    assert scores.margin(f32(0.4, 0.4, 0.2)) == 0


def test_one_class() -> None:
    probs = np.ones((2, 3, 1), dtype=np.float32)
    for score in scores.of_softmaxes():
        assert scores.confidence(probs, score, 1).shape == (2, 3)
    assert (scores.margin(probs) == 1).all()


@pytest.mark.parametrize("score", scores.of_softmaxes())
def test_scores_stay_float32_within_their_range_and_match_a_loop(score: str) -> None:
    probs = random_outputs(3, n=40, decimals=None).probs
    found = scores.confidence(probs, score, 1)
    assert found.dtype == np.float32
    assert found.shape == probs.shape[:2]
    low, high = scores.score_range(score, probs.shape[2])
    assert low - 1e-6 <= found.min() <= found.max() <= high + 1e-6
    for m, i in np.ndindex(found.shape):
        row = sorted((float(p) for p in probs[m, i]), reverse=True)
        wanted = {
            "max_probability": row[0],
            "margin": row[0] - row[1],
            "negative_entropy": sum(p * math.log(p) for p in row if p > 0),
        }[score]
        assert found[m, i] == pytest.approx(wanted, abs=2e-6)


@pytest.mark.parametrize("score", scores.of_softmaxes())
def test_scores_grow_with_certainty(score: str) -> None:
    """Softmaxes from flat to one-hot: every score rises along the way, from its least to its greatest value."""
    ways = f32(*np.linspace(0, 1, 11))[:, None]
    probs = (ways * f32(1, 0, 0) + (1 - ways) * f32(1, 1, 1) / 3).astype(np.float32)
    found = scores.confidence(probs, score, 1)
    assert (np.diff(found) > 0).all()
    assert scores.score_range(score, 3) == pytest.approx((found[0], found[-1]), abs=1e-6)


def test_top_k_confidence_is_the_sum_of_the_largest() -> None:
    probs = random_outputs(4, classes=6).probs
    for k in (2, 3, 6):
        wanted = np.sort(probs.astype(np.float64), axis=-1)[..., -k:].sum(axis=-1)
        np.testing.assert_allclose(scores.confidence(probs, "max_probability", k), wanted, atol=1e-6)


def test_label_among_top_ranks_ties_by_class_number() -> None:
    probs = f32(0.3, 0.3, 0.2, 0.2).reshape(1, 1, 4).repeat(4, axis=1)
    labels = np.arange(4)
    # Ranks are 0, 1, 2, 3: equal softmaxes go by number, as argmax does.
    for k in (1, 2, 3, 4):
        assert scores.label_among_top(probs, labels, k).tolist() == [[rank < k for rank in range(4)]]


def test_label_among_top_one_is_argmax() -> None:
    outputs = random_outputs(5, n=300, decimals=1)
    found = scores.label_among_top(outputs.probs, outputs.labels, 1)
    assert (found == (outputs.probs.argmax(axis=2) == outputs.labels)).all()


def test_raises_for_unknown_scores_and_top_k_of_other_scores() -> None:
    probs = np.ones((1, 1, 1), dtype=np.float32)
    with pytest.raises(
        ValueError, match=r"score to be one of max_probability, margin, negative_entropy but it was 'x'"
    ):
        scores.confidence(probs, "x", 1)
    with pytest.raises(ValueError, match="max_probability with top_k=2 but it was 'margin'"):
        scores.confidence(probs, "margin", 2)
    with pytest.raises(ValueError, match="one of max_probability"):
        scores.score_range("x", 3)


def test_other_programs_are_told_of_the_same_scores() -> None:
    assert schema()["properties"]["rule"]["properties"]["score"]["enum"] == list(scores.SCORES)
    assert scores.of_softmaxes() == bundled_rule.SCORES


def test_a_score_of_ones_own_is_one_entry(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    gini = scores.Score(
        function=lambda probs: np.square(probs).sum(axis=-1),
        least=lambda classes: 1 / classes,
        title="sum of squares",
        phrase="the sum of its squared softmaxes",
        axis="sum of squares",
    )
    monkeypatch.setitem(scores.SCORES, "gini", gini)
    monkeypatch.setitem(schema()["properties"]["rule"]["properties"]["score"], "enum", list(scores.SCORES))
    run, out = save_run(sample_run(), tmp_path / "run.parquet"), tmp_path / "report.html"
    # 0.8^2 + 0.2^2 = 0.68
    assert scores.confidence(f32(0.8, 0.2), "gini", 1) == pytest.approx(0.68)
    assert (load_record(run, "gini").confidence == load_run(run).record("gini").confidence).all()
    assert confidence_axis("gini", 5).label == "sum of squares, on a scale of nines"
    assert main(["choose", str(run), "--score", "gini", "--max-drop", "0.02"]) == 0
    assert main(["report", str(run), "--score", "gini", "--out", str(out)]) == 0
    assert gini.phrase in out.read_text(encoding="utf-8")
