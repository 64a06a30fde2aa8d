"""Joining runs over the same samples: order, names and costs by hand, and every difference refused in one line."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from cascade_core import Stage, StageOutputs
from cascade_core.storage.joining import join_runs
from tests.oracle import assert_one_line
from tests.runfiles import softmaxes

IDS = ("cat/1.png", "cat/2.png", "dog/1.png")

SMALL = StageOutputs(
    probs=np.array([[[0.75, 0.25], [0.5, 0.5], [0.25, 0.75]], [[1, 0], [0.75, 0.25], [0, 1]]]),
    labels=np.array([0, 0, 1]),
    stages=(Stage(name="early", trunk_macs=10, head_macs=1), Stage(name="late", trunk_macs=20, head_macs=2)),
    sample_ids=np.array(IDS),
    class_names=("cat", "dog"),
    source={"network": "small"},
)
# The same samples, the last first.
LARGE = StageOutputs(
    probs=np.array([[[0.125, 0.875], [0.875, 0.125], [0.625, 0.375]]]),
    labels=np.array([1, 0, 0]),
    stages=(Stage(name="whole", trunk_macs=90, head_macs=9),),
    baseline_macs=98,
    sample_ids=np.array([IDS[2], IDS[0], IDS[1]]),
    class_names=("cat", "dog"),
    source={"network": "large", "name": "what the file says"},
)


def test_two_runs() -> None:
    joined = softmaxes(join_runs([SMALL, LARGE], ["A", "B"]))
    assert joined.probs.tolist() == [
        [[0.75, 0.25], [0.5, 0.5], [0.25, 0.75]],
        [[1, 0], [0.75, 0.25], [0, 1]],
        [[0.875, 0.125], [0.625, 0.375], [0.125, 0.875]],
    ]
    assert joined.labels.tolist() == [0, 0, 1]
    assert joined.sample_ids.tolist() == list(IDS)
    assert [(s.name, s.trunk_macs, s.head_macs) for s in joined.stages] == [
        ("A, early", 10, 1),
        ("A, late", 20, 2),
        ("B", 90, 9),
    ]
    assert joined.baseline_macs == 98
    assert joined.source == {"joined": [{"name": "A", "network": "small"}, {"name": "B", "network": "large"}]}


def test_the_first_run_gives_the_order() -> None:
    joined = softmaxes(join_runs([LARGE, SMALL, LARGE], ["A", "B", "C"]))
    assert joined.sample_ids.tolist() == LARGE.sample_ids.tolist()
    assert joined.probs[1].tolist() == [[0.25, 0.75], [0.75, 0.25], [0.5, 0.5]]
    assert (joined.probs[0] == joined.probs[3]).all()
    assert [s.name for s in joined.stages] == ["A", "B, early", "B, late", "C"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"sample_ids": np.array(["dog/1.png", "cat/9.png", "cat/2.png"])},
            "Expected B to hold the samples of A but 1 of 3 are missing, the first is 'cat/1.png'",
        ),
        (
            {"labels": np.array([1, 0, 1])},
            "Expected B to have the labels of A but 1 of 3 differ, the first is 'cat/2.png': 1 where A has 0",
        ),
        ({"class_names": ("cat", "cow")}, "Expected B to have the classes of A but 'cow' is 'dog' there"),
    ],
)
def test_runs_that_differ(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message) as error:
        join_runs([SMALL, replace(LARGE, **changes)], ["A", "B"])
    assert_one_line(error.value, message)


def test_more_samples_or_classes() -> None:
    fewer = replace(SMALL, probs=SMALL.probs[:, :2], labels=SMALL.labels[:2], sample_ids=SMALL.sample_ids[:2])
    with pytest.raises(ValueError, match=r"samples of A alone but 1 more are there, the first is 'dog/1\.png'"):
        join_runs([fewer, LARGE], ["A", "B"])
    wider = replace(SMALL, probs=np.full((2, 3, 4), 0.25), class_names=("cat", "dog", "eel", "fox"))
    with pytest.raises(ValueError, match="classes of A but there are 4 and 2"):
        join_runs([LARGE, wider], ["A", "B"])


def test_counts_and_names() -> None:
    with pytest.raises(ValueError, match="two or more runs to join but there were 1"):
        join_runs([SMALL], ["A"])
    with pytest.raises(ValueError, match="Expected names to be distinct but 'A' repeats"):
        join_runs([SMALL, LARGE], ["A", "A"])
    with pytest.raises(ValueError, match="Expected names to hold 2 names, one for each run, but it held 1"):
        join_runs([SMALL, LARGE], ["A"])
