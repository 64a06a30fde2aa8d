"""Figures draw what they are given: counts, thresholds and points are found again in the traces."""

from __future__ import annotations

import json

import numpy as np
import plotly.graph_objects as go
import pytest

from cascade_core import CheapestWithinDrop, PaperRule, PaperRuleByClass, SharedThreshold, reliability
from cascade_core.analysis.exploration import Split, explore
from cascade_core.analysis.points import Setting
from cascade_core.analysis.spread import Judged, Spread
from cascade_core.rendering.axes import confidence_axis
from cascade_core.rendering.figures.explore import (
    add_spread,
    confidence_histograms,
    plain,
    reliability_curves,
    residual_accuracy_curves,
    tradeoff,
)
from cascade_core.rendering.palette import DARK, LIGHT
from cascade_core.rendering.published import PUBLISHED
from tests.samples import sample_record, sample_run

AXIS = confidence_axis("max_probability", 5)


def names(figure: go.Figure) -> list[str]:
    return [trace.name for trace in figure.data if trace.name]


def test_histograms_hold_every_sample_of_every_stage() -> None:
    exploration = explore(sample_record(), SharedThreshold, Split(), count=11)
    figure = confidence_histograms(exploration.test, exploration.path.rule(5), AXIS, LIGHT)
    totals = {trace.name: int(np.sum(trace.y)) for trace in figure.data}
    for stage in range(3):
        right = int(exploration.test.correct[stage].sum())
        assert totals[f"stage {stage + 1}, right"] == right
        assert totals[f"stage {stage + 1}, wrong"] == 200 - right
    # One line for each finite threshold.
    assert len(figure.layout.shapes) == 2


def test_residual_curves_show_best_and_what_epsilon_allows() -> None:
    exploration = explore(sample_record(), PaperRule, Split(), count=11)
    figure = residual_accuracy_curves(exploration.calibration, exploration.path.rule(4), 0.04, AXIS, LIGHT)
    # For each of two early stages: the curve, its best, the best less epsilon, the threshold.
    assert len(figure.data) == 8
    best, allowed = (float(figure.data[i].y[0]) for i in (1, 2))
    assert best - allowed == pytest.approx(4.0)
    assert float(figure.data[3].y[0]) >= allowed - 1e-9


def test_tradeoff_shows_the_chosen_rule_and_what_bounds_it() -> None:
    exploration = explore(sample_record(), CheapestWithinDrop, Split(), count=11)
    figure = tradeoff(Setting(exploration=exploration, position=5), LIGHT, PUBLISHED[:1])
    here = exploration.at(5)
    chosen = next(trace for trace in figure.data if trace.name == "chosen")
    assert float(chosen.y[0]) == pytest.approx(100 * here.accuracy)
    assert float(chosen.x[0]) == pytest.approx(100 * (1 - here.saving))
    assert "published, CIFAR-10 (ResNet-110, 3 stages)" in names(figure)
    assert json.loads(figure.to_json())


def test_tradeoff_shows_certificate_lot_oracles_and_single_stages() -> None:
    exploration = explore(sample_record(), CheapestWithinDrop, Split(), count=11)
    figure = tradeoff(Setting(exploration=exploration, position=5), LIGHT)
    order = np.argsort(exploration.evaluation.mean_macs, kind="stable")
    assert exploration.certificate is not None
    lines = {trace.name: np.array(trace.y, dtype=float) for trace in figure.data}
    certain = 100 * (exploration.evaluation.full_accuracy - exploration.certificate[order])
    np.testing.assert_allclose(lines["certified, 95% sure everywhere"], certain)
    np.testing.assert_allclose(
        lines["exits drawn by lot, in equal shares"], 100 * exploration.random_exit_accuracy[order]
    )
    assert {"stage 1 alone", "stage 2 alone", "oracle that gives up at once"} <= set(names(figure))
    assert "stage 3 alone" not in names(figure)
    exploration = explore(sample_record(), CheapestWithinDrop, Split(in_sample=True), count=11)
    in_sample = tradeoff(Setting(exploration=exploration, position=5), LIGHT)
    assert not any("certified" in name for name in names(in_sample))


