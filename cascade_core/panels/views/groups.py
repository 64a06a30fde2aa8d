"""The view of groups: what the cascade does to each, the worst first; by class, also which it takes for one another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import streamlit as st

from cascade_core.analysis.classes import confusion, most_confused
from cascade_core.analysis.groups import Grouped, groups_at
from cascade_core.panels import state
from cascade_core.panels.address import fit
from cascade_core.panels.charts import chart, choose, palette, picture_format
from cascade_core.panels.clicks import on_mark, on_row
from cascade_core.panels.columns import accuracy_columns, number, share, table
from cascade_core.panels.grouping import divided, divided_there
from cascade_core.panels.opening import open_samples
from cascade_core.panels.operating import operating_point
from cascade_core.panels.questions import There
from cascade_core.panels.shown import Shown
from cascade_core.panels.state import Key
from cascade_core.rendering import tables
from cascade_core.rendering.cost_words import decimals, per
from cascade_core.rendering.figures.classes import MOST_BARS, MOST_CELLS, confusion_matrix, group_bars
from cascade_core.rendering.group_words import certified_in_groups, few_samples
from cascade_core.rendering.in_points import in_points
from cascade_core.simulation.bounds import COVERAGE
from cascade_core.simulation.exits import ExitRule
from cascade_core.simulation.groups import CLASS, Groups
from cascade_core.simulation.meters import MACS, Meter
from cascade_core.simulation.record import Record
from cascade_core.support.terms import LABELS
from cascade_core.support.wording import capital

COLUMNS = (
    "Columns of groups, such as a camera or a month, are added to a run by `cascade-core group RUN TABLE.csv`, where "
    "the table names sample ids."
)

ELSEWHERE = "The run that chose thresholds, or the one that they are judged on too, with its own groups."


def show(shown: Shown) -> None:
    """A table and a chart of all groups at the released position; by class, who is taken for whom."""
    there = _there(shown)
    setting = shown.setting if there is None else replace(shown.setting, exploration=there.exploration)
    operating_point(setting)
    test, names = setting.exploration.test, shown.question.run.metadata["class_names"]
    grouped, meter = groups_at(setting, _divided(shown, there)), setting.exploration.meter
    classes, opens_samples = grouped.groups.what == CLASS, there is None
    if classes and test.reference != "labels":
        st.caption(f"Classes are by the {test.terms.label}.")
    _table(grouped, meter, opens_samples=classes and opens_samples)
    drawn = grouped.worst_first[:MOST_BARS]
    st.subheader("What each group gives up, and saves", anchor=False)
    if (occurring := len(grouped.worst_first)) > MOST_BARS:
        st.caption(
            f"The {MOST_BARS} of {occurring:,} with the largest {test.terms.short_drop}; all are in the table above."
        )

    def open_bar(mark: Mapping[str, Any]) -> None:
        _open(names, label=int(drawn[int(mark["y"])]))

    opens = on_mark("group-bars", open_bar) if classes and opens_samples else {}
    chart(
        group_bars(grouped, 1 - grouped.costs(meter)[:, 0] / meter.plain(grouped.whole), palette(), meter.noun),
        "group-bars",
        f"{capital(test.terms.short_drop)} and saving by group",
        f"{capital(test.terms.drop)} with its {COVERAGE} interval, and {meter.noun} saved, of each group, the largest "
        f"{test.terms.short_drop} on top.",
        **opens,
    )
    picture_format()
    if classes:
        st.subheader("Which classes are taken for one another", anchor=False)
        _confusion(test, shown.rule, names, opens_samples=opens_samples)


def _there(shown: Shown) -> There | None:
    """The other run that thresholds are judged on, if there is one and the user picks it."""
    if shown.there is None:
        return None
    own, other = shown.question.run.name, shown.there.run.name
    key = Key.GROUPS.of("run", shown.there.run.digest)
    picked = st.selectbox("Samples of", [own, other], help=ELSEWHERE, key=key, width=320)
    return shown.there if picked == other else None


def _divided(shown: Shown, there: There | None) -> Groups:
    """The samples that judge, by what the user picks."""
    offered = (shown.question if there is None else there).run.divisions
    state.BY.keep()
    fit(state.BY, offered, "a column of this run's groups")
    st.selectbox("Groups by", offered, help=COLUMNS, key=state.BY.key, width=320)
    return divided(shown) if there is None else divided_there(there)


def _table(grouped: Grouped, meter: Meter, *, opens_samples: bool) -> None:
    frame, evaluation = in_points(tables.groups_table(grouped, meter)), grouped.evaluation
    terms = evaluation.terms
    drop, certain = capital(terms.short_drop), certified_in_groups(grouped)
    lost = accuracy_columns(terms)
    # What a telephone has room for comes first.
    columns = {
        "group": st.column_config.TextColumn(capital(grouped.groups.what), pinned=True),
        "accuracy_drop": lost.pop("accuracy_drop"),
        "saving": share(
            "Saved", f"Of what the plain network costs, in {meter.unit}; below zero the cascade costs more."
        ),
        "samples": number("Samples"),
        **lost,
        "full_accuracy": share("Plain network", terms.of("Its accuracy on the group.")) if terms is LABELS else None,
        "drop_low": number(f"{drop} at least", 2, f"Lower end of the {COVERAGE} interval, points; rounded down."),
        "drop_high": number(f"{drop} at most", 2, f"Upper end of the {COVERAGE} interval, points; rounded up."),
        "drop_certified": number("Certified at most", 2, certain) if grouped.bounds is not None else None,
        "cost": number("Mean MACs") if meter is MACS else number(f"Mean {per(meter)}", decimals(frame["cost"])),
        "saving_low": share("Saved at least", f"Lower end of the {COVERAGE} interval."),
        "saving_high": share("Saved at most", f"Upper end of the {COVERAGE} interval."),
        **{f"share {name}": share(f"Leaves at {name}") for name in evaluation.stage_names},
    }
    order, names = grouped.worst_first, grouped.groups.names
    opens = on_row("groups", lambda row: _open(names, label=int(order[row]))) if opens_samples else {}
    alt = "What the cascade does to the samples of each group, the largest drop first."
    table(frame[[name for name in columns if name in frame]], columns, alt, **opens)
    st.caption(
        ("Tick a class, or click a bar or a cell below, to see its samples; click" if opens_samples else "Click")
        + " a column's head to sort. Each interval is for one group looked at by itself; of many groups some lie "
        f"beyond theirs by chance. {certain} {few_samples(grouped)}"
    )


def _confusion(test: Record, rule: ExitRule, names: list[str], *, opens_samples: bool) -> None:
    about, key = "Only the samples that left there, with the answer that they left with.", Key.GROUPS.of("stage")
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

        def open_cell(cell: Mapping[str, Any]) -> None:
            _open(names, label=int(cell["y"]), answer=int(cell["x"]), left=left)

        opens = on_mark("confusion", open_cell) if opens_samples else {}
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

    def open_pair(row: int) -> None:
        _open(names, label=pairs[row][0], answer=pairs[row][1], left=left)

    opens = on_row("mistakes", open_pair) if opens_samples else {}
    table(tables.mistakes_table(mistakes, names), columns, f"The most frequent {terms.mistakes}.", **opens)


def _open(names: Sequence[str], *, label: int, answer: int | None = None, left: str = "") -> None:
    """Show the samples of a true class, and of an answer and a stage where they are given, in *Samples*."""
    wanted = {state.LABEL: names[label], state.LEFT: left}
    open_samples(wanted if answer is None else {**wanted, state.ANSWER: names[answer]})
