"""What answers are compared with, and the words that follow: accuracy against labels, agreement with the last stage.

Where samples have no labels, the last stage's answer stands in as the reference, and no sentence may speak of accuracy
or mistakes.  Every sentence takes its terms from here; the live panel is handed the same ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from functools import cache
from typing import Final, Literal, get_args

Reference = Literal["labels", "last stage"]

REFERENCES: Final = get_args(Reference)


@dataclass(frozen=True, kw_only=True)
class Terms:
    """Words for what is measured.

    Attributes:
        accuracy: Share of the answers that are as the reference has them.
        drop: What is lost of it against the plain network.
        short_drop: The same in short, where it is clear against what.
        accuracy_given_up: The same, of a number of points.
        given_up, gained: Behind a number of points.
        no_drop: In place of a number of points.
        best: Of the policy that loses least.
        as_accurate: Of two that lose alike.
        right, wrong: Of an answer.
        right_answer, wrong_answer, right_answers, wrong_answers: Answers that are.
        first_right: Of the stages.
        most_right: Of answers of which most are.
        harmed, helped: Of samples on which the cascade and the plain network differ.
        label: What an answer is compared with.
        labels: All of these.
        mistakes: Answers that are not as the reference has them.
    """

    accuracy: str
    drop: str
    short_drop: str
    accuracy_given_up: str
    given_up: str
    gained: str
    no_drop: str
    best: str
    as_accurate: str
    right: str
    wrong: str
    right_answer: str
    wrong_answer: str
    right_answers: str
    wrong_answers: str
    first_right: str
    most_right: str
    harmed: str
    helped: str
    label: str
    labels: str
    mistakes: str

    def of(self, text: str) -> str:
        """A fixed text, written in the words for labels, in these words.

        >>> LAST_STAGE.of("Acceptable accuracy drop"), LABELS.of("accuracy, %")
        ('Acceptable disagreement with the last stage', 'accuracy, %')
        """
        return text if self is LABELS else _pattern().sub(lambda found: self._for(found[0]), text)

    def column(self, name: str) -> str:
        """What a column is called that is called `name` where there are labels.

        >>> LAST_STAGE.column("accuracy_drop"), LAST_STAGE.column("top-5 accuracy"), LABELS.column("drop_low")
        ('disagreement', 'top-5 agreement', 'drop_low')
        """
        if self is not LAST_STAGE or not _COLUMN.fullmatch(name):
            return name
        return name.replace("accuracy_drop", "disagreement").replace("drop_", "disagreement_").replace(*_SHORT)

    def _for(self, word: str) -> str:
        own = getattr(self, _names()[word.casefold()])
        return f"{own[:1].upper()}{own[1:]}" if word[0].isupper() else own

    def as_json(self) -> dict[str, str]:
        """The words by their names."""
        return asdict(self)


LABELS: Final = Terms(
    accuracy="accuracy",
    drop="accuracy drop",
    short_drop="drop",
    accuracy_given_up="accuracy given up",
    given_up="given up",
    gained="more accurate",
    no_drop="no drop",
    best="most accurate",
    as_accurate="as accurate",
    right="right",
    wrong="wrong",
    right_answer="a right answer",
    wrong_answer="a wrong answer",
    right_answers="right answers",
    wrong_answers="wrong answers",
    first_right="first right stage",
    most_right="right most often",
    harmed="harmed",
    helped="helped",
    label="true class",
    labels="the labels",
    mistakes="mistakes",
)

LAST_STAGE: Final = Terms(
    accuracy="agreement with the last stage",
    drop="disagreement with the last stage",
    short_drop="disagreement",
    accuracy_given_up="disagreement with the last stage",
    given_up="of disagreement",
    gained="closer to the last stage",
    no_drop="no disagreement",
    best="closest to the last stage",
    as_accurate="as close to the last stage",
    right="in agreement",
    wrong="in disagreement",
    right_answer="an answer in agreement",
    wrong_answer="an answer in disagreement",
    right_answers="answers in agreement",
    wrong_answers="answers in disagreement",
    first_right="first stage in agreement",
    most_right="in agreement most often",
    harmed="changed",
    helped="changed back",
    label="last stage's answer",
    labels="the last stage's answers",
    mistakes="disagreements",
)

EITHER: Final = Terms(
    accuracy="accuracy, or agreement with the last stage",
    drop="accuracy drop, or disagreement with the last stage",
    short_drop="drop",
    accuracy_given_up="given up",
    given_up="given up",
    gained="better",
    no_drop="no drop",
    best="best",
    as_accurate="as good",
    right="right, or in agreement",
    wrong="wrong, or in disagreement",
    right_answer="an answer that is right, or in agreement",
    wrong_answer="an answer that is wrong, or in disagreement",
    right_answers="answers that are right, or in agreement",
    wrong_answers="answers that are wrong, or in disagreement",
    first_right="first stage that is right, or in agreement",
    most_right="right, or in agreement, most often",
    harmed="harmed, or changed",
    helped="helped",
    label="true class, or last stage's answer",
    labels="the labels, or the last stage's answers",
    mistakes="mistakes, or disagreements",
)
"""Of runs with labels beside runs without."""

NO_LABELS: Final = (
    "There are no labels: the last stage's answer stands in, and disagreement with it is counted in place of mistakes."
)


def terms(reference: Reference) -> Terms:
    """The words for answers that are compared with `reference`."""
    return LABELS if reference == "labels" else LAST_STAGE


def common(all_terms: Iterable[Terms]) -> Terms:
    """The words for several runs on one chart or table."""
    different = list(dict.fromkeys(all_terms))
    return different[0] if len(different) == 1 else EITHER if different else LABELS


_COLUMN = re.compile(r"(top-\d+ |full_)?accuracy|accuracy_drop|drop_\w+")
"""Columns that are called otherwise without labels; others may be called after stages."""

_SHORT = ("accuracy", "agreement")


@cache
def _names() -> dict[str, str]:
    """Names of the words for labels, longest words first; a drop may be one of agreement, and stays."""
    named = {getattr(LABELS, field.name): field.name for field in fields(LABELS) if field.name != "short_drop"}
    return dict(sorted(named.items(), key=lambda item: -len(item[0])))


@cache
def _pattern() -> re.Pattern[str]:
    return re.compile(rf"\b({'|'.join(map(re.escape, _names()))})\b", re.IGNORECASE)
