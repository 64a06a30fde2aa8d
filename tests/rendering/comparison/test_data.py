"""The comparison's chart is given every curve's own numbers, in one unit, and says what cannot be drawn beside them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cascade_core import CheapestWithinDrop, PaperRule
from cascade_core.analysis.exploration import Exploration, Split, explore
from cascade_core.analysis.points import Setting, operating_point
from cascade_core.analysis.spread import Judged, Spread
from cascade_core.policies import Sweep
from cascade_core.rendering.comparison.data import (
    DASHES,
    Curve,
    Pinned,
    comparison_data,
    not_drawn,
    run_colours,
    short_names,
)
from cascade_core.rendering.comparison.tables import at_one_drop
from cascade_core.rendering.published import PUBLISHED
from cascade_core.simulation.own_costs import OwnCosts
from tests.samples import sample_record

RECORD = sample_record()
DOUBLE = replace(RECORD, baseline_macs=2 * RECORD.baseline_macs)


def swept(policy: type[Sweep] = CheapestWithinDrop, seed: int = 0) -> Exploration:
    return explore(RECORD, policy, Split(seed=seed), 21)


def doubled(exploration: Exploration) -> OwnCosts:
    """Two joules a MAC, for whoever reaches a stage."""
    trunk = exploration.test.stages
    return OwnCosts(
        unit="joules",
        per=1,
        stage_names=exploration.test.stage_names,
        stages=tuple({"": 2.0 * (stage.trunk_macs + stage.head_macs)} for stage in trunk),
        plain_parts={"": 2.0 * exploration.test.baseline_macs},
    )


def test_curves_are_shares_of_the_plain_network() -> None:
    curves = [Curve(run="a", exploration=swept(policy)) for policy in (CheapestWithinDrop, PaperRule)]
    point = operating_point(Setting(exploration=curves[0].exploration, position=7), run="a")
    data = comparison_data(curves, [Pinned(number=3, point=point)], PUBLISHED[:1], certified=True)
    for curve, drawn in zip(curves, data["curves"], strict=True):
        result = curve.exploration.evaluation
        order = np.argsort(result.mean_macs, kind="stable")
        assert drawn["cost"] == pytest.approx(list(result.mean_macs[order] / result.baseline_macs), rel=1e-5)
        assert drawn["saving"] == pytest.approx(list(result.saving[order]), rel=1e-4, abs=1e-9)
        assert drawn["accuracy"] == pytest.approx(list(result.accuracy[order]), rel=1e-5)
        assert curve.exploration.certificate is not None
        certain = result.full_accuracy - curve.exploration.certificate[order]
        assert drawn["certain"] == pytest.approx(list(certain), rel=1e-5)
    assert [one["label"] for one in data["curves"]] == [CheapestWithinDrop.title, PaperRule.title]
    assert [one["dash"] for one in data["curves"]] == list(DASHES[:2])
    assert {one["colour"] for one in data["curves"]} == {0}
    assert data["pinned"][0]["number"] == 3
    assert data["pinned"][0]["cost"] == pytest.approx(1 - point.evaluation.saving)
    assert data["runs"][0]["plain"]["cost"] == 1
    assert data["runs"][0]["oracle"]["accuracy"] == curves[0].exploration.oracle.accuracy
    assert data["published"][0]["points"][1] == {"cost": pytest.approx(0.726), "accuracy": 0.927, "text": "epsilon 1%"}
    assert not_drawn(curves) == ""


def test_other_networks_are_compared_in_macs_without_published_shares() -> None:
    other = explore(DOUBLE, PaperRule, Split(), 11)
    curves = [Curve(run="a-x", exploration=swept(PaperRule)), Curve(run="a-y", exploration=other)]
    data = comparison_data(curves, published=PUBLISHED[:1])
    assert not data["shares"]
    assert data["axis"] == "mean MACs per sample"
    assert [run["plain"]["cost"] for run in data["runs"]] == [RECORD.baseline_macs, 2 * RECORD.baseline_macs]
    assert data["curves"][1]["cost"] == pytest.approx(sorted(other.evaluation.mean_macs), rel=1e-5)
    assert [one["label"] for one in data["curves"]] == ["x", "y"]
    assert data["published"] == []
    assert "several" in not_drawn(curves)
    assert [one["certain"] for one in data["curves"]] == [None, None]


def test_costs_are_in_the_meter_and_published_macs_are_said_not_to_be_drawn() -> None:
    exploration = swept()
    meter = doubled(exploration)
    data = comparison_data([Curve(run="a", exploration=exploration, meter=meter)], published=PUBLISHED[:1])
    assert data["axis"] == "mean joules, % of the plain network"
    expected = sorted(meter.mean(exploration.at(g)) / meter.plain(exploration.at(g)) for g in range(21))
    assert data["curves"][0]["cost"] == pytest.approx(expected, rel=1e-5)
    assert data["published"] == []
    assert (
        not_drawn([Curve(run="a", exploration=exploration, meter=meter)])
        == "Published results are not drawn: their costs are MACs, and these are joules."
    )


def test_a_spread_is_drawn_where_all_splits_reach() -> None:
    spread = Spread(judged=[Judged.of(swept(seed=seed)) for seed in range(3)])
    drawn = comparison_data([Curve(run="a", exploration=swept(), spread=spread)])["curves"][0]["spread"]
    assert drawn["splits"] == 3
    assert drawn["cost"]
    band = spread.band(np.array(drawn["cost"]))
    assert drawn["mean"] == pytest.approx(list(band.mean), rel=1e-4)
    assert all(low <= high for low, high in zip(drawn["low"], drawn["high"], strict=True))


@pytest.mark.parametrize(
    ("names", "short"),
    [
        (["c-hybrid", "c-r56-fine", "c-r56"], ["hybrid", "r56-fine", "r56"]),
        (["one"], ["one"]),
        (["a-b", "a-b-c"], ["b", "b-c"]),
        (["x y", "x z"], ["y", "z"]),
        (["p", "q"], ["p", "q"]),
        (["a" * 100 + "b" * 100], ["a" * 30 + "…" + "b" * 29]),
        (["a" * 90, "b" * 90], ["a" * 30 + "…" + "a" * 29, "b" * 30 + "…" + "b" * 29]),
        # Told apart by their middle alone.
        (["a" * 40 + "b" + "a" * 40, "a" * 81], ["a" * 40 + "b" + "a" * 40, "a" * 81]),
    ],
)
def test_names_lose_the_words_that_all_share(names: list[str], short: list[str]) -> None:
    assert list(short_names(names).values()) == short


def test_a_run_keeps_its_colour_when_others_go() -> None:
    listed = [f"run {i}" for i in range(10)]
    assert run_colours(listed[1:4], listed) == {"run 1": 1, "run 2": 2, "run 3": 3}
    assert run_colours([listed[3]], listed) == {"run 3": 3}
    # Eight colours: the ninth run wishes for the first's, and takes the next that is free.
    assert run_colours([listed[0], listed[8], listed[1]], listed) == {"run 0": 0, "run 8": 1, "run 1": 2}


def test_all_curves_are_laid_beside_one_another_at_one_drop() -> None:
    curves = [
        Curve(run=name, exploration=swept(policy)) for name, policy in (("p", PaperRule), ("c", CheapestWithinDrop))
    ]
    frame = at_one_drop(curves, 0.02)
    assert frame["saving"].is_monotonic_decreasing
    for _, row in frame.iterrows():
        result = next(curve for curve in curves if curve.run == row["run"]).exploration.evaluation
        away = abs(result.accuracy_drop - 0.02)
        assert abs(row["accuracy_drop"] - 0.02) == pytest.approx(away.min())
        assert row["saving"] == pytest.approx(result.saving[away <= away.min() + 1e-12].max())
