"""Exploration -> the arrays that the live panel draws.

Python computes everything here, once for all slider positions; the panel's JavaScript only looks up
and draws.  The result is JSON data: fractions as numbers, counts as whole numbers, histograms as
base64 of little-endian integers.  A threshold of `inf` (never leave here) becomes null.  Where size
matters `packed` compresses the histograms; the panel's `unpack` brings them back.
"""

from __future__ import annotations

import base64
import hashlib
import math
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray

from cascade_core.analysis.exploration import Exploration
from cascade_core.analysis.points import Setting
from cascade_core.rendering.axes import BINS, NINES, ConfidenceAxis
from cascade_core.rendering.live.groups import Thresholds, live_groups, text_of
from cascade_core.rendering.live.ticks import round_ticks
from cascade_core.rendering.published import PublishedResult, difference
from cascade_core.simulation.bounds import ALPHA, LEVEL, quantile
from cascade_core.simulation.counting import reach_histograms
from cascade_core.simulation.meters import MACS, PERCENTILES, Meter, Milliseconds, along
from cascade_core.simulation.paths import RulePath
from cascade_core.simulation.record import Record
from cascade_core.simulation.sample_costs import SampleCosts
from cascade_core.storage.choice import shortest
from cascade_core.storage.origin import Origin
from cascade_core.support.wording import number

_LARGE = {
    "counts": ("right", "wrong", "leaving_right", "leaving_wrong"),
    "groups": ("levels", "last", "plain", "right", "weights"),
}
"""What a payload holds as base64, where it has them."""

NEAR = 0.1
"""Of the slider's length, the distance up to which the first tick gives way to "no drop"."""


def live_data(
    exploration: Exploration,
    axis: ConfidenceAxis,
    *,
    initial: int,
    unit: str,
    origin: str,
    published: Sequence[PublishedResult] = (),
    meter: Meter = MACS,
    name: str = "",
    brought: Sequence[Thresholds] = (),
) -> dict[str, Any]:
    """Everything that the live panel shows of an exploration, as JSON data.

    Args:
        axis: Of the confidence histograms.
        initial: Slider position to start from.
        unit: Plural noun for samples, such as "images".
        origin: One sentence on the run, put at the end of the footnote.
        published: Series to show on the accuracy-compute curve, whose savings are of MACs.
        meter: What costs and savings are counted in.
        name: Of the run; pictures of the charts and their files are called after it.
        brought: Thresholds that come from elsewhere, and can be set by hand exactly.
    """
    result = exploration.evaluation
    plain = meter.plain(result)
    drawn = published if meter is MACS else []
    best, groups = exploration.oracle, live_groups(exploration, axis, brought)
    data = {
        "name": name,
        "policy": exploration.policy.name,
        "slider": _slider(exploration, initial),
        "stages": list(result.stage_names),
        "samples": result.n,
        "in_sample": exploration.split.in_sample,
        "unit": unit,
        "reference": result.reference,
        "terms": result.terms.as_json(),
        "baseline": {"accuracy": result.full_accuracy, "cost": plain, "label": "plain network"},
        "cost_unit": meter.unit,
        "cost_noun": meter.noun,
        "cost_per": meter.per,
        "level": LEVEL,
        **_at_every_position(exploration, meter),
        "plain_right": result.full_correct,
        "quantile": quantile(LEVEL),
        "costing": _costing(exploration, meter),
        "histogram": _histogram(axis),
        "counts": None if groups is not None and groups["exact"] else _counts(exploration, axis),
        "groups": groups,
        "curve": {
            "published": [_series(series) for series in drawn],
            "oracle": {"cost": meter.mean(best) / plain, "accuracy": best.accuracy},
        },
        "footnote": " ".join([_footnote(exploration, unit, origin), *_differences(exploration, drawn)]),
    }
    return {"id": _digest({**data, "groups": None}), **data}


