"""Softmaxes with fewer digits: what stays, how far the rest moves, and how much room that saves."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cascade_core import save_run
from cascade_core.simulation.outputs import StageOutputs
from cascade_core.storage.compact import NOTE, compact, rounded
from tests.runfiles import load_softmaxes
from tests.samples import sample_run


def test_by_hand() -> None:
    # 0.1 is 1.6 / 16; the nearest multiple of 1 / 1024 to 1.6 is 1638 / 1024.
    probs = np.array([0.1, 0.2999, 0.6001], dtype=np.float32)
    assert rounded(probs).tolist() == [1638 / 1024 / 16, 1228 / 4096, float(np.float32(0.6001))]


def test_the_answer_stays_the_same_however_near_the_next_one() -> None:
    largest = np.float32(0.50001)
    probs = np.array([[np.nextafter(largest, np.float32(0)), largest], [largest, largest]])
    assert rounded(probs).argmax(axis=1).tolist() == probs.argmax(axis=1).tolist()


def test_confidences_and_answers_are_those_of_before() -> None:
    run = sample_run()
    small = compact(run)
    assert np.array_equal(small.probs.max(axis=2), run.probs.max(axis=2))
    assert np.array_equal(small.record().predictions, run.record().predictions)
    np.testing.assert_allclose(small.probs, run.probs, rtol=2**-11)
    assert small.source["notes"] == [NOTE]


def test_files_of_many_classes_take_two_thirds_of_the_room(tmp_path: Path) -> None:
    scores = np.random.default_rng(0).normal(0, 4, (2, 1_000, 100))
    probs = np.exp(scores) / np.exp(scores).sum(axis=2, keepdims=True)
    stages = sample_run().stages[:2]
    run = StageOutputs(probs=probs.astype(np.float32), labels=probs[0].argmax(axis=1), stages=stages)
    whole, small = (save_run(each, tmp_path / name) for each, name in ((run, "a.parquet"), (compact(run), "b.parquet")))
    assert small.stat().st_size < 0.67 * whole.stat().st_size
    assert np.array_equal(load_softmaxes(small).probs, compact(run).probs)
