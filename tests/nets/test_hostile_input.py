"""The verbs that take pictures and choices, given what nobody would wish for: one line each, and the rest is done."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from cascade_core.__main__ import main
from tests.nets.hostile import hostile_pictures

CACHE = Path(__file__).resolve().parents[2] / "cache"
DIGITS = ["--network", f"small-cnn+{CACHE / 'digits.safetensors'}"]


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A current folder of its own."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def choice() -> str:
    """A choice for the shipped digits, in the current folder."""
    assert main(["choose", str(CACHE / "digits.parquet"), "--max-drop", "0.01", "--out", "c.json"]) == 0
    return "c.json"


def test_a_hostile_folder_is_classified_but_for_what_is_no_picture(
    choice: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in").mkdir()
    good, bad = hostile_pictures(tmp_path / "in")
    capsys.readouterr()
    assert main(["classify", choice, "in", *DIGITS, "--batch-size", "4"]) == 1
    told = capsys.readouterr()
    assert len(told.out.splitlines()) == good
    assert all(line.count("\t") == 4 for line in told.out.splitlines())
    assert told.err.count("not classified: Expected an image in in/") == bad
    assert f"error: {bad} of {good + bad} pictures were not classified" in told.err
    assert re.search(r"answered p50 [\d.]+ ms, p95 [\d.]+ ms, p99 [\d.]+ ms after their batch of 4 was read", told.err)
    assert main(["classify", choice, "in", *DIGITS, "--batch-size", "4", "--wait", "3"]) == 1
    gathered = capsys.readouterr()
    assert _without_confidence(gathered.out) == _without_confidence(told.out)
    assert gathered.err.count("not classified: Expected an image in in/") == bad
    assert main(["classify", choice, "in", *DIGITS, "--json"]) == 1
    told = capsys.readouterr()
    names = [json.loads(line)["file"] for line in told.out.splitlines()]
    assert "in/tab\tnew\nline.png" in names
    assert "in/ünï \N{CAT FACE}.png" in names


def _without_confidence(lines: str) -> list[list[str]]:
    return [[cell for place, cell in enumerate(line.split("\t")) if place != 2] for line in lines.splitlines()]


@pytest.mark.parametrize("flags", [[], ["--json"]])
def test_names_that_the_terminal_cannot_show(choice: str, tmp_path: Path, flags: list[str]) -> None:
    (tmp_path / "in").mkdir()
    Image.new("L", (8, 8)).save(tmp_path / "in" / "ü.png")
    (tmp_path / "in" / os.fsdecode(b"\xff.png")).write_bytes((tmp_path / "in" / "ü.png").read_bytes())
    done = subprocess.run(
        [sys.executable, "-m", "cascade_core", "classify", choice, "in", *DIGITS, *flags],
        env=os.environ | {"PYTHONIOENCODING": "ascii:strict", "PYTHONPATH": str(CACHE.parent)},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    rows = done.stdout.decode("ascii").splitlines()
    assert len(rows) == 2
    if flags:
        assert [json.loads(row)["file"] for row in rows] == ["in/ü.png", "in/\udcff.png"]


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (["rule", "thresholds", 0, "threshold"], float("nan"), "it holds NaN, which is not JSON"),
        (["rule", "thresholds", 0, "threshold"], 1e300, "but it is too large"),
        (["rule", "temperature"], 1.5, "expected no rule/temperature in a file of schema_version 3"),
        (["rule", "pool"], {"weights": [[1]]}, "a pool of 3 stages but it is of 1"),
        (["rule", "pool"], {"weights": [[1], [1], [0, 0, 1]]}, "weights of stage 2 to have shape (2,)"),
        (["rule", "pool"], {"weights": [[1], [0, 1e300], [0, 0, 1]]}, "weights of stage 2 from -1e+06 to 1e+06"),
        (["rule", "top_k"], 11, "at most the top 10"),
        (["stages", 0, "cumulative_macs"], 10**30, "at stages/0/cumulative_macs"),
        (["stages", 0, "cumulative_macs"], 10**4000, "which is too large a number"),
        (["schema_version"], 9, "expected schema_version 3 but it is 9"),
        (["stages", 0, "name"], "elsewhere", "to name the same stages"),
    ],
)
def test_a_hostile_choice_is_one_line(
    choice: str, path: list[str | int], value: object, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    data = json.loads(Path(choice).read_text())
    place = data
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    Path("bad.json").write_text(json.dumps(data))
    Image.new("L", (8, 8)).save("p.png")
    capsys.readouterr()
    for verb in (["classify", "bad.json", "p.png"], ["bundle", "bad.json", "--out", "out"]):
        assert main([*verb, *DIGITS]) == 2
        told = capsys.readouterr()
        assert told.out == ""
        assert told.err.startswith("error: ")
        assert told.err.count("\n") == 1
        assert words in told.err
    assert not Path("out").exists()


def test_a_choice_of_another_run_is_noted_where_stages_are_called_alike(
    choice: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Image.new("L", (8, 8)).save("p.png")
    assert main(["classify", choice, "p.png", *DIGITS]) == 0
    assert "note:" not in capsys.readouterr().err
    build = ["--heads", "fine", "--train-data", "digits", "--data", "digits", "--epochs", "1"]
    assert main(["build", "--network", "small-cnn", *build, "--out", "other.parquet"]) == 0
    assert main(["classify", choice, "p.png", "--network", "small-cnn+other.safetensors"]) == 0
    assert "note: the choice counts other MACs than this network has; was its run digits" in capsys.readouterr().err


def test_empty_folders_are_one_line(choice: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("empty").mkdir()
    capsys.readouterr()
    assert main(["classify", choice, "empty", *DIGITS]) == 2
    assert capsys.readouterr().err == "error: Expected pictures in the folder empty but there are none\n"
