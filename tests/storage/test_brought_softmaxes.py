"""Softmaxes and logits under any name, rounded or not: taken as meant, mended with a line, or refused in one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from cascade_core.storage.notes import notes_on
from tests.storage import brought
from tests.storage.brought import csv, jsonl, npz, parquet, softmax, table
from tests.storage.brought_checks import AS_MEANT, LOGITS, TRUTH, P, assert_refused, assert_right, read

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
