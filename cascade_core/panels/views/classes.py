"""The view of classes: what the cascade does to each, and which it takes for one another."""

from __future__ import annotations

import streamlit as st

from cascade_core.analysis.classes import confusion, evaluate_classes, most_confused
from cascade_core.panels.details import chart as chart
from cascade_core.panels.details import palette
from cascade_core.panels.operating import ANY, operating_point
from cascade_core.panels.shown import Shown
from cascade_core.rendering import tables
from cascade_core.rendering.figures.classes import MOST_BARS, MOST_CELLS, class_bars, confusion_matrix
from cascade_core.simulation.evaluation import Evaluation
from cascade_core.simulation.exits import ExitRule
from cascade_core.simulation.record import Record


def classes(shown: Shown) -> None:
    """A table and a chart of all classes at the released position, and who is taken for whom."""
    operating_point(shown)
    test, rule = shown.exploration.test, shown.exploration.path.rule(shown.position)
    names = shown.selection.run.metadata["class_names"]
    evaluation = evaluate_classes(test, rule)
    _table(evaluation, names)
    st.subheader("What each class gives up, and saves", anchor=False)
    found = int((evaluation.n > 0).sum())
    if found > MOST_BARS:
        st.caption(f"The {MOST_BARS} of {found:,} classes with the largest drop; the table above has all.")
    chart(
        class_bars(evaluation, names, palette()),
        "class-bars",
        "Drop and saving of each class",
        "Accuracy drop with its 95 % interval, and computation saved, of each class, the largest drop at the top.",
    )
    st.subheader("Which classes are taken for one another", anchor=False)
    _confusion(test, rule, names)


def _table(evaluation: Evaluation, names: list[str]) -> None:
    frame = tables.classes_table(evaluation, names)
    points = [name for name in frame.columns if name.endswith("_drop") or name.startswith("drop_")]
    frame[points] *= 100
    percent = st.column_config.NumberColumn(format="percent")
    number = st.column_config.NumberColumn
    st.dataframe(
        frame,
        width="stretch",
        hide_index=True,
        column_config={
            "class": st.column_config.TextColumn("Class", pinned=True),
            "samples": number("Samples", format="localized"),
            "accuracy": percent | {"label": "Accuracy"},
            "full_accuracy": percent | {"label": "Plain network", "help": "Accuracy of the last stage on the class."},
            "accuracy_drop": number("Drop, points", format="%.2f", help="Accuracy given up; negative: gained."),
            "drop_low": number("Drop at least", format="%.1f", help="Lower end of the 95 % interval, points."),
            "drop_high": number("Drop at most", format="%.1f", help="Upper end of the 95 % interval, points."),
            "mean_macs": number("Mean MACs", format="compact", help="Multiply-accumulates of a sample, on average."),
            "saving": percent | {"label": "Saved", "help": "Share of the plain network's MACs."},
            **{f"share {name}": percent | {"label": f"Leaves at {name}"} for name in evaluation.stage_names},
        },
    )
    st.caption(
        "Click a column's head to sort. Each interval is for one class looked at by itself; of many classes some lie "
        "beyond theirs by chance."
    )


def _confusion(test: Record, rule: ExitRule, names: list[str]) -> None:
    chosen = st.selectbox(
        "Samples that left at",
        range(ANY, len(test.stages)),
        format_func=lambda one: "any stage" if one == ANY else test.stage_names[one],
        help="Only the samples that left there, with the answer that they left with.",
        key="classes:stage",
        width=320,
    )
    stage = None if chosen == ANY else chosen
    if len(names) <= MOST_CELLS:
        counts = confusion(test, rule, stage)
        st.caption(f"{counts.sum():,} samples, {counts.sum() - counts.trace():,} of them wrong; right answers in grey.")
        chart(
            confusion_matrix(counts, names, palette()),
            "confusion",
            "Confusion",
            "Samples of each true class by answer.",
        )
        return
    mistakes = most_confused(test, rule, stage, MOST_CELLS)
    st.caption(f"The {len(mistakes)} most frequent mistakes.")
    st.dataframe(
        tables.mistakes_table(mistakes, names),
        width="stretch",
        hide_index=True,
        column_config={
            "class": "True class",
            "answer": "Answer",
            "samples": st.column_config.NumberColumn("Samples", format="localized"),
            "share": st.column_config.NumberColumn(
                "Share", format="percent", help="Of the samples of the true class that left there."
            ),
        },
    )
