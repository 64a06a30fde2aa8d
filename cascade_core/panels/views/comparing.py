"""Several runs and policies on one plot, and the operating points that the user pinned, in a table to take away."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from cascade_core.panels import pins, runs, upload
from cascade_core.panels.charts import chart, palette, picture_format
from cascade_core.panels.columns import number, share, table
from cascade_core.panels.paper import comparison_button
from cascade_core.panels.questions import Question, explored
from cascade_core.panels.shown import Shown
from cascade_core.panels.state import Key
from cascade_core.policies import SWEEPS
from cascade_core.rendering import tables
from cascade_core.rendering.figures.comparison import Curve, comparison
from cascade_core.rendering.in_points import in_points
from cascade_core.simulation.bounds import CERTAINTY, COVERAGE
from cascade_core.simulation.meters import MACS

MOST_CURVES = 24

MOVES = "By how much as many other samples would move the figure."


def show(shown: Shown) -> None:
    """The plot, its controls, and the pinned points."""
    questions = _questions(shown)
    about = f"A band down to the accuracy that holds with {CERTAINTY} confidence at all positions of a curve at once."
    certified = st.toggle("What is certain", value=True, help=about, key=Key.COMPARE.of("certified"))
    curves = [curve for question in questions[:MOST_CURVES] if (curve := _curve(question))]
    pinned = pins.pins()
    if curves:
        points = [pin.point for pin in pinned]
        chart(
            comparison(curves, points, palette(), shown.selection.published, certified=certified),
            "comparison",
            "Runs and policies compared",
            "Accuracy against mean computation of all chosen runs and policies, with the pinned points by number.",
        )
        picture_format()
        comparison_button([(curve.run, curve.exploration) for curve in curves], shown.selection.published)
    else:
        st.info("Choose a run and a policy to draw.", icon=":material/info:")
    _pinned(pinned)


def _questions(shown: Shown) -> list[Question]:
    """The question that is shown, of each run and policy that the user chooses."""
    question = shown.question
    listed, _ = runs.list_runs()
    by_name = {run.name: run for run in [*listed, *upload.own_runs(listed)]}
    first, second = st.columns(2)
    names = first.multiselect(
        "Runs",
        list(by_name),
        default=[question.run.name],
        help="A colour each. All are split by the same seed; their samples need not be the same.",
        key=Key.COMPARE.of("runs", question.run.name),
    )
    policies = second.multiselect(
        "Policies",
        list(SWEEPS),
        default=list(dict.fromkeys([question.policy, "paper"])),
        format_func=lambda name: SWEEPS[name].title,
        help="A line style each.",
        key=Key.COMPARE.of("policies", question.policy),
    )
    return [replace(question, run=by_name[name], policy=policy, meter=MACS) for name in names for policy in policies]


def _curve(question: Question) -> Curve | None:
    """What is drawn of a question; None, after saying why, if it has no answer."""
    try:
        return Curve(run=question.run.name, exploration=explored(question))
    except ValueError as error:
        st.warning("One of these cannot be shown.", icon=":material/warning:")
        st.text(f"{question.run.name}, {SWEEPS[question.policy].title}: {error}")
        return None


def _pinned(pinned: list[pins.Pin]) -> None:
    """The table of pinned points, what removes them, and what takes it away."""
    st.subheader("Pinned points", anchor=False)
    if not pinned:
        st.caption("None yet. Under *Explore*, let the slider rest where you like it and press *Pin this point*.")
        return
    frame = in_points(tables.points_table([pin.point for pin in pinned]))
    columns = {
        "number": "#",
        "run": "Run",
        "policy": "Policy",
        "setting": "Slider at",
        "score": "Score",
        "answers": "Answers",
        "measured_on": "Measured on",
        "samples": number("Samples"),
        "accuracy": share("Accuracy"),
        "accuracy_drop": number("Drop, points", 2, "Accuracy given up; below zero it is a gain."),
        "drop_low": number("from", 2),
        "drop_high": number("to", 2, f"Ends of the paired {COVERAGE} interval of the drop, for this point alone."),
        "drop_certified": number(
            "at most, everywhere", 2, f"With {CERTAINTY} confidence, at all positions of its slider at once."
        ),
        "drop_moves_by": number("drop moves by", 2, f"Points. {MOVES}", before="± "),
        "mean_macs": number("Mean MACs"),
        "saving": share("Saved"),
        "saving_moves_by": share("saved moves by", MOVES, before="± "),
    }
    table(frame, columns, "The pinned points, by number.", numbered=True)
    _take_away(pinned)


def _take_away(pinned: list[pins.Pin]) -> None:
    """Buttons that save the pinned points, and remove them."""
    points = [pin.point for pin in pinned]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        csv = tables.points_table(points).to_csv()
        st.download_button("CSV", csv, "pinned.csv", "text/csv", on_click="ignore", icon=":material/download:")
        latex = tables.points_latex(points)
        st.download_button("LaTeX", latex, "pinned.tex", "text/plain", on_click="ignore", icon=":material/download:")
        for place, pin in enumerate(pinned, 1):
            st.button(
                f"Remove {place}",
                icon=":material/close:",
                key=Key.UNPIN.of(pin.shown, pin.position),
                on_click=lambda gone=pin: pins.keep([one for one in pins.pins() if one is not gone]),
            )
        if len(pinned) > 1:
            st.button("Remove all", icon=":material/delete:", on_click=lambda: pins.keep([]), key=Key.UNPIN)
