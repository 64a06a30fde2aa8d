"""Families of rules that `selection` chooses among, one in a file.

To add one, write its file with a function that makes the rules, and an entry of `FAMILIES`.
"""

from __future__ import annotations

from functools import partial

from cascade_core.policies.families.base import Family, Maker
from cascade_core.policies.families.induction import backward_induction
from cascade_core.policies.families.joint import jointly, on_grid
from cascade_core.policies.families.simpler import alike, as_the_paper
from cascade_core.simulation.record import Record

MOST_ANSWERS = 8
"""Classes up to which a threshold for each answer is tried; with more, samples of an answer are too few."""


def _several(record: Record) -> bool:
    """Whether there are early stages enough for families to differ in more than their parameter."""
    return len(record.stages) > 2


_WORTH_MORE = "a sample leaves where its answer is expected to be worth more than what going on costs"

FOR_EACH_ANSWER = Family(
    name="backward induction for each answer",
    means=f"{_WORTH_MORE}, with a threshold for each answer",
    maker=partial(backward_induction, by_answer=True),
    suits=lambda record: record.answers_known and record.classes <= MOST_ANSWERS,
)
BACKWARD_INDUCTION = Family(name="backward induction", means=_WORTH_MORE, maker=backward_induction)

FAMILIES = (
    BACKWARD_INDUCTION,
    FOR_EACH_ANSWER,
    Family(
        name="one shared threshold",
        means="a sample leaves at one confidence, whatever the stage",
        maker=lambda record: Maker(rules=alike),
        suits=_several,
    ),
    Family(
        name="the paper's rule",
        means="those who leave a stage are nearly as often right as its surest samples",
        maker=lambda record: Maker(rules=as_the_paper),
        suits=_several,
    ),
    Family(
        name="joint thresholds",
        means="those of all stages together lose least for what they save, of all on a grid",
        maker=lambda record: Maker(rules=jointly),
        suits=lambda r: _several(r) and on_grid(r),
    ),
)
"""All of them; see `suitable` for their order."""


def meaning(name: str) -> str:
    """What the thresholds of the family of that name do."""
    return next(family.means for family in FAMILIES if family.name == name)


def suitable(record: Record) -> list[Family]:
    """The families worth a trial, first the one that is taken unless another is better by more than chance.

    Where there are two answers, that is a threshold for each of them: one is often given too easily.
    """
    first = FOR_EACH_ANSWER if record.answers_known and record.classes == 2 else BACKWARD_INDUCTION
    return [first, *(family for family in FAMILIES if family is not first and family.suits(record))]


__all__ = ["FAMILIES", "Family", "Maker", "meaning", "suitable"]
