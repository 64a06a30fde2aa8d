"""Costs in MACs and in milliseconds, by hand and along a path."""

from __future__ import annotations

import math

import numpy as np
import pytest

from cascade_core import ExitRule, evaluate
from cascade_core.policies import SharedThreshold
from cascade_core.simulation.cost_table import CostTable
from cascade_core.simulation.evaluation import Evaluation
from cascade_core.simulation.meters import MACS, Meter, Milliseconds, along
from cascade_core.simulation.paths import evaluate_path
from cascade_core.simulation.timing import Profile
from tests.oracle import f32, make_record, random_pooled, random_record, random_rules
from tests.simulation.test_own_costs import costs as own_costs
from tests.simulation.test_timing import half_leave, profile


def test_macs_are_those_of_the_evaluation() -> None:
    found = half_leave()
    assert MACS.mean(found) == found.mean_macs
    assert MACS.plain(found) == found.baseline_macs


def test_milliseconds_by_hand() -> None:
    # Two samples: 1.6 s for stage a; of stage b one survives half the time (4.2) and both a quarter (6.2).
    meter = Milliseconds(profile=profile(), batch=2)
    assert meter.mean(half_leave()) == pytest.approx(1000 * (1.6 + 4.2 / 2 + 6.2 / 4) / 2)
    assert meter.plain(half_leave()) == pytest.approx(1000 * 8 / 2)
    whole = Milliseconds(profile=profile(), batch=2, compaction=False)
    assert whole.mean(half_leave()) == pytest.approx(1000 * (1.6 + 6.2 * 3 / 4) / 2)


def test_along_a_path_as_one_by_one() -> None:
    record = random_record(0, stages=2, n=60)
    meter = Milliseconds(profile=profile(stage_names=record.stage_names), batch=4)
    path = SharedThreshold.path(record, SharedThreshold.positions(record, 7))
    result = evaluate_path(record, path)
    for unit in (MACS, meter):
        one_by_one = [unit.mean(evaluate(record, path.rule(g))) for g in range(7)]
        np.testing.assert_allclose(along(unit, result), one_by_one, rtol=1e-12)
    assert along(meter, result)[0] <= meter.plain(result)


def test_where_nothing_leaves_the_plain_network_is_charged() -> None:
    record = random_record(0, stages=2, n=60)
    meter = Milliseconds(profile=profile(stage_names=record.stage_names), batch=1)
    assert meter.mean(evaluate(record, ExitRule(thresholds=f32(np.inf)))) == 5000


def test_a_batch_that_was_not_measured_is_refused() -> None:
    with pytest.raises(ValueError, match="Expected batch to be a whole number from 1 to 4 but it was 5"):
        Milliseconds(profile=profile(), batch=5)


def naive_mean(table: CostTable, evaluation: Evaluation) -> float:
    """Stage by stage, and for every number of samples of a batch that may reach it."""
    names, n, batch = evaluation.stage_names, evaluation.n, table.batch
    if not any(evaluation.active[:-1]):
        return table.plain
    total, reaching = 0.0, n
    for stage in range(len(names)):
        share = reaching / n
        pools = bool(evaluation.pooled) and (evaluation.exit_counts[stage] > 0 or stage == len(names) - 1)
        for survivors in range(1, batch + 1):
            chance = math.comb(batch, survivors) * share**survivors * (1 - share) ** (batch - survivors)
            computed = survivors if table.compaction else batch
            total += chance * (
                table.trunk[stage, computed]
                + (table.head[stage, computed] if evaluation.active[stage] else 0)
                + (table.pool[stage, computed] if pools else 0)
            )
        reaching -= int(evaluation.exit_counts[stage])
    return total / batch


def random_profile(names: tuple[str, ...]) -> Profile:
    """Of three stages."""
    times = np.random.default_rng(0).uniform(0.1, 2, (3, 3, 3)).cumsum(axis=2)
    return Profile(
        stage_names=names,
        batch_sizes=(1, 2, 4),
        circumstances={},
        **dict(zip(("trunk", "head", "pool"), times, strict=True)),
        **dict.fromkeys(("trunk_p95", "head_p95", "pool_p95"), times[0]),
        **dict.fromkeys(("plain", "plain_p95"), np.array([3.0, 4.0, 6.0])),
    )


