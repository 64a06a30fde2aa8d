"""The samples that the panel counts thresholds by: what the browser counts is what Python evaluates."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from cascade_core import CheapestWithinDrop, PaperRuleByClass, SharedThreshold
from cascade_core.analysis.exploration import Exploration, Split, explore, halves
from cascade_core.analysis.points import Setting
from cascade_core.rendering.axes import confidence_axis
from cascade_core.rendering.live import groups
from cascade_core.rendering.live.data import live_data, packed
from cascade_core.rendering.live.groups import live_groups, stage_cuts
from cascade_core.simulation.meters import MACS, Meter, Milliseconds
from cascade_core.simulation.own_costs import OwnCosts
from cascade_core.simulation.timing import Profile
from tests.samples import sample_record, sample_run

SCRIPT = Path(__file__).parents[2] / "javascript" / "count.mjs"
NODE = shutil.which("node")


def explored(m: int = 3, answers: str = "own", score: str = "max_probability", n: int = 400) -> Exploration:
    split = Split(seed=1)
    return explore(halves(sample_run(n, m), split, score), CheapestWithinDrop, split, 21, answers)


def counted(data: dict[str, Any], asked: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What the panel's JavaScript counts of settings {g, hand}."""
    assert NODE is not None
    text = json.dumps({"data": data, "asked": asked})
    told = subprocess.run([NODE, str(SCRIPT)], input=text, capture_output=True, text=True, check=True)
    points: list[dict[str, Any]] = json.loads(told.stdout)
    return points


def random_hands(exploration: Exploration, count: int, score: str = "max_probability") -> list[list[float | None]]:
    """Thresholds that may be set by hand, some of them off."""
    random = np.random.default_rng(7)
    axis = confidence_axis(score, 5)
    cuts = [stage_cuts(axis.grid, column) for column in exploration.path.thresholds.T]
    return [
        [None if random.random() < 0.2 else float(str(random.choice(values))) for values in cuts] for _ in range(count)
    ]


def by_hand(exploration: Exploration, hand: list[float | None]) -> Setting:
    return Setting(exploration=exploration, position=3, by_hand=tuple(np.inf if one is None else one for one in hand))


def profile(stages: tuple[str, ...]) -> Profile:
    random = np.random.default_rng(3)
    m = len(stages)
    parts = {name: random.random((m, 3)).cumsum(axis=1) for name in ("trunk", "head", "pool")}
    p95 = {f"{name}_p95": values for name, values in parts.items()}
    plain = np.array([m, 2.0 * m, 3.0 * m])
    sizes = (1, 4, 16)
    return Profile(
        stage_names=stages, batch_sizes=sizes, plain=plain, plain_p95=plain, circumstances={}, **parts, **p95
    )


needs_node = pytest.mark.skipif(NODE is None, reason="needs node")


@needs_node
@pytest.mark.parametrize(("m", "answers"), [(2, "own"), (3, "own"), (3, "pooled"), (7, "own"), (7, "pooled")])
@pytest.mark.parametrize("meter", ["MACs", "ms", "ms whole batches", "ms alone", "own"])
def test_the_browser_counts_what_python_evaluates(m: int, answers: str, meter: str) -> None:
    exploration = explored(m, answers)
    names = exploration.test.stage_names
    used: Meter = MACS
    if meter == "own":
        stages = tuple({"": 0.5 + stage} for stage in range(m))
        used = OwnCosts(unit="cents", per=1000, stage_names=names, stages=stages, plain_parts={"": 2.0 * m})
    elif meter != "MACs":
        size = 1 if meter == "ms alone" else 16
        used = Milliseconds(profile=profile(names), batch=size, compaction=meter != "ms whole batches")
    axis = confidence_axis("max_probability", 5)
    data = live_data(exploration, axis, initial=3, unit="images", origin="", meter=used)
    hands: list[list[float | None]] = [*random_hands(exploration, 30), [None] * (m - 1)]
    points = counted(data, [{"g": 3, "hand": hand} for hand in hands])
    for hand, point in zip(hands, points, strict=True):
        one = by_hand(exploration, hand).evaluation
        assert point["exits"] == one.exit_counts.tolist()
        assert point["rights"] == one.correct_counts.tolist()
        assert point["drop"] == pytest.approx(one.accuracy_drop, abs=1e-12)
        assert (point["low"], point["high"]) == pytest.approx(one.drop_interval(), abs=1e-12)
        assert point["cost"] == pytest.approx(used.mean(one), rel=1e-9)
        alone = used.percentiles(one) if isinstance(used, Milliseconds) and used.batch == 1 else None
        assert point["within"] == (None if alone is None else pytest.approx(alone))
        assert point["thresholds"] == hand


