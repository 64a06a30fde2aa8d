"""The view of classes: what the cascade does to each, and which it takes for one another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from cascade_core.analysis.classes import confusion, evaluate_classes, most_confused
from cascade_core.panels import state
from cascade_core.panels.charts import chart, choose, palette, picture_format
from cascade_core.panels.clicks import on_mark, on_row
from cascade_core.panels.columns import accuracy_columns, number, share, table
from cascade_core.panels.opening import open_samples
from cascade_core.panels.operating import operating_point
from cascade_core.panels.shown import Shown
from cascade_core.panels.state import Key
from cascade_core.rendering import tables
from cascade_core.rendering.cost_words import decimals, per
from cascade_core.rendering.figures.classes import MOST_BARS, MOST_CELLS, class_bars, confusion_matrix, drawn_classes
from cascade_core.rendering.in_points import in_points
from cascade_core.simulation.bounds import COVERAGE
from cascade_core.simulation.evaluation import Evaluation
from cascade_core.simulation.exits import ExitRule
from cascade_core.simulation.meters import MACS, Meter, of_groups
from cascade_core.simulation.record import Record
from cascade_core.support.terms import LABELS
from cascade_core.support.wording import capital

if TYPE_CHECKING:
    import pandas as pd


def show(shown: Shown) -> None:
    """A table and a chart of all classes at the released position, and who is taken for whom."""
    operating_point(shown)
    test, rule, names = shown.exploration.test, shown.rule, shown.question.run.metadata["class_names"]
    evaluation, meter = evaluate_classes(test, rule), shown.exploration.meter
    spent, plain = of_groups(meter, evaluation, shown.evaluation), meter.plain(shown.evaluation)
    _table(tables.classes_table(evaluation, names, spent, plain), evaluation, meter, names)
    drawn = drawn_classes(evaluation)
    st.subheader("What each class gives up, and saves", anchor=False)
    if test.reference != "labels":
        st.caption(f"Classes are by the {test.terms.label}.")
    occurring = int((evaluation.n > 0).sum())
    if occurring > MOST_BARS:
        st.caption(
            f"The {MOST_BARS} of {occurring:,} with the largest {test.terms.short_drop}; all are in the table above."
        )
    chart(
        class_bars(evaluation, names, 1 - spent / plain, palette(), meter.noun),
        "class-bars",
        f"{capital(test.terms.short_drop)} and saving by class",
        f"{capital(test.terms.drop)} with its {COVERAGE} interval, and {meter.noun} saved, of each class, the largest "
        f"{test.terms.short_drop} on top.",
        **on_mark("class-bars", lambda mark: _open(names, label=int(drawn[int(mark["y"])]))),
    )
    picture_format()
    st.subheader("Which classes are taken for one another", anchor=False)
    _confusion(test, rule, names)


def _table(frame: pd.DataFrame, evaluation: Evaluation, meter: Meter, names: Sequence[str]) -> None:
    frame, terms = in_points(frame), evaluation.terms
    drop = capital(terms.short_drop)
    columns = {
        "class": st.column_config.TextColumn("Class", pinned=True),
        "samples": number("Samples"),
        **accuracy_columns(terms),
        "full_accuracy": share("Plain network", terms.of("Its accuracy on the class.")) if terms is LABELS else None,
        "drop_low": number(f"{drop} at least", 2, f"Lower end of the {COVERAGE} interval, points; rounded down."),
        "drop_high": number(f"{drop} at most", 2, f"Upper end of the {COVERAGE} interval, points; rounded up."),
        "cost": number("Mean MACs") if meter is MACS else number(f"Mean {per(meter)}", decimals(frame["cost"])),
        "saving": share(
            "Saved", f"Of what the plain network costs, in {meter.unit}; below zero the cascade costs more."
        ),
        **{f"share {name}": share(f"Leaves at {name}") for name in evaluation.stage_names},
    }
    opens = on_row("classes", lambda row: _open(names, label=row))
    table(frame, columns, "What the cascade does to the samples of each class.", **opens)
    st.caption(
        "Tick a class, or click a bar or a cell below, to see its samples; click a column's head to sort. Each "
        "interval is for one class looked at by itself; of many classes some lie beyond theirs by chance."
    )


def _confusion(test: Record, rule: ExitRule, names: list[str]) -> None:
    about, key = "Only the samples that left there, with the answer that they left with.", Key.CLASSES.of("stage")
    stage = choose(st, "Samples that left at", test.stage_names, "any stage", help=about, key=key, width=320)
    terms = test.terms
    left = "" if stage is None else test.stage_names[stage]
    if len(names) <= MOST_CELLS:
        counts = confusion(test, rule, stage)
        st.caption(
            f"{counts.sum():,} samples, {counts.sum() - counts.trace():,} of them {terms.wrong}; "
            f"{terms.right_answers} in grey."
        )
        figure = confusion_matrix(counts, names, palette(), terms)
        opens = on_mark("confusion", lambda cell: _open(names, label=int(cell["y"]), answer=int(cell["x"]), left=left))
        chart(figure, "confusion", "Confusion", f"Samples by {terms.label} and answer.", **opens)
        return
    mistakes = most_confused(test, rule, stage, MOST_CELLS)
    st.caption(f"The {len(mistakes)} most frequent {terms.mistakes}.")
    columns = {
        "class": capital(terms.label),
        "answer": "Answer",
        "samples": number("Samples"),
        "share": share("Share", terms.of("Of the samples of the true class that left there.")),
    }
    pairs = [(one.label, one.answer) for one in mistakes]
    opens = on_row("mistakes", lambda row: _open(names, label=pairs[row][0], answer=pairs[row][1], left=left))
    table(tables.mistakes_table(mistakes, names), columns, f"The most frequent {terms.mistakes}.", **opens)


def _open(names: Sequence[str], *, label: int, answer: int | None = None, left: str = "") -> None:
    """Show the samples of a true class, and of an answer and a stage where they are given, in *Samples*."""
    wanted = {state.LABEL: names[label], state.LEFT: left}
    open_samples(wanted if answer is None else {**wanted, state.ANSWER: names[answer]})
