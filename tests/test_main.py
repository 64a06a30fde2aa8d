"""The command line as a whole: every verb explains itself, tells bad input from faults of ours, and ends quietly."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from unittest.mock import Mock

import pytest

from cascade_core import save_run
from cascade_core.__main__ import VERBS_BY_FILE, main, parser
from cascade_core.commands.common import Parser
from tests.badcalls import BAD
from tests.names import is_clean
from tests.samples import sample_run

VERBS = sorted({call[0] for call, _ in BAD[2:]})


def status_of(*arguments: str) -> int:
    """The exit status, whoever ends."""
    try:
        return main(arguments)
    except SystemExit as stop:
        return int(stop.code or 0)


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Files by what they are."""
    folder = tmp_path_factory.mktemp("named")
    files = {name: folder / name for name in ("run", "other", "choice", "text", "cut", "folder")}
    save_run(sample_run(), run := folder / "run.parquet")
    save_run(sample_run(m=2), other := folder / "other.parquet")
    choice = folder / "choice.json"
    assert (
        main(["choose", str(run), "--policy", "shared", "--threshold", "0.9", "--answers", "own", "--out", str(choice)])
        == 0
    )
    files["text"].write_text("Neither a picture nor a run.")
    files["cut"].write_bytes(run.read_bytes()[:-100])
    files["folder"].mkdir()
    return {name: str(file) for name, file in {**files, "run": run, "other": other, "choice": choice}.items()}


def test_every_verb_is_among_the_bad_calls() -> None:
    assert sorted(listed_by(parser())) == VERBS


def listed_by(whole: Parser) -> list[str]:
    """The verbs that a parser's help lists."""
    listed = whole.format_help().split("VERB\n")[1].split("\n\n")[0]
    return [line.split()[0] for line in listed.splitlines() if line[4] != " "]


@pytest.mark.parametrize("file", VERBS_BY_FILE)
def test_a_verb_brings_its_file_alone(file: str) -> None:
    for verb in VERBS_BY_FILE[file]:
        assert listed_by(parser(verb)) == [*VERBS_BY_FILE[file]]


def test_what_is_no_verb_brings_all() -> None:
    every = [verb for names in VERBS_BY_FILE.values() for verb in names]
    assert listed_by(parser("--help")) == listed_by(parser("bogus")) == listed_by(parser()) == every


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself_with_an_example(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of(verb, "--help") == 0
    assert f"example:\n  python -m cascade_core {verb} " in capsys.readouterr().out


@pytest.mark.parametrize(("call", "words"), BAD, ids=[" ".join(call) or "nothing" for call, _ in BAD])
def test_bad_input_is_one_line_and_status_two(
    call: list[str],
    words: str,
    named: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    status = status_of(*(argument.format_map(named) for argument in call))
    said = capsys.readouterr().err
    assert status == 2, said
    assert words.format_map(named) in said
    assert said.startswith("error: ")
    assert said.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_fault_of_ours_is_one_line_and_status_three(
    named: dict[str, str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> None:
        raise ZeroDivisionError("odd\nthing")

    monkeypatch.setattr("cascade_core.commands.runs.load_run", fail)
    assert status_of("show", named["run"]) == 3
    error = "error: ZeroDivisionError: odd thing; a fault of this program, CASCADE_TRACEBACK=1 shows where\n"
    assert capsys.readouterr().err == error
    monkeypatch.setenv("CASCADE_TRACEBACK", "1")
    assert status_of("show", named["run"]) == 3
    assert capsys.readouterr().err.startswith("Traceback (most recent call last):")


def test_more_than_the_memory_holds_is_bad_input(
    named: dict[str, str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("cascade_core.commands.runs.load_run", fail)
    assert status_of("show", named["run"]) == 2
    assert capsys.readouterr().err == "error: MemoryError\n"


HOSTILE = "\x1b[2J\x1b]0;mine\x07\x9b31m\r\u202e\u200e\u200b\u2028\u3164"


@pytest.mark.parametrize(
    "call",
    [
        ["show", "{run}"],
        ["choose", "{run}", "--policy", "shared", "--threshold", "90", "--answers", "own", "--out", "c.json"],
        ["compare", "{run}", "--answers", "own"],
        ["evaluate", "{choice}", "{named}"],
        ["evaluate", "{choice}", "{run}"],
        ["check", "{choice}", "{named}", "--max-drop", "50%"],
        ["import", "{run}", "--out", "x.parquet"],
        ["join", "{run}", "{run}", "--names", f"a,{HOSTILE}", "--out", "x.parquet"],
        ["figure", "{run}", "--texts"],
        ["costs", "{run}", "--unit", HOSTILE, "--part", "1,2"],
        ["show", HOSTILE],
        [HOSTILE],
    ],
    ids=" ".join,
)
def test_names_that_a_terminal_would_obey_are_shown(
    call: list[str],
    named: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    names = [HOSTILE, f"b{HOSTILE}", "c"]
    run = save_run(replace(sample_run(names=names), source={"title": HOSTILE}), tmp_path / "hostile.parquet")
    choice = tmp_path / "hostile.json"
    status_of("choose", str(run), "--policy", "shared", "--threshold", "0.9", "--out", str(choice))
    files = {"run": str(run), "choice": str(choice), "named": named["run"]}
    status_of(*(argument.format_map(files) for argument in call))
    said = "".join(capsys.readouterr())
    assert "\\x1b[2J" in said
    assert is_clean(said, keep="\n")


QUIET = [
    *([verb, "--help"] for verb in VERBS),
    ["show", "{run}"],
    ["choose", "{run}", "--policy", "shared", "--threshold", "0.9"],
    ["compare", "{run}", "--answers", "own"],
    ["evaluate", "{choice}", "{run}"],
    ["check", "{choice}", "{run}", "--max-drop", "1pt"],
    ["watch", "{choice}", "{folder}"],
    ["figure", "{run}", "--texts"],
    ["report", "{run}", "--answers", "own", "--out", "x.html"],
    ["costs", "{run}", "--unit", "cents", "--part", "1,2,3,4"],
    ["join", "{run}", "{run}", "--names", "a,b", "--out", "x.parquet"],
    ["import", "{run}", "--out", "x.parquet"],
    ["exits", "small-cnn"],
]


@pytest.mark.parametrize("call", QUIET, ids=" ".join)
def test_where_nobody_reads_on_it_ends_quietly(
    call: list[str],
    named: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w", encoding="utf-8") as stream:
        monkeypatch.setattr("sys.stdout", stream)
        assert status_of(*(argument.format_map(named) for argument in call)) == 141
    said = capfd.readouterr().err
    assert all(line.startswith("note: ") for line in said.splitlines()), said


@pytest.mark.parametrize(
    ("command", "status", "said"),
    [
        ("show missing.parquet", 2, "error: Cannot read missing.parquet: there is no such file\n"),
        ("show {run} > /dev/full", 2, "error: Cannot write standard output: no space left on device\n"),
        ("show {run} >&-", 0, ""),
        ("show {run} | true; exit ${{PIPESTATUS[0]}}", 141, ""),
    ],
)
def test_as_a_module_in_a_shell(command: str, status: int, said: str, named: dict[str, str]) -> None:
    line = f"{sys.executable} -m cascade_core {command.format_map(named)}"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (status, said)


def test_ctrl_c_before_a_verb_has_begun_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("cascade_core.__main__.parser", Mock(side_effect=KeyboardInterrupt))
    assert main(["show", "run.parquet"]) == 130
    assert capsys.readouterr().err == "stopped\n"
