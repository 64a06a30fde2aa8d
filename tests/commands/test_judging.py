"""`--judge-on`: the other run's numbers beside one's own, in print and in the choice."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from cascade_core import load_choice, load_run, save_run
from cascade_core.__main__ import main
from tests.oracle import naive_evaluate
from tests.samples import sample_run


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """Another month, whose ids only count."""
    return save_run(sample_run(n=150, seed=7), tmp_path / "month.parquet")


def test_choose_judges_elsewhere_and_writes_it(
    run: Path, other: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "choice.json"
    assert main(["choose", str(run), "--max-drop", "2%", "--judge-on", str(other), "--out", str(out)]) == 0
    text = capsys.readouterr().out
    assert "judged on 150 samples of month.parquet, by the same thresholds:" in text
    choice = load_choice(out)
    (told,) = choice.judged_on
    naive = naive_evaluate(load_run(other).record(pool=choice.rule.pool), choice.rule.thresholds)
    assert told["run"]["name"] == "month"
    assert told["measured"]["n"] == 150
    assert told["measured"]["accuracy"] == sum(naive.correct_counts) / 150
    assert told["measured"]["mean_macs"] == naive.total_macs / 150
    assert [row["share"] for row in told["measured"]["exits"]] == [count / 150 for count in naive.exit_counts]
    assert told["likeness"]["exits"]["p"] > 0
    assert told["certified_drop"]["at_most"] >= told["measured"]["accuracy_drop"]


def test_evaluate_tells_the_same(run: Path, other: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "choice.json"
    main(["choose", str(run), "--max-drop", "2%", "--judge-on", str(other), "--out", str(out)])
    chosen = capsys.readouterr().out.splitlines()
    assert main(["evaluate", str(out), str(run), "--judge-on", str(other)]) == 0
    evaluated = capsys.readouterr().out.splitlines()
    there = next(i for i, line in enumerate(chosen) if line.startswith("judged on"))
    assert chosen[there:-1] == evaluated[evaluated.index(chosen[there]) :][: len(chosen[there:-1])]


def test_evaluate_on_another_run_says_whether_it_looks_like_the_first(
    run: Path, other: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "choice.json"
    main(["choose", str(run), "--max-drop", "2%", "--out", str(out)])
    capsys.readouterr()
    assert main(["evaluate", str(out), str(other)]) == 0
    assert "These samples" in capsys.readouterr().out
    assert main(["evaluate", str(out), str(other), "--judge-on", str(run)]) == 2
    assert "the run that the thresholds were chosen on, run, with --judge-on" in capsys.readouterr().err


def test_compare_prints_both(run: Path, other: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", str(run), "--judge-on", str(other)]) == 0
    text = capsys.readouterr().out
    assert "the same thresholds on 150 samples of month.parquet:" in text
    assert text.count("cheapest-uncorrected") == 2


def test_other_macs_are_said(run: Path, other: Path, capsys: pytest.CaptureFixture[str]) -> None:
    outputs = load_run(other)
    dear = tuple(replace(stage, trunk_macs=10 * stage.trunk_macs) for stage in outputs.stages)
    save_run(replace(outputs, stages=dear), other)
    assert main(["choose", str(run), "--max-drop", "2%", "--judge-on", str(other)]) == 0
    assert "month.parquet has other MACs than run.parquet, whose are told" in capsys.readouterr().err


def test_a_choice_may_tell_no_other_things(run: Path, other: Path, tmp_path: Path) -> None:
    out = tmp_path / "choice.json"
    main(["choose", str(run), "--max-drop", "2%", "--judge-on", str(other), "--out", str(out)])
    data = json.loads(out.read_text())
    data["judged_on"][0]["likeness"]["p"] = 2
    out.write_text(json.dumps(data))
    with pytest.raises(ValueError, match="judged_on/0/likeness/p"):
        load_choice(out)
