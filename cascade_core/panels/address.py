"""The page's address: everything that is looked at, as query parameters, so that a link shows it again.

They are read once, when a session begins, and kept in step afterwards.  Each value is checked against what there is
before a widget is given it; what does not fit is left out, with a notice.  Nothing of it is joined to a path, and
defaults are not written, so that addresses stay short.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

import numpy as np
import streamlit as st

from cascade_core.panels import state
from cascade_core.panels.live import Stand, send
from cascade_core.panels.shown import Shown
from cascade_core.policies import SWEEPS
from cascade_core.policies.answers import ANSWERS
from cascade_core.simulation.scores import SCORES

MAX_SEED = 2**31 - 1
SHOWN = 60
"""Most letters of a bad value that are repeated to the user."""


def read(runs: Collection[str], views: Collection[str]) -> None:
    """Give widgets their values at the start of a session, and say which parameters do not fit."""
    if not state.LINK_READ.get():
        state.LINK_READ.set(True)
        values, faults = parsed(st.query_params.to_dict(), runs, views)
        for value in state.LINKED:
            value.set(values.get(value.key, value.get()))
        state.LINK_FAULTS.set(faults)
    for line in state.LINK_FAULTS.take():
        _say(line)


def parsed(
    parameters: Mapping[str, str], runs: Collection[str], views: Collection[str]
) -> tuple[dict[str, Any], list[str]]:
    """Values by key, of those parameters that fit, and a line on each that does not; unknown ones are passed over."""
    readers: dict[state.Value[Any], Callable[[str], Any]] = {
        state.RUN: _among(runs, "a run in the list"),
        state.VIEW: _among(views, f"one of {', '.join(views)}"),
        state.POLICY: _among(SWEEPS, f"one of {', '.join(SWEEPS)}"),
        state.SCORE: _among(SCORES, f"one of {', '.join(SCORES)}"),
        state.ANSWERS: _among(ANSWERS, f"one of {', '.join(ANSWERS)}"),
        state.SEED: _whole(0, MAX_SEED),
        state.IN_SAMPLE: _flag,
        state.COST: _among(("MACs", "milliseconds"), "MACs or milliseconds"),
        state.BATCH: _whole(1, MAX_SEED),
        state.AT: _number,
    }
    values, faults = {}, []
    for key, reader in ((value.key, reader) for value, reader in readers.items()):
        if key in parameters:
            try:
                values[key] = reader(parameters[key])
            except ValueError as error:
                faults.append(f"expected {key} to be {error} but it was {parameters[key][:SHOWN]!r}")
    return values, faults


def go_to(shown: Shown) -> Shown:
    """What is shown, at the slider value that the address named, if it has not been gone to yet."""
    value = state.AT.take()
    if value is None:
        return shown
    values = shown.exploration.shown
    low, high = float(values.min()), float(values.max())
    if not low - 1e-9 <= value <= high + 1e-9:
        _say(f"expected {state.AT.key} to be from {low:.6g} to {high:.6g} but it was {value:.6g}")
        return shown
    position = int(np.abs(values - value).argmin())
    send(shown.payload, position)
    return shown.at(Stand(index=position))


def write(shown: Shown, view: str) -> None:
    """Have the browser's address name what is looked at."""
    values = {value: value.get() for value in state.LINKED} | {state.VIEW: view, state.RUN: shown.question.run.name}
    if values[state.COST] == state.COST.default:
        del values[state.BATCH]
    parameters = {value.key: _text(now) for value, now in values.items() if now != value.default}
    if shown.position != int(shown.payload["slider"]["initial"]):
        parameters[state.AT.key] = f"{float(shown.exploration.shown[shown.position]):.9g}"
    if st.query_params.to_dict() != parameters:
        st.query_params.from_dict(parameters)


def _text(value: Any) -> str:
    return str(int(value)) if isinstance(value, bool) else str(value)


def _say(line: str) -> None:
    st.warning("A part of the link does not fit and is left out.", icon=":material/link_off:")
    st.text(line)


def _among(options: Collection[str], words: str) -> Callable[[str], str]:
    def reader(text: str) -> str:
        if text not in options:
            raise ValueError(words)
        return text

    return reader


def _flag(text: str) -> bool:
    if text not in ("0", "1"):
        raise ValueError("0 or 1")
    return text == "1"


def _whole(low: int, high: int) -> Callable[[str], int]:
    def reader(text: str) -> int:
        # Digits of other scripts are digits to Python too.
        if not (text.isascii() and text.isdigit() and len(text) < 12 and low <= int(text) <= high):
            raise ValueError(f"a whole number from {low} to {high}")
        return int(text)

    return reader


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not np.isfinite(value):
        raise ValueError("a number")
    return value
