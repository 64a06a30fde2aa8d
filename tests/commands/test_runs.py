"""The verbs `import`, `join` and `show`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cascade_core import save_run
from cascade_core.__main__ import main
from cascade_core.storage.compact import NOTE
from tests.runfiles import load_softmaxes
from tests.samples import sample_run


def test_import_takes_macs_as_people_write_them_and_says_what_it_supposed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = sample_run(names=["small", "mid", "large"])
    files = []
    for name, probs in zip(("small", "mid", "large"), made.probs, strict=True):
        files.append(str(tmp_path / f"{name}.npz"))
        np.savez(files[-1], predictions=probs, label_ids=made.labels + 1)
    out = tmp_path / "mine.parquet"
    verb = ["import", *files, "--out", str(out), "--labels-from", "1"]
    assert main([*verb, "--macs-up-to", "10M,30M,0.07G", "--baseline-macs", "70M"]) == 0
    assert capsys.readouterr().err == ""
    loaded = load_softmaxes(out)
    assert [(stage.name, stage.trunk_macs) for stage in loaded.stages] == [
        ("small", 10_000_000),
        ("mid", 20_000_000),
        ("large", 40_000_000),
    ]
    assert loaded.labels.tolist() == made.labels.tolist()
    assert loaded.baseline_macs == 70_000_000
    assert main(verb) == 0
    assert capsys.readouterr().err.startswith("note: MACs were not given: every stage is taken to add the same.")
    assert main([*verb, "--macs", "10M,20M,40M", "--stage-names", "a,b,c"]) == 0
    assert load_softmaxes(out).stages[0].name == "a"


def test_import_makes_a_run_of_logits(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    logits = np.array([[[2.0, 0.0], [0.0, 1.0]], [[3.0, 0.0], [0.0, 3.0]]])
    np.savez(tmp_path / "mine.npz", logits=logits, labels=np.array([0, 1]))
    out = tmp_path / "mine.parquet"
    assert main(["import", str(tmp_path / "mine.npz"), "--macs", "10,20", "--title", "Two.", "--out", str(out)]) == 0
    assert "wrote" in capsys.readouterr().out
    loaded = load_softmaxes(out)
    assert loaded.baseline_macs == 30
    assert loaded.source["title"] == "Two."
    # e^2 / (e^2 + 1) = 0.8808
    assert loaded.probs[0, 0, 0] == pytest.approx(0.8808, abs=1e-4)


def test_import_takes_costs_in_any_unit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = sample_run()
    np.savez(tmp_path / "mine.npz", probs=made.probs, labels=made.labels)
    out = tmp_path / "mine.parquet"
    verb = ["import", str(tmp_path / "mine.npz"), "--out", str(out)]
    assert main([*verb, "--unit", "dollars", "--per", "1000", "--part", "0.1,0.2,0.4,0.5"]) == 0
    assert f"wrote {tmp_path / 'mine.costs.json'}, for --cost own" in capsys.readouterr().out
    assert main(["choose", str(out), "--max-drop", "50%", "--cost", "own"]) == 0
    assert "dollars" in capsys.readouterr().out
    out.unlink()
    assert main([*verb, "--unit", "dollars", "--part", "0.1,0.2"]) == 2
    assert main([*verb, "--unit", "dollars"]) == 2
    assert "expected --unit and --part together" in capsys.readouterr().err
    assert not out.exists()


def test_show_names_stages_and_origin(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", str(run)]) == 0
    text = capsys.readouterr().out
    assert "400 samples, 5 classes" in text
    assert "stage 3" in text
    assert "title: CIFAR-10, a sample run." in text


@pytest.mark.parametrize(
    "verb",
    [["show", "{run}"], ["choose", "{run}", "--max-drop", "50%"], ["compare", "{run}", "--answers", "own"]],
    ids=lambda verb: " ".join(verb),
)
def test_what_is_odd_about_a_run_is_said(verb: list[str], run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    outputs = load_softmaxes(run)
    notes = ["Softmaxes were \x1b[31mrounded."]
    save_run(replace(outputs, probs=outputs.probs[::-1], source={"notes": notes}), run)
    assert main([argument.format(run=run) for argument in verb]) == 0
    said = capsys.readouterr()
    assert said.err.startswith("note: Softmaxes were \\x1b[31mrounded.\nnote: Accuracy falls from stage to stage")
    assert "rounded" not in said.out


def test_show_tells_the_accuracy_among_more_answers(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", str(run), "--top-k", "2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[2].endswith("accuracy top-2 accuracy")
    wanted = load_softmaxes(run).record(top_k=2).stage_accuracy
    assert [line.split()[-1] for line in lines[3:6]] == [f"{share:.2%}" for share in wanted]
    assert main(["show", str(run), "--top-k", "9"]) == 2
    assert "top_k to be a whole number from 1 to 5" in capsys.readouterr().err


def test_joined_runs_are_called_after_their_files(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = save_run(sample_run(), tmp_path / "other.parquet")
    out = tmp_path / "both.parquet"
    assert main(["join", str(run), str(other), "--out", str(out), "--title", "Both."]) == 0
    assert "wrote" in capsys.readouterr().out
    joined, alone = load_softmaxes(out), load_softmaxes(run)
    names = [stage.name for stage in alone.stages]
    assert [s.name for s in joined.stages] == [f"{each}, {name}" for each in ("run", "other") for name in names]
    assert joined.source["title"] == "Both."
    assert main(["join", str(run), str(other), "--out", str(out), "--dataset-name", "SVHN"]) == 0
    assert load_softmaxes(out).source["dataset_name"] == "SVHN"
    assert main(["join", str(run), str(other), "--out", str(out), "--names", "a,b"]) == 0
    assert load_softmaxes(out).stages[0].name == f"a, {names[0]}"
    capsys.readouterr()
    assert main(["join", str(run), str(other), "--out", str(out), "--names", "a"]) == 2
    assert "Expected --names to name the 2 runs but it names 1" in capsys.readouterr().err


def test_an_import_may_be_compact_and_of_a_kind(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run, source, out = sample_run(), tmp_path / "mine.npz", str(tmp_path / "mine.parquet")
    np.savez(source, probs=run.probs, labels=run.labels)
    assert main(["import", str(source), "--macs", "1,2,3", "--compact", "--kind", "Photos", "--out", out]) == 0
    assert load_softmaxes(out).source["kind"] == "Photos"
    assert f"note: {NOTE}" in capsys.readouterr().err
    np.savez(source, answer=run.probs.argmax(axis=2), confidence=run.probs.max(axis=2), labels=run.labels)
    assert main(["import", str(source), "--macs", "1,2,3", "--compact", "--out", out]) == 2
    assert "error: --compact is for softmaxes, and there are none" in capsys.readouterr().err


@pytest.mark.parametrize("out", ["x.txt", "{run}/x.parquet", "{folder}"])
def test_where_to_write_is_checked_before_any_work(
    out: str, run: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cascade_core.commands.runs.read_files", lambda *_, **__: pytest.fail("it worked first"))
    folder = run.parent / "folder.parquet"
    folder.mkdir()
    assert main(["import", "mine.npz", "--out", out.format(run=run, folder=folder)]) == 2
    error = capsys.readouterr().err
    assert "Cannot write" in error or "to end in .parquet" in error
    assert error.count("\n") == 1
    assert not list(run.parent.glob("**/.*tmp"))


def test_import_refuses_what_takes_too_much_until_it_is_allowed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A small file that claims to be large, by the limit of small files; the line says how to allow it."""
    monkeypatch.setattr("cascade_core.storage.importers.room.LEAST", 100_000)
    np.savez_compressed(tmp_path / "mine.npz", logits=np.zeros((2, 1_000, 10)), labels=np.zeros(1_000, np.int64))
    assert (tmp_path / "mine.npz").stat().st_size < 2_000
    out = tmp_path / "mine.parquet"
    verb = ["import", str(tmp_path / "mine.npz"), "--macs", "10M,20M", "--out", str(out)]
    assert main(verb) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"error: Cannot import {tmp_path}/mine.npz: expected at most 100,000 bytes unpacked but ")
    assert line.endswith("; --max-gigabytes allows more")
    assert not out.exists()
    assert main([*verb, "--max-gigabytes", "0.001"]) == 0
    for odd in ("none", "-1", "nan"):
        with pytest.raises(SystemExit):
            main([*verb, "--max-gigabytes", odd])
