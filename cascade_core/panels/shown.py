"""What a view is given: the user's question, what answers it, and where the slider rests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cascade_core.analysis.exploration import Exploration
from cascade_core.analysis.points import Setting
from cascade_core.panels import questions, state
from cascade_core.panels.live import Stand, released, sent_by_hand
from cascade_core.panels.questions import Question, There
from cascade_core.panels.sidebar import Selection
from cascade_core.panels.state import Key
from cascade_core.rendering.live.elsewhere import beside
from cascade_core.simulation.evaluation import Evaluation
from cascade_core.simulation.exits import ExitRule
from cascade_core.simulation.recorded import Outputs


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A policy swept over a run, as the user selected them.

    Attributes:
        payload: The live panel's.
        setting: Where the panel was last let go, also while it is not on the page.
        there: The same rules on another run, where one is chosen.
    """

    selection: Selection
    payload: Mapping[str, Any]
    setting: Setting
    there: There | None = None

    @property
    def exploration(self) -> Exploration:
        """What the setting is one of."""
        return self.setting.exploration

    @property
    def position(self) -> int:
        """The slider's position."""
        return self.setting.position

    @property
    def question(self) -> Question:
        """What the exploration answers."""
        return self.selection.question

    @property
    def rule(self) -> ExitRule:
        """The thresholds."""
        return self.setting.rule

    @property
    def evaluation(self) -> Evaluation:
        """What they do to the test samples."""
        return self.setting.evaluation

    def exits(self, outputs: Outputs) -> NDArray[np.int64]:
        """(N,) stages at which the rule lets samples exit."""
        question, pool = self.question, self.exploration.path.pool
        return self.rule.exit_stages(outputs.record(question.score, question.top_k, pool))

    def at(self, stand: Stand) -> Shown:
        """The same where the panel stands now."""
        return replace(self, setting=self.setting.at(stand.index, stand.hand))


def answer(selection: Selection) -> Shown | None:
    """What to show of a selection; None, after saying why, if that cannot be shown."""
    try:
        with st.container(key=Key.BUSY):
            return shown_now(selection)
    except ValueError as error:
        st.error("This run cannot be shown with this policy and score.", icon=":material/error:")
        st.text(str(error))
        return None


def shown_now(selection: Selection) -> Shown:
    """What to show of a selection, where the panel was last let go or sent.

    Raises:
        ValueError: The file is malformed, or the policy cannot handle the run.
    """
    question = selection.question
    exploration = questions.explored(question)
    brought = sent_by_hand(len(exploration.test.stages))
    payload = questions.payload(question, selection.meter, selection.published, brought)
    there = None
    if (other := selection.judge_on) is not None:
        there = questions.judged_there(question, other)
        payload = beside(payload, questions.payload_there(question, other, selection.meter, brought, other.name))
    stand = released(state.RELEASED.get(), payload)
    setting = Setting(exploration=exploration, position=stand.index, by_hand=stand.hand)
    return Shown(selection=selection, payload=payload, setting=setting, there=there)
