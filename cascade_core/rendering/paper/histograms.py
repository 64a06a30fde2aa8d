"""The samples that reach each stage by confidence, with the stage's threshold."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Patch
from numpy.typing import NDArray

from cascade_core.rendering.axes import BINS, ConfidenceAxis
from cascade_core.rendering.palette import LIGHT
from cascade_core.rendering.paper import marks
from cascade_core.rendering.paper.sheet import Draw, Sheet, cut
from cascade_core.simulation.exits import ExitRule
from cascade_core.simulation.record import Record
from cascade_core.support.wording import confidence

LAYERS: tuple[tuple[bool, str, dict[str, Any]], ...] = (
    (False, "leaves", marks.WRONG),
    (False, "goes on", {**marks.WRONG, "edgecolor": LIGHT.wrong_staying, "hatch": r"\\\\\\"}),
    (True, "leaves", {"facecolor": marks.CASCADE, "linewidth": 0}),
    (True, "goes on", {"facecolor": LIGHT.staying, "linewidth": 0}),
)
"""From the foot of a bar to its top: whether answers are right, what becomes of them, and how they are drawn."""


def histograms(record: Record, rule: ExitRule, axis: ConfidenceAxis) -> Draw:
    """A histogram for each stage: samples that reach it, by what becomes of them, and the threshold as a line."""

    def draw(sheet: Sheet) -> None:
        stages = len(record.stages)
        each = min(1.1, 6.0 / stages) * (1.0 if sheet.style.wide else 0.8)
        plots = sheet.plots(stages, 0.5 + each * stages)
        for stage, (axes, counts) in enumerate(zip(plots, layers(record, rule, axis), strict=True)):
            last = stage == stages - 1
            marks.frame(sheet, axes, axis.label if last else "", "")
            marks.grouped(axes)
            axes.set_title(_title(sheet, record.stage_names[stage], counts), loc="left", pad=0.3 * sheet.style.size)
            _bars(sheet, axes, counts)
            if not last:
                _thresholds(sheet, axes, rule.columns[stage], axis)
        _scale(sheet, plots[-1], axis)
        sheet.figure.supylabel(sheet.say("samples"), fontsize=sheet.style.size)
        for right, fate, looks in LAYERS:
            sheet.explain(Patch(**looks), f"{record.terms.right if right else record.terms.wrong}, {fate}")

    return draw


def layers(record: Record, rule: ExitRule, axis: ConfidenceAxis) -> NDArray[np.int64]:
    """(M, 4, B) samples that reach each stage, by confidence: wrong or right, that leave or go on, as in `LAYERS`."""
    leaves = rule.exit_stages(record)
    confidences, correct = record.confidence.copy(), record.correct.copy()
    if rule.plain:  # the plain network answers alone
        confidences[-1], correct[-1] = record.baseline_confidence, record.baseline_correct
    bins = axis.bins(confidences)
    result = np.zeros((len(bins), len(LAYERS), BINS), dtype=np.int64)
    for stage, row in enumerate(bins):
        here = leaves == stage
        kinds = [right & part for right in (~correct[stage], correct[stage]) for part in (here, leaves > stage)]
        result[stage] = [record.tally(row, BINS, kind) for kind in kinds]
    return result


def _scale(sheet: Sheet, axes: Axes, axis: ConfidenceAxis) -> None:
    """Ticks of confidence, with the texts that find room from the left; the last ends where the axis does."""
    axes.set_xlim(0, 1)
    letters, free, texts = sheet.fitting(0.85 * sheet.style.width), -1.0, []
    for at, text in axis.ticks:
        start = at * letters - len(text) * (1.0 if at == 1 else 0.5)
        texts.append(text if start > free else "")
        free = start + len(text) + 1 if start > free else free
    axes.set_xticks([at for at, _ in axis.ticks], texts)
    axes.get_xticklabels()[-1].set_horizontalalignment("right")


def _title(sheet: Sheet, name: str, counts: NDArray[np.int64]) -> str:
    """Which stage, and how many of those that reach it leave there."""
    leaving, reaching = int(counts[[0, 2]].sum()), int(counts.sum())
    rest = f": {leaving:,} of {reaching:,} {sheet.say('leave')}"
    return cut(sheet.say(name), sheet.fitting(0.85 * sheet.style.width) - len(rest)) + rest


def _bars(sheet: Sheet, axes: Axes, counts: NDArray[np.int64]) -> None:
    """Bars in layers; one that stands far above all others is cut off, and says its count."""
    edges = np.linspace(0.0, 1.0, BINS + 1)
    tops = counts.cumsum(axis=0)
    for (_, _, looks), foot, top in zip(LAYERS, tops - counts, tops, strict=True):
        axes.stairs(top, edges, baseline=foot, fill=True, **looks)
    tall = int(tops[-1].argmax())
    others = float(np.delete(tops[-1], tall).max())
    cut = 0 < 1.5 * others < tops[-1, tall]
    axes.set_ylim(0, 1.12 * others if cut else max(1.0, 1.05 * float(tops[-1, tall])))
    if cut:
        beside(sheet, axes, (tall + (tall < BINS / 2)) / BINS, f"{tops[-1, tall]:,}", left=tall >= BINS / 2)


def _thresholds(sheet: Sheet, axes: Axes, thresholds: NDArray[np.float32], axis: ConfidenceAxis) -> None:
    """A line at the threshold; with one for each class, at the least and at the largest."""
    finite = thresholds[np.isfinite(thresholds)]
    for value in np.unique([finite.min(), finite.max()]) if finite.size else ():
        place = float(axis.place(value))
        axes.axvline(place, color=marks.INK, linewidth=0.14 * sheet.style.size)
        beside(sheet, axes, place, confidence(float(value), 6), left=place > 0.5)


def beside(sheet: Sheet, axes: Axes, place: float, text: str, *, left: bool) -> None:
    """A text at the top of a plot, beside a place on its axis of confidence."""
    gap = 0.3 * sheet.style.size * (-1 if left else 1)
    side: dict[str, Any] = {"ha": "right" if left else "left", "va": "top"}
    axes.annotate(text, (place, 1.0), (gap, 0), xycoords=("data", "axes fraction"), textcoords="offset points", **side)
