"""What is lost among those that leave, by a plain loop and by naive bounds; and how seldom bounds are broken."""

from __future__ import annotations

import os

import numpy as np
import pytest
from scipy.stats import binom

from cascade_core import ExitRule, Record
from cascade_core.analysis.leaving import leaving
from tests.oracle import f32, make_record, naive_mean_bound, random_pooled, random_rules

DRAWS = int(os.environ.get("CASCADE_DRAWS", "40"))
ALPHA = 0.1


@pytest.mark.parametrize("seed", range(2))
def test_each_stage_is_that_of_a_loop(seed: int) -> None:
    record = random_pooled(seed, n=90)
    rule = ExitRule(thresholds=random_rules(seed, record, 1)[0], pool=record.pool)
    found, exits, m = leaving(record, rule, ALPHA), rule.exit_stages(record), len(record.stages)
    for stage in range(m):
        for lost, stages in ((found.here, {stage}), (found.by_here, set(range(stage + 1)))):
            chosen = [i for i in record.shuffled(0).tolist() if exits[i] in stages]
            gaps = [int(record.baseline_correct[i]) - int(record.correct[exits[i], i]) for i in chosen]
            wrong = [float(not record.correct[exits[i], i]) for i in chosen]
            assert lost.bound is not None
            assert found.error_bound is not None
            if not gaps:
                assert np.isnan([lost.drop[stage], lost.low[stage], found.error[stage]]).all()
                assert (lost.bound[stage], found.error_bound[stage]) == (1, 1)
                continue
            assert lost.drop[stage] == pytest.approx(np.mean(gaps))
            assert lost.low[stage] < lost.drop[stage] < lost.high[stage]
            half = [(gap + 1) / 2 for gap in gaps]
            assert lost.bound[stage] == pytest.approx(2 * naive_mean_bound(half, ALPHA / (3 * m)) - 1, abs=3e-5)
            if len(stages) == 1:
                assert found.error[stage] == pytest.approx(np.mean(wrong))
                assert found.error_bound[stage] == pytest.approx(naive_mean_bound(wrong, ALPHA / (3 * m)), abs=3e-5)


def test_what_chose_certifies_nothing() -> None:
    record = random_pooled(1)
    found = leaving(record, ExitRule(thresholds=random_rules(1, record, 1)[0], pool=record.pool), None)
    assert (found.error_bound, found.here.bound, found.by_here.bound) == (None, None, None)


def drawn(random: np.random.Generator, n: int) -> Record:
    """Half leave first, of whom 0.2 are harmed, a quarter next, of whom 0.1 are; the last stage is always right."""
    exits = random.choice(3, n, p=[0.5, 0.25, 0.25])
    wrong = random.random(n) < np.array([0.2, 0.1, 0.0])[exits]
    confidence = np.stack([exits == 0, exits <= 1, np.ones(n)]).astype(np.float32)
    return make_record(confidence, np.stack([~wrong, ~wrong, np.ones(n)]))


def test_bounds_hold_at_all_stages_at_once() -> None:
    random, rule, broken, loosest = np.random.default_rng(0), ExitRule(thresholds=f32(0.5, 0.5)), 0, 0.0
    # By the second stage three quarters have left: (0.5 0.2 + 0.25 0.1) / 0.75 of them harmed; of all, 0.125.
    here, by_here = np.array([0.2, 0.1, 0.0]), np.array([0.2, 0.125 / 0.75, 0.125])
    for _ in range(DRAWS):
        found = leaving(drawn(random, 300), rule, ALPHA)
        assert found.error_bound is not None
        assert found.here.bound is not None
        assert found.by_here.bound is not None
        bounds = np.stack([found.error_bound, found.here.bound, found.by_here.bound])
        broken += bool((bounds < np.stack([here, here, by_here])).any())
        loosest = max(loosest, float(bounds[0, 0]))
    assert broken <= binom.ppf(1 - 1e-4, DRAWS, ALPHA)
    assert loosest < 0.45, "a bound that says nothing holds too"
