"""Costs in milliseconds and in units of one's own: written, chosen for and told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cascade_core import load_choice, load_run
from cascade_core.__main__ import main
from cascade_core.simulation.timing import Profile, profile_path, save_profile


def with_profile(run: Path) -> None:
    names = tuple(stage.name for stage in load_run(run).stages)
    seconds = {"trunk": [[1, 1.5]] * 3, "head": [[0.1, 0.1]] * 3, "plain": [3.1, 4.6]}
    values = {f"{name}{end}": np.array(each) for name, each in seconds.items() for end in ("", "_p95")}
    save_profile(Profile(stage_names=names, batch_sizes=(1, 2), circumstances={}, **values), profile_path(run))


def with_costs(run: Path, *parts: str) -> None:
    parts = parts or ("device=0.1,0.1,0,0", "cloud=0,0,2,2.5")
    assert main(["costs", str(run), "--unit", "cents", "--per", "10", *(f"--part={part}" for part in parts)]) == 0


def test_a_budget_may_be_of_milliseconds(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with_profile(run)
    out, budget = tmp_path / "choice.json", ["choose", str(run), "--policy", "budget", "--max-cost", "2000"]
    assert main([*budget, "--batch", "2", "--out", str(out)]) == 0
    cost = {"unit": "milliseconds", "batch": 2}
    assert load_choice(out).policy == {"name": "budget", "parameters": {"max_cost": 2000.0, "cost": cost}}
    measured = load_choice(out).measured["cost"]
    assert measured["mean"] <= 2000
    assert measured["plain"] == 2300
    text = capsys.readouterr().out
    assert "milliseconds per sample in batches of 2, where the plain network costs 2.3 thousand" in text
    assert "Computing whole batches while a sample is left: " in text
    assert main([*budget, "--max-macs", "4000", "--batch", "2"]) == 2
    assert "policy budget takes no --max-macs with costs in milliseconds" in capsys.readouterr().err
    assert main(budget) == 2
    assert "policy budget takes no --max-cost with costs in MACs" in capsys.readouterr().err


def test_single_samples_have_percentiles(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with_profile(run)
    out = tmp_path / "choice.json"
    assert main(["choose", str(run), "--max-drop", "0.02", "--cost", "milliseconds", "--out", str(out)]) == 0
    shares = [one["share"] for one in load_choice(out).measured["cost"]["percentiles"]]
    assert shares == [0.95, 0.99]
    assert "Of single samples 95 % within " in capsys.readouterr().out


def test_costs_of_one_s_own(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with_costs(run)
    out, chosen = tmp_path / "choice.json", ["choose", str(run), "--cost", "own"]
    assert main([*chosen, "--max-drop", "0.02", "--out", str(out)]) == 0
    choice = load_choice(out)
    assert choice.policy is not None
    assert choice.policy["parameters"]["cost"]["plain"] == {"cloud": 2.5}
    assert choice.measured["cost"]["unit"] == "cents"
    assert set(choice.measured["cost"]["parts"]) == {"device", "cloud"}
    capsys.readouterr()
    assert main(["evaluate", str(out), str(run), "--cost", "own"]) == 0
    text = capsys.readouterr().out
    assert "cents per 10 samples, where the plain network costs 2.5" in text
    assert "against 250 thousand cents." in text  # 2.5 for ten, a million times a tenth of that
    assert main(["compare", str(run), "--cost", "own"]) == 0
    assert "saving_of_cents_per_10" in capsys.readouterr().out
    assert main(["compare", str(run), "--cost", "own", "--seeds", "2"]) == 0
    report = tmp_path / "report.html"
    assert (
        main(["report", str(run), "--cost", "own", "--policy", "budget", "--max-cost", "1", "--out", str(report)]) == 0
    )
    assert "% of the cents" in report.read_text(encoding="utf-8")


def test_a_price_of_mistakes_sets_the_slider(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with_costs(run)
    drops = []
    for price in ("0", "1000"):
        out = tmp_path / f"{price}.json"
        assert main(["choose", str(run), "--cost", "own", "--mistake", price, "--out", str(out)]) == 0
        drops.append(load_choice(out).measured["cost"]["mean"])
    assert drops[0] < drops[1]
    assert "cents for a wrong answer: " in capsys.readouterr().out
    report = ["report", str(run), "--cost", "own", "--mistake", "0.1", "--out", str(tmp_path / "report.html")]
    assert main(report) == 0


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (
            ["--cost", "own", "--mistake", "1", "--max-drop", "0.1"],
            "policy cheapest takes no --max-drop beside --mistake",
        ),
        (["--mistake", "1", "--policy", "fixed"], "policy fixed has no slider that --mistake could set"),
        (["--mistake", "-1"], "price of a mistake to be from 0"),
        (["--cost", "euros", "--max-drop", "0.1"], "--cost to be macs, milliseconds, own or a .json file"),
        (["--cost", "own", "--batch", "2", "--max-drop", "0.1"], "--batch is for --cost milliseconds"),
        (["--cost", "missing.json", "--max-drop", "0.1"], "missing.json"),
        (["--cost", "milliseconds", "--max-drop", "0.1"], "profile.json"),
    ],
)
def test_flags_of_costs_that_do_not_fit(
    flags: list[str], words: str, run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with_costs(run)
    assert main(["choose", str(run), *flags]) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1


def test_costs_of_other_stages_are_refused(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["costs", str(run), "--unit", "cents", "--part", "1,2"]) == 2
    assert "--part to have 4 numbers, one for each of " in capsys.readouterr().err
