"""The choice of a rule in a family by brute force, and the choice between families that are made up to differ."""

from __future__ import annotations

from dataclasses import replace
from statistics import NormalDist

import numpy as np
import pytest
from numpy.typing import NDArray

from cascade_core import ExitRule, Record, evaluate
from cascade_core.policies import selection
from cascade_core.policies.crossfitting import Expectation
from cascade_core.policies.families import Family, Maker
from cascade_core.policies.selection import (
    CAUTION,
    CLEARLY,
    DEARER,
    NEAR,
    WISHES,
    Selection,
    advantage,
    saved_at,
    select,
    within,
    worth,
)
from tests.oracle import make_record, random_record
from tests.samples import sample_record

Floats = NDArray[np.float64]


def expected(
    drops: list[float] | Floats,
    savings: list[float] | Floats,
    drop_errors: list[float] | Floats | float = 0.0,
    saving_errors: list[float] | Floats | float = 0.0,
    block_drops: Floats | None = None,
    block_savings: Floats | None = None,
) -> Expectation:
    """A family of whose rules so much is expected; the rule at place g has the threshold 1 - g / 100.

    Of 19,600 samples, of which 140 is the root: the caution is 0.2 + 7 / 140, a quarter of a standard error.
    """
    count = len(drops)
    return Expectation(
        family="made up",
        n=19_600,
        thresholds=1 - np.arange(count, dtype=np.float32)[:, None] / np.float32(100),
        drops=np.array(drops, dtype=np.float64),
        savings=np.array(savings, dtype=np.float64),
        drop_errors=np.broadcast_to(np.array(drop_errors, dtype=np.float64), (count,)),
        saving_errors=np.broadcast_to(np.array(saving_errors, dtype=np.float64), (count,)),
        block_drops=np.tile(drops, (4, 1)) if block_drops is None else block_drops,
        block_savings=np.tile(savings, (4, 1)) if block_savings is None else block_savings,
    )


def naive_within(family: Expectation, drop: float, extra: float) -> int:
    """The cheapest place, of equals the first, up to which every rule's drop and caution are within; -1 if none is."""
    best, caution = -1, CAUTION + extra
    for place in range(len(family.drops)):
        if family.drops[place] + caution * family.drop_errors[place] > drop:
            break
        surely_cheaper = family.savings[place] > DEARER * family.saving_errors[place]
        if (drop < 0 or surely_cheaper) and (best < 0 or family.savings[place] > family.savings[best]):
            best = place
    return best


@pytest.mark.parametrize("seed", range(20))
def test_the_rule_within_a_drop_is_the_cheapest_by_brute_force(seed: int) -> None:
    random = np.random.default_rng(seed)
    family = expected(
        np.sort(random.normal(0.005, 0.02, 12).round(3)),
        random.normal(0.05, 0.1, 12).round(2),
        random.random(12).round(2) * 0.02,
        random.random(12).round(2) * 0.05,
    )
    drops = np.concatenate([np.linspace(-0.05, 0.05, 41), family.drops])
    for extra in (0.0, 0.75):
        found = within(family, drops, extra)
        assert found.tolist() == [naive_within(family, float(drop), extra) for drop in drops]
        for drop, place in zip(drops, found, strict=True):
            assert drop < 0 or place < 0 or family.savings[place] > DEARER * family.saving_errors[place]


def test_the_rule_within_a_drop_by_hand() -> None:
    family = expected([-0.01, 0.0, 0.02], [-0.2, 0.3, 0.5], [0.02, 0.02, 0.04], [0.01, 0.2, 0.1])
    # With 0.38 errors: -0.0024, 0.0076, 0.0352.  The first costs more than the plain network, and serves gains alone;
    # the second saves 0.3, but not by two errors of 0.2; the third does.
    drops = np.array([-0.003, -0.0023, 0.0, 0.0077, 0.0351, 0.0353])
    assert within(family, drops).tolist() == [-1, 0, -1, -1, -1, 2]


