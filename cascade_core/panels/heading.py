"""The line above every view: what network, data and baseline its numbers are of, and what they do not promise."""

from __future__ import annotations

import streamlit as st

from cascade_core.panels.shown import Shown
from cascade_core.rendering.headline import headline
from cascade_core.rendering.markup import heading, markup_css
from cascade_core.support import wording


def show(shown: Shown, *, named: bool = False) -> None:
    """The line, with a badge where the same samples chose and judged.

    Args:
        named: With the run and the policy, where nothing else on the page says them.
    """
    line = headline(shown.exploration, shown.question.run.origin, shown.question.run.name)
    if named:
        line = f"{shown.question.run.name}, {shown.exploration.policy.title}: {line}"
    badge = wording.badge(shown.exploration.split.in_sample, by_hand=False)
    st.html(f"<style>{markup_css()}</style>{heading(line, badge)}")
