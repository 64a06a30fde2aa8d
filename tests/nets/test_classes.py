"""The network's classes as people give them: texts, lines and the usual kinds of JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cascade_core.nets.classes import Classes

NAMES = ("ant", "bee", "cat")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("c.txt", "ant\nbee\ncat\n"),
        ("c.names", "\ufeffant\r\nbee\r\n cat \r\n\r\n"),
        ("c.json", ["ant", "bee", "cat"]),
        ("c.json", {"cat": 2, "ant": 0, "bee": 1}),
        ("c.json", {"2": "cat", "0": "ant", "1": "bee"}),
        ("c.json", {"2": ["n03", "cat"], "0": ["n01", "ant"], "1": ["n02", "bee"]}),
    ],
)
def test_files_of_classes(name: str, content: Any, tmp_path: Path) -> None:
    file = tmp_path / name
    file.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    classes = Classes.read(str(file))
    assert classes.names == NAMES
    assert classes.of(["cat", "ant"]) == [2, 0]
    if "n03" in str(content):
        assert classes.of(["n03", "n01"]) == [2, 0]


def test_a_name_of_two_classes_tells_neither(tmp_path: Path) -> None:
    file = tmp_path / "index.json"
    file.write_text(json.dumps({"0": ["n1", "crane"], "1": ["n2", "crane"], "2": ["n3", "cat"]}))
    classes = Classes.read(str(file))
    assert classes.names == ("n1", "n2", "cat")
    assert classes.of(["n2"]) == [1]
    with pytest.raises(ValueError, match="but one is called 'crane'"):
        classes.of(["crane"])


def test_a_list_is_read_as_it_stands() -> None:
    assert Classes.read("ant, bee ,cat").names == NAMES


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"ant": 0, "cat": 2}, "of all classes from 0 on, but class 1 is missing"),
        ({"ant": 1}, "class 0 is missing"),
        ({}, "class 0 is missing"),
        ([], "class 0 is missing"),
        ([1, 2], "some names are no text"),
        ({"0": []}, "some names are no text"),
        ({"a": "b"}, "it holds something else"),
        ({"ant": True}, "it holds something else"),
        ("text", "it holds something else"),
        (["ant", "ant"], "a name for each class that no other has but class 0 is called 'ant'"),
        (["ant", ""], "class 1 is called ''"),
    ],
)
def test_bad_files_are_one_line(content: Any, message: str, tmp_path: Path) -> None:
    file = tmp_path / "c.json"
    file.write_text(json.dumps(content))
    with pytest.raises(ValueError, match=message) as error:
        Classes.read(str(file))
    assert "\n" not in str(error.value)


def test_files_that_are_no_text_or_not_there(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"but there is no file 'nowhere.json'"):
        Classes.read("nowhere.json")
    (tmp_path / "c.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match="to be text, a name a line, but it is not in UTF-8"):
        Classes.read(str(tmp_path / "c.txt"))
    (tmp_path / "c.json").write_text("{")
    with pytest.raises(ValueError, match="numbers to names, but expected JSON"):
        Classes.read(str(tmp_path / "c.json"))