def test_what_a_family_saves_is_nothing_where_the_plain_network_is_run() -> None:
    family = expected([0.0, 0.004, 0.015], [0.1, 0.3, 0.6], [0.0, 0.004, 0.008])
    # Drops and 0.38 errors: 0, 0.0055, 0.0180.  Of the drops 0.25, 0.5, 1 and 2 points:
    assert WISHES == (0.0025, 0.005, 0.01, 0.02)
    assert [saved_at(family, drop) for drop in WISHES] == [0.1, 0.1, 0.3, 0.6]
    assert worth(family) == pytest.approx((0.1 + 0.1 + 0.3 + 0.6) / 4)
    assert saved_at(family, -0.001) == 0
    # One error more: 0, 0.0095, 0.0260, so that the second is within one point, and the third within none.
    assert worth(family, 1.0) == pytest.approx((0.1 + 0.1 + 0.3 + 0.3) / 4)


def test_an_advantage_is_counted_in_standard_errors_over_blocks() -> None:
    first = expected([0.0], [0.1])
    # More by 0.05, 0.15, 0.1 and 0.1 on the four blocks: 0.1, with a standard error of sqrt(0.005 / 3 / 4).
    other = expected([0.0], [0.2], block_savings=np.array([[0.15], [0.25], [0.2], [0.2]]))
    assert advantage(other, first) == pytest.approx(0.1 - CLEARLY * (0.005 / 12) ** 0.5)
    # The same mean, by chance: 0.0, 0.5, 0.1, 0.2 is no clear advantage over 0.1.
    noisy = expected([0.0], [0.2], block_savings=np.array([[0.0], [0.5], [0.1], [0.2]]))
    assert advantage(noisy, first) < 0
    assert advantage(first, first) == 0


@pytest.mark.parametrize("seed", range(5))
def test_advantages_equal_a_loop(seed: int) -> None:
    """A drop that one family has more of is charged at what the first saves a point around the drop asked for."""
    random = np.random.default_rng(seed)

    def made_up() -> Expectation:
        drops, savings = np.sort(random.random(8)) * 0.03, np.sort(random.random(8))
        blocks = [values + random.normal(0, 0.01, (4, 8)) for values in (drops, savings)]
        return expected(drops, savings, 0.001, 0.001, *blocks)

    first, other = made_up(), made_up()
    more = []
    for block in range(4):
        total = 0.0
        for wish in WISHES:
            low, high = max(0.0, wish - NEAR), wish + NEAR
            price = (saved_at(first, high) - saved_at(first, low)) / (high - low)
            for family, sign in ((other, 1), (first, -1)):
                place = naive_within(family, wish, 0.0)
                if place >= 0:
                    total += sign * family.block_savings[block, place]
                    total -= sign * price * family.block_drops[block, place]
        more.append(total / len(WISHES))
    wanted = np.mean(more) - CLEARLY * np.std(more, ddof=1) / 2
    assert advantage(other, first) == pytest.approx(wanted)


def test_the_least_drop_is_of_the_cheapest_of_the_safest() -> None:
    found = Selection(chosen=expected([-0.01, -0.01, 0.0], [0.1, 0.2, 0.3], [0.001, 0.002, 0.003]), tried={})
    assert (found.least, found.safest) == (-0.01, 1)
    assert found.perhaps == pytest.approx(-0.01 - NormalDist().inv_cdf(0.95) * 0.002)
    assert found.within(np.array([-0.0096, -0.009, 0.02])).tolist() == [0, 1, 2]


def by_thresholds(name: str, *thresholds: float) -> Family:
    """A family of two-stage cascades whose rules are given."""
    rules = np.array(thresholds, dtype=np.float32)[:, None]
    return Family(name=name, maker=lambda record: Maker(rules=lambda part: rules))


def clear_cut() -> Record:
    """Of 1,000 samples, half are surer than 0.5 at a and right, the others are wrong there."""
    sure = np.arange(1000) % 2 == 0
    return make_record(np.stack([np.where(sure, 0.9, 0.1), np.ones(1000)]), np.stack([sure, np.ones(1000)]))


