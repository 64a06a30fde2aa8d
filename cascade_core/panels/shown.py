"""What a view is given: the user's question, what answers it, and where the slider rests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cascade_core.analysis.exploration import Exploration
from cascade_core.panels import questions, state
from cascade_core.panels.live import released_index
from cascade_core.panels.questions import Question
from cascade_core.panels.sidebar import Selection
from cascade_core.simulation.evaluation import Evaluation
from cascade_core.simulation.exits import ExitRule
from cascade_core.simulation.outputs import StageOutputs


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A policy swept over a run, as the user selected them.

    Attributes:
        payload: The live panel's.
        position: The slider position that was last released, also while the panel is not on the page.
    """

    selection: Selection
    exploration: Exploration
    payload: Mapping[str, Any]
    position: int

    @property
    def question(self) -> Question:
        """What the exploration answers."""
        return self.selection.question

    @property
    def rule(self) -> ExitRule:
        """The thresholds at the position."""
        return self.exploration.path.rule(self.position)

    @property
    def evaluation(self) -> Evaluation:
        """What they do to the test samples."""
        return self.exploration.at(self.position)

    def exits(self, outputs: StageOutputs) -> NDArray[np.int64]:
        """(N,) stages at which the rule lets samples exit."""
        return self.rule.exit_stages(outputs.record(self.question.score, 1, self.exploration.path.pool))

    def at(self, position: int) -> Shown:
        """The same at another position."""
        return replace(self, position=position)


def answer(selection: Selection) -> Shown | None:
    """What to show of a selection; None, after saying why, if that cannot be shown."""
    question = selection.question
    try:
        exploration = questions.explored(question)
        payload = questions.payload(question, selection.meter, selection.published)
    except ValueError as error:
        st.error("This run cannot be shown with this policy and score.", icon=":material/error:")
        st.text(str(error))
        return None
    position = released_index(state.RELEASED.get(), payload)
    return Shown(selection=selection, exploration=exploration, payload=payload, position=position)
