"""What a watch knows over the length of its log, and of slider positions, against counting by hand."""

from __future__ import annotations

import numpy as np
import pytest

from cascade_core import CheapestWithinDrop
from cascade_core.analysis import exit_series
from cascade_core.analysis.exploration import Exploration, Split, explore
from cascade_core.analysis.points import Setting
from cascade_core.analysis.positions_seen import (
    CERTIFIED,
    OPEN,
    REFUTED,
    PositionsSeen,
    judged_positions,
    judged_thresholds,
    measured_disagreement,
    positions_seen,
)
from cascade_core.analysis.watch_series import disagreement, reached_confidence, watch_series
from cascade_core.analysis.watched import Watch
from cascade_core.rendering.report import chosen_json
from cascade_core.storage.choice import Choice, parse_choice
from cascade_core.storage.exit_lines import line_of
from cascade_core.storage.exit_logs import parse
from tests.logged import lines_of
from tests.samples import sample_record


@pytest.fixture(scope="module")
def exploration() -> Exploration:
    return explore(sample_record(), CheapestWithinDrop, Split(), count=11)


@pytest.fixture(scope="module")
def setting(exploration: Exploration) -> Setting:
    return Setting(exploration=exploration, position=5)


@pytest.fixture(scope="module")
def choice(setting: Setting) -> Choice:
    return parse_choice(chosen_json(setting, {"name": "run", "sha256": "0" * 64}).encode())


def test_pieces_by_hand(choice: Choice, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exit_series, "FIRST", 4)
    watch, names = Watch(choice), choice.rule.stage_names or ()
    stages = [0, 0, 1, 2, 2, 2, 2, 2, 1]
    raw = "".join(
        line_of(100.0 + i, names[stage], [0.5, 0.75, 1.0][: stage + 1], 0, 1.0) for i, stage in enumerate(stages)
    )
    watch.add(parse(raw.encode(), watch.stages)[0])
    found = watch_series(watch)
    assert found.until.tolist() == [4, 8, 9]
    assert found.time.tolist() == [103, 107, 108]
    assert found.exits.tolist() == [[0.5, 0.25, 0.25], [0, 0, 1], [0, 1, 0]]
    costs = np.array(choice.costs) / choice.baseline_macs
    assert found.saving == pytest.approx([1 - (2 * costs[0] + costs[1] + costs[2]) / 4, 1 - costs[2], 1 - costs[1]])
    np.testing.assert_array_equal(found.confidence, [[0.5, 0.75, 1], [0.5, 0.75, 1], [0.5, 0.75, np.nan]])
    shares = np.array([one["share"] for one in choice.measured["exits"]])
    spread = np.sqrt(shares @ (costs - shares @ costs) ** 2)
    n = choice.measured["n"]
    assert found.saving_strays == pytest.approx([1.96 * spread * np.sqrt(1 / k + 1 / n) for k in (4, 4, 1)])
    two = watch_series(watch, most=2)
    assert (two.until.tolist(), two.time.tolist()) == ([8, 9], [107, 108])
    assert two.exits.tolist() == [[0.25, 0.125, 0.625], [0, 1, 0]]
    assert len(watch_series(Watch(choice))) == 0


def test_what_was_promised_is_counted_on_the_samples_of_the_choice(setting: Setting) -> None:
    test, rule = setting.exploration.test, setting.rule
    exits = rule.exit_stages(test).tolist()
    for stage, mean in enumerate(reached_confidence(test, rule)):
        assert mean == pytest.approx(
            np.mean([test.confidence[stage, i] for i, left in enumerate(exits) if left >= stage])
        )
    differ = [test.predictions[left, i] != test.predictions[2, i] for i, left in enumerate(exits)]
    assert disagreement(test, rule) == pytest.approx(np.mean(differ))


def test_a_log_of_the_samples_that_measured_shows_what_was_measured(setting: Setting, choice: Choice) -> None:
    test = setting.exploration.test
    watch = Watch(choice, positions=judged_thresholds(setting))
    raw = "".join(lines_of(test, choice, np.arange(test.n), audited=True))
    watch.add(parse(raw.encode(), watch.stages)[0])
    measured = measured_disagreement(setting)
    seen = positions_seen(watch, setting, measured)
    assert seen.seen == pytest.approx(measured, abs=1.5 / test.n)  # confidences of logs are rounded
    assert seen.values.tolist() == setting.exploration.shown[judged_positions(setting)].tolist()
    assert (len(seen.values), seen.audited) == (len(seen.seen) - 1, test.n)
    assert not setting.exploration.path.plain[judged_positions(setting)].any()
    series = watch_series(watch)
    assert np.average(series.saving, weights=np.diff(series.until, prepend=0)) == pytest.approx(series.promised_saving)


def test_positions_are_certified_below_the_limit_and_refuted_above_it() -> None:
    low, high = np.array([0.0, 0.01, 0.03]), np.array([0.02, 0.04, 0.06])
    seen = PositionsSeen(values=np.arange(2.0), seen=low, low=low, high=high, measured=low, audited=9)
    assert seen.verdicts(0.02).tolist() == [CERTIFIED, OPEN, REFUTED]
    assert seen.verdicts(0.01).tolist() == [OPEN, OPEN, REFUTED]
