"""The position that comes nearest to a drop or a saving, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from cascade_core.analysis.alongside import nearest_drop, nearest_saving
from cascade_core.simulation.evaluation import Evaluation

# Of 100 samples the plain network gets 90 right.  Costs are 20 and 100: e early exits save 0.8 e of 100.
EXITS = np.array([[10, 90], [30, 70], [50, 50], [60, 40]])
RIGHT = np.array([[10, 80], [28, 60], [40, 48], [50, 36]])  # 90, 88, 88, 86 right: drops 0, 0.02, 0.02, 0.04
PATH = Evaluation(
    stage_names=("early", "late"),
    exit_counts=EXITS,
    correct_counts=RIGHT,
    costs=np.array([20, 100]),
    active=np.array([True, True]),
    pooled=False,
    full_correct=90,
    helped=np.zeros(4, dtype=np.int64),
    n=100,
    baseline_macs=100,
)


@pytest.mark.parametrize(("drop", "position"), [(-1.0, 0), (0.009, 0), (0.012, 2), (0.02, 2), (0.029, 2), (0.5, 3)])
def test_the_nearest_drop_and_of_several_the_cheapest(drop: float, position: int) -> None:
    assert nearest_drop(PATH, drop) == position


@pytest.mark.parametrize(("saving", "position"), [(0.0, 0), (0.15, 0), (0.17, 1), (0.33, 2), (0.9, 3)])
def test_the_nearest_saving(saving: float, position: int) -> None:
    # Savings are 0.08, 0.24, 0.40 and 0.48.
    assert nearest_saving(PATH, saving) == position


def test_of_equal_savings_the_most_accurate() -> None:
    worse = np.array([[10, 79], [10, 80]])
    two = Evaluation(
        **{**vars(PATH), "exit_counts": EXITS[[0, 0]], "correct_counts": worse, "helped": np.zeros(2, int)}
    )
    assert nearest_saving(two, 0.08) == 1
