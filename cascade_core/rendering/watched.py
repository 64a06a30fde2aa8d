"""What is known of a choice at work, as sentences, a table and JSON data."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cascade_core.analysis.positions_seen import CERTIFIED, OPEN, REFUTED, PositionsSeen
from cascade_core.analysis.rechoosing import Rechosen
from cascade_core.analysis.watched import SCALES, SHARES, Watch
from cascade_core.policies.base import Slider
from cascade_core.simulation.scores import SCORES
from cascade_core.storage.choice import choice_json
from cascade_core.storage.exit_logs import FOREIGN
from cascade_core.storage.log_files import ENDINGS, LogFile
from cascade_core.support.terms import LAST_STAGE
from cascade_core.support.wording import at_most, number_of, percent, points, setting

LATEST = 1e11
"""Seconds since 1970 beyond which a time was written in another unit: the year 5138."""

BETS = {
    "exits": "where samples leave",
    "audits": "how often audited samples are answered otherwise than by the plain network",
    "labels": "how often labels are met",
}
"""What each gambler bets on, in words."""

ALARMS = {
    "exits": "**What it means.** Samples leave at other stages than those that the thresholds were measured on: what "
    "comes in is easier, harder or of another kind. The saving is no longer the promised one; whether accuracy is, "
    "only audited samples or labels tell.\n\n"
    "**What to do.** Look at what has changed in the input. See below which slider positions still hold, and choose "
    "anew on these samples; or record samples of today and judge the thresholds on them (*Judge on* at the side).",
    "audits": "**What it means.** Audited samples are answered otherwise than by the plain network more or less often "
    "than when the thresholds were chosen: leaving early harms more, or less, than was promised.\n\n"
    "**What to do.** See below which slider positions still hold; go to one of them, or choose anew on these samples.",
    "labels": "**What it means.** Answers are right more or less often than was promised. That may be the network's as "
    "well as the cascade's: audited samples tell which.\n\n"
    "**What to do.** If few audited samples are answered otherwise than by the plain network, thresholds are not to "
    "blame and new ones will not help. Else choose anew on these samples.",
}
"""What an alarm of each gambler means, and what to do, as markdown."""


def exits_watched(watch: Watch) -> pd.DataFrame:
    """A row a stage: the share that leaves there as it was measured and as it is, and the mean confidence."""
    series, promised = watch.series, watch.choice.measured["exits"]
    return pd.DataFrame(
        {
            "stage": watch.stages,
            "share promised": [one["share"] for one in promised],
            "share seen": series.total("exits") / max(series.n, 1) if series.n else np.full(len(promised), np.nan),
            "mean confidence": _mean_confidence(watch),
        }
    )


def _mean_confidence(watch: Watch) -> NDArray[np.float64]:
    """(M,) of the samples that reached each stage; NaN where none did."""
    passed = watch.series.total("passed")
    with np.errstate(invalid="ignore"):
        return np.where(passed > 0, watch.series.total("sure") / 1e6 / passed, np.nan)


def read_sentences(watch: Watch, files: Sequence[LogFile]) -> list[str]:
    """How much was read, and what of it was odd."""
    said = [_counted(watch, files)]
    said += [
        f"not read: {', '.join(file.hides)}, which says something else than {file.path.name} but begins as that does, "
        "by which logs are known: have the first line tell its time"
        for file in files
        if file.hides
    ]
    odd = [f"{number_of(count, 'line')} {why}" for why, count in sorted(watch.faults.items())]
    if odd:
        said.append(f"not counted: {', '.join(odd)}")
    if watch.faults[FOREIGN]:
        said.append(stages_sentence(watch))
    said += _other_units(watch)
    times, most = watch.back
    if times:
        said.append(f"{times:,} lines are earlier than one before them, by up to {most:,.1f} seconds; all are counted")
    if watch.elsewhere:
        said.append(
            f"{watch.elsewhere:,} samples left where these thresholds would not have had them: they were answered "
            "under others, and promises of this choice are not about them"
        )
    return said


def _counted(watch: Watch, files: Sequence[LogFile]) -> str:
    if not files:
        return f"no log has a whole line yet (in folders, names that end in {', '.join(ENDINGS)})"
    labelled = int(watch.series.total("labelled"))
    labels = f", {number_of(labelled, 'label')}" if labelled else ""
    until = f", until {moment(watch.latest)}" if watch.latest else ""
    return f"{number_of(watch.series.n, 'sample')}{labels} in {number_of(len(files), 'log')}{until}"


def stages_sentence(watch: Watch) -> str:
    """Of which stages lines count."""
    return f"expected lines of the stages {', '.join(watch.stages)}"


def _other_units(watch: Watch) -> list[str]:
    """Lines where times or confidences cannot be in the unit that they ought to be in."""
    said = []
    if watch.latest > LATEST:
        said.append(
            "times are far ahead: expected seconds since 1970, where milliseconds or less may have been written"
        )
    most = SCORES[watch.choice.rule.score].greatest
    if (_mean_confidence(watch) > most + 1e-3).any():
        said.append(f"confidences are above {most:g}, which this score never is: percent may have been written")
    return said


def alarm_sentence(watch: Watch) -> str:
    """Whether samples are as they were."""
    sure = f"a false alarm comes in {percent(watch.alpha)} of all lives at most"
    if watch.alarm is None:
        return f"no alarm: nothing shows that samples differ from those of the choice{_strongest(watch)} ({sure})"
    when = f" ({moment(watch.alarm.time)})" if watch.alarm.time else ""
    return (
        f"alarm after {watch.alarm.sample:,} samples{when}: samples differ from those of the choice, which is seen by "
        f"{BETS[watch.alarm.of]} ({sure})"
    )


def _strongest(watch: Watch) -> str:
    """What comes nearest to an alarm."""
    left = {name: watch.needed(name) - gambler.capital for name, gambler in watch.gamblers.items() if gambler.seen}
    if not left:
        return ""
    closest = min(left, key=lambda name: left[name])
    odds = math.exp(min(left[closest], 50.0))
    return f"; the strongest sign, {BETS[closest]}, would have to be {odds:,.1f} times as strong"


def saving_sentence(watch: Watch) -> str:
    """What is saved, against what was measured."""
    if not watch.series.n:
        return "no sample has left yet"
    return (
        f"{percent(saving_seen(watch), 1)} of the computation is saved, where the choice promised "
        f"{percent(watch.choice.measured['saving'], 1)}"
    )


def saving_seen(watch: Watch) -> float:
    """Saving over all samples, a fraction; NaN without any."""
    series = watch.series
    mean = float(series.total("exits") @ np.array(watch.choice.costs)) / series.n if series.n else math.nan
    return 1 - mean / watch.choice.baseline_macs


def position_sentence(watch: Watch, limit: float) -> str:
    """Which positions the audited samples certify to be within a limit, and which they refute."""
    if not watch.audited:
        return "no audited samples yet, so that nothing is known of disagreement with the plain network"
    low, high = watch.position_bounds()
    if not len(low):
        return f"{watch.audited:,} audited samples; confidences of this score have no end that positions could go to"
    own = int(np.argmin(np.abs(SCALES - 1)))
    kept = np.flatnonzero(np.logical_and.accumulate(high <= limit))
    broken = np.flatnonzero(low > limit)
    now = watch.position_disagreed[own] / watch.audited
    said = (
        f"{watch.audited:,} audited samples: these thresholds answer otherwise than the plain network on "
        f"{percent(now, 2)} of them, {at_most(float(high[own]), 2, LAST_STAGE)}"
    )
    bold = (
        f"thresholds up to {SCALES[kept[-1]]:.2g} times as far from certainty are still certified for "
        f"{points(limit)} points"
        if len(kept)
        else f"no thresholds tried are certified for {points(limit)} points"
    )
    out = (
        f"; thresholds {_further(SCALES[broken[0]])} are refuted: they answer otherwise more often"
        if len(broken)
        else ""
    )
    return f"{said}; {bold}{out}"


def _further(scale: float) -> str:
    """Thresholds from a scale of the choice's distances to certainty on."""
    return "from these on" if scale == 1 else f"from {scale:.2g} times as far from certainty on"


