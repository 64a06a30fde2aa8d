"""The views of the page: a view is a file in this folder, with a function ``show(shown)``, and a line below.

Its file is imported when it is first looked at, so that the page opens without what one view alone needs.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module

import streamlit as st

from cascade_core.panels.shown import Shown

COUNTS_ALONE = (
    "This run holds counts of samples, and no sample by itself. What thresholds do to all of them together is in "
    "*Explore*, *Compare* and *Present*."
)


@dataclass(frozen=True)
class View:
    """Something to look at.

    Attributes:
        file: Its file in this folder, without the ending.
        badged: Whether the live panel is in it, which has a badge beside its numbers.
        singles: Whether it shows what single samples were answered, which a run of counts does not tell.
    """

    title: str
    file: str
    badged: bool = False
    singles: bool = False

    def show(self, shown: Shown) -> None:
        """Lay it out below what the page has already."""
        if self.singles and shown.question.run.is_counted:
            st.info(COUNTS_ALONE, icon=":material/info:")
            return
        import_module(f"{__name__}.{self.file}").show(shown)


VIEWS = {
    "explore": View("Explore", "explore", badged=True),
    "compare": View("Compare", "comparing"),
    "samples": View("Samples", "samples", singles=True),
    "groups": View("Groups", "groups", singles=True),
    "watch": View("Watch", "watch"),
    "try": View("Try it", "trying", singles=True),
    "about": View("About", "about"),
    "present": View("Present", "presenting", badged=True),
}
"""By the name that links have for them, in the order in which they are offered."""
