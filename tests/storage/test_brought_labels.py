"""Labels, names of classes and the order of axes: taken as meant, mended with a line, or refused in one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from cascade_core.storage.notes import notes_on
from tests.oracle import assert_one_line
from tests.storage import brought
from tests.storage.brought import csv, jsonl, made, npz, parquet, table
from tests.storage.brought_checks import AS_MEANT, TRUTH, assert_refused, assert_right, read


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
