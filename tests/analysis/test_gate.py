"""A gate passes and fails as bounds by a naive version say, and lets pass what breaks a limit as rarely as it says."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from cascade_core import ExitRule, StageOutputs, evaluate, save_choice, save_run, split_indices
from cascade_core.__main__ import main
from cascade_core.analysis.gate import Limits, judge
from cascade_core.analysis.groups import by_class
from cascade_core.simulation.groups import Groups
from cascade_core.simulation.meters import MACS
from cascade_core.simulation.stages import Stage
from cascade_core.storage.reading import identity
from tests.oracle import naive_mean_bound

STAGES = (Stage(name="small", trunk_macs=200, head_macs=0), Stage(name="large", trunk_macs=800, head_macs=0))


def run_of(n: int, harmed: int = 0, helped: int = 0, early: int | None = None) -> StageOutputs:
    """A run of two stages and two classes; `early` samples (all) leave at 0.8, the first ones harmed, then helped.

    The plain network costs 1000 MACs, whoever leaves early 200.  Labels are 0 and 1 in turn.
    """
    labels = np.arange(n) % 2
    small, large = labels.copy(), labels.copy()
    small[:harmed] = 1 - labels[:harmed]
    large[harmed : harmed + helped] = 1 - labels[harmed : harmed + helped]
    confidence = np.where(np.arange(n) < (n if early is None else early), 0.9, 0.6)
    probs = np.empty((2, n, 2), np.float32)
    for stage, (answers, sure) in enumerate([(small, confidence), (large, np.full(n, 0.9))]):
        probs[stage, np.arange(n), answers], probs[stage, np.arange(n), 1 - answers] = sure, 1 - sure
    return StageOutputs(probs=probs, labels=labels, stages=STAGES, baseline_macs=1000, class_names=("even", "odd"))


RULE = ExitRule(thresholds=np.array([0.8], np.float32))

CASES = [
    # No sample is harmed.  Stakes are sqrt(8 t ln 20 / n) up to n / 24, then 1, so that n (1 - 1/72) ln(1 + drop / 2)
    # is about ln 20: of 300 samples a drop of 2.03 points is refuted.
    (run_of(300), "--max-drop 2.05pt", 0),
    (run_of(300), "--max-drop 2.01pt", 1),
    # Ten times as many bear a tenth of that.
    (run_of(3000), "--max-drop 0.25pt", 0),
    (run_of(3000), "--max-drop 0.19pt", 1),
    # 10 of 500 are harmed, two points: more than one point is given up, and fewer than five are.
    (run_of(500, harmed=10), "--max-drop 1pt", 1),
    (run_of(500, harmed=10), "--max-drop 5pt", 0),
    # As many are helped as are harmed: the drop is 0.
    (run_of(500, harmed=10, helped=10), "--max-drop 3pt", 0),
    # All leave early, which saves 80 %.  With every stake 1, (1 + m)^40 = 20 at m = 0.0778, the share that may go on:
    # 0.8 (1 - m) = 73.8 % is more than can be shown, and stakes are a little less.
    (run_of(40), "--min-saving 73%", 0),
    (run_of(40), "--min-saving 73.8%", 1),
    # 400 of 500 leave early, which saves 64 %; 50 % are shown, 63.9 % are not.
    (run_of(500, early=400), "--min-saving 50%", 0),
    (run_of(500, early=400), "--min-saving 63.9%", 1),
    # Both limits have to be kept to.
    (run_of(500, early=400), "--min-saving 50% --max-drop 0.1pt", 1),
    # All that are harmed are even, and of 250 samples each: the drop of all is 2 points, that of the even ones 4.
    (run_of(2000, harmed=0), "--max-drop 1pt --by class", 0),
    (run_of(500, harmed=40), "--max-drop 12pt", 0),
]


@pytest.mark.parametrize(("run", "limits", "status"), CASES, ids=range(len(CASES)))
def test_a_choice_passes_or_not(
    run: StageOutputs, limits: str, status: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", *files(run, tmp_path), *limits.split()]) == status
    said = capsys.readouterr().out
    assert said.startswith("passed: " if status == 0 else "failed: ")
    assert said.count("\n") == 1


def files(run: StageOutputs, folder: Path, chosen_on: StageOutputs | None = None, **measured: Any) -> list[str]:
    """A choice and a run, as files."""
    save_run(run, path := folder / "run.parquet")
    if chosen_on is not None:
        save_run(chosen_on, folder / "other.parquet")
        measured["run"] = identity(folder / "other.parquet")
    record = run.record()
    save_choice(folder / "choice.json", RULE, evaluate(record, RULE), **measured)
    return [str(folder / "choice.json"), str(path)]


@pytest.mark.parametrize(("harmed", "helped", "early"), [(0, 0, 300), (7, 2, 300), (30, 0, 100), (0, 9, 250)])
def test_bounds_are_those_of_the_naive_version(harmed: int, helped: int, early: int) -> None:
    record = run_of(300, harmed, helped, early).record()
    verdict = judge(record, RULE, Limits(max_drop=0.1, min_saving=0.1, confidence=0.9), MACS)
    drop, saving = verdict.checks
    order = record.shuffled(0)
    gaps = np.zeros(300)
    gaps[: min(harmed, early)] = 1
    gaps[harmed : min(harmed + helped, early)] = -1
    expected = 2 * naive_mean_bound(((gaps[order] + 1) / 2).tolist(), 0.1) - 1
    assert drop.bound == pytest.approx(expected, abs=3e-5)
    late = (np.arange(300) >= early)[order].astype(float)
    assert saving.bound == pytest.approx(1 - (0.2 + 0.8 * naive_mean_bound(late.tolist(), 0.1)), abs=2e-5)
    assert saving.measured == pytest.approx(0.8 * early / 300)


def test_groups_are_each_held_to_the_limits(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    even, odd = run_of(400, harmed=40).probs[:, ::2], run_of(1200).probs[:, 1::2]
    labels = np.repeat([0, 1], [200, 600])
    names = ("even", "odd")
    # 20 of the 200 even ones are harmed, 2.5 points of all.
    run = StageOutputs(
        probs=np.hstack([even, odd]), labels=labels, stages=STAGES, baseline_macs=1000, class_names=names
    )
    record, limits = run.record(), Limits(max_drop=0.08, min_saving=None, confidence=0.95)
    found = judge(replace(record, groups=by_class(record, names)), RULE, limits, MACS).checks
    assert [(one.group, one.n, one.measured, one.passed) for one in found] == [
        ("even", 200, 0.1, False),
        ("odd", 600, 0.0, True),
    ]
    for number, one in enumerate(found):
        alone = judge(record.take(np.flatnonzero(labels == number)), RULE, limits, MACS).checks[0]
        assert one.bound == alone.bound
    paths = files(run, tmp_path)
    assert main(["check", *paths, "--max-drop", "8pt"]) == 0
    assert main(["check", *paths, "--max-drop", "8pt", "--by", "class"]) == 1
    assert "more than is allowed in even (200 samples)" in capsys.readouterr().out


def test_groups_may_be_of_a_column(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of 600 samples half chose; what is left of each month is held to the limit by itself."""
    run = run_of(600, harmed=40)
    months = Groups.named("month", ["May" if i < 300 else "June" for i in range(600)])
    split = {"fraction": 0.5, "seed": 0, "measured_on": "test"}
    grouped = replace(run, groups=(months,))
    paths = files(grouped, tmp_path, grouped, split=split)
    sizes = np.bincount(months.take(split_indices(600, 0.5, 0)[1]).of)
    # 40 of the 300 samples of May are harmed; 4.7 points is what 130 without harm bear.
    assert main(["check", *paths, "--max-drop", "6pt", "--by", "month", "--json", str(tmp_path / "v.json")]) == 1
    told = json.loads((tmp_path / "v.json").read_text())["checks"]
    assert [(one["group"], one["samples"], one["passed"]) for one in told] == [
        ("June", int(sizes[0]), True),
        ("May", int(sizes[1]), False),
    ]
    assert "more than is allowed in May" in capsys.readouterr().out


