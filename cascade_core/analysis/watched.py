"""A choice at work against what it was measured to do: alarms, and which thresholds the audited samples still certify.

Three gamblers (`simulation.martingale`) bet against "samples are as they were": on where samples leave, on how often
audited ones are answered otherwise than by the plain network, and on how often labels are met.  The first may use half
of alpha, the others a quarter each: one that becomes richer than the inverse of its part raises an alarm.  While
nothing changes, none ever does with probability 1 - alpha at least, over an endless life.  Nothing here depends on how
the log was divided when it was read, and memory does not grow with it.

Positions are the choice's thresholds moved towards certainty, or away from it.  For each, all audited samples tell
how often it would answer otherwise than the plain network; bounds hold at all times and positions at once
(`time_uniform`; monitoring as in arXiv 2506.16416).  How much accuracy is lost is at most that.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cascade_core.analysis.exit_series import ExitSeries
from cascade_core.simulation.bounds import ALPHA
from cascade_core.simulation.exits import ExitRule, exit_stages
from cascade_core.simulation.martingale import Martingale
from cascade_core.simulation.scores import SCORES
from cascade_core.simulation.time_uniform import share_bounds
from cascade_core.storage.choice import Choice
from cascade_core.storage.exit_logs import Entries
from cascade_core.support import checks

SHARES = {"exits": 0.5, "audits": 0.25, "labels": 0.25}
"""Of alpha, that each gambler may use."""

SCALES = 2.0 ** (np.arange(-10, 5) / 2)
"""How far thresholds of a position are from certainty, against the choice's."""

KEPT = 4096
"""Audited samples that are kept, the latest, to choose thresholds anew on."""

PIECE = 1 << 14
"""Lines that are bet on at once."""

ROUNDING = np.float32(1e-6)
"""How far a confidence of a log may be from what was compared with a threshold."""


@dataclass(frozen=True, kw_only=True)
class Alarm:
    """Which gambler first became too rich: after so many samples had left, at a time in seconds since 1970."""

    of: str
    sample: int
    time: float


