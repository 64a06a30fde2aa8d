"""Several runs and policies on one plot, and the operating points that the user pinned, in a table to take away."""

from __future__ import annotations

import streamlit as st

from cascade_core.panels import pins, runs, upload
from cascade_core.panels.details import chart, palette
from cascade_core.panels.shown import Shown
from cascade_core.policies import SWEEPS
from cascade_core.rendering import tables
from cascade_core.rendering.figures.comparison import Curve, comparison

MOST_CURVES = 24


def compare(shown: Shown) -> None:
    """The plot, its controls, and the pinned points."""
    chosen = shown.selection
    found, _ = runs.list_runs()
    found += upload.own_runs(found)
    by_name = {run.name: run for run in found}
    first, second = st.columns(2)
    names = first.multiselect(
        "Runs",
        list(by_name),
        default=[chosen.run.name],
        help="A colour each. All are split by the same seed; their samples need not be the same.",
        key=f"compare:runs:{chosen.run.name}",
    )
    policies = second.multiselect(
        "Policies",
        list(SWEEPS),
        default=list(dict.fromkeys([chosen.policy, "paper"])),
        format_func=lambda name: SWEEPS[name].title,
        help="A line style each.",
        key=f"compare:policies:{chosen.policy}",
    )
    certified = st.toggle(
        "What is certain",
        value=True,
        help="A band down to the accuracy that holds with 95 % confidence at all positions of a curve at once.",
        key="compare:certified",
    )
    curves = []
    for run, policy in [(by_name[name], policy) for name in names for policy in policies][:MOST_CURVES]:
        try:
            explored = runs.explored(run, chosen.score, chosen.calibrated, policy, chosen.split)
        except ValueError as error:
            st.warning("One of these cannot be shown.", icon=":material/warning:")
            st.text(f"{run.name}, {SWEEPS[policy].title}: {error}")
            continue
        curves.append(Curve(run=run.name, exploration=explored))
    pinned = pins.pins()
    points = [pin.point for pin in pinned]
    if curves:
        chart(
            comparison(curves, points, palette(), chosen.published, certified=certified),
            "comparison",
            "Runs and policies compared",
            "Accuracy against mean computation of all chosen runs and policies, with the pinned points by number.",
        )
    else:
        st.info("Choose a run and a policy to draw.", icon=":material/info:")
    _pinned(pinned)


def _pinned(pinned: list[pins.Pin]) -> None:
    """The table of pinned points, what removes them, and what takes it away."""
    st.subheader("Pinned points", anchor=False)
    if not pinned:
        st.caption("None yet. Under *Explore*, let the slider rest where you like it and press *Pin this point*.")
        return
    points = [pin.point for pin in pinned]
    frame = tables.points_table(points)
    for name in ("accuracy_drop", "drop_low", "drop_high", "drop_certified"):
        frame[name] *= 100
    percent = st.column_config.NumberColumn(format="percent")
    in_points = st.column_config.NumberColumn(format="%.2f")
    st.dataframe(
        frame,
        width="stretch",
        column_config={
            "number": st.column_config.NumberColumn("#"),
            "run": "Run",
            "policy": "Policy",
            "setting": "Slider at",
            "score": "Score",
            "measured_on": "Measured on",
            "samples": st.column_config.NumberColumn("Samples", format="localized"),
            "accuracy": percent | {"label": "Accuracy"},
            "accuracy_drop": in_points | {"label": "Drop, points"},
            "drop_low": in_points | {"label": "from"},
            "drop_high": in_points | {"label": "to", "help": "Ends of the paired 95 % interval of the drop."},
            "drop_certified": in_points | {"label": "at most", "help": "With 95 % confidence, wherever one stops."},
            "mean_macs": st.column_config.NumberColumn("Mean MACs", format="localized"),
            "saving": percent | {"label": "Saved"},
        },
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        csv = tables.points_table(points).to_csv()
        st.download_button("CSV", csv, "pinned.csv", "text/csv", on_click="ignore", icon=":material/download:")
        latex = tables.points_latex(points)
        st.download_button("LaTeX", latex, "pinned.tex", "text/plain", on_click="ignore", icon=":material/download:")
        for number, pin in enumerate(pinned, 1):
            st.button(
                f"Remove {number}",
                icon=":material/close:",
                key=f"unpin:{pin.shown}:{pin.position}",
                on_click=lambda gone=pin: pins.keep([one for one in pins.pins() if one is not gone]),
            )
        if len(pinned) > 1:
            st.button("Remove all", icon=":material/delete:", on_click=lambda: pins.keep([]), key="unpin")