def rechosen_sentence(new: Rechosen) -> str:
    """What new thresholds do that the old ones do not, on the same audited samples, and whether that is too much."""
    missed = f"; that is more than the {points(new.max_drop)} points asked for: audit more samples"
    return (
        f"chosen anew on audited samples: {points(new.evaluation.accuracy_drop)} points of disagreement and "
        f"{percent(new.evaluation.saving, 1)} saved, where the old thresholds have "
        f"{points(new.old.accuracy_drop)} and {percent(new.old.saving, 1)} (on {new.evaluation.n:,} others)"
        f"{missed if new.evaluation.accuracy_drop > new.max_drop else ''}"
    )


def rechosen_json(new: Rechosen) -> str:
    """The choice file of new thresholds."""
    return choice_json(new.rule, new.evaluation, policy=new.policy, split=new.split)


def positions_sentence(seen: PositionsSeen, slider: Slider, limit: float) -> str:
    """Which slider positions audited samples certify and refute, and what they say of the thresholds shown."""
    if not seen.audited:
        return (
            "No audited samples yet, so that nothing is known of disagreement with the plain network: let a share of "
            "the samples go on to the end after they were answered (`classify --audit 2%`)."
        )
    verdicts, allowed = seen.verdicts(limit), f"at most {points(limit)} points answered otherwise"
    own = {CERTIFIED: "**certified**", REFUTED: "**refuted**", OPEN: "**not decided yet**"}[int(verdicts[-1])]
    sentences = [f"With {allowed}, the thresholds shown are {own}."]
    certified, refuted = (np.flatnonzero(verdicts[:-1] == kind) for kind in (CERTIFIED, REFUTED))

    def place(position: int) -> str:
        return f"**{setting(float(seen.values[position]), slider.decimals, slider.unit)}**"

    if len(certified):
        count = "All" if len(certified) == len(seen.values) else f"{len(certified)} of {len(seen.values)}"
        sentences.append(f"{count} positions are certified, the boldest of them at {place(certified[-1])}.")
    if len(refuted):
        sentences.append(f"From {place(refuted[0])} on positions are refuted.")
    return " ".join(sentences)


