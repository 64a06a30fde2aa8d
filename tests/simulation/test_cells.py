"""Counts on a grid: against a naive count, in any order, and what is left open against rules on the samples."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from cascade_core import ExitRule, Record, evaluate
from cascade_core.simulation import cells as module
from cascade_core.simulation.cells import Cells, finest, quantiles
from cascade_core.simulation.grid_error import a_step, left_open, widest_step
from tests.oracle import make_record, make_stages, random_record


def counted(record: Record, grid: Any, parts: int = 1) -> Cells:
    """A record's samples on a grid, counted in parts."""
    result = Cells.none(grid)
    for part in np.array_split(np.arange(record.n), parts):
        result += result.of(record.confidence[:-1, part], record.correct[:, part])
    return result


def as_record(cells: Cells, like: Record) -> Record:
    """The weighted record of cells, with stages of another."""
    confidence, correct = cells.entries()
    last = np.zeros((1, len(cells.counts)), dtype=np.float32)
    weighted = make_record(np.vstack([confidence, last]), correct, like.stages)
    grid = tuple(np.unique(np.append(values, least)) for values, least in zip(cells.grid, cells.least, strict=True))
    return replace(weighted, weights=cells.counts, grid=grid, answers_known=False)


def naive(record: Record, grid: Any, least: Any) -> Counter[tuple[Any, ...]]:
    """How many samples reach so much of each stage's grid and are right at these stages."""
    found: Counter[tuple[Any, ...]] = Counter()
    for i in range(record.n):
        sure = record.confidence[:-1, i]
        stages = zip(grid, sure, least, strict=True)
        reached = [max((v for v in values if v <= c), default=low) for values, c, low in stages]
        found[(*map(float, reached), *map(bool, record.correct[:, i]))] += 1
    return found


def told(cells: Cells) -> Counter[tuple[Any, ...]]:
    """The same of cells."""
    confidence, correct = cells.entries()
    rows = zip(confidence.T.tolist(), correct.T.tolist(), cells.counts.tolist(), strict=True)
    return Counter({(*sure, *right): count for sure, right, count in rows})


@pytest.mark.parametrize("seed", range(6))
def test_counts_are_those_of_a_loop(seed: int) -> None:
    record = random_record(seed, stages=2 + seed % 3, n=300)
    grid = tuple(np.unique(row[:40]) for row in record.confidence[:-1])
    cells = counted(record, grid)
    assert cells.n == 300
    assert told(cells) == naive(record, grid, record.confidence[:-1].min(axis=1))


@pytest.mark.parametrize("most", [1 << 20, 60, 40])
def test_parts_add_up_in_any_order(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    monkeypatch.setattr(module, "MOST_CELLS", most)
    record = random_record(3, stages=3, n=500, decimals=None)
    grid = quantiles(record.confidence[:-1, :200])
    whole = counted(record, grid)
    shares = np.array_split(np.random.default_rng(0).permutation(500), 9)
    none = Cells.none(grid)
    parts = [none.of(record.confidence[:-1, part], record.correct[:, part]) for part in shares]
    for order in ([*range(9)], [*range(8, -1, -1)], [4, 0, 8, 2, 6, 1, 3, 7, 5]):
        summed = Cells.none(grid)
        for place in order:
            summed += parts[place]
        assert (summed.halvings, told(summed)) == (whole.halvings, told(whole))
    assert len(whole.codes) <= most
    assert told(whole) == naive(record, whole.grid, record.confidence[:-1].min(axis=1))


def test_a_grid_of_one_value_stays_however_many_cells_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_CELLS", 3)
    record = random_record(3, stages=3, n=500, decimals=None)
    cells = counted(record, quantiles(record.confidence[:-1]))
    assert [len(values) for values in cells.grid] == [1, 1]
    assert cells.n == 500


def test_the_greatest_value_of_a_grid_stays_whatever_is_left_out() -> None:
    grid = (np.arange(5, dtype=np.float32), np.arange(8, dtype=np.float32))
    cells = replace(Cells.none(grid), halvings=3)
    # The first stage is halved twice: 4, 2, 0, then 4, 0; the second once: 7, 5, 3, 1.
    assert [values.tolist() for values in cells.grid] == [[0, 4], [1, 3, 5, 7]]


def test_every_cell_has_a_number_however_many_stages_there_are() -> None:
    assert finest(2) == 4096
    assert finest(4) == 256
    for stages in range(2, 13):
        assert (finest(stages) + 1) ** (stages - 1) * 2**stages < 2**63
    for stages in (1, 13):
        with pytest.raises(ValueError, match="Expected 2 to 12 stages"):
            finest(stages)


def thresholds(random: np.random.Generator, record: Record) -> NDArray[np.float32]:
    """Anywhere between the least confidence and the greatest, or never."""
    ends = zip(record.confidence[:-1].min(axis=1), record.confidence[:-1].max(axis=1), strict=True)
    drawn = [random.uniform(low, high) if random.random() < 0.8 else np.inf for low, high in ends]
    return np.array(drawn, dtype=np.float32)


@pytest.mark.parametrize("seed", range(8))
def test_numbers_are_exact_on_the_grid_and_within_the_bounds_beside_it(seed: int) -> None:
    random = np.random.default_rng(seed)
    record = random_record(seed, stages=2 + seed % 4, n=400, decimals=None)
    weighted = as_record(counted(record, tuple(values[::20] for values in quantiles(record.confidence[:-1]))), record)
    for _ in range(40):
        wish = thresholds(random, record)
        chosen = weighted.on_grid(wish[None])[0]
        exact, here = (evaluate(samples, ExitRule(thresholds=chosen)) for samples in (record, weighted))
        assert here.exit_counts.tolist() == exact.exit_counts.tolist()
        assert (here.accuracy_drop, here.saving, here.helped) == (exact.accuracy_drop, exact.saving, exact.helped)
        assert left_open(weighted, chosen).drop == (here.accuracy_drop, here.accuracy_drop)
        if np.isinf(chosen[np.isfinite(wish)]).any():
            continue  # above the grid's greatest value, where the head is off
        real = evaluate(record, ExitRule(thresholds=wish))
        for bounds in (left_open(weighted, wish), a_step(weighted, chosen)):
            assert bounds.drop[0] - 1e-12 <= real.accuracy_drop <= bounds.drop[1] + 1e-12
            assert bounds.saving[0] - 1e-12 <= real.saving <= bounds.saving[1] + 1e-12


def test_what_a_step_leaves_open_by_hand() -> None:
    # The grid is 0.2, 0.5, 0.8.  Ten samples reach 0.5 and not 0.8: six right at the first stage, two only there.
    weighted = replace(
        make_record([[0.8, 0.5, 0.5, 0.2], [0, 0, 0, 0]], [[1, 1, 0, 0], [1, 0, 1, 1]], make_stages(2)),
        weights=np.array([5, 2, 8, 5]),
        grid=(np.array([0.2, 0.5, 0.8], dtype=np.float32),),
    )
    found = left_open(weighted, np.array([0.6], dtype=np.float32))
    # All who may leave, do: 7 right early where the plain network has 18; those who are wrong there stay: 20.
    assert found.drop == pytest.approx(((18 - 20) / 20, (18 - 10) / 20))
    # Leaving costs 107, going on 182, the plain network 175; five leave in any case, five go on.
    assert found.saving == pytest.approx((1 - (5 * 107 + 15 * 182) / (20 * 175), 1 - (15 * 107 + 5 * 182) / (20 * 175)))
    assert widest_step(weighted) == 0.5
