"""The runs in ``cache/``: known accuracies and costs, and the savings that the README names.

Thresholds are chosen on one half and judged on the other; savings are the mean of ten split seeds, interpolated to
a realised drop, so that an optimistic choice gains nothing.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from cascade_core import (
    CheapestUncorrected,
    CheapestWithinDrop,
    FixedThresholds,
    PaperRule,
    choose,
    evaluate,
    load_run,
)
from cascade_core.analysis.exploration import Split, explore, halves
from cascade_core.analysis.prepared import POLICY, SPLIT, load_prepared
from cascade_core.policies import Sweep
from cascade_core.simulation.outputs import StageOutputs
from cascade_core.simulation.paths import evaluate_path
from cascade_core.storage.reading import digest, read_metadata
from cascade_core.storage.schema import usual_meter
from tests.benchmarks.averages import place_of
from tests.oracle import naive_paper_threshold
from tests.runfiles import load_softmaxes

CACHE = Path(__file__).resolve().parents[1] / "cache"
SEEDS = range(10)


def run(name: str) -> StageOutputs:
    return load_softmaxes(CACHE / f"{name}.parquet")


@cache
def curves(name: str) -> tuple[tuple[NDArray[np.float64], NDArray[np.float64]], ...]:
    """For each split seed, the drops on the test half of a slider's positions, rising, and the mean saving at each."""
    record, found = run(name).record(), []
    for seed in SEEDS:
        calibration, test = record.split(0.5, seed)
        result = evaluate_path(test, CheapestUncorrected.path(calibration, np.linspace(0, 0.05, 401)))
        drops, where = np.unique(result.accuracy_drop, return_inverse=True)
        found.append((drops, np.bincount(where, weights=result.saving) / np.bincount(where)))
    return tuple(found)


def saving_at(name: str, drop: float) -> float:
    """Mean saving over split seeds at a drop realised on the test half, between the positions around it."""
    return float(np.mean([np.interp(drop, drops, savings) for drops, savings in curves(name)]))


@pytest.mark.parametrize(
    ("name", "least"),
    [
        ("cifar10-resnet56-paper-heads", (0.745, 0.815, 0.9339)),
        ("cifar10-resnet56-fine-heads", (0.80, 0.885, 0.9339)),
        ("cifar10-resnet56-ladder", (0.855, 0.875, 0.885, 0.885, 0.895, 0.905, 0.9339)),
        ("cifar10-hybrid", (0.855, 0.87, 0.875, 0.9173, 0.9339)),
        ("cifar10-resnet20-resnet56", (0.9173, 0.9339)),
        ("cifar10-front-resnet20-resnet56", (0.805, 0.888, 0.895, 0.9173, 0.9339)),
    ],
)
def test_stage_accuracies(name: str, least: tuple[float, ...]) -> None:
    outputs = run(name)
    accuracy = outputs.record().stage_accuracy
    assert outputs.probs.shape == (len(least), 10_000, 10)
    assert (accuracy >= least).all()
    # The plain ResNet-56 has 93.39 % on these images, exactly.
    assert accuracy[-1] == 0.9339


@pytest.mark.parametrize(("then", "last"), [("resnet56", 0.9339), ("resnet110", 0.9459)])
def test_two_whole_models(then: str, last: float) -> None:
    assert run(f"cifar10-resnet20-{then}").record().stage_accuracy.tolist() == [0.9173, last]


@pytest.mark.parametrize(
    ("name", "accuracies"),
    [
        ("cifar100-early-exit", [0.6383, 0.8026]),
        ("cifar100-micronet", [0.4070, 0.5052, 0.5605, 0.6394, 0.7564, 0.8]),
        ("imagenet-1000-photos", [0.435, 0.642, 0.751, 0.833, 0.894, 0.915, 0.92]),
        ("vlm-mmbench", [0.6653, 0.7240, 0.7642, 0.8392]),
        ("api-yelp", [0.7452, 0.8694, 0.9570]),
    ],
)
def test_stages_are_as_good_as_they_say(name: str, accuracies: list[float]) -> None:
    assert load_run(CACHE / f"{name}.parquet").record().stage_accuracy == pytest.approx(accuracies, abs=5e-5)


