"""Files without labels: the last stage stands in, and the names of what was found say that a column is misspelt."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from cascade_core.storage.importers import Wishes, read_files
from cascade_core.storage.notes import notes_on
from cascade_core.support.files import Contents
from cascade_core.support.terms import NO_LABELS
from tests.storage.brought import csv, jsonl, npz, parquet
from tests.storage.brought_checks import LOGITS, NAMED, TRUTH, P, assert_refused, read

LAST = TRUTH.probs[-1].argmax(axis=1).tolist()
WRITERS: dict[str, Callable[[pd.DataFrame], bytes]] = {"csv": csv, "parquet": parquet, "jsonl": jsonl}


@pytest.mark.parametrize("ending", WRITERS)
def test_tables_without_labels(ending: str) -> None:
    run = read(WRITERS[ending](NAMED.drop(columns="label")), ending)
    assert run.reference == "last stage"
    assert run.labels.tolist() == LAST
    assert notes_on(run) == (
        f"{NO_LABELS} The file holds 'sample_id', 'stage', 'macs', 'p_0', 'p_1', 'p_2', 'p_3', 'p_4'.",
    )


@pytest.mark.parametrize("ending", WRITERS)
@pytest.mark.parametrize("name", ["lable", "labl", "Lables", "targt", "y_ture"])
def test_a_misspelt_label_is_noticed(name: str, ending: str) -> None:
    run = read(WRITERS[ending](NAMED.rename(columns={"label": name})), ending)
    assert run.reference == "last stage"
    (note,) = notes_on(run)
    assert f"'{name}'" in note
    assert note.endswith(f"; if '{name}' holds labels, call it 'label'.")


def test_a_column_that_is_called_otherwise_is_named_too() -> None:
    (note,) = notes_on(read(csv(NAMED.rename(columns={"label": "truth"})), "csv"))
    assert "'sample_id', 'truth', 'stage', 'macs', 'p_0'" in note
    assert "call it" not in note


def test_arrays_without_labels() -> None:
    run = read(npz(probs=TRUTH.probs, macs=TRUTH.macs, lables=TRUTH.labels))
    assert run.labels.tolist() == LAST
    assert notes_on(run) == (
        f"{NO_LABELS} The file holds 'probs', 'macs', 'lables'; if 'lables' holds labels, call it 'label'.",
    )
    logits = read(npz(logits=TRUTH.logits, macs=TRUTH.macs))
    np.testing.assert_allclose(logits.probs, run.probs, atol=1e-6)


def test_other_orders_of_axes_are_told_by_what_else_there_is_or_refused() -> None:
    turned = TRUTH.logits.transpose(1, 0, 2)
    assert_refused(npz(logits=turned), "npz", "shape (120, 3, 5) has more stages than samples", "neither labels,")
    run = read(npz(logits=turned, macs=TRUTH.macs, sample_ids=TRUTH.ids))
    np.testing.assert_allclose(run.probs, TRUTH.probs, atol=1e-6)


def test_no_label_is_doubted_where_there_are_none() -> None:
    """Stages at chance, or in another order, cannot be told from answers alone."""
    shuffled = np.random.default_rng(0).permutation(TRUTH.probs[0])
    run = read(npz(probs=np.stack([shuffled, *TRUTH.probs[1:]]), macs=TRUTH.macs))
    assert [line.partition(" The file")[0] for line in notes_on(run)] == [NO_LABELS]


def test_files_for_each_stage_without_labels_say_it_once() -> None:
    frames = [frame.drop(columns=["label", "stage"]) for _, frame in NAMED.groupby("stage", sort=False)]
    files = [Contents(name=f"{name}.csv", raw=csv(one)) for name, one in zip(TRUTH.stage_names, frames, strict=True)]
    run = read_files(files, Wishes())
    assert (run.reference, run.labels.tolist()) == ("last stage", LAST)
    (note,) = notes_on(run)
    assert note.startswith(f"{TRUTH.stage_names[0]}: {NO_LABELS}")


@pytest.mark.parametrize("labelled", [0, 1, 2])
def test_labels_of_one_file_hold_for_all(labelled: int) -> None:
    frames = [frame.drop(columns="stage") for _, frame in NAMED.groupby("stage", sort=False)]
    raws = [csv(one if i == labelled else one.drop(columns="label")) for i, one in enumerate(frames)]
    files = [Contents(name=f"{name}.csv", raw=raw) for name, raw in zip(TRUTH.stage_names, raws, strict=True)]
    run = read_files(files, Wishes())
    assert (run.reference, run.labels.tolist()) == ("labels", TRUTH.labels.tolist())
    assert notes_on(run) == ()


def test_one_list_a_row_and_logits_by_column_do_without_labels() -> None:
    plain = NAMED.drop(columns="label")
    assert read(parquet(plain, P), "parquet").labels.tolist() == LAST
    values = pd.DataFrame(TRUTH.logits.reshape(-1, 5), columns=LOGITS)
    logits = pd.concat([plain.drop(columns=P), values], axis=1)
    assert read(csv(logits), "csv").labels.tolist() == LAST
