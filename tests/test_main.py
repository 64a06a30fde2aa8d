"""The command line as a whole: every verb explains itself, tells bad input from faults of ours, and ends quietly."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from cascade_core import save_run
from cascade_core.__main__ import VERBS_BY_FILE, main, parser
from cascade_core.commands.common import Parser
from tests.names import is_clean
from tests.samples import sample_run

NET = ["--network", "small-cnn"]
DIGITS = ["--network", f"small-cnn+{Path(__file__).parents[1] / 'cache' / 'digits.safetensors'}"]
LEARNED = ["--train-data", "digits", "--front-out", "f.safetensors"]
COSTS = ["--unit", "cents", "--part"]

BAD = [
    ([], "the following arguments are required: VERB"),
    (["bogus"], "invalid choice: 'bogus'"),
    (["exits"], "required: NETWORK"),
    (["exits", "nothing"], "nothing"),
    (["exits", "small-cnn", "--exits", "auto:0"], "auto:N with N from 1 to 4"),
    (["exits", "small-cnn", "--image-size", "-3"], "image"),
    (["build", *NET, "--data", "digits", "--train-data", "nothing:x", "--out", "x.parquet"], "nothing"),
    (["build", *NET, "--data", "digits", "--train-data", "digits", "--heads", "none", "--out", "x.parquet"], "none"),
    (["build", *NET, "--data", "digits", "--train-data", "digits", "--epochs", "0", "--out", "x.parquet"], "epochs"),
    (["build", *NET, "--data", "digits", "--train-data", "digits", "--held-out", "5", "--out", "x.parquet"], "5%"),
    (["front", *NET, *LEARNED], "Expected weights for small-cnn"),
    (["front", "--network", "vgg", *LEARNED], "vgg"),
    (["front", *DIGITS, *LEARNED, "--share", "60%"], "share to be from 0 to 0.5 but it was 0.6"),
    (["front", *DIGITS, *LEARNED, "--share", "8"], "write 8% if it is in percent"),
    (["front", *DIGITS, *LEARNED, "--share", "1%"], "a small network of at most 1.00% of the 171,146 MACs"),
    (["front", *DIGITS, *LEARNED, "--epochs", "0"], "epochs to be at least 1"),
    (["front", *DIGITS, *LEARNED, "--minutes", "nan"], "minutes to be from 0"),
    (["front", *DIGITS, *LEARNED, "--held-out", "0"], "held_out to be above 0"),
    (["front", *DIGITS, *LEARNED, "--data", "digits"], "(--data) and a run to write (--out), or neither"),
    (["front", *DIGITS, "--train-data", "imagefolder:no", "--front-out", "f.safetensors"], "no"),
    (["front", *DIGITS, "--train-data", "digits", "--front-out", "f.pt"], "to end in .safetensors"),
    (["precompute", "--network", "front", "--data", "digits", "--out", "x.parquet"], "file that the verb front wrote"),
    (["precompute", "--network", "front={text}", "--data", "digits", "--out", "x.parquet"], "to be a network that"),
    (["precompute", "--network", "vgg", "--data", "digits", "--out", "x.txt"], "or to be a folder without"),
    (["precompute", "--network", "vgg", "--data", "digits", "--out", "x.parquet"], "vgg"),
    (["precompute", *NET, "--data", "imagefolder:nowhere", "--out", "x.parquet"], "Expected weights for small-cnn"),
    (["precompute", "--network", "small-cnn=missing.pt", "--data", "digits", "--out", "x.parquet"], "missing.pt"),
    (["build", *NET, "--data", "digits", "--train-data", "imagefolder:no", "--out", "x.parquet"], "no"),
    (["classify", "{choice}", "nowhere.png", *NET], "nowhere.png"),
    (["classify", "{run}", "{text}", *NET], "expected JSON"),
    (["classify", "{choice}", "{text}", "--network", "vgg"], "vgg"),
    (["classify", "{choice}", "{text}", *NET, "--class-names", "a,b"], ""),
    (["bundle", "{choice}", *NET, "--out", "x"], "Expected --class-names"),
    (["bundle", "missing.json", *NET, "--class-names", "a,b", "--out", "x"], "missing.json"),
    (["bundle", "{choice}", *NET, "--class-names", "a,b", "--out", "{text}"], ""),
    (["prepare", "{text}"], "expected a Parquet file but it does not begin and end as one"),
    (["profile", "{run}", *NET], "Expected weights for small-cnn"),
    (["profile", "missing.parquet", *NET], "there is no such file"),
    (["profile", "{run}", "--network", "vgg"], "vgg"),
    (["profile", "{run}", *NET, "--batch-sizes", "1,x"], "numbers separated by commas"),
    (["join", "{run}", "--out", "x.parquet"], "two or more runs to join but there were 1"),
    (["join", "{run}", "{text}", "--out", "x.parquet"], "expected a Parquet file but it does not begin and end as one"),
    (["join", "{run}", "{run}", "--names", "a", "--out", "x.parquet"], "--names to name the 2 runs but it names 1"),
    (["join", "{run}", "{run}", "--names", "a,a", "--out", "x.parquet"], "repeats"),
    (["import", "{text}", "--out", "x.parquet"], "one of .npz"),
    (["import", "{run}", "--out", "x.csv"], "to end in .parquet"),
    (["import", "missing.npz", "--out", "x.parquet"], "no such file"),
    (["import", "{run}", "--macs", "1,a,2", "--out", "x.parquet"], "--macs"),
    (["group", "{run}", "{text}", "--out", "x.parquet"], "expected a column 'sample_id'"),
    (["group", "{run}", "missing.csv", "--out", "x.parquet"], "no such file"),
    (["group", "{run}", "{text}", "--out", "x.csv"], "to end in .parquet"),
    (["count", "{text}", "--out", "x.parquet"], "expected a Parquet file but it does not begin and end as one"),
    (["count", "{run}", "--out", "x.csv"], "to end in .parquet"),
    (["show", "{text}"], "expected a Parquet file but it does not begin and end as one"),
    (["show", "{folder}"], "{folder}"),
    (["show", "{cut}"], "{cut}"),
    (["show", "{run}", "--top-k", "0"], "top_k to be a whole number from 1"),
    (["costs", "{run}", *COSTS, "1,2"], "--part to have 4 numbers"),
    (["costs", "{run}", *COSTS, "1,2,x,4"], "--part to have 4 numbers"),
    (["costs", "{run}", *COSTS, "1,2,nan,4"], ""),
    (["costs", "{run}", "--per", "0", *COSTS, "1,2,3,4"], "per"),
    (["costs", "{text}", *COSTS, "1,2,3,4"], "expected a Parquet file but it does not begin and end as one"),
    (["choose"], "required: run"),
    (["choose", "missing.parquet", "--max-drop", "0.01"], "there is no such file"),
    (["choose", "{run}"], "policy cheapest needs --max-drop"),
    (["choose", "{run}", "--policy", "none"], "invalid choice: 'none'"),
    (["choose", "{run}", "--max-drop", "abc"], "expected 1%, 0.5pt or 0.01 but it was 'abc'"),
    (["choose", "{run}", "--max-drop", "1"], "1 may mean 1 point or 100 points: write 1pt or 100pt"),
    (["choose", "{run}", "--max-drop", "0.01", "--epsilon", "0.1"], "policy cheapest takes no --epsilon"),
    (["choose", "{run}", "--max-drop", "-90pt"], "but the best that these 200 samples let expect"),
    (["choose", "{run}", "--max-drop", "0.01", "--fraction", "1"], "samples on both sides"),
    (["choose", "{run}", "--max-drop", "0.01", "--fraction", "50"], "write 50% if it is in percent"),
    (["choose", "{run}", "--max-drop", "0.01", "--seed", "-1"], "seed to be a whole number from 0"),
    (["choose", "{run}", "--max-drop", "0.01", "--top-k", "9"], "top_k to be a whole number from 1 to 5"),
    (["choose", "{run}", "--max-drop", "0.01", "--out", "x.txt"], "to end in .json"),
    (["choose", "{run}", "--policy", "paper", "--epsilon", "0.5"], "write 0.5pt or 50pt"),
    (["choose", "{run}", "--policy", "paper", "--epsilon", "-1%"], "epsilon to be from 0 to 1"),
    (["choose", "{run}", "--policy", "certified", "--max-drop", "1pt", "--alpha", "5"], "write 5% if it is in percent"),
    (["choose", "{run}", "--policy", "certified", "--max-drop", "1pt", "--alpha", "0"], "strictly between 0 and 1"),
    (["choose", "{run}", "--policy", "budget", "--max-macs", "nan"], "max_macs to be from 0"),
    (["choose", "{run}", "--policy", "fixed", "--thresholds", "0.5"], "shape (2,)"),
    (["choose", "{run}", "--policy", "fixed", "--thresholds", "a,b"], "expected 90%, 0.9 or inf but it was 'a'"),
    (["compare", "{run}", "--max-drop", "-2"], "write -2pt if it is in points"),
    (["compare", "{run}", "--seeds", "1"], "Expected seeds"),
    (["compare", "{run}", "--seeds", "3", "--in-sample"], "in-sample"),
    (["compare", "{cut}"], "{cut}"),
    (["evaluate", "{run}", "{run}"], "expected JSON"),
    (["evaluate", "{choice}", "{text}"], "expected a Parquet file but it does not begin and end as one"),
    (["evaluate", "missing.json", "{run}"], "no such file"),
    (["evaluate", "{choice}", "{other}"], "Expected a rule for 2 stages"),
    (["check", "{choice}", "{run}"], "Expected --max-drop or --min-saving"),
    (["check", "{choice}", "{run}", "--max-drop", "1"], "write 1pt or 100pt"),
    (["check", "{choice}", "{run}", "--max-drop", "1pt", "--confidence", "1"], "strictly between 0 and 1"),
    (["check", "{choice}", "{run}", "--min-saving", "30"], "write 30% if it is in percent"),
    (["check", "{choice}", "{other}", "--max-drop", "1pt"], "Expected a rule for 2 stages"),
    (["check", "{choice}", "{run}", "--max-drop", "1pt", "--by", "month"], "invalid choice: 'month'"),
    (["check", "{choice}", "{run}", "--max-drop", "1pt", "--json", "x.txt"], "to end in .json"),
    (["check", "{run}", "{run}", "--max-drop", "1pt"], "expected JSON"),
    (["watch", "{choice}"], "required: log"),
    (["watch", "{choice}", "nowhere"], "Cannot read nowhere: there is no such file or folder"),
    (["watch", "{run}", "{text}"], "expected JSON"),
    (["watch", "{choice}", "{folder}", "--alpha", "5"], "write 5% if it is in percent"),
    (["watch", "{choice}", "{folder}", "--alpha", "0"], "strictly between 0 and 1"),
    (["watch", "{choice}", "{folder}", "--state", "x.txt"], "to end in .json"),
    (["report", "{run}", "--policy", "certified", "--max-drop=-1pt", "--out", "x.html"], "max_drop to be from 0 to 1"),
    (["report", "{run}", "--policy", "paper", "--max-drop", "0.1", "--out", "x.html"], "paper takes no --max-drop"),
    (["report", "{run}", "--max-drop", "1", "--out", "x.html"], "write 1pt or 100pt"),
    (["report", "{run}", "--out", "x.txt"], "to end in .html"),
    (["report", "{text}", "--out", "x.html"], "expected a Parquet file but it does not begin and end as one"),
    (["figure", "{run}", "--max-drop", "1", "--out", "x.svg"], "write 1pt or 100pt"),
    (["figure", "{run}", "--out", "x.doc"], ".doc"),
    (["figure", "{run}", "--width", "nan", "--out", "x.svg"], "width"),
    (["figure", "{text}", "--out", "x.svg"], "expected a Parquet file but it does not begin and end as one"),
    (["page", "nowhere"], "Expected a folder of runs but nowhere is none"),
    (["page", "--port", "99999"], "--port to be a whole number from 1 to 65535"),
]  # fmt: skip
"""Calls of every verb with bad input, and what the line on it says."""

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
    ["costs", "{run}", *COSTS, "1,2,3,4"],
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
        ("show {run} | head -1 > /dev/null; exit ${{PIPESTATUS[0]}}", 141, ""),
    ],
)
def test_as_a_module_in_a_shell(command: str, status: int, said: str, named: dict[str, str]) -> None:
    line = f"{sys.executable} -m cascade_core {command.format_map(named)}"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (status, said)
