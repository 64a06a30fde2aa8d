"""A watch against counting by hand, however the log is divided; alarms on samples of a run that were changed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cascade_core import CheapestWithinDrop, StageOutputs, load_choice, tune
from cascade_core.analysis import exit_series
from cascade_core.analysis.rechoosing import audited_record, rechoose
from cascade_core.analysis.watch_state import load_state, save_state
from cascade_core.analysis.watched import SCALES, Watch
from cascade_core.simulation.exits import exit_stages
from cascade_core.storage.choice import Choice
from cascade_core.storage.exit_logs import parse
from cascade_core.support.files import BadFile
from tests.logged import lines_of
from tests.samples import sample_run


@pytest.fixture(scope="module")
def outputs() -> StageOutputs:
    return sample_run(n=3000)


@pytest.fixture(scope="module")
def choice(outputs: StageOutputs, tmp_path_factory: pytest.TempPathFactory) -> Choice:
    path = tmp_path_factory.mktemp("choice") / "choice.json"
    tune(outputs, CheapestWithinDrop(max_drop=0.02), answers="own").save(path)
    return load_choice(path)


def watch_of(choice: Choice, lines: list[str], cuts: tuple[int, ...] = ()) -> Watch:
    """A watch that was handed lines in pieces."""
    result = Watch(choice)
    for part in np.split(np.array(lines, dtype=object), cuts):
        entries, faults = parse("".join(part).encode(), result.stages)
        result.faults += faults
        result.add(entries)
    return result


def test_sums_are_what_was_logged(outputs: StageOutputs, choice: Choice) -> None:
    record, order = outputs.record(), np.arange(700)
    watch = watch_of(choice, lines_of(record, choice, order, audited=True))
    exits = choice.rule.exit_stages(record)[order]
    assert watch.series.n == 700
    assert watch.series.total("exits").tolist() == np.bincount(exits, minlength=3).tolist()
    reached = np.arange(3)[:, None] <= exits
    expected = np.where(reached, record.confidence[:, order], 0).sum(axis=1) / reached.sum(axis=1)
    assert watch.series.total("passed").tolist() == reached.sum(axis=1).tolist()
    assert watch.series.total("sure") / 1e6 / watch.series.total("passed") == pytest.approx(expected, abs=1e-6)
    answers = record.predictions[exits, order]
    assert watch.series.total("disagreed") == int((answers != record.predictions[2, order]).sum())
    assert watch.series.total("spent") == 700 * 250_000
    assert watch.latest == 1_764_180_699
    assert watch.back == (0, 0.0)


def test_positions_are_judged_on_all_that_was_audited(outputs: StageOutputs, choice: Choice) -> None:
    record, order = outputs.record(), np.arange(1000)
    watch = watch_of(choice, lines_of(record, choice, order, audited=True), (300, 301))
    assert watch.audited == 1000
    for scale, thresholds, disagreed in zip(SCALES, watch.thresholds, watch.position_disagreed, strict=True):
        expected = 1 - scale * (1 - choice.rule.thresholds.astype(float))
        np.testing.assert_allclose(thresholds, expected, atol=1e-6)
        exits = exit_stages(np.round(record.confidence[:, order], 7), thresholds)
        assert disagreed == (record.predictions[exits, order] != record.predictions[2, order]).sum()
    low, high = watch.position_bounds()
    shares = watch.position_disagreed / 1000
    assert ((low < shares) | (shares == 0)).all()
    assert (shares < high).all()


def test_it_does_not_depend_on_how_the_log_was_divided(
    outputs: StageOutputs, choice: Choice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exit_series, "FIRST", 3)
    random = np.random.default_rng(0)
    lines = lines_of(outputs.record(), choice, random.integers(0, 3000, 900), audited=True)
    lines[100:100] = ['{"time": 1, "answer": 1, "label": 1}\n'] * 5 + ["bad\n"]
    whole = watch_of(choice, lines).state()
    assert whole["series"]["size"] == 12  # 128 pieces of 3, 6 and 12 hold 384, 768 and 1536 samples
    assert sum(map(sum, whole["series"]["exits"])) == 900
    for cuts in ((1,), (99, 105, 106), tuple(range(0, 900, 37))):
        assert watch_of(choice, lines, cuts).state() == whole


def test_ended_and_begun_again_it_is_the_same_byte_for_byte(
    outputs: StageOutputs, choice: Choice, tmp_path: Path
) -> None:
    lines, kept = lines_of(outputs.record(), choice, np.arange(400), audited=True), tmp_path / "state.json"
    for start in range(0, 400, 80):
        watch = load_state(kept, choice)
        watch.add(parse("".join(lines[start : start + 80]).encode(), watch.stages)[0])
        save_state(kept, watch)
    save_state(tmp_path / "whole.json", watch_of(choice, lines))
    assert kept.read_bytes() == (tmp_path / "whole.json").read_bytes()


def test_a_state_of_another_choice_or_alpha_is_refused(choice: Choice, outputs: StageOutputs, tmp_path: Path) -> None:
    save_state(kept := tmp_path / "state.json", Watch(choice))
    with pytest.raises(BadFile, match=r"it is for alpha 0.05, not 0.1; give another --state"):
        load_state(kept, choice, 0.1)
    tune(outputs, CheapestWithinDrop(max_drop=0.05), answers="own").save(tmp_path / "other.json")
    with pytest.raises(BadFile, match="it is of another choice"):
        load_state(kept, load_choice(tmp_path / "other.json"))
    whole = kept.read_text()
    kept.write_text(whole.replace('"audited": 0', '"audited": 1'))
    with pytest.raises(BadFile, match="it was changed; give another --state"):
        load_state(kept, choice)
    kept.write_text(whole[:-40])
    with pytest.raises(BadFile, match=r"Cannot read .*state.json"):
        load_state(kept, choice)
    kept.write_text("[]")
    with pytest.raises(BadFile, match="expected what `watch --state` wrote"):
        load_state(kept, choice)


def test_clocks_that_go_back_lose_nothing_and_are_said(outputs: StageOutputs, choice: Choice) -> None:
    lines = lines_of(outputs.record(), choice, np.arange(100))
    watch = watch_of(choice, lines[50:] + lines[:50])
    assert watch.series.n == 100
    assert watch.back == (50, 99.0)


def test_samples_like_those_of_the_choice_raise_no_alarm_and_others_do(outputs: StageOutputs, choice: Choice) -> None:
    record, random = outputs.record(), np.random.default_rng(1)
    test = record.split(0.5, 0)[1]
    alarms = sum(
        watch_of(choice, lines_of(test, choice, random.integers(0, test.n, 2000))).alarm is not None for _ in range(10)
    )
    assert alarms <= 2
    hard = np.flatnonzero(choice.rule.exit_stages(record) == 2)
    mixed = np.concatenate([random.choice(hard, 100), random.integers(0, record.n, 100)])
    watch = watch_of(choice, lines_of(record, choice, random.permutation(mixed)))
    assert watch.alarm is not None
    assert (watch.alarm.of, watch.alarm.sample < 200) == ("exits", True)
    assert watch.alarm.time == 1_764_180_000 + watch.alarm.sample - 1


def test_samples_that_left_under_other_thresholds_are_counted(outputs: StageOutputs, choice: Choice) -> None:
    record, order = outputs.record(), np.arange(1000)
    lines = lines_of(record, choice, order)
    assert (
        watch_of(choice, lines).elsewhere
        == watch_of(choice, lines_of(record, choice, order, audited=True)).elsewhere
        == 0
    )
    left = choice.rule.exit_stages(record)[order]
    bolder = record.confidence[0, order] >= choice.rule.thresholds[0] - 0.1
    now = replace(choice, rule=replace(choice.rule, thresholds=choice.rule.thresholds - np.float32(0.1)))
    watch = watch_of(choice, lines_of(record, now, order))
    # Samples that left at stage 0 below its threshold, and those that stage 1 let go below its own.
    second = (left == 2) & ~bolder & (record.confidence[1, order] >= choice.rule.thresholds[1] - 0.1)
    assert watch.elsewhere == int(((left > 0) & bolder).sum() + second.sum())


def test_late_labels_raise_an_alarm_where_they_are_missed_more_often(choice: Choice) -> None:
    lines = [json.dumps({"time": 1, "answer": 1, "label": i % 2}) + "\n" for i in range(300)]
    alarm = watch_of(choice, lines).alarm
    assert alarm is not None
    assert (alarm.of, alarm.sample) == ("labels", 0)


def test_thresholds_are_chosen_anew_without_labels(outputs: StageOutputs, choice: Choice) -> None:
    record = outputs.record()
    watch = watch_of(choice, lines_of(record, choice, np.arange(3000), audited=True))
    held = audited_record(watch)
    np.testing.assert_array_equal(held.predictions, record.predictions)
    assert held.reference == "last stage"
    new = rechoose(watch, 0.02)
    assert new.evaluation.n == new.old.n == 1500
    assert new.evaluation.accuracy_drop < 0.02 + 3 * 0.005
    assert new.rule.stage_names == choice.rule.stage_names
    with pytest.raises(ValueError, match="at least 200 audited samples to choose on but there are 0"):
        rechoose(Watch(choice), 0.02)


def test_state_is_json(outputs: StageOutputs, choice: Choice) -> None:
    watch = watch_of(choice, lines_of(outputs.record(), choice, np.arange(50), audited=True))
    assert json.loads(json.dumps(watch.state(), allow_nan=False)) == watch.state()
