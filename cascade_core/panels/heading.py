"""The line above every view: what network, data and baseline its numbers are of, and what they do not promise."""

from __future__ import annotations

import streamlit as st

from cascade_core.panels.shown import Shown
from cascade_core.rendering.headline import headline
from cascade_core.rendering.markup import heading, markup_css
from cascade_core.support import wording


def show(shown: Shown) -> None:
    """The line, with a badge where the same samples chose and judged."""
    line = headline(shown.exploration, shown.question.run.origin, shown.question.run.name)
    badge = wording.badge(shown.exploration.split.in_sample, by_hand=False)
    st.html(f"<style>{markup_css()}</style>{heading(line, badge)}")