def _at_every_position(exploration: Exploration, meter: Meter) -> dict[str, Any]:
    """What has an entry for each position of the slider."""
    result = exploration.evaluation
    costs, plain = along(meter, result), meter.plain(result)
    low, high = result.drop_interval()
    return {
        "accuracy": result.accuracy.tolist(),
        "drop": result.accuracy_drop.tolist(),
        "harmed": np.asarray(result.harmed).tolist(),
        "drop_low": low.tolist(),
        "drop_high": high.tolist(),
        "certificate": _certificate(exploration),
        "saving": (1 - costs / plain).tolist(),
        "saving_of_whole_batches": _whole_batches(exploration, meter),
        "cost": costs.tolist(),
        "percentiles": _percentiles(exploration, meter),
        "thresholds": _thresholds(exploration.path),
        "exit_counts": result.exit_counts.T.tolist(),
        "correct_counts": result.correct_counts.T.tolist(),
        "active": result.active[..., :-1].T.tolist() if exploration.path.by_class else None,
        "plain": exploration.path.plain.tolist(),
    }


def _whole_batches(exploration: Exploration, meter: Meter) -> list[float] | None:
    """Savings if a stage were computed for all of a batch while any sample is left; None where that is the same."""
    if not isinstance(meter, Milliseconds) or meter.batch == 1:
        return None
    costs = along(replace(meter, compaction=False), exploration.evaluation)
    return (1 - costs / meter.plain(exploration.evaluation)).tolist()


def _percentiles(exploration: Exploration, meter: Meter) -> dict[str, Any] | None:
    """Times within which most samples are done, (percentiles, G); None where it is not known when each is."""
    if not isinstance(meter, Milliseconds) or meter.batch > 1:
        return None
    result = exploration.evaluation
    within = [meter.percentiles(result[position]) for position in range(len(exploration.path))]
    return {"shares": PERCENTILES, "within": list(zip(*within, strict=True))}


class Words(TypedDict):
    """The texts among `live_data`'s arguments."""

    unit: str
    origin: str


def words(origin: Origin, name: str) -> Words:
    """What `live_data` calls the samples of the run `name`, and says of where they come from."""
    # A run that was made from pictures or texts says how they were prepared.
    unit = "samples" if origin.transform is None else "texts" if "tokens" in origin.transform else "images"
    return {"unit": unit, "origin": name if origin.title is None else origin.title}


def packed(data: Mapping[str, Any]) -> dict[str, Any]:
    """The payload with its counts and samples compressed (raw deflate)."""
    parts = {part: [name for name in names if data[part].get(name)] for part, names in _LARGE.items() if data[part]}
    small = {
        part: {**data[part], **{name: _deflated(data[part][name]) for name in names}} for part, names in parts.items()
    }
    there = {"elsewhere": packed(data["elsewhere"])} if data.get("elsewhere") else {}
    return {**data, **small, **there, "packed": {"format": "deflate-raw", "parts": parts}}


def hand(setting: Setting) -> list[float | None] | None:
    """Thresholds set by hand as the panel takes them, None where nothing leaves; None if none are."""
    return None if setting.by_hand is None else list(map(shortest, np.asarray(setting.by_hand, dtype=np.float32)))


def _deflated(text: str) -> str:
    engine = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return base64.b64encode(engine.compress(base64.b64decode(text)) + engine.flush()).decode("ascii")


def _certificate(exploration: Exploration) -> dict[str, Any] | None:
    """Bounds on the drop that hold at all positions at once; None where the samples chose the thresholds."""
    bounds = exploration.certificate
    return None if bounds is None else {"level": 1 - ALPHA, "drop": bounds.tolist()}


def _slider(exploration: Exploration, initial: int) -> dict[str, Any]:
    slider, shown, terms = exploration.slider, exploration.shown, exploration.terms
    zero = _zero(shown)
    ticks = ([] if slider.unit else round_ticks(shown)) or [
        (i, terms.no_drop if i == zero else number(float(shown[i]), slider.decimals, slider.unit))
        for i in _ticks(len(shown), zero)
    ]
    return {
        "label": slider.label,
        "unit": slider.unit,
        "values": [float(f"{value:.12g}") for value in shown],
        "initial": initial,
        "ticks": [{"index": index, "text": text} for index, text in ticks],
        "zero": zero,
        "decimals": slider.decimals,
    }


def _zero(shown: NDArray[np.float64]) -> int | None:
    """The position of no drop, where gains lie left of it."""
    places = np.flatnonzero(shown == 0)
    return int(places[0]) if shown[0] < 0 and len(places) else None


