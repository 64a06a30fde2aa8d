"""A bet that new samples are like those seen before, which gets rich only where they are not: an alarm for any time.

Samples fall into kinds, such as the stage they leave at.  Each new one is ranked among all before it, those of
calibration first: with B_k of kind k among them and itself, and u drawn uniformly, its rank is
    p = (B_0 + ... + B_{k-1} + u B_k) / (all of them)
If all samples, calibration's among them, were drawn alike, these ranks are independent and uniform on [0, 1], exactly
and however few samples there were to calibrate (Vovk, Gammerman & Shafer, "Algorithmic Learning in a Random World",
2005; conformal test martingales).  So a gambler who bets at fair odds on densities f of p has no strategy, and by
Ville's inequality becomes 1 / alpha times as rich, at any time of an endless life, with probability alpha at most.

The gambler here divides the capital among `BETS`, and each share among all moments at which things may begin to
change, half of it at the start: with h_t for what begins at sample t and S_i for what is staked on density f_i,
    S_i(t) = (S_i(t-1) + h_t / I) f_i(p_t),    capital(t) = sum_i S_i(t) + what has not begun yet
Samples that depend on one another, such as frames of a film, are not drawn alike, and that is noticed too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

POWERS = (1.5, 2.5, 4.0)
"""Densities a p^(a-1), for kinds that shift upwards; (1 - p) in place of p for those that shift downwards."""

BETS = 2 * len(POWERS) + 2
"""Beside these 6 p (1 - p) and 12 (p - 1/2)^2, for what shifts to the middle, or from it to both ends."""

LEAST = 1e-12
"""What a rank is at least, so that no density is 0."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Martingale:
    """The gambler, after some samples; what follows does not depend on how samples are divided into calls.

    Attributes:
        counts: (K,) samples of each kind that were seen, calibration's among them.
        seen: How many of them were bet on.
        grown: (I,) sum of ln f_i(p_t) over these.
        begun: (I,) ln of the sum of h_t / I, each divided by what f_i had grown to before it.
        largest: The largest ln of the capital so far.
    """

    counts: NDArray[np.int64]
    seen: int
    grown: Floats
    begun: Floats
    largest: float

    @classmethod
    def against(cls, calibration: NDArray[np.int64]) -> Martingale:
        """The gambler before any bet, where `calibration` (K,) samples of each kind came before."""
        at_once = np.full(BETS, np.log((1 - _not_begun(np.zeros(1))[0]) / BETS))
        counts = np.asarray(calibration, dtype=np.int64)
        return cls(counts=counts, seen=0, grown=np.zeros(BETS), begun=at_once, largest=0.0)

    def after(self, kinds: NDArray[np.int64], seed: int = 0) -> tuple[Martingale, Floats]:
        """The gambler after more samples of these kinds (n,), and ln of the capital after each of them, (n,)."""
        if not len(kinds):
            return self, np.zeros(0)
        counts = self.counts + np.cumsum(kinds[:, None] == np.arange(len(self.counts)), axis=0)
        grown = np.vstack([self.grown, _log_densities(self._ranks(kinds, counts, seed))])
        np.add.accumulate(grown, axis=0, out=grown)
        waiting = _not_begun(self.seen + np.arange(len(kinds) + 1.0))
        starts = np.log(-np.diff(waiting) / BETS)[:, None] - grown[:-1]
        begun = np.logaddexp.accumulate(np.vstack([self.begun, starts]), axis=0)
        parts = np.column_stack([grown[1:] + begun[1:], np.log(waiting[1:])])
        capital = np.logaddexp.reduce(parts, axis=1)
        result = replace(
            self,
            counts=counts[-1],
            seen=self.seen + len(kinds),
            grown=grown[-1],
            begun=begun[-1],
            largest=max(self.largest, float(capital.max())),
        )
        return result, capital

    @property
    def capital(self) -> float:
        """Ln of what the gambler has, of 1 at the start."""
        waiting = np.log(_not_begun(np.array([float(self.seen)])))
        return float(np.logaddexp.reduce(np.concatenate([self.grown + self.begun, waiting])))

    def _ranks(self, kinds: NDArray[np.int64], counts: NDArray[np.int64], seed: int) -> Floats:
        """(n,) ranks p of new samples, of `counts` (n, K) with each of them."""
        draw = np.random.PCG64(seed)
        draw.advance(self.seen)
        rows = np.arange(len(kinds))
        upto = np.cumsum(counts, axis=1)
        here = counts[rows, kinds]
        ranks = (upto[rows, kinds] - here * np.random.Generator(draw).random(len(kinds))) / upto[:, -1]
        clipped: Floats = np.clip(ranks, LEAST, 1 - LEAST)
        return clipped

    def state(self) -> dict[str, Any]:
        """All of it, as JSON data from which `of` makes it again, bit by bit."""
        floats = {name: [float(x).hex() for x in getattr(self, name)] for name in ("grown", "begun")}
        return {"counts": self.counts.tolist(), "seen": self.seen, **floats, "largest": self.largest.hex()}

    @classmethod
    def of(cls, state: Mapping[str, Any]) -> Martingale:
        """What `state` gave."""
        return cls(
            counts=np.array(state["counts"], dtype=np.int64),
            seen=int(state["seen"]),
            grown=np.array([float.fromhex(x) for x in state["grown"]]),
            begun=np.array([float.fromhex(x) for x in state["begun"]]),
            largest=float.fromhex(state["largest"]),
        )


def _not_begun(samples: Floats) -> Floats:
    """Share of the capital that waits after so many samples: it falls so slowly that any of them may be the first."""
    share: Floats = 0.5 * (1 + samples / 100) ** -0.25
    return share


def _log_densities(ranks: Floats) -> Floats:
    """(n, I) ln of each density at ranks (n,)."""
    up, down = np.log(ranks), np.log1p(-ranks)
    powers = [np.log(a) + (a - 1) * side for side in (up, down) for a in POWERS]
    middle, ends = np.log(6) + up + down, np.log(12) + 2 * np.log(np.maximum(np.abs(ranks - 0.5), LEAST))
    return np.column_stack([*powers, middle, ends])
