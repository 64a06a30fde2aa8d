"""The verb `watch`: files that grow, standard input, states and what it writes."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from cascade_core import CheapestWithinDrop, load_choice, tune
from cascade_core.__main__ import main
from tests.logged import write_log
from tests.samples import sample_run


@pytest.fixture
def choice(tmp_path: Path) -> Path:
    path: Path = tmp_path / "choice.json"
    tune(sample_run(n=1000), CheapestWithinDrop(max_drop=0.02), answers="own").save(path)
    return path


def test_it_says_what_is_known_and_writes_it(choice: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_log(tmp_path / "a.jsonl", load_choice(choice), 400)
    told, new = tmp_path / "told.json", tmp_path / "new.json"
    call = ["watch", str(choice), str(tmp_path / "a.jsonl"), "--json", str(told), "--rechoose", str(new)]
    assert main(call) == 0
    said = capsys.readouterr().out
    assert said.startswith("400 samples in 1 log, until 2025-11-26 18:06:39 UTC\n")
    assert "400 audited samples: these thresholds answer otherwise than the plain network on" in said
    assert "no alarm" in said
    known = json.loads(told.read_text())
    assert (known["samples"], known["audited"], known["limit"], known["alarm"]) == (400, 400, 0.02, None)
    assert sum(stage["share"] for stage in known["exits"]) == pytest.approx(1)
    again = load_choice(new)
    assert again.measured["reference"] == "last stage"
    assert again.policy == {"name": "cheapest", "parameters": {"max_drop": 0.02}}


def test_logs_without_a_line_are_no_table(choice: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty.jsonl").touch()
    assert main(["watch", str(choice), str(tmp_path / "empty.jsonl")]) == 0
    none = "no log has a whole line yet (in folders, names that end in .jsonl, .ndjson, .log, .parquet)\n"
    assert capsys.readouterr().out == none
    (tmp_path / "odd.jsonl").write_text("bad\n")
    assert main(["watch", str(choice), str(tmp_path / "odd.jsonl")]) == 0
    assert capsys.readouterr().out == "0 samples in 1 log\nnot counted: 1 line unreadable\n"


def test_an_alarm_of_late_labels_alone_is_told(
    choice: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.jsonl").write_text('{"time": 5.0, "answer": 1, "label": 2}\n' * 300)
    assert main(["watch", str(choice), str(tmp_path / "a.jsonl")]) == 0
    said = capsys.readouterr().out
    assert said.startswith("0 samples, 300 labels in 1 log")
    assert "alarm after 0 samples" in said
    assert "by how often labels are met" in said


def test_logs_that_begin_alike_and_audits_that_are_none_are_told(
    choice: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = load_choice(choice).rule.stage_names or ()
    line = {"stage": names[0], "confidence": [1.0], "answer": 0}
    for name, last in (("a", names[0]), ("b", names[1])):
        rows = [line, {**line, "stage": last, "confidence": [1.0] * 2, "answers": [0], "plain": 0}]
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert main(["watch", str(choice), str(tmp_path / "a.jsonl"), str(tmp_path / "b.jsonl")]) == 0
    said = capsys.readouterr().out
    assert "not read: b.jsonl, which says something else than a.jsonl but begins as that does" in said
    assert "not counted: 1 line as audited, which lack an answer or a confidence of a stage" in said


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["-", "LOG"], "Expected - (standard input) or logs but there were both"),
        (["LOG", "--follow", "--rechoose", "new.json"], "--rechoose without --follow"),
        (["LOG", "--json", "CHOICE"], "files of different names to read and to write"),
        (["LOG", "--json", "x.json", "--state", "x.json"], "files of different names to read and to write"),
    ],
)
def test_flags_that_would_lose_something_are_refused(
    flags: list[str], words: str, choice: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log, before = write_log(tmp_path / "a.jsonl", load_choice(choice), 5), choice.read_bytes()
    given = [{"LOG": str(log), "CHOICE": str(choice)}.get(flag, flag) for flag in flags]
    given = [str(tmp_path / flag) if flag.endswith(".json") and "/" not in flag else flag for flag in given]
    assert main(["watch", str(choice), *given]) == 2
    assert words in capsys.readouterr().err
    assert choice.read_bytes() == before


def test_stages_that_no_sample_reached_have_no_confidence(
    choice: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = {"time": 1.0, "stage": (load_choice(choice).rule.stage_names or ())[0], "confidence": [1.0], "answer": 0}
    (tmp_path / "a.jsonl").write_text(json.dumps(line) + "\n")
    assert main(["watch", str(choice), str(tmp_path / "a.jsonl")]) == 0
    said = capsys.readouterr().out
    assert "NaN" not in said
    assert said.splitlines()[-5].split()[-2:] == ["0.00%", "-"]


def test_what_grew_is_read_on_and_the_end_of_a_line_is_waited_for(
    choice: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = write_log(tmp_path / "whole.txt", load_choice(choice), 300).read_bytes()
    log, state = tmp_path / "exits.jsonl", str(tmp_path / "state.json")
    for end in (1000, 1001, 20_000, len(whole)):
        log.write_bytes(whole[:end])
        assert main(["watch", str(choice), str(tmp_path), "--state", state]) == 0
    assert "300 samples in 1 log" in capsys.readouterr().out
    again = str(tmp_path / "again.json")
    assert main(["watch", str(choice), str(log), "--state", again]) == 0
    assert Path(again).read_bytes() == Path(state).read_bytes()


def test_standard_input_is_read_to_its_end(
    choice: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = write_log(tmp_path / "a.jsonl", load_choice(choice), 50).read_bytes().rstrip(b"\n")
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"bad\n" + raw)))
    assert main(["watch", str(choice), "-"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("50 samples in 1 log")
    assert "not counted: 1 line unreadable" in said


def test_it_follows_what_grows_until_it_is_stopped(
    choice: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    log = write_log(tmp_path / "a.jsonl", load_choice(choice), 20)
    looks: list[None] = []

    def pause(_: float) -> None:
        looks.append(None)
        if len(looks) == 2:
            with log.open("ab") as stream:
                stream.write(write_log(tmp_path / "b.txt", load_choice(choice), 30, seed=1).read_bytes())
        if len(looks) == 4:
            raise KeyboardInterrupt

    monkeypatch.setattr("cascade_core.commands.watching.time.sleep", pause)
    told = tmp_path / "told.json"
    assert main(["watch", str(choice), str(log), "--follow", "--json", str(told)]) == 130
    assert json.loads(told.read_text())["samples"] == 50
    said = capsys.readouterr().out
    assert [line for line in said.splitlines() if "samples in 1 log" in line] == [
        "20 samples in 1 log, until 2025-11-26 18:00:19 UTC",
        "50 samples in 1 log, until 2025-11-26 18:00:29 UTC",
    ]
