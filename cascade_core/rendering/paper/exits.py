"""How many samples leave at each stage, right and wrong."""

from __future__ import annotations

import numpy as np
from matplotlib.patches import Patch

from cascade_core.rendering.paper import marks
from cascade_core.rendering.paper.sheet import Draw, Sheet, cut
from cascade_core.simulation.evaluation import Evaluation
from cascade_core.support.wording import percent


def exits(evaluation: Evaluation) -> Draw:
    """A bar for each stage: the share of all samples that leaves there, wrong answers hatched at its foot."""

    def draw(sheet: Sheet) -> None:
        (axes,) = sheet.plots(1, 2.2 if sheet.style.wide else 1.9)
        marks.frame(sheet, axes, "stage at which samples leave", "share of samples, %")
        axes.grid(False, axis="x")
        places = np.arange(len(evaluation.exit_shares))
        right = 100 * evaluation.correct_counts / evaluation.n
        shares = 100 * evaluation.exit_shares
        axes.bar(places, shares - right, width=0.7, **marks.WRONG)
        axes.bar(places, right, width=0.7, bottom=shares - right, color=marks.CASCADE)
        for place, share in zip(places, shares, strict=True):
            axes.annotate(percent(share / 100, 1), (place, share), (0, 2), textcoords="offset points", ha="center")
        axes.set_ylim(0, 1.14 * float(shares.max()))
        axes.set_xticks(places, [cut(sheet.say(name), sheet.fitting(1.0)) for name in evaluation.stage_names])
        _turn_if_crowded(sheet)
        sheet.explain(Patch(color=marks.CASCADE), evaluation.terms.right)
        sheet.explain(Patch(**marks.WRONG), evaluation.terms.wrong)

    return draw


def _turn_if_crowded(sheet: Sheet) -> None:
    """Names of stages that would meet are written upwards."""
    (axes,) = sheet.figure.axes
    labels = axes.get_xticklabels()
    if max(len(label.get_text()) for label in labels) > sheet.fitting(0.8 * sheet.style.width / len(labels)):
        axes.tick_params(axis="x", labelrotation=90)