def test_the_authors_threshold_on_cifar100_gives_their_accuracy() -> None:
    record = run("cifar100-early-exit").record()
    result = evaluate(record, choose(record, FixedThresholds([0.85])))
    assert result.accuracy == 0.8004
    assert result.saving == pytest.approx(0.1808, abs=1e-4)


@pytest.mark.parametrize("path", sorted(CACHE.glob("*.parquet")), ids=lambda path: path.stem)
def test_what_a_page_opens_with_is_what_would_be_chosen_now(path: Path) -> None:
    """Where this fails after a change of choosing: raise `prepared.VERSION`, and prepare the shipped runs anew."""
    found = load_prepared(path, digest(path))
    assert found is not None
    meter = usual_meter(read_metadata(path))
    divided = halves(load_run(path), SPLIT, meter=meter)
    kept, anew = found.explored(divided), explore(divided, POLICY, SPLIT, meter=meter)
    assert (kept.answers, kept.family) == (anew.answers, anew.family)
    np.testing.assert_allclose(kept.path.positions, anew.path.positions, atol=1e-4)
    # Other processors round otherwise, and a rule or two may be another.
    np.testing.assert_allclose(kept.evaluation.saving, anew.evaluation.saving, atol=0.01)
    np.testing.assert_allclose(kept.evaluation.accuracy_drop, anew.evaluation.accuracy_drop, atol=0.003)


@pytest.mark.parametrize(
    ("name", "drop", "least"),
    [
        ("cifar10-resnet56-paper-heads", 0.01, 0.27),
        ("cifar10-resnet56-fine-heads", 0.01, 0.40),
        ("cifar10-resnet20-resnet56", 0.01, 0.64),
        ("cifar10-resnet20-resnet56", 0.0, 0.57),
        ("cifar10-resnet20-resnet110", 0.01, 0.74),
        ("cifar10-resnet56-ladder", 0.01, 0.62),
        ("cifar10-resnet56-ladder", 0.005, 0.57),
        ("cifar10-hybrid", 0.01, 0.74),
        ("cifar10-hybrid", 0.0, 0.65),
        ("cifar10-front-resnet20-resnet56", 0.01, 0.85),
        ("cifar10-front-resnet20-resnet56", 0.005, 0.82),
        ("cifar10-front-resnet20-resnet56", 0.0, 0.77),
    ],
)
def test_savings_at_a_realised_drop(name: str, drop: float, least: float) -> None:
    assert saving_at(name, drop) >= least


