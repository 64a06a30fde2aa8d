"""The verb `figure`: what it writes, and what it refuses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from cascade_core import save_run
from cascade_core.__main__ import main
from tests.samples import sample_run


@pytest.fixture
def run(tmp_path: Path) -> Path:
    save_run(sample_run(), tmp_path / "mine.parquet")
    return tmp_path / "mine.parquet"


def test_one_figure_in_three_formats(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    outs = [tmp_path / f"curve{ending}" for ending in (".pdf", ".svg", ".png")]
    assert main(["figure", str(run), "--max-drop", "0.01", "--out", *map(str, outs)]) == 0
    assert [out.read_bytes()[:4] for out in outs] == [b"%PDF", b"<?xm", b"\x89PNG"]
    assert capsys.readouterr().out.endswith("curve.png: acceptable accuracy drop 1.0 points\n")


@pytest.mark.parametrize("chart", ["curve", "exits", "histograms", "comparison"])
def test_every_chart_lists_its_texts(run: Path, chart: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["figure", str(run), "--chart", chart, "--texts"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert {"curve": "oracle", "exits": "right", "histograms": "leave", "comparison": "mine"}[chart] in said


def test_runs_and_policies_are_compared(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save_run(sample_run(seed=1), tmp_path / "other.parquet")
    words = ["--chart", "comparison", "--beside", str(tmp_path / "other.parquet"), "--policies", "cheapest", "paper"]
    renamed = ["--rename", "other=B", "--rename", "mine=A = 1", "--width", "6.9", "--font", "serif"]
    out = tmp_path / "two.svg"
    assert main(["figure", str(run), *words, *renamed, "--out", str(out)]) == 0
    assert capsys.readouterr().out == f"wrote {out}: 4 curves\n"
    drawing = out.read_text("utf-8")
    assert 'width="496.8pt"' in drawing
    assert "<!-- B -->" in drawing
    assert "<!-- A = 1 -->" in drawing


def test_costs_are_in_the_unit_that_is_asked_for(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save_run(replace(sample_run(), baseline_macs=9000), other := run.parent / "other.parquet")
    for one in (run, other):
        assert main(["costs", str(one), "--unit", "cents", "--per", "10", "--part", "1,2,3,5"]) == 0
    beside = ["--chart", "comparison", "--beside", str(other)]
    capsys.readouterr()
    for words, title in (
        ([], "mean cents, % of the plain network"),
        (["--policy", "budget", "--max-cost", "3"], "mean cents, % of the plain network"),
        (beside, "mean cents per 10 samples"),
    ):
        assert main(["figure", str(run), "--cost", "own", *words, "--texts"]) == 0
        assert capsys.readouterr().out.splitlines()[0] == title
    assert main(["costs", str(other), "--unit", "joules", "--part", "1,2,3,5"]) == 0
    assert main(["figure", str(run), "--cost", "own", *beside, "--texts"]) == 2
    assert "costs of all runs to be in one unit" in capsys.readouterr().err


def test_published_savings_of_macs_are_said_not_to_be_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = save_run(replace(sample_run(), source={"dataset_name": "CIFAR-10"}), tmp_path / "mine.parquet")
    assert main(["costs", str(run), "--unit", "cents", "--part", "1,2,3,5"]) == 0
    out = ["--out", str(tmp_path / "curve.svg")]
    capsys.readouterr()
    assert main(["figure", str(run), *out]) == 0
    assert "not drawn" not in capsys.readouterr().out
    assert main(["figure", str(run), "--cost", "own", *out]) == 0
    assert capsys.readouterr().out.endswith("not drawn: their costs are MACs, and these are cents.\n")
    assert main(["figure", str(run), "--cost", "own", "--no-published", *out]) == 0
    assert "not drawn" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ([], "Expected --out with files to write, or --texts, but there was neither"),
        (
            ["--out", "x.gif"],
            "Expected the name of the file to write to end in .pdf or .svg or .png but it was 'x.gif'",
        ),
        (
            ["--policies", "paper", "--out", "x.pdf"],
            "--beside and --policies are for --chart comparison, not for --chart",
        ),
        (["--width", "40", "--out", "x.pdf"], "Expected width to be from 1 to 20 but it was 40"),
        (["--rename", "pla=x", "--out", "x.pdf"], "Expected a text of this figure to replace but it was “pla”"),
    ],
)
def test_one_line_says_what_is_wrong(
    run: Path, words: list[str], complaint: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(run.parent)
    assert main(["figure", str(run), *words]) == 2
    assert capsys.readouterr().err.startswith(f"error: {complaint}")
    assert [path.name for path in run.parent.iterdir()] == ["mine.parquet"]
