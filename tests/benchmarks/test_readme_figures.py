"""The README's table: figures that equal those of `tune`, and drops in words."""

from __future__ import annotations

import numpy as np
import pytest

from cascade_core import CheapestWithinDrop, tune
from cascade_core.analysis.exploration import Split, explore, halves
from tests.benchmarks.averages import Average
from tests.benchmarks.readme_figures import ASKED, POSITIONS, Figure, figures, in_words, row
from tests.samples import sample_run


def test_figures_are_means_of_what_tune_measures() -> None:
    outputs = sample_run(n=200, m=2, k=10)
    found = figures(outputs, divisions=2)
    for asked, figure in zip(ASKED.values(), found, strict=False):
        tuned = [tune(outputs, CheapestWithinDrop(asked), seed=seed).evaluation for seed in range(2)]
        assert figure.drop.mean == pytest.approx(np.mean([one.accuracy_drop for one in tuned]))
        assert figure.saving.mean == pytest.approx(np.mean([one.saving for one in tuned]))
    most_accurate = []
    for seed in range(2):
        split = Split(seed=seed)
        swept = explore(halves(outputs, split), CheapestWithinDrop, split, count=POSITIONS)
        most_accurate.append(swept.at(0))
    assert found[-1].drop.mean == pytest.approx(np.mean([one.accuracy_drop for one in most_accurate]))
    assert found[-1].saving.mean == pytest.approx(np.mean([one.saving for one in most_accurate]))


@pytest.mark.parametrize(
    ("mean", "words"),
    [
        (-0.0052, "0.52 ± 0.08 points more accurate"),
        (-0.0005, "no drop (-0.05 ± 0.08)"),
        (0.0005, "no drop (0.05 ± 0.08)"),
        (0.0006, "0.06 ± 0.08 points given up"),
    ],
)
def test_a_drop_in_words(mean: float, words: str) -> None:
    assert in_words(Average(mean=mean, error=0.0008)) == words


def test_a_line_of_the_table() -> None:
    outputs = sample_run()
    accuracies = " / ".join(f"{100 * a:.1f}" for a in (outputs.probs.argmax(axis=2) == outputs.labels).mean(axis=1))
    one = Figure(drop=Average(0.0, 0.001), saving=Average(0.5, 0.004))
    assert row(outputs, "mine", [one]) == (
        f"| CIFAR-10, a sample run | {accuracies} % | 50.0 ± 0.4 %, no drop (0.00 ± 0.10) |"
    )