def test_the_spread_is_drawn_where_all_splits_reach() -> None:
    explorations = [explore(sample_record(), CheapestWithinDrop, Split(seed=seed), count=11) for seed in (0, 1, 2)]
    spread = Spread(judged=[Judged.of(one) for one in explorations])
    figure = tradeoff(Setting(exploration=explorations[0], position=5), LIGHT)
    add_spread(figure, spread, LIGHT)
    low, high, mean = figure.data[-3:]
    assert (low.name, high.name, mean.name) == (
        "10% of the splits below",
        "90% of the splits below",
        "mean of 3 splits",
    )
    assert high.fill == "tonexty"
    costs = [one.evaluation.mean_macs / one.evaluation.baseline_macs for one in explorations]
    assert 100 * max(x.min() for x in costs) <= min(mean.x) < max(mean.x) <= 100 * min(x.max() for x in costs)
    band = spread.band(np.array(mean.x) / 100)
    for trace, values in ((low, band.low), (high, band.high), (mean, band.mean)):
        np.testing.assert_allclose(trace.y, 100 * values)


def test_reliability_curves_have_a_line_a_stage() -> None:
    record = sample_record()
    figure = reliability_curves(record, DARK)
    assert names(figure) == ["calibrated", "stage 1", "stage 2", "stage 3"]
    found = reliability(record, 1)
    assert list(figure.data[2].y) == (100 * found.accuracy).tolist()
    assert list(figure.data[2].customdata) == found.counts.tolist()


def test_histograms_of_thresholds_by_class_show_their_ends() -> None:
    exploration = explore(sample_record(), PaperRuleByClass, Split(), count=3)
    rule = exploration.path.rule(2)
    figure = confidence_histograms(exploration.test, rule, AXIS, LIGHT)
    assert len(figure.layout.shapes) == 4
    texts = [note.text for note in figure.layout.annotations]
    assert f"some classes leave at {rule.thresholds[0].min():.3f}" in texts


@pytest.mark.parametrize("count", [1, 2, 3, 8, 12])
def test_stage_colours_run_from_early_to_late(count: int) -> None:
    colours = LIGHT.stages(count)
    assert len(colours) == count
    assert colours[-1] == LIGHT.ramp[-1]
    if count > 1:
        assert colours[0] == LIGHT.ramp[0]
    assert len(set(colours)) == min(count, 8)


NAMES = ["<b>bold</b>", "a & b", "5\" and 'six'", "$x$ %{y}", "&quot;"]
LETTERS = ["&lt;b&gt;bold&lt;/b&gt;", "a &amp; b", "5\" and 'six'", "$x$ %{y}", "&amp;quot;"]
"""Names, and what Plotly has to be given to show them: it knows tags, `&lt;`, `&gt;` and `&amp;`, and no quotes."""


def test_names_are_shown_to_the_letter() -> None:
    assert plain(NAMES) == LETTERS
    record = sample_run(m=5, names=NAMES).record()
    exploration = explore(record, PaperRule, Split(), count=3)
    rule = exploration.path.rule(1)
    histograms = confidence_histograms(exploration.test, rule, AXIS, LIGHT)
    assert [annotation.text for annotation in histograms.layout.annotations][: len(NAMES)] == LETTERS
    assert [trace.name for trace in reliability_curves(exploration.test, LIGHT).data][1:] == LETTERS
    curves = residual_accuracy_curves(exploration.calibration, rule, 0.05, AXIS, LIGHT)
    assert {trace.name.rpartition(": ")[0] for trace in curves.data} == set(LETTERS[:-1])


def test_no_name_is_read_as_a_template() -> None:
    """Plotly replaces `%{y}` in what is shown on hovering, but not in what it is replaced by."""
    exploration = explore(sample_run(m=5, names=NAMES).record(), PaperRule, Split(), count=3)
    rule = exploration.path.rule(1)
    for figure in (
        reliability_curves(exploration.test, LIGHT),
        residual_accuracy_curves(exploration.calibration, rule, 0.05, AXIS, LIGHT),
    ):
        assert not any("$x$" in (trace.hovertemplate or "") for trace in figure.data)
