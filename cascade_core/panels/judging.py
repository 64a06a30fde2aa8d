"""What is said, and taken away, of another run that thresholds are judged on."""

from __future__ import annotations

from typing import Any

import streamlit as st

from cascade_core.analysis.likeness import Likeness
from cascade_core.panels import questions
from cascade_core.panels.shown import Shown
from cascade_core.rendering.likeness_words import likeness_sentence
from cascade_core.simulation.bounds import ALPHA
from cascade_core.simulation.certificates import drop_bound
from cascade_core.simulation.evaluation import evaluate
from cascade_core.storage.measured import judged


def say_likeness(shown: Shown) -> None:
    """Whether the other run's samples look like those of the run that is looked at, where there is another."""
    if shown.there is not None:
        st.text(f"{shown.there.run.name}: {likeness_sentence(_likeness(shown))}")


def judged_on(shown: Shown) -> list[dict[str, Any]]:
    """What the rule does on the other run, for the choice file; empty where there is none."""
    there = shown.there
    if there is None:
        return []
    test = there.exploration.test
    bound = drop_bound(test, shown.rule, ALPHA)
    run = {"name": there.run.name, "sha256": there.run.digest}
    described = _likeness(shown).describe()
    return [judged(run, evaluate(test, shown.rule), bound, described, shown.exploration.meter)]


def _likeness(shown: Shown) -> Likeness:
    assert shown.there is not None
    return questions.likeness_there(shown.question, shown.there.run, shown.position, shown.setting.by_hand)
