"""Answers without softmaxes through the whole path, file to choice, against plain loops over the file's own arrays.

Made-up data always; and where CASCADE_DATA is, what commercial services answered (FrugalML, Apache-2.0).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cascade_core import (
    CheapestWithinDrop,
    StageAnswers,
    evaluate,
    evaluate_path,
    import_run,
    load_run,
    save_run,
    split_indices,
    tune,
)
from cascade_core.__main__ import main
from cascade_core.simulation.meters import MACS
from cascade_core.simulation.own_costs import OwnCosts
from cascade_core.simulation.sample_costs import SampleCosts
from tests import naive_answers
from tests.storage.brought import npz

THIRD_PARTY = Path(os.environ.get("CASCADE_DATA", "/nowhere")) / "third-party"

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


def services(name: str) -> dict[str, Any]:
    """The arrays of one of the files of commercial services."""
    path = THIRD_PARTY / name
    if not path.is_file():
        pytest.skip("CASCADE_DATA is not there")
    with np.load(path, allow_pickle=False) as arrays:
        return dict(arrays)


def made(seed: int, n: int = 700, *, by_sample: bool = False) -> dict[str, Any]:
    """Three services whose confidences have three scales, and what a call of each costs."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, 4, n)
    right = random.random((3, n)) < np.array([[0.7], [0.8], [0.9]])
    answers = np.where(right, labels, (labels + random.integers(1, 4, (3, n))) % 4)
    sure = np.where(right, random.beta(5, 2, (3, n)), random.beta(2, 3, (3, n)))
    cost = np.array([1.0, 5.0, 20.0])
    return {
        "answer": answers,
        "confidence": (np.round(sure, 2) * [[1], [100], [10]] - [[0], [0], [5]]).astype(np.float32),
        "labels": labels,
        "cost": cost[:, None] * random.gamma(2, size=(3, n)) if by_sample else cost,
        "cost_unit": np.array("cents per 1,000 calls"),
        "stages": np.array(["a", "b", "c"]),
    }


