"""Exit shares that change by a factor from stage to stage, by hand and against their budget."""

from __future__ import annotations

import numpy as np
import pytest

from cascade_core import GeometricShares, Infeasible, choose, evaluate
from tests.oracle import make_record
from tests.samples import sample_record


def test_geometric_shares_by_hand() -> None:
    """Eight samples, no ties, heads of 7 and 5 MACs; with shares 4 : 2 : 1 of 8, 5, 2 and 1 leave (4.57, 6.86, 8)."""
    confidence = np.array([np.arange(8, 0, -1), [1, 2, 3, 4, 5, 6, 7, 8], np.ones(8)]) / 10
    record = make_record(confidence, np.ones((3, 8)))
    macs = (5 * 107 + 2 * 182 + 235) / 8
    rule = choose(record, GeometricShares(macs))
    found = evaluate(record, rule)
    assert found.mean_macs == macs
    assert found.exit_counts.tolist() == [5, 2, 1]
    # Of the last three, 0.3, 0.2 and 0.1 sure at a, the two surest at b are those with 0.8 and 0.7.
    assert rule.thresholds.tolist() == [np.float32(0.4), np.float32(0.7)]


@pytest.mark.parametrize("stages", [2, 3, 5])
def test_geometric_shares_meet_their_budget(stages: int) -> None:
    record = sample_record(n=2000, m=stages)
    low = evaluate(record, GeometricShares.path(record, [GeometricShares.positions(record, 2)[1]]).rule(0)).mean_macs
    for budget in np.linspace(low, record.baseline_macs, 7):
        found = evaluate(record, choose(record, GeometricShares(float(budget))))
        assert 0 <= budget - found.mean_macs < 0.05 * record.baseline_macs
    with pytest.raises(Infeasible):
        choose(record, GeometricShares(low / 2))
