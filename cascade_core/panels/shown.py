"""What a view is given: the selection of the sidebar, its exploration, and where the slider rests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from cascade_core.analysis.exploration import Exploration
from cascade_core.panels import runs
from cascade_core.panels.live import LIVE, released_index
from cascade_core.panels.sidebar import Selection


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A policy swept over a run, as the user selected them.

    Attributes:
        data: The live panel's payload.
        position: The slider position that was last released, also while the panel is not on the page.
    """

    selection: Selection
    exploration: Exploration
    data: Mapping[str, Any]
    position: int

    def at(self, position: int) -> Shown:
        """The same at another position."""
        return replace(self, position=position)


def prepare(selection: Selection) -> Shown | None:
    """What to show of a selection; None, after saying why, if that cannot be shown."""
    try:
        exploration, data = runs.prepare(
            selection.run,
            selection.score,
            selection.calibrated,
            selection.policy,
            selection.split,
            selection.published,
            selection.meter,
        )
    except ValueError as error:
        st.error("This run cannot be shown with this policy and score.", icon=":material/error:")
        st.text(str(error))
        return None
    position = released_index(st.session_state.get(f"{LIVE}:released"), data)
    return Shown(selection=selection, exploration=exploration, data=data, position=position)
