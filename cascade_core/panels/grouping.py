"""The samples that judge, of the run that is shown or of the other one, divided into groups as the user picked."""

from __future__ import annotations

from cascade_core.analysis.groups import by_class
from cascade_core.panels import questions, state
from cascade_core.panels.questions import There
from cascade_core.panels.shown import Shown
from cascade_core.simulation.groups import CLASS, Groups


def divided(shown: Shown) -> Groups:
    """The groups of the test samples, by what was picked in *Groups* if the run has that, else by class."""
    run, by = shown.question.run, state.BY.get()
    if by == CLASS or by not in run.divisions:
        return by_class(shown.exploration.test, run.metadata["class_names"])
    whole = questions.groups(run, by)
    return whole.take(shown.question.split.test_index(len(whole.of)))


def divided_there(there: There) -> Groups:
    """The same of another run that thresholds are judged on."""
    by_column = {one.what: one for one in there.groups}
    return by_column.get(state.BY.get(), by_class(there.exploration.test, there.run.metadata["class_names"]))