@pytest.mark.parametrize("pooled", [False, True])
def test_a_table_says_what_random_rules_cost(pooled: bool) -> None:
    record = random_pooled(3) if pooled else random_record(3)
    timed = random_profile(record.stage_names)
    meters: list[Meter] = [MACS]
    meters += [Milliseconds(profile=timed, batch=b, compaction=c) for b in (1, 3, 4) for c in (True, False)]
    for thresholds in random_rules(1, record, 25):
        result = evaluate(record, ExitRule(thresholds=thresholds, pool=record.pool))
        for meter in meters:
            assert meter.mean(result) == pytest.approx(naive_mean(meter.table(record), result), rel=1e-12)
            assert meter.plain(result) == meter.table(record).plain


def test_a_table_of_another_shape_or_below_0_is_refused() -> None:
    two = np.ones((2, 2))
    with pytest.raises(ValueError, match=r"head to have shape \(2, 2\)"):
        CostTable(trunk=two, head=np.ones((3, 2)), pool=two, plain=1.0)
    with pytest.raises(ValueError, match="pool to be costs >= 0"):
        CostTable(trunk=two, head=two, pool=-two, plain=1.0)


def test_a_profile_of_other_stages_has_no_table_for_a_record() -> None:
    with pytest.raises(ValueError, match="of the stages a, b but it is of a, b, c"):
        Milliseconds(profile=profile(), batch=1).table(random_record(0))


def test_percentiles_by_hand() -> None:
    # Of 100 samples alone 90 leave at a, after 1.1 s; 7 at b and 3 at c, each 1 s and a head of 0.1 s later.
    counts = (90, 7, 3)
    confidence = np.zeros((3, 100))
    confidence[0, :90], confidence[1, 90:97], confidence[2] = 1, 1, 1
    found = evaluate(make_record(confidence, np.ones((3, 100))), ExitRule(thresholds=f32(0.5, 0.5)))
    assert tuple(found.exit_counts) == counts
    flat = [[1.0, 2.0]] * 3
    heads = [[0.1, 0.1]] * 3
    timed = profile(
        stage_names=("a", "b", "c"),
        batch_sizes=(1, 2),
        **dict.fromkeys(("trunk", "trunk_p95"), flat),
        **dict.fromkeys(("head", "head_p95"), heads),
        **{key: [3.1, 6.0] for key in ("plain", "plain_p95")},
    )
    single = Milliseconds(profile=timed, batch=1)
    assert single.percentiles(found) == pytest.approx((2200, 3300))
    assert single.mean(found) == pytest.approx(1100 + 0.1 * 1100 + 0.03 * 1100)
    assert [one["share"] for one in single.details(found)["percentiles"]] == [0.95, 0.99]
    assert Milliseconds(profile=timed, batch=2).details(found) == {"batch": 2}
    never = evaluate(make_record(confidence, np.ones((3, 100))), ExitRule(thresholds=f32(np.inf, np.inf)))
    assert single.percentiles(never) == pytest.approx((3100, 3100))


def test_costs_by_exit_by_hand() -> None:
    # Two samples together: 1.5 s of trunk and 0.1 s of head for stage a, 6 s and 0.2 s for stage b.
    assert Milliseconds(profile=profile(), batch=2).by_exit(half_leave()) == pytest.approx((800, 800 + 3100))
    assert MACS.by_exit(half_leave()).tolist() == half_leave().costs.tolist()


@pytest.mark.parametrize("pooled", [False, True])
def test_costs_by_exit_add_up_to_the_mean_of_samples_alone(pooled: bool) -> None:
    record = random_pooled(3) if pooled else random_record(3)
    timed = Milliseconds(profile=random_profile(record.stage_names), batch=1)
    meters: list[Meter] = [MACS, own_costs(record.stage_names), *([] if pooled else [timed])]
    for thresholds in random_rules(1, record, 10):
        result = evaluate(record, ExitRule(thresholds=thresholds, pool=record.pool))
        for meter in meters:
            assert result.exit_shares @ meter.by_exit(result) == pytest.approx(meter.mean(result))
