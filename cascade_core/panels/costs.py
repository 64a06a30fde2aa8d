"""What costs are counted in: MACs, milliseconds where a run has a profile, or what stages cost the user.

Costs of the user's own are those that lie beside the run until others are typed; what was typed is a text of JSON, as
files have it, so that a link can name it, and holds for runs with stages of these names.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import streamlit as st

from cascade_core.analysis.mistakes import MAX_PRICE
from cascade_core.panels import state
from cascade_core.panels.runs import Run, costs_of, profile_of
from cascade_core.panels.state import Key
from cascade_core.simulation.meters import MACS, Meter, Milliseconds
from cascade_core.simulation.own_costs import MAX_LETTERS, PARTS, WHOLE, OwnCosts
from cascade_core.simulation.sample_costs import SampleCosts
from cascade_core.simulation.timing import Profile
from cascade_core.storage.costs import SUFFIX, parse_costs
from cascade_core.support import wording
from cascade_core.support.json_files import strict_json
from cascade_core.support.spreadsheets import marked, unmarked
from cascade_core.support.terms import Terms
from cascade_core.support.wording import capital

if TYPE_CHECKING:
    import pandas as pd

UNITS = ("MACs", "milliseconds", "own")
MAX_TEXT = 4000
"""Letters of typed costs that a link may have."""

PER = (1, 1000, 1_000_000)
ALT = "What each stage costs, and the plain network, in parts"
BY_SAMPLE = (
    "Each sample has costs of its own: thresholds are sought by the stages' means, and what is shown is summed over "
    "what samples really cost."
)
PLAIN = "plain network"
"""Row of the table that has its costs."""


def checked(text: str) -> str:
    """A text of JSON that a link names as costs; what it holds is looked at where a run's stages are known.

    Raises:
        ValueError: It is too long or no JSON.
    """
    try:
        if len(text) <= MAX_TEXT and isinstance(strict_json(text.encode()), Mapping):
            return text
    except ValueError:
        pass
    raise ValueError(f"costs as JSON, of at most {MAX_TEXT:,} letters")


def meter_of(run: Run) -> Meter:
    """Let the user choose what costs of a run are counted in."""
    profile, complaint = profile_of(run)
    known = {"MACs": run.has_macs, "milliseconds": profile is not None, "own": True}
    offered = [unit for unit in UNITS if known[unit]]
    wished = state.COST_WISHED.take() or state.COST.get()
    state.COST.set(wished if wished in offered else _usual(run))
    if wished not in offered:
        state.COST_WISHED.set(wished)  # for the next run that has it
    about = (
        "Multiply-accumulates are what a sample needs anywhere; milliseconds are what it takes on the machine where "
        "the run's stages were measured (`python -m cascade_core profile RUN` measures them); your own are what stages "
        "cost you, in any unit. Thresholds are sought for what is chosen."
    )
    carried, _ = costs_of(run)
    words = {"milliseconds": "ms", "own": "your own" if run.has_macs or carried is None else carried.unit}
    unit = st.segmented_control(
        "Cost in", offered, format_func=lambda one: words.get(one, one), required=True, help=about, key=state.COST.key
    )
    if wished == "milliseconds" and profile is None:
        st.caption(f"This run has no profile, so costs are in {words.get(str(unit), str(unit))}.")
    _complain("The profile beside this run cannot be used:", complaint)
    meter = _own(run) if unit == "own" else _milliseconds(profile) if unit == "milliseconds" and profile else MACS
    _price(meter, run.terms)
    return meter


def named(run: Run, unit: str, batch: int, text: str) -> Meter:
    """What a link's unit, batch size and typed costs mean for a run, without asking anybody."""
    profile, _ = profile_of(run)
    if unit == "milliseconds" and profile is not None:
        return Milliseconds(profile=profile, batch=batch if batch in profile.batch_sizes else profile.batch_sizes[0])
    typed, _ = _typed(run, text)
    return (typed or costs_of(run)[0] or MACS) if unit == "own" or not run.has_macs else MACS


def usual(run: Run) -> Meter:
    """What costs of a run are counted in before anybody chose."""
    return MACS if run.has_macs else costs_of(run)[0] or MACS


def _usual(run: Run) -> str:
    """The unit of that, as `UNITS` has it."""
    return MACS.unit if run.has_macs else "own"


def _milliseconds(profile: Profile) -> Meter:
    if state.BATCH.get() not in profile.batch_sizes:
        state.BATCH.set(profile.batch_sizes[0])
    about = "Samples computed at once. Those that stay after a stage are gathered in a smaller batch."
    batch = st.select_slider("in batches of", profile.batch_sizes, help=about, key=state.BATCH.key)
    machine = [(key, value) for key, value in profile.circumstances.items() if key not in ("repeats", "warm_up")]
    st.text(wording.cut("Measured with " + ", ".join(f"{key} {value}" for key, value in machine), 200) + ".")
    return Milliseconds(profile=profile, batch=batch)


