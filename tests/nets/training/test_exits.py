"""The choice of exits: every set charged as it would be run, against all subsets, and nothing where nothing pays."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from cascade_core import Stage, StageOutputs
from cascade_core.nets.training.exits import AT_A_PLACE, Gain, Judge, choose_exits, compared, described, with_heads

CLASSES = 4

Head = tuple[int, int, float]
"""Of a candidate: MACs of the trunk before it, of its head, and the share of samples that it gets right."""

INFORMATIVE: list[Head] = [(100, 2, 0.4), (0, 30, 0.5), (200, 3, 0.8), (0, 90, 0.82), (300, 3, 0.86)]
"""Two heads at one place, two at a second, one at a third; the last stage is right on nine in ten, 1,000 MACs in."""


def candidates(heads: list[Head], n: int = 800, last: float = 0.9, total: int = 1000) -> StageOutputs:
    """Heads that know how hard a sample is, but for noise: those right more often are right on harder ones too."""
    random = np.random.default_rng(0)
    labels, hard = random.integers(0, CLASSES, n), random.random(n)
    rest = total - sum(trunk for trunk, _, _ in heads)
    probs, stages = [], []
    for number, (trunk, head, able) in enumerate([*heads, (rest, 0, last)]):
        seen = hard + random.normal(0, 0.05, n)
        answers = np.where(seen < able, labels, (labels + 1) % CLASSES)
        surest = np.clip(1 - 0.7 * seen / (able + 0.2), 0.3, 0.999)
        rows = np.repeat(((1 - surest) / (CLASSES - 1))[:, None], CLASSES, axis=1)
        rows[np.arange(n), answers] = surest
        probs.append((rows / rows.sum(axis=1, keepdims=True)).astype(np.float32))
        stages.append(Stage(name=f"s{number}", trunk_macs=trunk, head_macs=head))
    return StageOutputs(probs=np.stack(probs), labels=labels, stages=tuple(stages))


def test_a_set_is_charged_with_its_own_heads_alone() -> None:
    stages = with_heads(candidates(INFORMATIVE), (1, 3)).stages
    # Up to the first place 100, from there to the second 200, then 300 + 400 to the end.
    assert [(s.name, s.trunk_macs, s.head_macs) for s in stages] == [("s1", 100, 30), ("s3", 200, 90), ("s5", 700, 0)]
    assert with_heads(candidates(INFORMATIVE), (0, 2, 4)).baseline_macs == 1000


def test_the_choice_is_about_the_best_of_all_subsets() -> None:
    outputs = candidates(INFORMATIVE)
    chosen, judge = choose_exits(outputs, 0.02), Judge(outputs, 0.02)
    early = range(len(INFORMATIVE))
    subsets = [kept for size in (1, 2, 3) for kept in combinations(early, size)]
    best = max(
        (kept for kept in subsets if len({judge.places[i] for i in kept}) == len(kept)),
        key=lambda k: judge.gain(k).mean,
    )
    # Greedy, and without what brings no more than its error: no worse than the best set by more than that.
    assert chosen.saving.mean >= judge.gain(best).mean - judge.gain(best).error
    assert chosen.saving.mean > 0.3
    # Of two heads at a place only one is kept; the dear one at the second place brings no more than the cheap one.
    assert len({judge.places[i] for i in chosen.kept}) == len(chosen.kept)
    assert 2 in chosen.kept
    assert all(gain.is_real for gain in chosen.brings)
    assert chosen.following is not None
    assert not chosen.following[1].is_real
    assert chosen.following[0] not in chosen.kept


def test_what_a_head_brings_is_the_saving_with_it_less_that_without() -> None:
    judge = Judge(candidates(INFORMATIVE), 0.02)
    told = described(judge, (0, 2))
    assert told.saving == judge.gain((0, 2))
    assert told.brings == (judge.gain((0, 2), (2,)), judge.gain((0, 2), (0,)))
    assert judge.gain((2,), (2,)) == Gain(mean=0.0, error=0.0)


def test_a_start_is_grown_and_pruned() -> None:
    outputs = candidates([*INFORMATIVE, (350, 45, 0.5)])  # the last costs more than it could spare
    judge = Judge(outputs, 0.02)
    grown = judge.grow((5,))
    assert 5 not in grown
    assert judge.gain(grown).mean >= judge.gain((2,)).mean
    started = choose_exits(outputs, 0.02, [(2, 4)])
    assert started.saving.mean >= judge.gain((2, 4)).mean


@pytest.mark.parametrize("heads", [[(500, 450, 0.7), (300, 190, 0.8)], [(900, 5, 0.0)]], ids=["dear", "never right"])
def test_nothing_is_kept_where_nothing_pays(heads: list[Head]) -> None:
    chosen = choose_exits(candidates(heads), 0.01)
    assert chosen.kept == ()
    assert chosen.saving == Gain(mean=0.0, error=0.0)
    assert chosen.brings == ()
    assert chosen.following is not None  # what would come next is still told


def test_heads_that_a_cheaper_one_outdoes_are_not_looked_at() -> None:
    outputs = candidates([(100, 5, 0.6), (0, 50, 0.3), (0, 60, 0.2), (0, 70, 0.1), (400, 1, 0.8)])
    assert Judge(outputs, 0.01).worthwhile == (0, 4)
    # Where none outdoes another, the few that save most alone are.
    alike = candidates(
        [(100, cost, 0.5 + cost / 100) if cost == 1 else (0, cost, 0.5 + cost / 100) for cost in range(1, 6)]
    )
    assert len(Judge(alike, 0.01).worthwhile) == AT_A_PLACE


def test_sets_of_other_heads_are_compared_on_the_same_samples() -> None:
    better, worse = candidates([(100, 1, 0.8)]), candidates([(100, 1, 0.6)])
    ahead = compared(Judge(better, 0.02), (0,), Judge(worse, 0.02), (0,))
    assert ahead.is_real
    assert compared(Judge(better, 0.02), (0,), Judge(worse, 0.02), ()) == Judge(better, 0.02).gain((0,))


def test_heads_that_brought_most_are_looked_at_first(monkeypatch: pytest.MonkeyPatch) -> None:
    judge = Judge(candidates(INFORMATIVE), 0.02)
    gains: dict[tuple[int, ...], float] = {(0, 2): 0.3, (1, 2): 0.1, (2, 3): 0.0, (2, 4): 0.2}
    looked_at: list[tuple[int, ...]] = []

    def gain(kept: tuple[int, ...], _others: tuple[int, ...]) -> Gain:
        looked_at.append(kept)
        return Gain(mean=gains[kept], error=0.0)

    judge.worthwhile = (0, 1, 2, 4)
    monkeypatch.setattr(judge, "gain", gain)
    brought = {0: 0.4, 1: 0.25, 2: 0.9, 4: 0.5}
    assert judge._joined_by_best((2,), brought) == (0, 2)
    # 4 seemed to bring most, then 0, which does; 1 brought less than that before.
    assert looked_at == [(2, 4), (0, 2)]
    assert brought == {0: 0.3, 1: 0.25, 2: 0.9, 4: 0.2}
    assert judge._joined_by_best((0, 1, 2, 4), brought) == (0, 1, 2, 4)


def test_too_few_samples_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 20 training samples to choose exits on but there were 19"):
        choose_exits(candidates(INFORMATIVE, n=19), 0.01)