class Watch:
    """What is known of a choice at work.

    Attributes:
        choice: The choice.
        alpha: Probability of a false alarm over the whole life.
        thresholds: (G, M-1) or (G, M-1, K) of each position.
        gamblers: Those that bet, by what they bet on; one is absent where the choice does not say what to expect.
        series: Sums over the length of the log.
        elsewhere: Samples that left where the choice's thresholds would not have had them leave, as far as lines tell.
        faults: Lines that were not counted, by why.
        read: Bytes that were read of each log, by its key.
        back: Lines that are earlier than one before them, and by how many seconds at most.
        latest: The latest time so far.
        alarm: The first, if there was one.
        audited: Samples that positions were judged on.
        position_exits: (G, M) of these, how many would have left at each stage.
        position_disagreed: (G,) how many would have been answered otherwise than by the plain network.
        recent: The latest audited lines.
    """

    def __init__(self, choice: Choice, alpha: float = ALPHA, positions: NDArray[np.float32] | None = None) -> None:
        """Nothing seen yet.

        Args:
            positions: Thresholds that audited samples judge; those of `positions_of` without any.
        """
        self.choice, self.alpha = choice, checks.inner("alpha", alpha)
        self.stages = choice.rule.stage_names or ()
        m = len(self.stages)
        self.gamblers = {name: Martingale.against(np.array(counts)) for name, counts in promised(choice).items()}
        self.series, self.faults, self.read = ExitSeries(m), Counter[str](), dict[str, int]()
        self.back, self.latest, self.elsewhere = (0, 0.0), 0.0, 0
        self.alarm: Alarm | None = None
        self.thresholds = positions_of(choice) if positions is None else positions
        self.audited = 0
        self.position_exits = np.zeros((len(self.thresholds), m), dtype=np.int64)
        self.position_disagreed = np.zeros(len(self.thresholds), dtype=np.int64)
        self.recent: Entries | None = None

    def add(self, entries: Entries) -> None:
        """Take in more lines."""
        for start in range(0, len(entries), PIECE):
            piece = entries.take(slice(start, start + PIECE))
            disagree = piece.audited & (_answers_at(piece, piece.stage) != piece.plain)
            self._bet(piece, disagree)
            self.series.add(piece, disagree)
            self._follow_clock(piece.time)
            self.elsewhere += left_elsewhere(self.choice.rule, piece)
            self._judge_positions(piece.take(np.flatnonzero(piece.audited)))

    def _bet(self, entries: Entries, disagree: NDArray[np.bool_]) -> None:
        """Bet on lines, and note when the capital first passes the limit."""
        left, labelled = entries.stage >= 0, (entries.label >= 0) & (entries.answer >= 0)
        kinds = {
            "exits": (left, entries.stage),
            "audits": (entries.audited, disagree.astype(np.int64)),
            "labels": (labelled, (entries.label != entries.answer).astype(np.int64)),
        }
        rich = {name: self._bet_of(name, *kinds[name]) >= self.needed(name) for name in SHARES}
        over = np.flatnonzero(np.any(list(rich.values()), axis=0))
        if self.alarm is None and len(over):
            line = int(over[0])
            first = next(name for name in SHARES if rich[name][line])
            sample = self.series.n + int(left[: line + 1].sum())
            self.alarm = Alarm(of=first, sample=sample, time=float(np.nan_to_num(entries.time[line])))

    def needed(self, name: str) -> float:
        """Ln of the capital at which a gambler raises an alarm."""
        return -math.log(SHARES[name] * self.alpha)

    def _bet_of(self, name: str, members: NDArray[np.bool_], kinds: NDArray[np.int64]) -> NDArray[np.float64]:
        """(n,) ln of a gambler's capital after each line, of which it bets on some."""
        if name not in self.gamblers:
            return np.zeros(len(members))
        before = self.gamblers[name]
        self.gamblers[name], after = before.after(kinds[members])
        held = np.concatenate([[before.capital], after])
        result: NDArray[np.float64] = held[np.cumsum(members)]
        return result

    def _follow_clock(self, time: NDArray[np.float64]) -> None:
        known = time[time > 0]
        latest = np.maximum.accumulate(np.concatenate([[self.latest], known]))
        behind = latest[1:] - known
        self.back = self.back[0] + int((behind > 0).sum()), max(self.back[1], *behind.tolist(), 0.0)
        self.latest = float(latest[-1])

    def _judge_positions(self, audited: Entries) -> None:
        if not len(audited):
            return
        confidence, rows = np.ascontiguousarray(audited.confidence.T), np.arange(len(audited))
        for place, thresholds in enumerate(self.thresholds):
            exits = exit_stages(confidence, thresholds, np.ascontiguousarray(audited.answers.T))
            self.position_exits[place] += np.bincount(exits, minlength=len(self.stages))
            self.position_disagreed[place] += int((audited.answers[rows, exits] != audited.plain).sum())
        self.audited += len(audited)
        both = audited if self.recent is None else _joined(self.recent, audited)
        self.recent = both.take(slice(-KEPT, None))

    def position_bounds(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(G,) lower and upper bounds on the disagreement of each position, which hold at all times at once."""
        return share_bounds(self.position_disagreed, self.audited, self.alpha / max(1, len(self.thresholds)))

    def state(self) -> dict[str, Any]:
        """All of it but the choice, as JSON data from which `restore` makes it again, bit by bit."""
        return {
            "alpha": self.alpha,
            "gamblers": {name: gambler.state() for name, gambler in self.gamblers.items()},
            "series": self.series.state(),
            "elsewhere": self.elsewhere,
            "faults": dict(self.faults),
            "read": self.read,
            "back": list(self.back),
            "latest": self.latest,
            "alarm": None if self.alarm is None else asdict(self.alarm),
            "audited": self.audited,
            "position_exits": self.position_exits.tolist(),
            "position_disagreed": self.position_disagreed.tolist(),
            "recent": None if self.recent is None else _packed(self.recent),
        }

    @classmethod
    def restore(cls, choice: Choice, state: Mapping[str, Any]) -> Watch:
        """What `state` gave, for the same choice."""
        result = cls(choice, float(state["alpha"]))
        result.gamblers = {name: Martingale.of(held) for name, held in state["gamblers"].items()}
        result.series = ExitSeries.of(state["series"], len(result.stages))
        result.faults, result.read = Counter(state["faults"]), dict(state["read"])
        result.back, result.latest = (int(state["back"][0]), float(state["back"][1])), float(state["latest"])
        result.elsewhere = int(state["elsewhere"])
        result.alarm = None if state["alarm"] is None else Alarm(**state["alarm"])
        result.audited = int(state["audited"])
        result.position_exits = np.array(state["position_exits"], dtype=np.int64).reshape(result.position_exits.shape)
        result.position_disagreed = np.array(state["position_disagreed"], dtype=np.int64)
        result.recent = None if state["recent"] is None else _unpacked(state["recent"])
        return result


def promised(choice: Choice) -> dict[str, list[int]]:
    """Samples of each kind that the choice was measured on: where they left, and whether answers were as they ought."""
    measured = choice.measured
    n = int(measured["n"])
    result = {"exits": choice.exit_counts.tolist()}
    right = round(measured["accuracy"] * n)
    result["audits" if measured.get("reference", "labels") != "labels" else "labels"] = [right, n - right]
    return result


def positions_of(choice: Choice) -> NDArray[np.float32]:
    """(G, M-1) or (G, M-1, K) thresholds of each position, from the safest on; none where scores have no end."""
    best = SCORES[choice.rule.score].greatest
    thresholds = choice.rule.thresholds.astype(np.float64)
    if not math.isfinite(best):
        return np.zeros((0, *thresholds.shape), dtype=np.float32)
    scales = SCALES.reshape(-1, *[1] * thresholds.ndim)
    return (best - scales * (best - thresholds)).astype(np.float32)


def left_elsewhere(rule: ExitRule, entries: Entries) -> int:
    """How many samples cannot have left where they did under a rule: others than its are at work."""
    known = entries.take(np.flatnonzero((entries.stage >= 0) & (entries.audited | (not rule.by_class))))
    confidence, answers = np.ascontiguousarray(known.confidence.T), np.ascontiguousarray(known.answers.T)
    unknown = np.isnan(confidence)
    first = exit_stages(np.where(unknown, np.inf, confidence + ROUNDING), rule.thresholds, answers)
    last = exit_stages(np.where(unknown, -np.inf, confidence - ROUNDING), rule.thresholds, answers)
    return int(((known.stage < first) | (known.stage > last)).sum())


def _answers_at(entries: Entries, stage: NDArray[np.int64]) -> NDArray[np.int64]:
    """(n,) answers of audited samples at a stage each."""
    result: NDArray[np.int64] = entries.answers[np.arange(len(entries)), np.maximum(stage, 0)]
    return result


def _joined(first: Entries, second: Entries) -> Entries:
    return Entries(
        **{name: np.concatenate([getattr(first, name), getattr(second, name)]) for name in Entries.__dataclass_fields__}
    )


def _packed(entries: Entries) -> dict[str, Any]:
    """What thresholds are chosen anew on, as JSON data."""
    return {
        "stage": entries.stage.tolist(),
        "confidence": entries.confidence.astype(np.float64).tolist(),
        "answers": entries.answers.tolist(),
        "plain": entries.plain.tolist(),
    }


def _unpacked(held: Mapping[str, Any]) -> Entries:
    n = len(held["stage"])
    nothing, unknown = np.full(n, -1), np.full(n, np.nan)
    return Entries(
        time=unknown,
        stage=np.array(held["stage"], dtype=np.int64),
        confidence=np.array(held["confidence"], dtype=np.float32),
        answer=nothing,
        milliseconds=unknown,
        answers=np.array(held["answers"], dtype=np.int64),
        plain=np.array(held["plain"], dtype=np.int64),
        label=nothing,
    )
