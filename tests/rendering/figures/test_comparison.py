"""The comparison plot holds every curve's own numbers, and names as text."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
import pytest

from cascade_core import CheapestWithinDrop, PaperRule
from cascade_core.analysis.exploration import Split, explore
from cascade_core.analysis.points import Setting, operating_point
from cascade_core.rendering.figures.comparison import Curve, comparison
from cascade_core.rendering.palette import LIGHT
from cascade_core.rendering.published import PUBLISHED
from tests.samples import sample_record


def traces(figure: go.Figure) -> dict[str, go.Scatter]:
    return {trace.name: trace for trace in figure.data}


def test_curves_are_shares_of_the_plain_network() -> None:
    record = sample_record()
    curves = [
        Curve(run="<b>", exploration=explore(record, policy, Split(), 21)) for policy in (CheapestWithinDrop, PaperRule)
    ]
    point = operating_point(Setting(exploration=curves[0].exploration, position=7), run="<b>")
    figure = comparison(curves, [point], LIGHT, PUBLISHED[:1])
    found = traces(figure)
    for curve in curves:
        result = curve.exploration.evaluation
        drawn = found[f"&lt;b&gt;, {curve.exploration.policy.title}"]
        order = np.argsort(result.mean_macs, kind="stable")
        assert list(drawn.x) == pytest.approx(list(100 * result.mean_macs[order] / result.baseline_macs))
        assert list(drawn.y) == pytest.approx(list(100 * result.accuracy[order]))
    assert found["pinned, by number"].x[0] == pytest.approx(100 - 100 * point.evaluation.saving)
    assert found["pinned, by number"].text == ("1",)
    assert any(name.startswith("published") for name in found)
    assert "95% sure" in found
    dashes = {found[f"&lt;b&gt;, {curve.exploration.policy.title}"].line.dash for curve in curves}
    assert len(dashes) == 2
    assert "95% sure" not in traces(comparison(curves, [], LIGHT, certified=False))


def test_other_networks_are_compared_in_macs() -> None:
    record = sample_record()
    other = replace(record, baseline_macs=2 * record.baseline_macs)
    curves = [
        Curve(run=name, exploration=explore(one, PaperRule, Split(), 11)) for name, one in (("a", record), ("b", other))
    ]
    figure = comparison(curves, [], LIGHT, PUBLISHED[:1])
    found = traces(figure)
    assert figure.layout.xaxis.title.text == "mean MACs of a sample"
    assert list(found["a, plain network"].x) == [record.baseline_macs]
    assert list(found["b, plain network"].x) == [2 * record.baseline_macs]
    drawn = sorted(curves[0].exploration.evaluation.mean_macs)
    assert list(found[f"a, {PaperRule.title}"].x) == pytest.approx(drawn)
    assert not any(name.startswith("published") for name in found)
    colours = {found[f"{run}, {PaperRule.title}"].line.color for run in "ab"}
    assert len(colours) == 2