def moment(seconds: float) -> str:
    """A time, in seconds since 1970."""
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (ValueError, OverflowError, OSError):
        return f"{seconds:g} seconds since 1970"


def watched_json(watch: Watch, files: int, limit: float) -> dict[str, Any]:
    """All of it as JSON data; shares are fractions."""
    low, high = watch.position_bounds()
    table = exits_watched(watch)
    return {
        "samples": watch.series.n,
        "logs": files,
        "not_counted": dict(watch.faults),
        "left_under_other_thresholds": watch.elsewhere,
        "alpha": watch.alpha,
        "alarm": None
        if watch.alarm is None
        else {"of": watch.alarm.of, "sample": watch.alarm.sample, "time": watch.alarm.time},
        "evidence": {
            name: {"log_capital": gambler.capital, "log_capital_of_an_alarm": watch.needed(name), "alpha": SHARES[name]}
            for name, gambler in watch.gamblers.items()
        },
        "saving": None if not watch.series.n else saving_seen(watch),
        "saving_promised": watch.choice.measured["saving"],
        "exits": [
            {
                "stage": row["stage"],
                "share_promised": row["share promised"],
                "share": None if not watch.series.n else row["share seen"],
                "mean_confidence": None if pd.isna(row["mean confidence"]) else row["mean confidence"],
            }
            for row in table.to_dict("records")
        ],
        "audited": watch.audited,
        "limit": limit,
        "positions": [
            {"scale": float(scale), "disagreed": int(count), "at_least": float(least), "at_most": float(most)}
            for scale, count, least, most in zip(SCALES, watch.position_disagreed, low, high, strict=False)
        ],
    }
