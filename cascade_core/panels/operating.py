"""One line on the operating point: which rule a view looks at, since the slider that set it is in another view.

The position can only be read here.  The live panel's JavaScript keeps where its slider rests for as long as the page is
loaded, and would neither follow a second slider nor know that it had moved.
"""

from __future__ import annotations

import streamlit as st

from cascade_core.analysis.points import Setting
from cascade_core.simulation.meters import spent
from cascade_core.support import wording


def operating_point(setting: Setting) -> None:
    """Say which policy and slider value are looked at, and what they do."""
    st.markdown(f"{operating_words(setting)} *Move the slider under Explore.*")


def operating_words(setting: Setting) -> str:
    """The line, as markdown; nothing in it comes from a file."""
    exploration, here, meter = setting.exploration, setting.evaluation, setting.exploration.meter
    measured = "samples that also chose the thresholds" if exploration.split.in_sample else "test samples"
    slider, terms = exploration.slider.label, exploration.terms
    place = f"**{setting.words}**" if setting.is_by_hand else f"{slider}: **{setting.words}**"
    return (
        f"**{terms.of(exploration.policy.title)}**, {place}. {wording.capital(terms.accuracy)} "
        f"**{wording.percent(here.accuracy, 1)}** (plain network {wording.percent(here.full_accuracy, 1)}), "
        f"{wording.change(here.accuracy_drop, 1, terms)}; "
        f"**{wording.saving(spent(meter, here)['saving'], meter.noun)}**, "
        f"on {here.n:,} {measured}."
    )