def _ticks(count: int, zero: int | None) -> list[int]:
    """About six positions at equal distances, on either side of `zero` if it is inside; the first if it has room."""
    last, middle = count - 1, zero or 0
    gains = math.ceil(5 * middle / last) if middle > NEAR * last else 0
    drops = math.ceil(5 * (last - middle) / last) if last else 0
    sides = np.linspace(0, middle, gains + 1)[:gains], np.linspace(middle, last, drops + 1)
    places: list[int] = np.unique(np.concatenate(sides).round().astype(int)).tolist()
    return places


def _thresholds(path: RulePath) -> list[list[float | None]] | None:
    """Of each stage but the last, one for each position; None where there is one for each class besides."""
    return None if path.by_class else [list(map(shortest, column)) for column in path.thresholds.T]


def _histogram(axis: ConfidenceAxis) -> dict[str, Any]:
    """The axis of the histograms, and its bins."""
    return {
        "bins": BINS,
        "edges": list(map(shortest, axis.edges)),
        "label": axis.label,
        "ticks": [{"at": at, "text": text} for at, text in axis.ticks],
        "low": axis.low,
        "high": axis.high,
        "nines": NINES if axis.nines else 0,
    }


def _counts(exploration: Exploration, axis: ConfidenceAxis) -> dict[str, Any]:
    """Samples of each bin that reach each stage, and those that leave there, at every position."""
    path, result = exploration.path, exploration.evaluation
    reaching, leaving = reach_histograms(exploration.test, path.columns, axis.bins(exploration.test.confidence), BINS)
    if path.pool is not None and path.plain.any():
        reaching[path.plain, -1] = _plain_histogram(exploration.test, axis)
    dtype = "uint16" if result.n <= np.iinfo(np.uint16).max else "uint32"
    right, wrong = (text_of(counts, dtype) for counts in reaching.transpose(2, 1, 0, 3))
    leaving_right, leaving_wrong = (text_of(counts, dtype) for counts in leaving[:, :-1].transpose(2, 1, 0, 3))
    texts = {"right": right, "wrong": wrong, "leaving_right": leaving_right, "leaving_wrong": leaving_wrong}
    return {"dtype": dtype, **texts}


def _costing(exploration: Exploration, meter: Meter) -> dict[str, Any]:
    """What stages cost for 0, 1, ... samples of a batch, and which heads run although nothing leaves there."""
    table, pool = meter.table(exploration.test), exploration.path.pool
    parts = {name: getattr(table, name).tolist() for name in ("trunk", "head", "pool")}
    used_later = [False] * (len(exploration.test.stages) - 1) if pool is None else pool.used_later[:-1].tolist()
    return {
        **parts,
        "batch": table.batch,
        "compaction": table.compaction,
        "means": isinstance(meter, SampleCosts),
        "pooled": pool is not None,
        "used_later": used_later,
    }


def _plain_histogram(test: Record, axis: ConfidenceAxis) -> NDArray[np.int64]:
    """(2, B) samples by the plain network's own confidence: those that it answers correctly, and wrongly."""
    bins, right = axis.bins(test.baseline_confidence), test.baseline_correct
    return np.stack([np.bincount(bins[chosen], minlength=BINS) for chosen in (right, ~right)])


def _series(series: PublishedResult) -> dict[str, Any]:
    label = f"published, {series.name} ({series.network.split(',')[0]})"
    at = [{"cost": 1 - p.saving, "accuracy": p.accuracy, "text": f"epsilon {p.epsilon:.0%}"} for p in series.points]
    return {"label": label, "points": at}


def _differences(exploration: Exploration, published: Sequence[PublishedResult]) -> list[str]:
    """A sentence on each published series that stands beside the run."""
    accuracy = exploration.evaluation.full_accuracy
    samples = exploration.test.n + (0 if exploration.split.in_sample else exploration.calibration.n)
    return [difference(series, accuracy, samples) for series in published]


def _footnote(exploration: Exploration, unit: str, origin: str) -> str:
    if exploration.split.in_sample:
        measured = f"In-sample: thresholds chosen and measured on the same {exploration.test.n:,} {unit}."
    else:
        measured = (
            f"Thresholds chosen on {exploration.calibration.n:,} {unit}; "
            f"every number measured on {exploration.test.n:,} others."
        )
    return f"{measured} {origin}".strip()


def _digest(data: Mapping[str, Any]) -> str:
    """Identity of what is shown: equal data, equal id."""
    return hashlib.sha256(repr(data).encode()).hexdigest()[:16]