def _own(run: Run) -> Meter:
    """The costs that were typed, else those of the run; MACs until there are any."""
    carried, complaint = costs_of(run)
    _complain("The costs beside this run cannot be used:", complaint)
    typed, fault = _typed(run, state.COSTS.get())
    _complain("Your costs do not fit this run, and are not used:", fault)
    if typed is None and carried is None:
        st.caption("Until you say what stages cost, costs are in MACs.")
    if typed is None and isinstance(carried, SampleCosts):
        st.caption(BY_SAMPLE)
    if st.button("What stages cost", icon=":material/payments:", width="stretch", key=Key.COST_TABLE.of("open")):
        _form(run, typed or (carried.means if isinstance(carried, SampleCosts) else carried))
    return typed or carried or MACS


def _typed(run: Run, text: str) -> tuple[OwnCosts | None, str]:
    """What a text of costs says of a run; instead, why it cannot be used."""
    if not text:
        return None, ""
    try:
        return parse_costs(strict_json(text.encode()), run.stage_names), ""
    except ValueError as error:
        return None, str(error)


@st.dialog("What stages cost", width="medium")
def _form(run: Run, costs: OwnCosts | None) -> None:
    """A form for the unit, and a table of stages by parts; what is sent off is what costs are counted in."""
    key = Key.COST_TABLE.of
    with st.form(key("form"), border=False):
        first, second = st.columns(2)
        unit = first.text_input("Unit", costs.unit if costs else "dollars", max_chars=MAX_LETTERS, key=key("unit"))
        sizes = sorted({*PER, costs.per if costs else 1000})
        place = sizes.index(costs.per if costs else 1000)
        per = second.selectbox("for", sizes, place, _samples, key=key("per"))
        frame = st.data_editor(
            _frame(run, costs), width="stretch", disabled=["_index"], placeholder="nothing", alt=ALT, key=key("table")
        )
        st.caption(
            "What all that reaches a stage costs there, its head included; parts add up, and an empty cell costs "
            "nothing. The last row is what the same samples cost in the plain network."
        )
        sent = st.form_submit_button("Use these costs", icon=":material/check:", key=key("use"))
    if costs is not None:
        _save(run, costs)
    if not sent:
        return
    text = json.dumps(_described(unit, per, frame), separators=(",", ":"))
    _, fault = _typed(run, text)
    _complain("These costs cannot be used:", fault)
    if not fault:
        state.COSTS.set(text)
        st.rerun()


def _save(run: Run, costs: OwnCosts) -> None:
    """A button that saves costs as the file that page and command line look for beside the run."""
    st.download_button(
        "Save those in use as a file",
        json.dumps(costs.describe(), indent=1),
        f"{run.name}{SUFFIX}",
        "application/json",
        icon=":material/download:",
        help="Beside the run, the page offers them to everybody, and the command line reads them for `--cost own`.",
        on_click="ignore",
        key=Key.COST_TABLE.of("save"),
    )


def _samples(per: int) -> str:
    return "one sample" if per == 1 else f"{per:,} samples"


def _frame(run: Run, costs: OwnCosts | None) -> pd.DataFrame:
    """A row a stage and one for the plain network, a column a part."""
    import pandas as pd  # takes a while; most do without

    rows: list[Mapping[str, float]] = [*costs.stages, costs.plain_parts] if costs else []
    named = [part for part in (costs.parts if costs else ()) if part not in (*PARTS, WHOLE)]
    # Costs without parts are all the device's, until they are taken apart.
    columns = [*PARTS, *named]
    values = {
        marked(part): [row.get(part, row.get(WHOLE) if part == PARTS[0] else None) for row in rows] for part in columns
    }
    index = pd.Index([*map(marked, run.stage_names), PLAIN], name="stage")
    empty = {marked(part): [None] * len(index) for part in columns}
    return pd.DataFrame(values if rows else empty, index=index, dtype="float64")


def _described(unit: str, per: int, frame: pd.DataFrame) -> dict[str, Any]:
    """What was typed, as files of costs have it; an empty cell costs nothing."""
    rows = [
        {unmarked(str(part)): float(value) for part, value in row.items() if value == value} or 0
        for _, row in frame.iterrows()
    ]
    stages = dict(zip(map(unmarked, frame.index[:-1]), rows, strict=False))
    return {"unit": unit, "per": per, "stages": stages, "plain": rows[-1]}


def _price(meter: Meter, terms: Terms) -> None:
    """What a wrong answer costs; the slider goes to where computing and mistakes cost least together."""
    about = (
        f"Puts the slider where computing and {terms.wrong_answers} cost least together, by the half of the samples "
        "that chose the thresholds."
    )
    st.number_input(
        f"{capital(terms.wrong_answer)} costs, in {meter.unit}",
        min_value=0.0,
        max_value=MAX_PRICE,
        format="%g",
        placeholder="nothing",
        value=None,
        help=about,
        key=state.PRICE.key,
    )
    if state.PRICE.get() is not None:
        st.caption(f"The slider was put where computing and {terms.wrong_answers} cost least together.")


def _complain(what: str, complaint: str) -> None:
    if complaint:
        st.caption(what)
        st.text(complaint)
