"""Tables in the dialects that people write: taken as meant, mended with a line, or refused in one."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from cascade_core.storage.importers import Wishes, read_files
from cascade_core.support.files import Contents
from cascade_core.support.spreadsheets import csv_text
from tests.storage import brought
from tests.storage.brought import csv, jsonl, npz, parquet, table
from tests.storage.brought_checks import AS_MEANT, NAMED, TRUTH, P, assert_refused, assert_right, read


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


def test_texts_that_were_kept_from_being_formulas_come_back() -> None:
    """Ids, labels and stages of a CSV that this project's writer made are those that it was given."""
    ids = [f"{sign}{number}" for number, sign in enumerate(["=", "+a", "-b", "@", "\t=", "'=", "x", "-"])]
    frame = pd.DataFrame(
        [
            {"sample_id": one, "label": "=cat" if i % 2 else "dog", "stage": stage, "macs": 10_000_000}
            | {"p_dog": 0.75, "p_=cat": 0.25}
            for stage in ("=early", "@late")
            for i, one in enumerate(ids)
        ]
    )
    outputs = read(csv_text(frame).encode(), "csv")
    assert outputs.sample_ids.tolist() == ids
    assert tuple(stage.name for stage in outputs.stages) == ("=early", "@late")
    assert outputs.class_names == ("dog", "=cat")
    assert outputs.labels.tolist() == [0, 1] * 4
