"""By how much a drop that is expected on new samples is missed, over many draws of the samples that are chosen on.

Run with ``pytest -m benchmark tests/benchmarks/test_validity.py``; it takes minutes.  What is certified is put to the
test by `tests/policies/test_promises.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from cascade_core import CheapestUncorrected, CheapestWithinDrop, evaluate
from cascade_core.policies import Sweep
from tests.samples import sample_record

pytestmark = pytest.mark.benchmark

Show = Callable[[str, Sequence[tuple[str, str]]], None]


@pytest.mark.parametrize("m", [3, 6])
def test_the_cheapest_keeps_its_drop_on_fresh_samples(m: int, show: Show) -> None:
    """Mean overshoot over draws: clear for what is chosen uncorrected, none to speak of for what is expected."""
    fresh, wanted, draws = sample_record(n=100_000, m=m, seed=1), np.array([0.01, 0.02]), 12
    over: dict[type[Sweep], NDArray[np.float64]] = {CheapestUncorrected: np.zeros(2), CheapestWithinDrop: np.zeros(2)}
    for seed in range(draws):
        record = fresh.take(np.random.default_rng(seed).choice(fresh.n, 1500, replace=False))
        for policy, total in over.items():
            path = policy.path(record, wanted)
            total += [evaluate(fresh, path.rule(g)).accuracy_drop - wanted[g] for g in range(2)]
    uncorrected, corrected = (total / draws for total in over.values())
    rows = [(policy.title, ", ".join(f"{value:+.2%}" for value in total / draws)) for policy, total in over.items()]
    show(f"mean overshoot of drops of 1 and 2 points, {m} stages", rows)
    assert (uncorrected > 0.001).all()
    assert (corrected < 0.0005).all()
    assert (corrected < uncorrected - 0.001).all()
