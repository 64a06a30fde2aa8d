"""`compare --by`, and choosing without labels: what is printed, and what is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cascade_core import load_choice, load_run, save_run
from cascade_core.__main__ import main
from cascade_core.storage.reading import load_sample_ids


def test_compare_by_class(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", str(run), "--by", "class", "--answers", "own"]) == 0
    text = capsys.readouterr().out
    assert "by class, the worst of 5 groups of 200 samples under each policy:" in text
    assert "in all groups at once" in text


def test_compare_by_a_column(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    groups = tmp_path / "groups.csv"
    rows = [f"{i},{'left' if int(i) % 4 else 'right'}" for i in load_run(run).sample_ids]
    groups.write_text("\n".join(["sample_id,camera", *rows]))
    flags = ["--by", "camera", "--groups", str(groups), "--answers", "own", "--in-sample"]
    assert main(["compare", str(run), *flags]) == 0
    lines = capsys.readouterr().out.splitlines()
    sizes = {line.split()[0]: int(line.split()[1]) for line in lines if line.split()[:1] in (["left"], ["right"])}
    assert sizes == {"left": 300, "right": 100}
    assert not any(line.startswith("Certified") for line in lines)


def test_a_column_needs_a_table(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", str(run), "--by", "camera", "--answers", "own"]) == 2
    said = capsys.readouterr()
    assert said.err.startswith(
        "error: Expected to divide samples by 'class' but it was 'camera', a column that the run"
    )
    assert not said.out


def test_a_table_needs_a_column(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "cameras.csv").write_text("sample_id,camera\n0,left\n")
    choice = tmp_path / "choice.json"
    assert main(["choose", str(run), "--max-drop", "2pt", "--out", str(choice)]) == 0
    flags = ["--groups", str(tmp_path / "cameras.csv")]
    for call in (
        ["compare", str(run)],
        ["choose", str(run), "--max-drop", "2pt"],
        ["check", str(choice), str(run), "--max-drop", "2pt"],
        ["report", str(run), "--out", str(tmp_path / "report.html")],
    ):
        assert main([*call, *flags]) == 2
        assert "Expected --by COLUMN with --groups" in capsys.readouterr().err


def test_samples_that_a_table_does_not_name_are_told(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = load_sample_ids(run)[:2]
    (tmp_path / "cameras.csv").write_text(f"sample_id,camera\n{first},left\n{second},\nnobody,right\n")
    assert main(["group", str(run), str(tmp_path / "cameras.csv"), "--out", str(tmp_path / "new.parquet")]) == 0
    said = capsys.readouterr()
    assert "camera: 2 groups of 1 to 399 samples" in said.out
    assert "399 samples are (none): " in said.err


def test_groups_are_told_in_the_costs_that_are_counted(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["costs", str(run), "--unit", "cents", "--per", "10", "--part", "1,2,4,5"]) == 0
    flags = [str(run), "--max-drop", "2pt", "--answers", "own", "--cost", "own", "--by", "class"]
    out = tmp_path / "choice.json"
    for verb in (["choose", *flags, "--out", str(out)], ["compare", *flags]):
        capsys.readouterr()
        assert main(verb) == 0
        head, *rows = [line.split() for line in capsys.readouterr().out.rpartition("first:\n")[2].splitlines()]
        record = load_run(run).record().split(0.5, 0)[1]
        for row in rows[:5] if verb[0] == "choose" else []:
            told = dict(zip(head, row, strict=False))
            of = np.flatnonzero(record.labels == load_run(run).class_names.index(told["group"]))
            exits = load_choice(out).rule.exit_stages(record.take(of))
            mean = np.array([1, 1 + 2, 1 + 2 + 4])[exits].mean()
            assert float(told["mean_cents_per_10"]) == pytest.approx(mean, abs=1e-4)
            assert told["saving"] == f"{1 - mean / 5:.2%}"
        assert "mean_cents_per_10" in head


def test_a_run_keeps_columns_of_groups(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table, grouped = tmp_path / "groups.csv", str(tmp_path / "grouped.parquet")
    rows = [f"{i},{'left' if int(i) % 4 else 'right'},May" for i in load_run(run).sample_ids]
    table.write_text("\n".join(["sample_id,camera,month", *rows]))
    assert main(["group", str(run), str(table), "--out", grouped]) == 0
    assert "camera: 2 groups of 100 to 300 samples\nmonth: 1 groups" in capsys.readouterr().out
    assert main(["compare", grouped, "--by", "camera", "--answers", "own", "--in-sample"]) == 0
    assert "by camera, the worst of 2 groups of 400 samples" in capsys.readouterr().out
    assert main(["show", grouped]) == 0
    assert "groups by camera: left, right\ngroups by month: May\n" in capsys.readouterr().out


@pytest.mark.parametrize("answers", ["own", "auto"])
def test_without_labels_the_choice_is_that_of_a_run_that_has_none(run: Path, tmp_path: Path, answers: str) -> None:
    bare = save_run(load_run(run).without_labels(), tmp_path / "bare.parquet")
    found = []
    for path, flags in ((run, ["--without-labels"]), (bare, [])):
        out = tmp_path / "choice.json"
        assert main(["choose", str(path), "--max-drop", "2%", "--answers", answers, *flags, "--out", str(out)]) == 0
        data = json.loads(out.read_text())
        found.append((data["rule"], data["measured"]))
    assert found[0] == found[1]
    assert found[0][1]["reference"] == "last stage"


def test_labels_are_passed_over_elsewhere_too(run: Path, tmp_path: Path) -> None:
    outputs, out = load_run(run), tmp_path / "choice.json"
    ids = np.array([f"new {i}" for i in outputs.sample_ids])
    other = save_run(replace(outputs, sample_ids=ids), tmp_path / "other.parquet")
    flags = ["--max-drop", "2%", "--without-labels", "--judge-on", str(other), "--out", str(out)]
    assert main(["choose", str(run), *flags]) == 0
    assert json.loads(out.read_text())["judged_on"][0]["measured"]["reference"] == "last stage"