def test_a_rule_that_breaks_a_limit_passes_as_rarely_as_is_said() -> None:
    random, passed = np.random.default_rng(0), 0
    limits = Limits(max_drop=0.05, min_saving=None, confidence=0.8)
    for _ in range(400):
        record = run_of(100, harmed=int(random.binomial(100, 0.0501))).record()
        passed += judge(record, RULE, limits, MACS).passed
    # At most 20 %, and a standard error of that is 2 %.
    assert 0 < passed / 400 < 0.2 + 3 * 0.02


def test_files_say_what_the_sentence_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = files(run_of(500, harmed=10), tmp_path)
    written = ["--json", str(tmp_path / "v.json"), "--junit", str(tmp_path / "v.xml")]
    assert main(["check", *paths, "--max-drop", "1pt", "--min-saving", "50%", *written]) == 1
    told = json.loads((tmp_path / "v.json").read_text())
    assert told["sentence"] + "\n" == capsys.readouterr().out
    assert (told["passed"], told["part_in_choosing"], told["choice"]) == (False, "unknown", "choice.json")
    assert [(check["what"], check["passed"]) for check in told["checks"]] == [("drop", False), ("saving", True)]
    suite = ElementTree.parse(tmp_path / "v.xml").getroot()
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    assert [case.get("name") for case in suite if case.find("failure") is not None] == ["drop"]


@pytest.mark.parametrize(
    ("split", "other", "words"),
    [
        (None, False, "on 600 samples, which may have had a part in choosing the thresholds: the choice does not say"),
        ("test", False, "on 300 samples, which had no part in choosing"),
        ("all", False, "on 600 samples, which had a part in choosing"),
        ("test", True, "on 600 samples, which are of another run"),
    ],
)
def test_it_says_which_part_the_samples_had(
    split: str | None, other: bool, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = run_of(600)
    measured = {} if split is None else {"split": {"fraction": 0.5, "seed": 0, "measured_on": split}}
    paths = files(run, tmp_path, run_of(500) if other else run, **measured)
    assert main(["check", *paths, "--max-drop", "3pt"]) == 0
    said = capsys.readouterr().out
    assert words in said
    assert ("were they independent" in said) == (split in (None, "all"))


def test_names_of_classes_may_be_anything_in_xml(tmp_path: Path) -> None:
    run = run_of(400)
    odd = StageOutputs(
        probs=run.probs,
        labels=run.labels,
        stages=STAGES,
        baseline_macs=1000,
        class_names=("\x1b[2J<&>", "\x00\ufffe"),
    )
    paths = files(odd, tmp_path)
    assert main(["check", *paths, "--max-drop", "9pt", "--by", "class", "--junit", str(tmp_path / "v.xml")]) == 0
    assert ElementTree.parse(tmp_path / "v.xml").getroot()[0].get("name") == "drop in \ufffd[2J<&>"
