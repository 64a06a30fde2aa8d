"""What is said of odd runs, and that sound ones are left in peace."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cascade_core import StageOutputs, load_run
from cascade_core.simulation.suspicions import few_macs, is_meaningless, suspicions
from tests.oracle import assert_one_line, f32
from tests.samples import sample_run

SHIPPED = sorted((Path(__file__).resolve().parents[2] / "cache").glob("*.parquet"))
RUN = sample_run(n=600, names=["small", "mid", "large"])
RANDOM = np.random.default_rng(0)


def with_stage(stage: int, change: Callable[[np.ndarray], np.ndarray]) -> StageOutputs:
    probs = RUN.probs.copy()
    probs[stage] = change(probs[stage])
    return replace(RUN, probs=probs)


TWICE = "have the same softmaxes as another at every stage"
ODD = {
    "cifar100-early-exit": [f"2 of 10,000 samples {TWICE}"],  # CIFAR-100's test images have a copy among them
    "cifar100-micronet": [f"2 of 10,000 samples {TWICE}"],
    "vlm-mmbench": ["2 of 6 classes have no sample", f"4 of 4,377 samples {TWICE}"],
}
"""What is odd about shipped runs, by their names."""


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_of_shipped_runs_only_what_is_odd_is_said(path: Path) -> None:
    said, expected = suspicions(load_run(path)), ODD.get(path.stem, [])
    assert len(said) == len(expected)
    assert all(line.startswith(start) for line, start in zip(said, expected, strict=True)), said


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize(("n", "m", "k"), [(2, 2, 2), (9, 1, 3), (60, 3, 4), (600, 3, 2), (600, 2, 50), (300, 1, 1)])
def test_nothing_is_said_of_sound_runs(n: int, m: int, k: int, seed: int) -> None:
    assert suspicions(sample_run(n, m, k, seed)) == ()


def test_labels_that_count_from_one() -> None:
    kept = RUN.take(np.flatnonzero(RUN.labels < 4))
    odd = replace(kept, labels=kept.labels + 1)
    (line,) = suspicions(odd)
    right = (kept.probs[-1].argmax(axis=1) == kept.labels).mean()
    assert_one_line(
        ValueError(line),
        "All stages are right for",
        "at or below chance",
        f"labels are one too high: shifted by one they fit {100 * right:.1f} % (where they count from 1, say so",
    )
    assert is_meaningless(odd.record())


def test_classes_in_another_order() -> None:
    odd = replace(RUN, labels=np.array([3, 0, 4, 1, 2])[RUN.labels], class_names=tuple("vwxyz"))
    (line,) = suspicions(odd)
    assert "classes seem to stand in another order" in line
    assert "what is answered as 'v' is labelled 'y', what is answered as 'w' is labelled 'v', ..." in line


def test_two_classes_exchanged() -> None:
    (line,) = suspicions(replace(RUN, labels=np.array([1, 0, 2, 3, 4])[RUN.labels]))
    assert "where chance gives" in line
    assert "what is answered as '0' is labelled '1', what is answered as '1' is labelled '0')" in line


@pytest.mark.parametrize("stage", [0, 1, 2])
def test_a_stage_whose_rows_were_shuffled(stage: int) -> None:
    odd = with_stage(stage, lambda rows: rows[RANDOM.permutation(600)])
    (line,) = suspicions(odd)
    assert line.startswith(f"Stage '{RUN.stages[stage].name}' is right for ")
    assert "at or below chance" in line
    assert "rows of other samples" in line
    assert is_meaningless(odd.record()) == (stage == 2)


def test_a_stage_whose_classes_are_in_another_order() -> None:
    (line,) = suspicions(with_stage(1, lambda rows: rows[:, ::-1]))
    assert line.startswith("Stage 'mid' is right for")
    assert "another order" in line


def test_all_rows_of_other_samples() -> None:
    (line,) = suspicions(replace(RUN, labels=RANDOM.permutation(RUN.labels)))
    assert "All stages are right for" in line
    assert "the usual reasons" in line


def test_classes_without_a_sample_where_there_are_many_samples() -> None:
    odd = replace(RUN.take(np.flatnonzero(RUN.labels % 4 == 0)), class_names=tuple("vwxyz"))
    (line,) = suspicions(odd)
    assert_one_line(ValueError(line), "3 of 5 classes have no sample ('w', 'x', 'y'): nothing is measured of how")
    assert suspicions(sample_run(n=100, k=50)) == ()  # where some are missing by chance
    many = sample_run(n=2000, k=8)
    (line,) = suspicions(many.take(np.flatnonzero(many.labels < 3)))
    assert "5 of 8 classes have no sample ('3', '4', '5' and 2 more)" in line


def test_an_earlier_stage_that_is_better() -> None:
    (line,) = suspicions(replace(RUN, probs=RUN.probs[::-1]))
    assert "Accuracy falls from stage to stage" in line
    assert "'small' is better than 'large' after it" in line


def test_softmaxes_of_softmaxes() -> None:
    raised = np.exp(RUN.probs.astype(np.float64))
    (line,) = suspicions(replace(RUN, probs=raised / raised.sum(axis=2, keepdims=True)))
    assert "through a softmax twice at stage 'small', 'mid', 'large'" in line


def test_copies_of_samples() -> None:
    index = np.r_[np.arange(600), np.arange(30)]
    odd = replace(RUN, probs=RUN.probs[:, index], labels=RUN.labels[index], sample_ids=np.arange(630).astype(str))
    (line,) = suspicions(odd)
    assert line.startswith("30 of 630 samples have the same softmaxes as another at every stage, such as '600'")


def test_few_macs() -> None:
    odd = replace(RUN, stages=tuple(replace(stage, trunk_macs=40, head_macs=2) for stage in RUN.stages))
    (line,) = few_macs(odd.stages)
    assert line.startswith("Stage 'small' adds 42 MACs for one sample")
    assert few_macs(RUN.stages) == []


def test_a_constant_answer_is_chance() -> None:
    always = np.tile(f32(0.6, 0.1, 0.1, 0.1, 0.1), (600, 1))
    assert "at or below chance" in suspicions(with_stage(0, lambda rows: always))[0]


def test_one_label_alone_is_judged_by_the_number_of_classes() -> None:
    kept = RUN.take(np.flatnonzero(RUN.labels == 2))
    assert [line.partition(":")[0] for line in suspicions(kept)] == [
        "4 of 5 classes have no sample ('0', '1', '3' and 1 more)"
    ]
    assert "at or below chance (20.0 %)" in suspicions(replace(kept, labels=kept.labels - 1))[0]
