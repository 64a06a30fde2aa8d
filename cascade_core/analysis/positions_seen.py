"""Slider positions, judged by the audited samples of a log: which of them are certified, which refuted.

A position answers otherwise than the plain network on some share of the samples, which is at least the accuracy that it
gives up.  Bounds on that share hold at all times and at all positions at once (see `analysis.watched`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cascade_core.analysis.points import Setting
from cascade_core.analysis.watch_series import disagreement
from cascade_core.analysis.watched import Watch

MOST = 40
"""Positions that are judged: each more costs certainty of all."""

CERTIFIED, OPEN, REFUTED = 1, 0, -1
"""What audited samples say of a position."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class PositionsSeen:
    """G positions of a slider, from the safest on, and last the thresholds that are shown.

    Attributes:
        values: (G - 1,) what the slider says at each.
        seen: (G,) shares of the audited samples that are answered otherwise than by the plain network.
        low, high: (G,) bounds on that share.
        measured: (G,) shares of the samples that the choice was measured on.
        audited: Samples that were audited.
    """

    values: Floats
    seen: Floats
    low: Floats
    high: Floats
    measured: Floats
    audited: int

    def verdicts(self, limit: float) -> NDArray[np.int64]:
        """(G,) whether each is certified to be within a limit, refuted, or neither yet."""
        return np.where(self.high <= limit, CERTIFIED, np.where(self.low > limit, REFUTED, OPEN))


def judged_positions(setting: Setting) -> NDArray[np.int64]:
    """(G - 1,) numbers of the slider's positions that are judged, rising, evenly spread; not where nothing leaves."""
    early = np.flatnonzero(~setting.exploration.path.plain)
    return early[np.unique(np.linspace(0, len(early) - 1, MOST if len(early) else 0).round().astype(np.int64))]


def judged_thresholds(setting: Setting) -> NDArray[np.float32]:
    """(G, M-1) thresholds of these, or (G, M-1, K), and last those that are shown."""
    path = setting.exploration.path
    return np.concatenate([path.thresholds[judged_positions(setting)], setting.rule.thresholds[None]])


def measured_disagreement(setting: Setting) -> Floats:
    """(G,) how often each answers otherwise than the plain network on the samples that measure."""
    exploration = setting.exploration
    rules = [*map(exploration.path.rule, judged_positions(setting)), setting.rule]
    return np.array([disagreement(exploration.test, rule) for rule in rules])


def positions_seen(watch: Watch, setting: Setting, measured: Floats) -> PositionsSeen:
    """What a watch with the thresholds of `judged_thresholds` knows of them."""
    low, high = watch.position_bounds()
    return PositionsSeen(
        values=np.asarray(setting.exploration.shown, dtype=np.float64)[judged_positions(setting)],
        seen=watch.position_disagreed / max(1, watch.audited),
        low=low,
        high=high,
        measured=measured,
        audited=watch.audited,
    )
