"""Thresholds chosen anew on the audited samples of a log, without labels, beside those that are shown."""

from __future__ import annotations

import difflib

import numpy as np
import pandas as pd
import streamlit as st

from cascade_core.analysis.rechoosing import LEAST, Rechosen, rechoose
from cascade_core.analysis.watched import Watch
from cascade_core.panels import state
from cascade_core.panels.columns import share, table, thresholds
from cascade_core.panels.state import Key
from cascade_core.rendering.tables import exits_table
from cascade_core.rendering.watched import rechosen_json, rechosen_sentence
from cascade_core.simulation.meters import MACS
from cascade_core.support.wording import capital, points


def offer(watch: Watch, old: str, name: str, limit: float) -> None:
    """A button that chooses anew, and what it gave last.

    Args:
        old: The choice file of what is shown, which `name` names.
        limit: Disagreement with the plain network that is allowed, a fraction.
    """
    st.subheader("Choose anew on these samples", anchor=False)
    kept = 0 if watch.recent is None else len(watch.recent)
    if kept < LEAST:
        st.markdown(
            f"It takes {LEAST} audited samples to choose on and to measure; there are {kept}. Let a share of the "
            "samples go on to the end after they were answered (`classify --audit 2%`)."
        )
        return
    st.markdown(
        f"The latest {kept:,} audited samples need no label: half of them choose the cheapest thresholds that answer "
        f"at most {points(limit)} points of samples otherwise than the plain network, the others measure."
    )
    st.button(
        "Choose anew",
        icon=":material/refresh:",
        on_click=_choose,
        args=(watch, name, limit),
        key=Key.WATCH.of("rechoose"),
    )
    held = state.RECHOSEN.get()
    if held is None or held[0] != name:
        return
    if isinstance(held[1], str):
        st.error("No thresholds were chosen.", icon=":material/error:")
        st.text(held[1])
        return
    _show(held[1], old)


def _choose(watch: Watch, name: str, limit: float) -> None:
    try:
        state.RECHOSEN.set((name, rechoose(watch, limit)))
    except ValueError as error:
        state.RECHOSEN.set((name, str(error)))


def _show(new: Rechosen, old: str) -> None:
    text = rechosen_json(new)
    st.markdown(f"{capital(rechosen_sentence(new))}.")
    frame, before = exits_table(new.rule, new.evaluation, MACS), exits_table(new.old_rule, new.old, MACS)
    both = pd.DataFrame({"stage": frame["stage"]})
    for name in ("threshold", "share"):
        for when, source in (("old", before), ("new", frame)):
            both[f"{name} {when}"] = source[name]
    both.loc[len(both) - 1, ["threshold old", "threshold new"]] = -np.inf
    columns = {
        "stage": "Stage",
        "threshold old": thresholds("Leaves at, shown", both["threshold old"]),
        "threshold new": thresholds("Leaves at, new", both["threshold new"]),
        "share old": share("Leave here, shown"),
        "share new": share("Leave here, new"),
    }
    table(both, columns, "Thresholds that are shown and new ones by stage, and who leaves there on audited samples.")
    with st.container(horizontal=True):
        for label, content, file in (("New", text, "rechosen.json"), ("Shown", old, "shown.json")):
            st.download_button(
                f"{label} thresholds (JSON)",
                content,
                file,
                "application/json",
                icon=":material/download:",
                on_click="ignore",
                key=Key.WATCH.of(file),
            )
    with st.expander("What differs in the two files"):
        lines = difflib.unified_diff(old.splitlines(), text.splitlines(), "shown.json", "rechosen.json", lineterm="")
        st.code("\n".join(lines), language="diff")
