"""How figures spread over the seeds of the split: computed when it is asked for, with a line on how far it has come."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from cascade_core.analysis.spread import SEEDS, Spread, realised_words, splits
from cascade_core.panels.questions import Question, judged
from cascade_core.panels.shown import Shown
from cascade_core.panels.state import Key


def spread_over_seeds(shown: Shown) -> Spread | None:
    """A toggle and, when it is on, the spread with a sentence on the position that is shown; None while it is off."""
    in_sample = shown.exploration.split.in_sample
    about = (
        "There is none: all samples choose and judge."
        if in_sample
        else f"Divide the samples by {SEEDS} seeds, choose and judge with each, and draw where the curves lie."
    )
    if not st.toggle("Spread over split seeds", help=about, disabled=in_sample, key=Key.SPREAD) or in_sample:
        return None
    spread = over_seeds(shown.question)
    realised = spread.realised(float(shown.exploration.shown[shown.position]), shown.selection.meter)
    st.markdown(realised_words(shown.setting.words, realised, shown.exploration.test.terms))
    return spread


def over_seeds(question: Question) -> Spread:
    """The question asked of each split; those that were asked before are at hand."""
    line = st.empty()
    found = []
    for number, split in enumerate(splits(question.split)):
        line.progress(number / SEEDS, f"{question.run.name}: split {number + 1} of {SEEDS}")
        found.append(judged(replace(question, split=split)))
    line.empty()
    return Spread(judged=found)
