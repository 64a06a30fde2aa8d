"""The verbs `choose`, `compare` and `evaluate`: the same numbers, and on which samples they were measured."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cascade_core import CheapestWithinDrop, choose, evaluate, load_choice, load_run, save_choice, save_run
from cascade_core.__main__ import main
from cascade_core.support.terms import NO_LABELS
from tests.samples import sample_run
from tests.support.test_terms import LIES


def test_choose_then_evaluate_tell_the_same_numbers(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "choice.json"
    assert main(["choose", str(run), "--max-drop", "0.02", "--seed", "3", "--out", str(out)]) == 0
    chosen = capsys.readouterr().out
    assert main(["evaluate", str(out), str(run)]) == 0
    evaluated = capsys.readouterr().out
    line = next(text for text in chosen.splitlines() if text.startswith("accuracy"))
    assert line in evaluated
    assert "200 samples that the thresholds never saw" in evaluated
    assert load_choice(out).policy == {"name": "cheapest", "parameters": {"max_drop": 0.02}}
    assert json.loads(out.read_text())["measured"]["split"] == {"fraction": 0.5, "seed": 3, "measured_on": "test"}


def test_evaluate_all_says_that_it_is_in_sample(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "choice.json"
    main(["choose", str(run), "--policy", "paper", "--epsilon", "0.02", "--out", str(out)])
    capsys.readouterr()
    assert main(["evaluate", str(out), str(run), "--all"]) == 0
    text = capsys.readouterr().out
    assert "in-sample" in text
    assert "on 400 samples" in text


@pytest.mark.parametrize(
    ("policy", "flags"),
    [
        ("cheapest", ["--max-drop", "0.01"]),
        ("cheapest-uncorrected", ["--max-drop", "0.01"]),
        ("certified", ["--max-drop", "0.2", "--alpha", "0.1"]),
        ("budget", ["--max-macs", "4000"]),
        ("shares", ["--max-macs", "4000"]),
        ("paper", ["--epsilon", "0.01"]),
        ("paper-by-class", ["--epsilon", "0.01"]),
        ("shared", ["--threshold", "0.9"]),
        ("fixed", ["--thresholds", "inf,0.9"]),
    ],
)
def test_choose_takes_every_policy(policy: str, flags: list[str], run: Path, tmp_path: Path) -> None:
    out = tmp_path / "choice.json"
    assert main(["choose", str(run), "--policy", policy, *flags, "--out", str(out)]) == 0
    choice = load_choice(out)
    assert choice.policy is not None
    assert choice.policy["name"] == policy
    if policy == "fixed":
        assert choice.thresholds.tolist() == [np.inf, np.float32(0.9)]


def test_a_choice_that_does_not_name_its_samples_is_labelled(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record = load_run(run).record()
    rule = choose(record, CheapestWithinDrop(0.01))
    save_choice(tmp_path / "bare.json", rule, evaluate(record, rule))
    assert main(["evaluate", str(tmp_path / "bare.json"), str(run)]) == 0
    assert "may include those that the thresholds were chosen on" in capsys.readouterr().out


def test_another_run_is_named(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "choice.json"
    main(["choose", str(run), "--max-drop", "0.01", "--out", str(out)])
    other = save_run(sample_run(seed=5), tmp_path / "other.parquet")
    capsys.readouterr()
    assert main(["evaluate", str(out), str(other)]) == 0
    text = capsys.readouterr().out
    assert "another run than run" in text
    assert "on 400 samples" in text


def test_a_run_that_was_written_anew_is_known(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # What chose is no proof, whatever file it lies in.
    out, outputs = tmp_path / "choice.json", load_run(run)
    named = save_run(replace(outputs, source={"title": "Another title"}), tmp_path / "named.parquet")
    for flags, said in (
        ([], "200 samples that the thresholds never saw"),
        (["--in-sample"], "in-sample: these samples"),
    ):
        main(["choose", str(run), "--max-drop", "0.02", *flags, "--out", str(out)])
        told = {}
        for one in (run, named):
            capsys.readouterr()
            assert main(["evaluate", str(out), str(one)]) == 0
            assert main(["check", str(out), str(one), "--max-drop", "90pt"]) in (0, 1)
            told[one] = capsys.readouterr().out
        assert said in told[run]
        assert told[named] == told[run]
    few = save_run(outputs.take(np.arange(1)), tmp_path / "one.parquet")
    assert main(["evaluate", str(out), str(few)]) == 0
    assert "another run than run" in capsys.readouterr().out


def test_a_failed_choose_leaves_an_old_file_alone(run: Path, tmp_path: Path) -> None:
    out = tmp_path / "choice.json"
    out.write_text("precious")
    assert main(["choose", str(run), "--max-drop", "-90pt", "--out", str(out)]) == 2
    assert out.read_text() == "precious"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["choice.json", "run.parquet"]


def test_compare_over_seeds_prints_means_and_standard_deviations(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", str(run), "--max-drop", "0.02", "--answers", "own", "--seeds", "3"]) == 0
    printed = capsys.readouterr().out
    record = sample_run().record()
    drops, savings = [], []
    for seed in range(3):
        calibration, test = record.split(0.5, seed)
        one = evaluate(test, choose(calibration, CheapestWithinDrop(0.02)))
        drops.append(100 * one.accuracy_drop)
        savings.append(one.saving)
    row = next(line for line in printed.splitlines() if "cheapest " in line)
    for figure in (
        f"{np.mean(drops):.2f}",
        f"{np.std(drops, ddof=1):.2f}",
        f"{np.mean(savings):.2%}",
        f"{np.std(savings, ddof=1):.2%}",
        "0 of 3",
    ):
        assert figure in row
    assert "over 3 splits" in printed


@pytest.mark.parametrize(
    ("flags", "fault"), [(["--seeds", "1"], "Expected seeds"), (["--seeds", "3", "--in-sample"], "in-sample")]
)
def test_a_spread_needs_splits(run: Path, flags: list[str], fault: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", str(run), *flags]) != 0
    assert fault in capsys.readouterr().err


def test_without_labels_every_line_speaks_of_the_last_stage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    labelled = sample_run(n=2000)
    np.savez(tmp_path / "mine.npz", probs=labelled.probs, macs=[10_000, 20_000, 30_000])
    run, choice = str(tmp_path / "mine.parquet"), str(tmp_path / "choice.json")
    assert main(["import", str(tmp_path / "mine.npz"), "--out", run]) == 0
    assert f"note: {NO_LABELS} The file holds 'probs', 'macs'." in capsys.readouterr().err
    for verb in (
        ["choose", run, "--max-drop", "1%", "--out", choice],
        ["choose", run, "--mistake", "5"],
        ["choose", run, "--policy", "certified", "--max-drop", "5%"],
        ["evaluate", choice, run],
        ["compare", run],
        ["compare", run, "--seeds", "2"],
        ["show", run, "--top-k", "2"],
    ):
        assert main(verb) == 0
        told = capsys.readouterr()
        assert not LIES.search(told.out.replace(str(tmp_path), "")), told.out
        assert "greement" in told.out
