"""Tables of texts and sets of them, with a tokenizer of one number a word: what comes in, and what is refused."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
import torch

from cascade_core.nets.opening import open_data
from cascade_core.nets.texts.tables import read_texts
from cascade_core.nets.texts.tokens import Tokens


def encode(texts: Sequence[str], length: int) -> list[list[int]]:
    return [[len(word) for word in text.split()][:length] for text in texts]


TOKENS = Tokens(length=4, most=6, vocabulary="", class_names=("No", "yes"), padding=9, encode=encode)


def written(folder: Path, name: str, content: str, encoding: str = "utf-8") -> str:
    (folder / name).write_text(content, encoding=encoding)
    return f"texts:{folder / name}"


@pytest.mark.parametrize(
    ("name", "content", "encoding"),
    [
        ("t.csv", 'label,text\nyes,"a bb, c"\nno,dd\n', "utf-8"),
        ("t.csv", "Text ;other;LABEL\na bb, c;1;1\ndd;2;0\n", "utf-16"),
        ("t.tsv", "label\ttext\nYES\ta bb, c\nNo\tdd\n", "utf-8-sig"),
        ("t.jsonl", '{"text": "a bb, c", "label": 1}\n\n{"label": "No", "text": "dd"}\n', "utf-8"),
    ],
)
def test_tables_come_in_right(tmp_path: Path, name: str, content: str, encoding: str) -> None:
    data = open_data(written(tmp_path, name, content, encoding), TOKENS)
    assert data.labels.tolist() == [1, 0]
    assert data.class_names == ("No", "yes")
    assert data.sample_ids == ("t/00000", "t/00001")
    assert data.spec == f"texts:{name}"
    # Lengths of words, padded with 9; below, what is real.
    assert data.batch(torch.tensor([1, 0])).tolist() == [[[2, 9, 9, 9], [1, 0, 0, 0]], [[1, 3, 1, 9], [1, 1, 1, 0]]]
    assert data.take(torch.tensor([1])).batch(torch.tensor([0])).tolist() == [[[2, 9, 9, 9], [1, 0, 0, 0]]]


def test_texts_a_line_have_no_labels(tmp_path: Path) -> None:
    written(tmp_path, "t.txt", "one\ntwo words\n")
    held = read_texts(tmp_path / "t.txt")
    assert (held.texts, held.labels, held.first) == (("one", "two words"), None, 1)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("t.csv", "label,text\nyes,a b c\nmaybe,b\n", "label in row 3 of t.csv to be one of the network's 2 classes"),
        ("t.csv", "label,text\n2,a b c\n", "or its number from 0, but it was '2'"),
        ("t.csv", "label,words\nyes,a\n", "a column 'text' in t.csv but its columns are label, words"),
        ("t.csv", "text\na b c\n", "a column 'label' in t.csv but there is none"),
        ("t.csv", "label,text\nyes,a,b\n", "row 2 has 3 cells where the first row names 2 columns"),
        ("t.csv", "label,text\n", "to hold texts but it has no rows"),
        ("t.csv", "sample_id,label,text\nx,yes,a b c\nx,no,b\n", "distinct ids in t.csv but 'x' repeats"),
        (
            "t.jsonl",
            '{"text": "a", "label": 1}\n{"text": 1.5, "label": 1}\n',
            "text in row 2 of t.jsonl but it is 1.5",
        ),
        ("t.jsonl", "[1]\n", "row 1 is no JSON object"),
        ("t.doc", "", "texts in a file that ends in .csv, .tsv, .jsonl"),
    ],
)
def test_what_is_wrong_with_a_table_is_one_line(tmp_path: Path, name: str, content: str, words: str) -> None:
    with pytest.raises(ValueError, match="Expected") as caught:
        open_data(written(tmp_path, name, content), TOKENS)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_kinds_of_data_and_networks_belong_together(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="data texts:PATH for a network of texts but it was 'digits'"):
        open_data("digits", TOKENS)
    with pytest.raises(ValueError, match=r"a file of texts at .* but there is none"):
        open_data(f"texts:{tmp_path / 'none.csv'}", TOKENS)


def test_what_lengths_do_is_said(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match=r"1 of 2 texts of t.csv have more than 4 tokens and are cut there"):
        data = open_data(written(tmp_path, "t.csv", "label,text\n0,a b c d e\n1,a b c d\n"), TOKENS)
    assert data[0][0].tolist() == [[1, 1, 1, 1], [1, 1, 1, 1]]
    with pytest.warns(UserWarning, match="longest text of t.csv has 2 tokens, and all are padded to 4; --text"):
        open_data(written(tmp_path, "t.csv", "label,text\n0,a b\n"), TOKENS)
