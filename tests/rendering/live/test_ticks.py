"""Ticks of a slider of confidences are round, apart, and where they say."""

from __future__ import annotations

import numpy as np

from cascade_core.rendering.live.ticks import round_ticks


def test_round_confidences_stand_at_the_nearest_position() -> None:
    # On a scale of nines, 1 - 10^-4 down to 0: the nines are 100 positions apart.
    shown = 1 - 10.0 ** -np.linspace(4, 0, 401)
    # 1 - 0.5 = 10^-0.301, 30 positions from the end; 0.9 is 100 from it.
    assert round_ticks(shown) == [(0, "0.9999"), (100, "0.999"), (200, "0.99"), (300, "0.9"), (370, "0.5")]


def test_ticks_without_room_and_values_that_are_not_there_are_left_out() -> None:
    shown = np.linspace(1.0, 0.0, 401)
    # 0.9 is 40 positions from the start, and 0.99 but 4: too near one another.  0.5 stands in the middle.
    assert round_ticks(shown) == [(40, "0.9"), (200, "0.5")]
    assert round_ticks(np.array([0.97, 0.8, 0.6, 0.3])) == []


def test_other_scores_have_no_round_confidences() -> None:
    assert round_ticks(np.linspace(-0.01, -2.3, 401)) == []