FILES = {
    "made up": lambda: made(0),
    "made up, by sample": lambda: made(1, by_sample=True),
    "api_ferplus": lambda: services("api_ferplus.npz"),
    "api_yelp": lambda: services("api_yelp.npz"),
}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("max_drop", [0.0, 0.01, 0.05])
def test_choices_do_what_loops_over_the_file_say(name: str, max_drop: float, tmp_path: Path) -> None:
    arrays = FILES[name]()
    (tmp_path / "mine.npz").write_bytes(npz(**arrays))
    run = load_run(save_run(import_run(tmp_path / "mine.npz"), tmp_path / "mine.parquet"))
    assert isinstance(run, StageAnswers)
    tuned = tune(run, CheapestWithinDrop(max_drop=max_drop))
    samples = split_indices(len(run.labels), 0.5, 0)[1].tolist()
    by_sample = np.broadcast_to(np.reshape(arrays["cost"], (len(arrays["confidence"]), -1)), arrays["confidence"].shape)
    right = arrays["answer"] == arrays["labels"]
    found, meter = tuned.evaluation, tuned.meter
    if tuned.rule.plain:
        expected = naive_answers.run(
            arrays["confidence"][-1:], right[-1:], by_sample[-1:], [], arrays["answer"], samples
        )
    else:
        expected = naive_answers.run(
            arrays["confidence"], right, by_sample, tuned.rule.thresholds.tolist(), arrays["answer"], samples
        )
        counts = np.bincount(expected.exits, minlength=len(right))
        assert found.exit_counts.tolist() == counts.tolist()
    assert found.accuracy == pytest.approx(expected.right / len(samples))
    assert found.full_accuracy == pytest.approx(right[-1, samples].mean())
    assert meter.mean(found) == pytest.approx(np.mean(expected.costs))
    assert meter.plain(found) == pytest.approx(by_sample[-1, samples if arrays["cost"].ndim > 1 else 0].mean())
    assert isinstance(meter, SampleCosts if arrays["cost"].ndim > 1 else OwnCosts)
    if isinstance(meter, SampleCosts):
        # The 50th, 95th and 99th of a hundred samples in order of what they paid.
        ordered, n = sorted(expected.costs), len(samples)
        within = [ordered[-(-n * percent // 100) - 1] for percent in (50, 95, 99)]
        assert meter.percentiles(found) == pytest.approx(within)
        for stage in set(expected.exits):
            paid = [cost for cost, left in zip(expected.costs, expected.exits, strict=True) if left == stage]
            assert meter.by_exit(found)[stage] == pytest.approx(np.mean(paid))


def test_what_a_path_costs_is_what_its_rules_cost_one_by_one(tmp_path: Path) -> None:
    (tmp_path / "mine.npz").write_bytes(npz(**made(2, by_sample=True)))
    run = import_run(tmp_path / "mine.npz")
    assert run.meter is not None
    record = run.record()
    path = CheapestWithinDrop.path(record, np.linspace(0, 0.05, 7))
    whole = evaluate_path(record, path)
    for position in range(7):
        one = evaluate(record, path.rule(position))
        assert run.meter.mean(whole[position]) == pytest.approx(run.meter.mean(one))


def test_the_command_line_takes_it_from_file_to_figures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, run, out = tmp_path / "mine.npz", tmp_path / "mine.parquet", tmp_path / "choice.json"
    source.write_bytes(npz(**made(1, by_sample=True)))
    assert main(["import", str(source), "--out", str(run)]) == 0
    assert "mean cents per 1,000 samples" in capsys.readouterr().out
    assert main(["choose", str(run), "--max-drop", "0.01", "--out", str(out)]) == 0
    assert "MACs" not in capsys.readouterr().out
    assert main(["evaluate", str(out), str(run)]) == 0
    printed = capsys.readouterr().out
    assert "95 % within" in printed
    assert main(["show", str(run)]) == 0
    assert "p95" in capsys.readouterr().out
    assert main(["report", str(run), "--out", str(tmp_path / "report.html")]) == 0
    assert main(["compare", str(run)]) == 0
    for flags, what in (
        (["--score", "margin"], "the score margin"),
        (["--top-k", "2"], "top_k=2"),
        (["--answers", "pooled"], "pooling answers"),
    ):
        assert main(["choose", str(run), "--max-drop", "0.01", *flags]) == 2
        assert f"no softmaxes, which {what} would need" in capsys.readouterr().err


@pytest.mark.parametrize("by_sample", [False, True])
def test_a_file_a_service_is_the_same_as_all_in_one(by_sample: bool, tmp_path: Path) -> None:
    arrays = made(3, by_sample=by_sample)
    whole = tmp_path / "whole.npz"
    whole.write_bytes(npz(**arrays))
    files = [tmp_path / f"{name}.npz" for name in "abc"]
    for stage, file in enumerate(files):
        one = {name: arrays[name][stage : stage + 1] for name in ("answer", "confidence", "cost", "stages")}
        file.write_bytes(npz(**{**arrays, **one}))
    joined, meant = import_run(files), import_run(whole)
    assert isinstance(joined, StageAnswers)
    assert isinstance(meant, StageAnswers)
    assert joined.stages == meant.stages
    assert joined.baseline_macs == meant.baseline_macs
    assert joined.costs == meant.costs
    wish = CheapestWithinDrop(max_drop=0.01)
    ours, theirs = tune(joined, wish), tune(meant, wish)
    assert ours.meter == theirs.meter != MACS
    assert ours.meter.mean(ours.evaluation) == theirs.meter.mean(theirs.evaluation)
    renamed = import_run(files, stage_names=["x", "y", "z"])
    assert renamed.costs is not None
    assert renamed.costs.stage_names == ("x", "y", "z")
