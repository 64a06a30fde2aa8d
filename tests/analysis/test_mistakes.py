"""The slider's optimum at a price of mistakes, against trying every position, and bills by hand."""

from __future__ import annotations

import numpy as np
import pytest

from cascade_core import CheapestWithinDrop, ExitRule, SharedThreshold, evaluate
from cascade_core.analysis.exploration import Split, explore, halves
from cascade_core.analysis.mistakes import bill, cheapest_with_mistakes, plain_bill
from cascade_core.simulation.meters import MACS, Meter
from tests.oracle import f32, make_record
from tests.samples import sample_record, sample_run
from tests.simulation.test_own_costs import costs


def test_bills_by_hand() -> None:
    # Two of four leave at a, one of them wrongly; the plain network is right on all.
    record = make_record([[0.9, 0.9, 0.1, 0.1], [1] * 4, [1] * 4], [[1, 0, 1, 1], [1] * 4, [1] * 4])
    found = evaluate(record, ExitRule(thresholds=f32(0.5, 0.5)))
    # Costs are of ten samples: 1 for all, 2 for half; 2.5 of ten are wrong, 4 each.
    own = bill(costs(), found, 4)
    assert (own.computing, own.mistakes, own.total) == (2, 10, 12)
    assert plain_bill(costs(), found, 4).total == 5


@pytest.mark.parametrize("price", [0.0, 0.5, 3.0, 50.0])
@pytest.mark.parametrize("own", [False, True])
def test_the_best_of_all_positions(price: float, own: bool) -> None:
    record = sample_record(n=200)
    meter: Meter = costs(record.stage_names) if own else MACS
    price = price if own else 1000 * price
    found = explore(record, SharedThreshold, Split(), count=30, meter=meter)
    bills = [bill(meter, found.calibrated(g), price).total for g in range(30)]
    assert cheapest_with_mistakes(found, price) == int(np.argmin(bills))


def test_free_mistakes_compute_least_and_dear_ones_lose_least() -> None:
    found = explore(halves(sample_run(), Split()), CheapestWithinDrop, Split(), answers="pooled")
    assert found.calibration.held_out is not None
    free, dear = cheapest_with_mistakes(found, 0.0), cheapest_with_mistakes(found, 1e12)
    assert found.at(free).mean_macs == found.evaluation.mean_macs.min()
    assert free > dear


def test_a_price_below_0_is_refused() -> None:
    found = explore(sample_record(n=200), SharedThreshold, Split(), count=5)
    with pytest.raises(ValueError, match=r"price of a mistake to be from 0 to 1e\+15 but it was -1"):
        cheapest_with_mistakes(found, -1)