GOOD, TIMID, ALIKE = (
    by_thresholds("good", np.inf, 0.5),
    by_thresholds("timid", np.inf, np.inf),
    by_thresholds("alike", 0.9),
)


@pytest.mark.parametrize(
    ("families", "chosen"),
    [
        ([TIMID, GOOD], "good"),
        ([GOOD, TIMID], "good"),
        ([GOOD, ALIKE], "good"),
        ([ALIKE, GOOD], "alike"),
        ([TIMID, ALIKE, GOOD], "alike"),
        ([TIMID], "timid"),
    ],
)
def test_a_family_has_to_be_better_to_displace_the_first(
    families: list[Family], chosen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selection, "suitable", lambda record: families)
    found = select(clear_cut())
    assert found is not None
    assert found.chosen.family == chosen
    # Half leave at 107 MACs, and half at 182; the plain network takes 175.
    saved = 1 - (107 + 182) / 2 / 175
    worths = {"good": saved, "alike": saved, "timid": 0.0}
    assert found.tried == pytest.approx({family.name: worths[family.name] for family in families})


@pytest.mark.parametrize("classes", [2, 3])
def test_a_threshold_for_each_answer_wins_where_answers_differ(classes: int) -> None:
    """Two answers, given with the same confidences: the one is right however unsure, the other is a coin's throw."""
    random = np.random.default_rng(1)
    answers, confidence = random.integers(0, 2, 1500), 0.5 + random.random(1500) / 2
    right = (answers == 0) | (random.random(1500) < 0.5)
    labels = np.where(right, answers, 1 - answers)
    record = replace(
        make_record(np.stack([confidence, np.ones(1500)]), np.stack([right, np.ones(1500)])),
        predictions=np.stack([answers, labels]),
        labels=labels,
        classes=classes,
    )
    found = select(record)
    assert found is not None
    assert found.chosen.family == "backward induction for each answer"
    assert found.tried["backward induction for each answer"] > found.tried["backward induction"] + 0.1
    place = found.within(np.array([0.01]))[0]
    limits = found.chosen.thresholds[place, 0]
    # Those of answer 0 leave, those of answer 1 stay.
    assert (confidence[answers == 0] >= limits[0]).mean() > 0.95
    assert (confidence[answers == 1] >= limits[1]).mean() < 0.05


def test_too_few_samples_and_one_stage_have_no_families() -> None:
    assert select(random_record(1, n=19)) is None
    assert select(random_record(1, n=20)) is not None
    assert select(random_record(1, n=50, stages=1)) is None


def test_more_samples_than_are_needed_are_drawn_from(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selection, "SAMPLES", 200)
    seen: list[int] = []

    def spied(record: Record) -> Maker:
        seen.append(record.n)
        return Maker(rules=lambda part: np.array([[0.9]], dtype=np.float32))

    family = Family(name="spied", maker=spied)
    monkeypatch.setattr(selection, "suitable", lambda record: [family])
    for n in (200, 201, 900):
        assert select(sample_record(n=n, m=2)) is not None
    assert seen == [200] * 3


def test_what_is_chosen_is_what_is_found_on_fresh_samples() -> None:
    """Expected drops and savings are those on a hundred thousand others, within three errors of each."""
    fresh, record = sample_record(n=100_000, m=3, seed=1), sample_record(n=1500, m=3, seed=2)
    found = select(record)
    assert found is not None
    places = found.within(np.array([0.005, 0.01, 0.02]))
    assert (places >= 0).all()
    for place in places:
        rule = found.chosen.thresholds[place]
        one = evaluate(fresh, ExitRule(thresholds=rule))
        assert abs(one.accuracy_drop - found.chosen.drops[place]) < 3 * found.chosen.drop_errors[place]
        assert abs(one.saving - found.chosen.savings[place]) < 3 * found.chosen.saving_errors[place]