@needs_node
@pytest.mark.parametrize(("answers", "score"), [("own", "max_probability"), ("pooled", "negative_entropy")])
def test_the_browser_s_histograms_equal_a_count_of_each_sample(answers: str, score: str) -> None:
    exploration = explored(3, answers, score)
    axis, test = confidence_axis(score, 5), exploration.test
    data = live_data(exploration, axis, initial=3, unit="images", origin="")
    for g, point in enumerate(counted(data, [{"g": g, "hand": None} for g in range(21)])):
        rule = exploration.path.rule(g)
        record = test.plain() if rule.plain else test
        exits = rule.exit_stages(record)
        for stage in range(3):
            bins = axis.bins(record.confidence[stage])
            for names, chosen in ((("right", "wrong"), exits >= stage), (("leaveRight", "leaveWrong"), exits == stage)):
                for name, right in zip(names, (True, False), strict=True):
                    expected = np.bincount(bins[chosen & (record.correct[stage] == right)], minlength=60)
                    assert point["histograms"][stage][name] == expected.tolist(), (g, stage, name)


@needs_node
def test_of_many_samples_groups_are_counted_and_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(groups, "MOST", 100)
    exploration = explored()
    axis = confidence_axis("max_probability", 5)
    data = live_data(exploration, axis, initial=3, unit="images", origin="")
    assert data["groups"]["exact"] is False
    assert data["groups"]["size"] < exploration.test.n
    assert data["counts"] is not None
    points = counted(data, [{"g": 3, "hand": hand} for hand in random_hands(exploration, 20)])
    for point in points:
        thresholds = [one for one in point["thresholds"] if one is not None]
        assert np.isin(np.array(thresholds, dtype=np.float32), axis.edges).all()
        one = by_hand(exploration, point["thresholds"]).evaluation
        assert (point["exits"], point["rights"]) == (one.exit_counts.tolist(), one.correct_counts.tolist())


@needs_node
def test_thresholds_that_are_brought_are_set_exactly() -> None:
    exploration = explored()
    brought = (0.7312345, np.inf)
    axis = confidence_axis("max_probability", 5)
    without = live_data(exploration, axis, initial=3, unit="images", origin="")
    data = live_data(exploration, axis, initial=3, unit="images", origin="", brought=[brought])
    assert data["id"] == without["id"]
    [point] = counted(data, [{"g": 3, "hand": [0.7312345, None]}])
    assert point["thresholds"] == [pytest.approx(0.7312345, abs=1e-7), None]
    assert point["exits"] == by_hand(exploration, [0.7312345, None]).evaluation.exit_counts.tolist()


def test_levels_count_the_cuts_that_are_reached() -> None:
    exploration = explored()
    axis, test = confidence_axis("max_probability", 5), exploration.test
    found = live_groups(exploration, axis)
    assert found is not None
    levels: NDArray[Any] = np.frombuffer(base64.b64decode(found["levels"]), "<u2").reshape(2, -1)
    for stage in range(2):
        cuts = stage_cuts(axis.grid, exploration.path.thresholds[:, stage])
        expected = sorted(sum(bool(value >= cut) for cut in cuts) for value in test.confidence[stage])
        assert sorted(levels[stage].tolist()) == expected


def test_classes_with_thresholds_of_their_own_have_no_groups() -> None:
    exploration = explore(sample_record(), PaperRuleByClass, Split(), 5)
    assert live_groups(exploration, confidence_axis("max_probability", 5)) is None
    one = explore(sample_record(m=1), SharedThreshold, Split(), 5)
    assert live_groups(one, confidence_axis("max_probability", 5)) is None


@needs_node
def test_a_packed_payload_counts_the_same() -> None:
    exploration = explored()
    data = live_data(exploration, confidence_axis("max_probability", 5), initial=3, unit="images", origin="")
    asked = [{"g": 3, "hand": hand} for hand in random_hands(exploration, 3)]
    small = packed(data)
    assert len(json.dumps(small)) < len(json.dumps(data))
    assert counted(small, asked) == counted(data, asked)
