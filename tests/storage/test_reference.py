"""What answers are compared with, carried through files, joins and choices."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from cascade_core import CheapestWithinDrop, StageOutputs, load_choice, load_run, save_run, tune
from cascade_core.storage.joining import join_runs
from cascade_core.storage.notes import notes_on_file
from cascade_core.storage.reading import load_record, read_metadata
from cascade_core.support.terms import NO_LABELS
from tests.samples import sample_run

LABELLED = sample_run()
UNLABELLED = StageOutputs(probs=LABELLED.probs, stages=LABELLED.stages)
LAST = LABELLED.probs[-1].argmax(axis=1)


def test_a_run_without_labels_comes_back_as_it_was(tmp_path: Path) -> None:
    path = save_run(UNLABELLED, tmp_path / "mine.parquet")
    run, record = load_run(path), load_record(path)
    assert run.reference == record.reference == "last stage"
    assert run.labels.tolist() == record.labels.tolist() == LAST.tolist()
    assert read_metadata(path)["schema_version"] == 2  # earlier programs would take these for labels
    assert notes_on_file(path)[0] == NO_LABELS


def test_a_run_with_labels_is_written_as_before(tmp_path: Path) -> None:
    path = save_run(LABELLED, tmp_path / "mine.parquet")
    assert load_run(path).reference == load_record(path).reference == "labels"
    assert read_metadata(path)["schema_version"] == 1
    assert "reference" not in read_metadata(path)


def test_joined_runs_have_the_labels_of_those_that_have_them() -> None:
    one = StageOutputs(probs=LABELLED.probs[:1], labels=LABELLED.labels, stages=LABELLED.stages[:1])
    bare = StageOutputs(probs=LABELLED.probs[1:], stages=LABELLED.stages[1:])
    for runs in ([one, bare], [bare, one]):
        joined = join_runs(runs, ["a", "b"])
        assert (joined.reference, joined.labels.tolist()) == ("labels", LABELLED.labels.tolist())
    none = join_runs([StageOutputs(probs=one.probs, stages=one.stages), bare], ["a", "b"])
    assert (none.reference, none.labels.tolist()) == ("last stage", LAST.tolist())


def test_joined_runs_find_the_labels_of_a_later_one_in_another_order() -> None:
    order = np.random.default_rng(0).permutation(len(LAST))
    bare = StageOutputs(probs=LABELLED.probs[:1], stages=LABELLED.stages[:1])
    assert join_runs([bare, LABELLED.take(order)], ["a", "b"]).labels.tolist() == LABELLED.labels.tolist()


def test_a_choice_says_that_it_was_made_without_labels(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="There are no labels"):
        tuned = tune(UNLABELLED, CheapestWithinDrop(max_drop=0.01))
    tuned.save(tmp_path / "choice.json")
    assert load_choice(tmp_path / "choice.json").measured["reference"] == "last stage"
    assert json.loads((tmp_path / "choice.json").read_text())["measured"]["full_accuracy"] == 1.0
    tune(LABELLED, CheapestWithinDrop(max_drop=0.01)).save(tmp_path / "labelled.json")
    assert "reference" not in load_choice(tmp_path / "labelled.json").measured


@pytest.mark.filterwarnings("ignore:There are no labels")
def test_thresholds_are_those_of_the_last_stages_answers_given_as_labels() -> None:
    """Policies know nothing of where labels come from."""
    given = StageOutputs(probs=LABELLED.probs, labels=LAST, stages=LABELLED.stages)
    for answers in ("own", "pooled"):
        policy = CheapestWithinDrop(max_drop=0.01)
        one, other = tune(UNLABELLED, policy, answers=answers), tune(given, policy, answers=answers)
        np.testing.assert_array_equal(one.rule.thresholds, other.rule.thresholds)
        assert one.evaluation.accuracy_drop == other.evaluation.accuracy_drop


@pytest.mark.parametrize("index", [[5, 3, 1], [0]])
def test_some_of_the_samples_keep_what_they_are_compared_with(index: list[int]) -> None:
    taken = UNLABELLED.take(np.array(index))
    assert (taken.reference, taken.record().take(np.array([0])).reference) == ("last stage", "last stage")
    assert taken.labels.tolist() == LAST[index].tolist()