@cache
def tuned_curve(name: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean drop on the test half and mean saving, over split seeds, of what `tune` chooses; the plain network first."""
    outputs, found = run(name), []
    for seed in SEEDS:
        divided = halves(outputs, Split(seed=seed)).divided(CheapestWithinDrop)
        first = CheapestWithinDrop.positions(divided.calibration, 401)[0]
        path = CheapestWithinDrop.path(divided.calibration, np.arange(-0.01, 0.0151, 0.00125).clip(first))
        result = evaluate_path(divided.test, path)
        found.append((np.append(0.0, result.accuracy_drop), np.append(0.0, result.saving)))
    drops, savings = np.mean(found, axis=0)
    return drops, savings


@pytest.mark.parametrize(
    ("name", "drop", "least"),
    [
        ("cifar100-early-exit", 0.0, 0.19),
        ("cifar100-early-exit", 0.0025, 0.215),
        ("cifar100-early-exit", 0.01, 0.26),
        ("vlm-mmbench", 0.0, 0.56),
        ("vlm-mmbench", 0.0025, 0.60),
        ("vlm-mmbench", 0.01, 0.67),
    ],
)
def test_what_tune_saves_of_others_networks_at_a_realised_drop(name: str, drop: float, least: float) -> None:
    drops, savings = tuned_curve(name)
    place = place_of(drop, drops, savings)
    reached = savings[place.position] + place.slope * max(0.0, drop - drops[place.position])
    assert reached >= least


@pytest.mark.parametrize(
    "name", ["cifar10-resnet56-paper-heads", "cifar10-resnet56-fine-heads", "cifar10-resnet56-ladder"]
)
def test_the_drop_that_was_asked_for_is_what_new_samples_lose(name: str) -> None:
    """Mean over ten splits of the overshoot on the other half: a tenth of a point at most, and less than without."""
    wanted = np.array([0.005, 0.01, 0.02])
    over: dict[type[Sweep], NDArray[np.float64]] = {CheapestWithinDrop: np.zeros(3), CheapestUncorrected: np.zeros(3)}
    for seed in SEEDS:
        divided = halves(run(name), Split(seed=seed)).divided(CheapestWithinDrop)
        for policy, total in over.items():
            path = policy.path(divided.calibration, wanted)
            total += evaluate_path(divided.test, path).accuracy_drop - wanted
    corrected, uncorrected = (total / len(SEEDS) for total in over.values())
    assert (corrected.round(4) <= 0.001).all()
    assert (corrected < uncorrected).all()


@pytest.mark.parametrize("name", ["cifar10-resnet56-paper-heads", "cifar10-resnet56-fine-heads"])
def test_costs_are_those_of_resnet56(name: str) -> None:
    outputs = run(name)
    assert outputs.baseline_macs == pytest.approx(125.49e6, rel=0.002)
    assert sum(s.trunk_macs for s in outputs.stages) + outputs.stages[-1].head_macs == outputs.baseline_macs


def test_a_ladder_is_paid_for_by_all_who_pass_it() -> None:
    outputs = run("cifar10-resnet56-ladder")
    assert outputs.baseline_macs == 125_485_706
    # Two strided convolutions and a block at either size in the first rung; one block in the others; the last
    # reads a map of 16 x 16, which needs one convolution less.
    first, rung, last = 2 * 1_179_648 + 4 * 2_359_296, 2 * 1_179_648 + 2 * 2_359_296, 1_179_648 + 2 * 2_359_296
    ladder = first + 4 * rung + last
    assert sum(s.trunk_macs for s in outputs.stages) + outputs.stages[-1].head_macs == outputs.baseline_macs + ladder


def test_a_cascade_of_models_pays_for_both() -> None:
    outputs = run("cifar10-resnet20-resnet56")
    totals = [s.trunk_macs + s.head_macs for s in outputs.stages]
    assert totals == pytest.approx([40.55e6, 125.49e6], rel=0.002)
    assert outputs.baseline_macs == totals[1]


@pytest.mark.parametrize("path", sorted(CACHE.glob("*.parquet")), ids=lambda path: path.stem)
def test_every_run_says_where_it_came_from(path: Path) -> None:
    source = load_run(path).source
    assert source["title"]
    if "imported_from" in source:  # of other people, as cache/README.md says
        assert "/" not in source["imported_from"]
        return
    assert source["dataset"]
    assert source["versions"]["torch"]
    assert "/" not in str(source["networks"]) + str(source["dataset"])


def test_heads_lie_beside_their_runs_and_are_small() -> None:
    names = ("resnet56-paper-heads", "resnet56-fine-heads", "resnet56-ladder", "resnet20-ladder")
    for name in (*(f"cifar10-{name}" for name in names), "digits"):
        assert 0 < (CACHE / f"{name}.safetensors").stat().st_size < 4 << 20


@pytest.mark.parametrize("name", ["cifar10-resnet56-paper-heads", "cifar10-resnet20-resnet56", "digits"])
def test_the_papers_rule_equals_brute_force_on_real_softmaxes(name: str) -> None:
    record = run(name).record().take(np.arange(0, 900, 3))
    for epsilon in (0.0, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5):
        rule = choose(record, PaperRule(epsilon))
        for stage, threshold in enumerate(rule.thresholds):
            confidence, correct = record.confidence[stage].tolist(), record.correct[stage].tolist()
            assert threshold == np.float32(naive_paper_threshold(confidence, correct, epsilon))
