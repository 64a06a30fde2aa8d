"""CSV in which no text is a formula to a spreadsheet, and which comes back as it was."""

from __future__ import annotations

import csv
import io

import numpy as np
import pandas as pd
import pytest

from cascade_core.support.spreadsheets import csv_text, marked, marked_cells, unmarked
from tests.names import hostile_names

FORMULAS = [
    "=1+1",
    "+1+1",
    "-1+1",
    "@SUM(A1)",
    "=",
    "-",
    "＝1",
    "＠x",
    " =1",
    "\t=1",
    "\tx",
    "\rx",
    "\nx",
    "\u200b=1",
    "\ufeff+x",
    "'=1",
    "''=1",
    "=cmd|' /C calc'!A0",
    '=HYPERLINK("http://x")',
    "-1e",
    "+1 2",
    "-1;=1",
]
PLAIN = ["", "cat", "a=1", "a-b", "-1", "+1.5", "-.5e-3", "1", "'cat", "'-1", "−1", "写真", "e=mc²", "'", "''"]


def first(text: str) -> str:
    """The character that a spreadsheet looks at: blanks, and what has no shape, may be passed over."""
    return text.strip("\u200b\ufeff\u200e \xa0\u3000")[:1]


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_is_a_text(text: str) -> None:
    assert marked(text) == f"'{text}"
    assert unmarked(marked(text)) == text


@pytest.mark.parametrize("text", PLAIN)
def test_numbers_and_other_texts_stay(text: str) -> None:
    assert marked(text) == text
    assert unmarked(text) == text


def test_any_names_are_no_formulas_and_come_back() -> None:
    names = [*hostile_names(7, 2_000), *FORMULAS, *PLAIN]
    frame = pd.DataFrame({"=run": names, "x": np.linspace(-1, 1, len(names)), "n": range(len(names))})
    text = csv_text(frame)
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert rows[0] == ["'=run", "x", "n"]
    assert [unmarked(row[0]) for row in rows[1:]] == names
    assert [float(row[1]) for row in rows[1:]] == frame["x"].tolist()
    for name, *_ in rows[1:]:
        assert name[:1] not in ("\t", "\r", "\n")
        assert first(name) not in (*"=@＝＋＠－",)
        assert first(name) not in ("+", "-") or float(name)
    again = pd.read_csv(io.StringIO(text), keep_default_na=False)
    assert again["x"].tolist() == frame["x"].tolist()


def test_names_of_rows_and_cells_of_any_kind() -> None:
    frame = pd.DataFrame({"a": ["=1", None, 2], "b": [True, False, True]}, index=["=x", "y", "-"])
    shown = marked_cells(frame)
    assert shown["a"].tolist() == ["'=1", None, 2]
    assert shown.index.tolist() == ["'=x", "y", "'-"]
    assert frame["a"].tolist() == ["=1", None, 2]
    assert csv_text(frame, index=True).splitlines()[1] == '"\'=x","\'=1",True'
    assert marked_cells(pd.DataFrame({"a": []})).shape == (0, 1)


def test_other_separators_divide_no_text() -> None:
    text = csv_text(pd.DataFrame({"a": ["x;=1+1", "x\t=1"], "b": [1, 2]}))
    for separator in ";\t|":
        for row in csv.reader(io.StringIO(text), delimiter=separator):
            assert not any(cell.startswith("=") for cell in row)
