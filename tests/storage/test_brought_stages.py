"""Stages, samples and MACs, in one file or in several: taken as meant, mended with a line, or refused in one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cascade_core.storage.importers import Wishes, read_files
from cascade_core.storage.notes import notes_on
from cascade_core.support.files import BadFile, Contents
from tests.storage.brought import csv, jsonl, npz, parquet, table
from tests.storage.brought_checks import AS_MEANT, NAMED, TRUTH, assert_refused, assert_right, read


def test_stages_sorted_as_texts() -> None:
    """A sorted table has large, mid, small; names that are given are the order."""
    rows = NAMED.sort_values("stage", kind="stable")
    run = read(csv(rows), "csv")
    assert [stage.name for stage in run.stages] == ["large", "mid", "small"]
    words = "in which MACs and accuracy fall: if small, mid, large is the order, say so (--stage-names, stage_names)"
    assert any(words in line for line in notes_on(run))
    assert any("Accuracy falls" in line for line in notes_on(run))
    for raw, ending in ((csv(rows), "csv"), (parquet(rows), "parquet"), (jsonl(rows), "jsonl")):
        assert_right(read(raw, ending, stage_names=["small", "mid", "large"]), names=["small", "mid", "large"])
    assert_refused(csv(rows), "csv", "in their order, or all anew", stage_names=["small", "middle", "large"])


def test_stages_in_another_order_without_macs_are_said() -> None:
    rows = NAMED.sort_values("stage", kind="stable").drop(columns="macs")
    assert any("Accuracy falls" in line for line in notes_on(read(csv(rows), "csv")))


def test_an_order_that_is_said_is_not_doubted() -> None:
    rows = NAMED.sort_values("stage", kind="stable")
    backwards = read(csv(rows), "csv", stage_names=["large", "mid", "small"])
    assert not any("stage_names" in line for line in notes_on(backwards))
    renamed = read(csv(rows), "csv", stage_names=["a", "b", "c"])
    assert any("if c, b, a is the order, say so (--stage-names, stage_names)" in line for line in notes_on(renamed))


def test_new_names_for_numbered_stages() -> None:
    assert_right(read(csv(table(TRUTH)), "csv", stage_names=["a", "b", "c"]), names=["a", "b", "c"])


def test_names_of_an_archive_in_another_order() -> None:
    turned = {"probs": TRUTH.probs[::-1], "labels": TRUTH.labels, "macs": TRUTH.macs[::-1]}
    raw = npz(**turned, stage_names=TRUTH.stage_names[::-1])
    assert_right(read(raw, stage_names=TRUTH.stage_names), names=TRUTH.stage_names)
    assert_right(read(raw, stage_names=TRUTH.stage_names, macs=TRUTH.macs), names=TRUTH.stage_names)
    up_to = npz(**turned | {"macs": None}, macs_up_to=np.cumsum(TRUTH.macs)[::-1], stage_names=TRUTH.stage_names[::-1])
    assert_right(read(up_to, stage_names=TRUTH.stage_names), names=TRUTH.stage_names)


@pytest.mark.parametrize("names", [("exit 2", "exit 9", "exit 10"), ("9", "10", "11"), ("r20/e1", "r20/e2", "r56/e1")])
def test_names_that_differ_in_numbers_come_by_them(names: tuple[str, ...]) -> None:
    rows = table(TRUTH, stages=names).sort_values("stage", kind="stable")
    for raw, ending in ((csv(rows), "csv"), (parquet(rows), "parquet")):
        assert_right(read(raw, ending))


def test_an_ordered_category_has_its_own_order() -> None:
    stage = pd.Categorical(NAMED["stage"], categories=["small", "none", "mid", "large"], ordered=True)
    rows = NAMED.assign(stage=stage)[::-1]
    run = read(parquet(rows), "parquet")
    assert [one.name for one in run.stages] == ["small", "mid", "large"]
    np.testing.assert_allclose(run.probs, TRUTH.probs[:, ::-1], atol=1e-6)
    plain = NAMED.assign(stage=pd.Categorical(NAMED["stage"]))
    assert_right(read(parquet(plain), "parquet"), names=["small", "mid", "large"])


def test_samples_that_are_there_twice() -> None:
    twice = np.r_[np.arange(60), np.arange(60)]
    arrays = {"probs": TRUTH.probs[:, twice], "labels": TRUTH.labels[twice], "macs": TRUTH.macs}
    assert_refused(npz(**arrays, sample_ids=TRUTH.ids[twice]), "npz", "60 of 120 repeat one: sample 60 has 'pic_0.jpg'")
    (line,) = notes_on(read(npz(**arrays)))
    assert line.startswith("60 of 120 samples have the same softmaxes as another at every stage, such as '60'")


def test_macs_with_units() -> None:
    assert_right(read(csv(table(TRUTH, macs=["10,000,000", "2e7", "40,000,000 MACs"])), "csv"))
    texts = ["10M", "20 MMACs", "0.08 GFLOPs"]
    assert_right(read(npz(probs=TRUTH.probs, labels=TRUTH.labels, macs=texts)))
    assert_right(read(csv(table(TRUTH, macs=texts)), "csv"))


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("flops", [20e6, 40e6, 80e6]),
        ("gmacs", [0.01, 0.02, 0.04]),
        ("GFLOPs", [0.02, 0.04, 0.08]),
        ("mmacs", [10, 20, 40]),
    ],
)
def test_what_costs_are_called_says_their_unit(name: str, values: Any) -> None:
    line = f"{name.casefold()} were taken as 10,000,000, 20,000,000, 40,000,000 MACs."
    assert_right(read(npz(probs=TRUTH.probs, labels=TRUTH.labels, **{name: values})), line)
    assert_right(read(csv(table(TRUTH, macs=values).rename(columns={"macs": name})), "csv"), line)


def test_macs_from_the_start() -> None:
    up_to = np.cumsum(TRUTH.macs)
    assert_right(read(npz(probs=TRUTH.probs, labels=TRUTH.labels, macs_up_to=up_to)))
    assert_right(read(csv(table(TRUTH, macs=up_to).rename(columns={"macs": "MACs up to"})), "csv"))
    assert_right(read(npz(probs=TRUTH.probs, labels=TRUTH.labels, macs=up_to), macs_up_to=up_to))
    for raw, ending in (
        (npz(probs=TRUTH.probs, labels=TRUTH.labels, macs=up_to), "npz"),
        (csv(table(TRUTH, macs=up_to)), "csv"),
    ):
        assert_right(read(raw, ending, macs_up_to=True))
    (line,) = notes_on(read(npz(probs=TRUTH.probs, labels=TRUTH.labels, macs=up_to)))
    assert "MACs rise from stage to stage (10,000,000, 30,000,000, 70,000,000)" in line
    assert "say so (--macs-up-to, macs_up_to)" in line
    assert notes_on(read(npz(probs=TRUTH.probs, labels=TRUTH.labels, macs=up_to, baseline_macs=up_to.sum()))) == ()
    raw = npz(probs=TRUTH.probs, labels=TRUTH.labels, macs_up_to=up_to[::-1])
    assert_refused(raw, "npz", "macs_up_to to rise from stage to stage but stage 1 has 30,000,000 after 70,000,000")


def test_macs_in_millions_are_said() -> None:
    assert (
        "fewer than most networks take"
        in notes_on(read(npz(probs=TRUTH.probs, labels=TRUTH.labels, macs=[10, 20, 40])))[0]
    )
    assert_refused(npz(probs=TRUTH.probs, labels=TRUTH.labels, macs=[0.01, 0.02, 0.04]), "npz", "write 10M or 1.2G")


def test_macs_may_be_left_out() -> None:
    run = read(npz(probs=TRUTH.probs, labels=TRUTH.labels))
    assert len({stage.trunk_macs for stage in run.stages}) == 1
    assert "MACs were not given" in notes_on(run)[0]


def test_predictions_and_label_ids() -> None:
    run = read(npz(predictions=TRUTH.logits, label_ids=TRUTH.labels), stage_names=TRUTH.stage_names, macs=TRUTH.macs)
    assert_right(run, names=TRUTH.stage_names)
    assert_right(read(npz(predictions=TRUTH.probs, label_ids=TRUTH.labels, macs=TRUTH.macs)))
    beside = npz(probs=TRUTH.probs, predictions=TRUTH.probs.argmax(axis=2), **AS_MEANT)
    assert_right(read(beside))


def dumps(macs: Sequence[int] | None = None) -> list[Contents]:
    return [
        Contents(
            name=f"{name}.npz",
            raw=npz(predictions=TRUTH.logits[i], label_ids=TRUTH.labels, macs=macs and [macs[i]]),
        )
        for i, name in enumerate(TRUTH.stage_names)
    ]


def test_a_dump_of_each_stage() -> None:
    assert_right(read_files(dumps(), Wishes(macs=TRUTH.macs)), names=TRUTH.stage_names)
    renamed = read_files(dumps(), Wishes(macs=TRUTH.macs, stage_names=["a", "b", "c"]))
    assert_right(renamed, names=["a", "b", "c"])
    assert renamed.baseline_macs == sum(TRUTH.macs)
    assert "MACs were not given" in notes_on(read_files(dumps(), Wishes()))[0]
    up_to = np.cumsum(TRUTH.macs).tolist()
    assert_right(read_files(dumps(), Wishes(macs_up_to=up_to)))
    assert read_files(dumps(), Wishes(macs=TRUTH.macs, baseline_macs=40_000_000)).baseline_macs == 40_000_000
    assert_right(read_files(dumps(up_to), Wishes(macs_up_to=True)))


def test_a_table_of_each_stage_in_any_order_of_samples() -> None:
    files = []
    for stage, name in enumerate(TRUTH.stage_names):
        rows = table(TRUTH).iloc[stage * 120 : (stage + 1) * 120].drop(columns="stage")
        files.append(Contents(name=f"{name}.csv", raw=csv(rows[:: 1 if stage == 0 else -1])))
    assert_right(read_files(files, Wishes()), names=TRUTH.stage_names)
    with pytest.raises(BadFile, match=r"a column 'stage' but there are .* or a file for each stage"):
        read_files(files[:1], Wishes())


def test_files_of_other_samples_are_refused() -> None:
    short = Contents(name="large.npz", raw=npz(predictions=TRUTH.logits[2, :100], label_ids=TRUTH.labels[:100]))
    with pytest.raises(ValueError, match="large to hold the samples of small but 20 of 120 are missing"):
        read_files([*dumps()[:2], short], Wishes())
    turned = Contents(name="large.npz", raw=npz(predictions=TRUTH.logits[2, ::-1], label_ids=TRUTH.labels[::-1]))
    with pytest.raises(ValueError, match="large to have the labels of small"):
        read_files([*dumps()[:2], turned], Wishes())


def test_files_of_which_some_have_macs() -> None:
    known = Contents(name="large.npz", raw=npz(predictions=TRUTH.logits[2], label_ids=TRUTH.labels, macs=[40_000_000]))
    with pytest.raises(ValueError, match="macs in all files or in none"):
        read_files([*dumps()[:2], known], Wishes())
