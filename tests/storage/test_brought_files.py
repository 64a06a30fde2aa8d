"""Ordinary inputs and ordinary mistakes, each with its kind: taken as meant, mended with a line, or refused in one."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cascade_core import StageOutputs
from cascade_core.storage.importers import Wishes, read_files
from cascade_core.storage.notes import notes_on
from cascade_core.support.files import BadFile, Contents
from tests.oracle import assert_one_line
from tests.storage import brought
from tests.storage.brought import csv, jsonl, made, npz, parquet, softmax, table

TRUTH = made()
P = [f"p_{k}" for k in range(5)]
LOGITS = [f"logit_{k}" for k in range(5)]
AS_MEANT = {"labels": TRUTH.labels, "macs": TRUTH.macs}


def read(raw: bytes, ending: str = "npz", **wishes: Any) -> StageOutputs:
    return read_files([Contents(name=f"mine.{ending}", raw=raw)], Wishes(**wishes))


def assert_right(run: StageOutputs, *notes: str, close: float = 1e-6, names: Sequence[str] | None = None) -> None:
    """The run is what was meant, and says just these lines."""
    np.testing.assert_allclose(run.probs, TRUTH.probs, atol=close)
    assert run.labels.tolist() == TRUTH.labels.tolist()
    assert [stage.trunk_macs for stage in run.stages] == list(TRUTH.macs)
    if names is not None:
        assert [stage.name for stage in run.stages] == list(names)
    said = notes_on(run)
    assert len(said) == len(notes), said
    for line, words in zip(said, notes, strict=True):
        assert_one_line(ValueError(line), words)


def assert_refused(raw: bytes, ending: str, *words: str, **wishes: Any) -> None:
    with pytest.raises(BadFile) as caught:
        read(raw, ending, **wishes)
    assert_one_line(caught.value, f"Cannot import mine.{ending}: ", *words)


# Softmaxes and logits.


VALUES = {
    "logits": TRUTH.logits,
    "softmaxes": TRUTH.probs,
    "logarithms": np.log(TRUTH.probs),
    "percents": TRUTH.probs * 100,
}


@pytest.mark.parametrize(
    ("kind", "values", "notes"),
    [
        ("probs", "softmaxes", []),
        ("probs", "logarithms", ["probs are logarithms of softmaxes, and were taken as such"]),
        ("probs", "percents", ["probs are softmaxes in percent (each row sums to 100)"]),
        ("logits", "logits", []),
        ("logits", "softmaxes", ["logits are softmaxes already (nowhere negative, each row sums to 1)"]),
        ("logits", "logarithms", []),
        ("logits", "percents", ["logits are softmaxes in percent"]),
    ],
)
def test_what_values_are_is_seen_whatever_they_are_called(kind: str, values: str, notes: list[str]) -> None:
    assert_right(read(npz(**{kind: VALUES[values]}, **AS_MEANT)), *notes)
    columns = LOGITS if kind == "logits" else P
    assert_right(read(csv(table(TRUTH, VALUES[values], columns=columns)), "csv"), *notes)


def test_logits_under_probs_are_refused() -> None:
    assert_refused(npz(probs=TRUTH.logits, **AS_MEANT), "npz", "values before the softmax belong under logits")
    assert_refused(csv(table(TRUTH, TRUTH.logits)), "csv", "row 2 sums to", "columns logit_0, logit_1")


def test_softmaxes_of_one_stage_under_logits() -> None:
    values = TRUTH.logits.copy()
    values[1] = softmax(values[1])
    line = "What stands under logits at stage 2 are softmaxes already"
    assert_right(read(npz(logits=values, **AS_MEANT)), line)
    assert_right(read(csv(table(TRUTH, values, columns=LOGITS)), "csv"), line)


@pytest.mark.parametrize("ending", ["csv", "parquet", "jsonl"])
def test_softmaxes_under_logits_in_tables(ending: str) -> None:
    frame = table(TRUTH, columns=LOGITS)
    raw = csv(frame) if ending == "csv" else parquet(frame) if ending == "parquet" else jsonl(frame)
    assert_right(read(raw, ending), "softmaxes already (nowhere negative, each row sums to 1)")


def test_softmaxes_of_softmaxes_are_said() -> None:
    run = read(npz(probs=softmax(TRUTH.probs), **AS_MEANT))
    assert "through a softmax twice" in notes_on(run)[0]


def test_a_logit_of_minus_infinity_is_a_softmax_of_zero() -> None:
    values = TRUTH.logits.copy()
    wrong = (TRUTH.labels[:40] + 1) % 5
    values[:, np.arange(40), wrong] = -np.inf
    for run in (
        read(npz(logits=values, **AS_MEANT)),
        read(csv(table(TRUTH, values, columns=LOGITS)), "csv"),
        read(jsonl(table(TRUTH, values, columns=LOGITS), LOGITS, "logits"), "jsonl"),
    ):
        assert (run.probs[:, np.arange(40), wrong] == 0).all()
        np.testing.assert_allclose(run.probs[:, 40:], TRUTH.probs[:, 40:], atol=1e-6)
        assert notes_on(run) == ()
    values[1, 7] = -np.inf
    assert_refused(npz(logits=values, **AS_MEANT), "npz", "stage 1, sample 7 has -inf alone")
    values[1, 7, :2] = np.inf, np.nan
    assert_refused(npz(logits=values, **AS_MEANT), "npz", "stage 1, sample 7, class 0 is inf")


@pytest.mark.parametrize(
    ("probs", "close"),
    [
        (np.round(TRUTH.probs, 3), 2e-3),
        (np.round(TRUTH.probs, 4), 2e-4),
        (np.round(TRUTH.probs, 2), 2e-2),
        (TRUTH.probs.astype(np.float16), 1e-3),
        (brought.bfloat16(TRUTH.probs), 1e-2),
        (TRUTH.probs * 1.02, 1e-6),
    ],
)
def test_rounded_softmaxes_are_normalised_and_said_once(probs: Any, close: float) -> None:
    for run in (read(npz(probs=probs, **AS_MEANT)), read(csv(table(TRUTH, probs)), "csv")):
        assert_right(run, "as rounded ones do: each was divided by its sum", close=close)


def test_arrays_of_bfloat16() -> None:
    """NumPy writes their bytes as a type without a name."""
    upper = (brought.bfloat16(TRUTH.probs).view(np.uint32) >> 16).astype(np.uint16).view("V2")
    assert_right(read(npz(probs=upper, **AS_MEANT)), "as rounded ones do", close=1e-2)


def test_sums_that_no_rounding_explains_are_refused() -> None:
    assert_refused(npz(probs=TRUTH.probs * 1.04, **AS_MEANT), "npz", "stage 0, sample 0 sums to 1.04")
    assert_refused(csv(table(TRUTH, TRUTH.probs * 0.9)), "csv", "row 2 sums to 0.9")


# Labels and classes.


@pytest.mark.parametrize("more", [str, lambda name: f" {name.upper()} "])
def test_labels_that_are_names_of_classes(more: Callable[[str], str]) -> None:
    texts = [more(TRUTH.class_names[k]) for k in TRUTH.labels]
    assert_right(read(npz(probs=TRUTH.probs, labels=texts, macs=TRUTH.macs, class_names=TRUTH.class_names)))
    named = [f"p_{name}" for name in TRUTH.class_names]
    for raw, ending in (
        (csv(table(TRUTH, columns=named, labels=texts)), "csv"),
        (parquet(table(TRUTH, columns=named, labels=texts)), "parquet"),
    ):
        run = read(raw, ending)
        assert_right(run)
        assert run.class_names == TRUTH.class_names
    assert_right(read(csv(table(TRUTH, labels=texts)), "csv", class_names=TRUTH.class_names))


def test_names_without_a_class_are_refused_where_they_stand() -> None:
    texts = np.array(TRUTH.class_names)[TRUTH.labels]
    texts[7] = "eel"
    raw = npz(probs=TRUTH.probs, labels=texts, macs=TRUTH.macs, class_names=TRUTH.class_names)
    assert_refused(raw, "npz", "sample 0", "the names of the classes are 'ant', 'bee'")
    assert_refused(npz(probs=TRUTH.probs, labels=texts), "npz", "class_names must give them in the order")


def test_class_numbers_written_as_texts() -> None:
    assert_right(read(npz(probs=TRUTH.probs, labels=TRUTH.labels.astype(str), macs=TRUTH.macs)))


def test_one_column_a_class_as_labels() -> None:
    hot = np.eye(5, dtype=int)[TRUTH.labels]
    assert_right(read(npz(probs=TRUTH.probs, labels=hot, macs=TRUTH.macs)))
    assert_right(read(npz(probs=TRUTH.probs, labels=TRUTH.labels[:, None], macs=TRUTH.macs)))
    rows = table(TRUTH).assign(label=np.tile(hot, (3, 1)).tolist())
    assert_right(read(parquet(rows), "parquet"))
    assert_right(read(jsonl(rows), "jsonl"))
    columns = table(TRUTH).drop(columns="label")
    for k in range(5):
        columns[f"label_{k}"] = np.tile(hot[:, k], 3)
    for raw, ending in ((csv(columns), "csv"), (parquet(columns), "parquet"), (jsonl(columns), "jsonl")):
        assert_right(read(raw, ending))
    assert_refused(npz(probs=TRUTH.probs, labels=hot * 0.5, macs=TRUTH.macs), "npz", "the labels of sample 0")
    assert_refused(npz(probs=TRUTH.probs, labels=hot[:, :4], macs=TRUTH.macs), "npz", "(samples, 5) with a one")


def test_labels_from_one_when_said() -> None:
    for raw, ending in (
        (npz(probs=TRUTH.probs, labels=TRUTH.labels + 1, macs=TRUTH.macs), "npz"),
        (csv(table(TRUTH, labels=TRUTH.labels + 1)), "csv"),
    ):
        assert_right(read(raw, ending, labels_from=1))
        assert_refused(raw, ending, "labels seem to count from 1: say so (--labels-from 1, labels_from=1)")
    assert_refused(
        npz(probs=TRUTH.probs, **AS_MEANT), "npz", "a class from 1 to 5 in sample 0 but it is 0", labels_from=1
    )


@pytest.mark.parametrize("ending", ["npz", "csv"])
def test_labels_from_one_without_the_last_class_are_said(ending: str) -> None:
    kept = brought.without_last_class(TRUTH)
    odd = replace(kept, labels=kept.labels + 1)
    raw = npz(probs=odd.probs, labels=odd.labels, macs=odd.macs) if ending == "npz" else csv(table(odd))
    (line,) = notes_on(read(raw, ending))
    right = (kept.probs[-1].argmax(axis=1) == kept.labels).mean()
    assert_one_line(
        ValueError(line), "at or below chance", f"labels are one too high: shifted by one they fit {right:.1%}"[:-1]
    )


def test_columns_that_count_from_one_count_labels_too() -> None:
    columns = [f"p_{k}" for k in range(1, 6)]
    run = read(csv(table(TRUTH, columns=columns, labels=TRUTH.labels + 1)), "csv")
    assert_right(run, "looked up among the names of the classes")
    assert run.class_names == ("1", "2", "3", "4", "5")
    assert_right(read(csv(table(TRUTH, columns=columns)), "csv"))


def test_one_probability_of_the_first_of_two_classes() -> None:
    two = made(k=2)
    run = read(csv(table(two, two.probs[..., :1], columns=["p_0"])), "csv")
    np.testing.assert_allclose(run.probs, two.probs, atol=1e-6)


@pytest.mark.parametrize("column", ["p_1", "p", "Prob", "probability_1"])
def test_one_probability_of_two_classes(column: str) -> None:
    two = made(k=2)
    for raw, ending in (
        (csv(table(two, two.probs[..., 1:], columns=[column])), "csv"),
        (parquet(table(two, two.probs[..., 1:], columns=[column])), "parquet"),
    ):
        run = read(raw, ending)
        np.testing.assert_allclose(run.probs, two.probs, atol=1e-6)
        assert notes_on(run) == ()


def test_one_number_of_two_classes_in_arrays() -> None:
    two = made(k=2)
    arrays = {"labels": two.labels, "macs": two.macs}
    logit = two.logits[..., 1] - two.logits[..., 0]
    for values in (
        {"probs": two.probs[..., 1]},
        {"probs": two.probs[..., 1:]},
        {"logits": logit},
        {"logits": logit[..., None]},
    ):
        run = read(npz(**values, **arrays))
        np.testing.assert_allclose(run.probs, two.probs, atol=1e-6)
        assert len(notes_on(run)) == 1
        assert "was taken as that of class 1" in notes_on(run)[0]


# Order of axes.


@pytest.mark.parametrize("axes", [(1, 0, 2), (1, 2, 0), (0, 2, 1), (2, 0, 1), (2, 1, 0)])
@pytest.mark.parametrize("kind", ["probs", "logits"])
def test_other_orders_of_axes_are_recognised_and_said(kind: str, axes: tuple[int, ...]) -> None:
    values = getattr(TRUTH, kind).transpose(axes)
    spoken = ", ".join(("stages", "samples", "classes")[axis] for axis in axes)
    assert_right(read(npz(**{kind: values}, **AS_MEANT)), f"was taken as ({spoken}), which alone fits")


def test_an_order_that_two_ways_fit_is_refused() -> None:
    three = made(m=3, k=3)
    raw = npz(logits=three.logits.transpose(1, 0, 2), labels=three.labels, macs=three.macs)
    assert_refused(raw, "npz", "fits as (samples, stages, classes) and as (samples, classes, stages); transpose it")


def test_names_tell_which_axis_is_which() -> None:
    three = made(m=3, k=3)
    arrays = {"logits": three.logits.transpose(1, 0, 2)[..., :2], "labels": np.minimum(three.labels, 1)}
    run = read(npz(**arrays), class_names=["ant", "bee"], stage_names=["a", "b", "c"])
    assert run.probs.shape == (3, 120, 2)
    run = read(
        npz(logits=TRUTH.logits.transpose(1, 2, 0), labels=np.array(TRUTH.class_names)[TRUTH.labels]),
        class_names=TRUTH.class_names,
    )
    np.testing.assert_allclose(run.probs, TRUTH.probs, atol=1e-6)


def test_truth_values_as_labels() -> None:
    two = made(k=2)
    yes = two.labels.astype(bool)
    for raw, ending in (
        (npz(probs=two.probs, labels=yes, macs=two.macs), "npz"),
        (csv(table(two, labels=yes)), "csv"),
        (parquet(table(two, labels=yes)), "parquet"),
        (jsonl(table(two, labels=yes)), "jsonl"),
    ):
        assert read(raw, ending).labels.tolist() == two.labels.tolist()


def test_as_many_samples_as_classes() -> None:
    """A square array fits both ways; sums tell."""
    square = made(n=5, k=5)
    raw = npz(probs=square.probs.transpose(0, 2, 1), labels=square.labels, macs=square.macs)
    run = read(raw)
    np.testing.assert_allclose(run.probs, square.probs, atol=1e-6)
    assert "(stages, classes, samples)" in notes_on(run)[0]


# Stages.

NAMED = table(TRUTH, stages=TRUTH.stage_names)


def test_stages_sorted_as_texts() -> None:
    """A sorted table has large, mid, small; names that are given are the order."""
    rows = NAMED.sort_values("stage", kind="stable")
    run = read(csv(rows), "csv")
    assert [stage.name for stage in run.stages] == ["large", "mid", "small"]
    words = "in which MACs and accuracy fall: if small, mid, large is the order, say so with stage_names"
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
    assert any("if c, b, a is the order, say so with stage_names" in line for line in notes_on(renamed))


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


# Samples.


def test_samples_that_are_there_twice() -> None:
    twice = np.r_[np.arange(60), np.arange(60)]
    arrays = {"probs": TRUTH.probs[:, twice], "labels": TRUTH.labels[twice], "macs": TRUTH.macs}
    assert_refused(npz(**arrays, sample_ids=TRUTH.ids[twice]), "npz", "60 of 120 repeat one: sample 60 has 'pic_0.jpg'")
    (line,) = notes_on(read(npz(**arrays)))
    assert line.startswith("60 of 120 samples have the same softmaxes as another at every stage, such as '60'")


# MACs.


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
    assert "say macs_up_to" in line
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


# Dialects of tables.


@pytest.mark.parametrize(
    "how",
    [
        {"sep": ";", "decimal": ","},
        {"sep": ";"},
        {"sep": "\t"},
        {"sep": "\t", "decimal": ","},
        {"sep": "|"},
        {"quoting": 1},
        {"quoting": 1, "decimal": ","},
        {"encoding": "utf-16"},
        {"encoding": "utf-16-le"},
        {"encoding": "utf-16-be"},
        {"encoding": "utf-8-sig"},
    ],
    ids=str,
)
def test_separators_decimals_and_encodings(how: dict[str, Any]) -> None:
    assert_right(read(csv(table(TRUTH), **how), "csv"))
    assert_right(read(csv(NAMED, **how), "csv"), names=TRUTH.stage_names)


def test_the_line_that_tells_a_spreadsheet_its_separator() -> None:
    raw = csv(table(TRUTH), sep=";")
    assert_right(read(b"sep=;\n" + raw, "csv"))
    spoilt = raw.replace(b"pic_3.jpg;", b"pic_3.jpg;x", 1)
    assert_refused(b"sep=;\n" + spoilt, "csv", "a whole number in row 6, column 'label'")


@pytest.mark.parametrize(
    "change", [lambda s: f" {s} ", str.upper, str.title, lambda s: s.replace("_", " "), lambda s: s.replace("_", "-")]
)
def test_blanks_and_capitals_in_headers(change: Callable[[str], str]) -> None:
    assert_right(read(csv(table(TRUTH).rename(columns=change)), "csv"))


def test_blanks_after_separators() -> None:
    assert_right(read(csv(NAMED).replace(b",", b", "), "csv"), names=TRUTH.stage_names)


@pytest.mark.parametrize(
    "name", ["mine.CSV", "mine.Csv", "mine.TSV", "mine.JSONL", "mine.ndjson", "mine.PARQUET", "mine.NPZ"]
)
def test_endings_in_capitals(name: str) -> None:
    raw = {
        "csv": csv(table(TRUTH)),
        "tsv": csv(table(TRUTH), sep="\t"),
        "parquet": parquet(table(TRUTH)),
        "npz": npz(probs=TRUTH.probs, **AS_MEANT),
    }.get(name.partition(".")[2].casefold(), jsonl(table(TRUTH)))
    assert_right(read_files([Contents(name=name, raw=raw)], Wishes()))


@pytest.mark.parametrize(
    "names", [("labels", "stages", "id"), ("target", "exit", "filename"), ("y_true", "model", "sample")]
)
def test_other_names_of_columns(names: tuple[str, ...]) -> None:
    renamed = table(TRUTH).rename(columns=dict(zip(("label", "stage", "sample_id"), names, strict=True)))
    assert_right(read(csv(renamed), "csv"))


@pytest.mark.parametrize("pattern", ["p{}", "prob_{}", "p[{}]", "P {}", "softmax.{}"])
def test_other_names_of_classes(pattern: str) -> None:
    shuffled = table(TRUTH, columns=[pattern.format(k) for k in range(5)])
    assert_right(read(csv(shuffled[shuffled.columns[::-1]]), "csv"))


def test_columns_that_mean_the_same() -> None:
    odd = table(TRUTH).assign(target=0)
    assert_right(read(csv(odd), "csv"))
    assert_refused(
        csv(odd.rename(columns={"label": "y_true"})), "csv", "one column of labels but there are 'y_true', 'target'"
    )


@pytest.mark.parametrize("write", [parquet, jsonl])
@pytest.mark.parametrize("name", ["probs", "softmax", "Probabilities"])
def test_lists_of_probabilities(write: Callable[..., bytes], name: str) -> None:
    ending = write.__name__
    assert_right(read(write(table(TRUTH), P, name), ending))
    assert_right(read(write(table(TRUTH, TRUTH.logits), P, "logits"), ending))


def test_objects_with_a_number_for_each_class() -> None:
    rows = [
        {"label": TRUTH.class_names[label], "stage": s, "sample": i, "macs": TRUTH.macs[s]}
        | {"probs": dict(zip(TRUTH.class_names, TRUTH.probs[s, i].tolist(), strict=True))}
        for s in range(3)
        for i, label in enumerate(TRUTH.labels)
    ]
    raw = "\n".join(json.dumps(row) for row in rows).encode()
    assert_right(read(raw, "jsonl"))
    assert read(raw, "jsonl").class_names == TRUTH.class_names


def test_lists_of_different_lengths() -> None:
    rows = brought.listed(table(TRUTH), P, "probs")
    rows["probs"] = [[0.5, 0.5] if i == 7 else one for i, one in enumerate(rows["probs"])]
    for raw, ending in ((parquet(rows), "parquet"), (jsonl(rows), "jsonl")):
        assert_refused(raw, ending, "lists of one length in column 'probs' but row 8 has 2 where row 1 has 5")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"[1]", "an object of JSON in row 4 but it is '[1]'"),
        (b"{", "an object of JSON in row 4"),
        (b"[" * 100_000, "an object of JSON in row 4"),
        (b'{"label": 1}', "the same entries in every object"),
        (b'{"label": {"a": 1}}', "a number, a text or a list of numbers in row 4, column 'label' but it is {'a': 1}"),
        (b'{"label": "' + b"\xff" + b'"}', "UTF-8 text but some bytes are not"),
    ],
)
def test_lines_that_are_no_rows(line: bytes, words: str) -> None:
    lines = jsonl(table(TRUTH)).splitlines()
    lines[3] = line
    assert_refused(b"\n".join(lines), "jsonl", words)


# Dumps of predictions, and several files.


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
