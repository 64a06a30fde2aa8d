"""Joint thresholds by search: within every limit, no worse than what is simpler, close to exhaustive search."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray

from cascade_core import CheapestUncorrected, ExitRule, Infeasible, PaperRule, SharedThreshold, choose, evaluate
from cascade_core.policies.families.search import search
from cascade_core.simulation.paths import evaluate_path
from tests.oracle import assert_outcome, naive_evaluate
from tests.samples import sample_record

LIMITS = np.linspace(0, 0.1, 21)


def exhaustive(m: int, n: int, seed: int) -> tuple[NDArray[np.float64], float]:
    """Least mean MACs within each limit over every combination of observed confidences and `inf`, and the dearest."""
    record = sample_record(n=n, m=m, seed=seed)
    best = np.full(len(LIMITS), np.inf)
    for rule in itertools.product(*([*np.unique(stage), np.inf] for stage in record.confidence[:-1])):
        one = evaluate(record, ExitRule(thresholds=np.array(rule, dtype=np.float32)))
        best[one.accuracy_drop <= LIMITS] = np.minimum(best[one.accuracy_drop <= LIMITS], one.mean_macs)
    return best, one.mean_macs


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("m", "n"), [(2, 40), (3, 40), (4, 12)])
def test_close_to_the_best_of_all_rules(m: int, n: int, seed: int) -> None:
    record = sample_record(n=n, m=m, seed=seed)
    thresholds, _ = search(record, LIMITS, [])
    found = [evaluate(record, ExitRule(thresholds=rule)) for rule in thresholds]
    best, dearest = exhaustive(m, n, seed)
    assert all(one.accuracy_drop <= limit for one, limit in zip(found, LIMITS, strict=True))
    costs = np.array([one.mean_macs for one in found])
    assert (costs >= best - 1e-9).all()
    # One stage less than the last is solved exactly; with more, coordinate steps may stop a little short.
    assert np.allclose(costs, best) if m == 2 else ((costs - best) / dearest).max() < 0.05


@pytest.mark.parametrize("m", [5, 6, 8])
def test_never_worse_than_a_simpler_policy(m: int) -> None:
    record = sample_record(n=600, m=m, seed=m)
    for policy in (PaperRule, SharedThreshold):
        simpler = evaluate_path(record, policy.path(record, policy.positions(record, 41)))
        within = CheapestUncorrected.path(record, np.maximum(simpler.accuracy_drop, 0.0))
        assert (evaluate_path(record, within).mean_macs <= simpler.mean_macs).all()


@pytest.mark.parametrize("m", [5, 8])
def test_path_keeps_every_limit_and_saves_more_with_it(m: int) -> None:
    record = sample_record(n=500, m=m)
    path = CheapestUncorrected.path(record, LIMITS)
    result = evaluate_path(record, path)
    assert (result.accuracy_drop <= LIMITS).all()
    assert (np.diff(result.mean_macs) <= 0).all()
    for g in (0, 10, 20):
        assert_outcome(result[g], naive_evaluate(record, path.thresholds[g]))


def test_a_head_that_does_not_pay_is_switched_off() -> None:
    record = sample_record(n=400, m=6)
    rule = choose(record, CheapestUncorrected(0.0))
    assert np.isinf(rule.thresholds).any()


def test_an_impossible_gain_names_the_best() -> None:
    record = sample_record(n=400, m=6)
    with pytest.raises(Infeasible, match=r"at most −90\.00 points but the best on these 400 samples has") as error:
        choose(record, CheapestUncorrected(-0.9))
    best = float(str(error.value).split("max_drop ")[1].split(")")[0])
    rule = choose(record, CheapestUncorrected(best))
    assert evaluate(record, rule).accuracy_drop <= best
