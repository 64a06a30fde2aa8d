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

from cascade_core.panels.live import send
from cascade_core.panels.shown import Shown
from cascade_core.policies import SWEEPS
from cascade_core.simulation.scores import SCORES

AT = "at"
"""The slider's value, in its own unit."""

DEFAULTS: dict[str, Any] = {
    "view": "explore",
    "policy": next(iter(SWEEPS)),
    "score": next(iter(SCORES)),
    "calibrated": False,
    "seed": 0,
    "in_sample": False,
    "cost": "MACs",
    "batch": 1,
}
"""Keys of widgets, which are names of parameters too; the run and the slider's value come with them."""

MAX_SEED = 2**31 - 1
SHOWN = 60
"""Most letters of a bad value that are repeated to the user."""


def read(runs: Collection[str], views: Collection[str]) -> None:
    """Give widgets their values at the start of a session, and say which parameters do not fit."""
    if "address:read" not in st.session_state:
        st.session_state["address:read"] = True
        values, bad = parsed(st.query_params.to_dict(), runs, views)
        for key, value in (DEFAULTS | values).items():
            st.session_state[f"address:{AT}" if key == AT else key] = value
        st.session_state["address:bad"] = bad
    for line in st.session_state.pop("address:bad", ()):
        _say(line)


def parsed(given: Mapping[str, str], runs: Collection[str], views: Collection[str]) -> tuple[dict[str, Any], list[str]]:
    """Values by key, of those parameters that fit, and a line on each that does not; unknown ones are passed over."""
    readers: dict[str, Callable[[str], Any]] = {
        "run": _among(runs, "a run in the list"),
        "view": _among(views, f"one of {', '.join(views)}"),
        "policy": _among(SWEEPS, f"one of {', '.join(SWEEPS)}"),
        "score": _among(SCORES, f"one of {', '.join(SCORES)}"),
        "calibrated": _flag,
        "seed": _whole(0, MAX_SEED),
        "in_sample": _flag,
        "cost": _among(("MACs", "milliseconds"), "MACs or milliseconds"),
        "batch": _whole(1, MAX_SEED),
        AT: _number,
    }
    values, bad = {}, []
    for key, reader in readers.items():
        if key in given:
            try:
                values[key] = reader(given[key])
            except ValueError as error:
                bad.append(f"expected {key} to be {error} but it was {given[key][:SHOWN]!r}")
    return values, bad


def go_to(shown: Shown) -> Shown:
    """What is shown, at the slider value that the address named, if it has not been gone to yet."""
    wanted = st.session_state.pop(f"address:{AT}", None)
    if wanted is None:
        return shown
    values = shown.exploration.shown
    low, high = float(values.min()), float(values.max())
    if not low - 1e-9 <= wanted <= high + 1e-9:
        _say(f"expected {AT} to be from {low:.6g} to {high:.6g} but it was {wanted:.6g}")
        return shown
    position = int(np.abs(values - wanted).argmin())
    send(shown.data, position)
    return shown.at(position)


def write(shown: Shown, view: str, position: int) -> None:
    """Have the browser's address name what is looked at."""
    chosen = shown.selection
    state = {key: st.session_state.get(key, default) for key, default in DEFAULTS.items()} | {"view": view}
    if state["cost"] == DEFAULTS["cost"]:
        state["batch"] = DEFAULTS["batch"]
    wanted = {"run": chosen.run.name}
    wanted |= {key: _text(value) for key, value in state.items() if value != DEFAULTS[key]}
    if position != int(shown.data["slider"]["initial"]):
        wanted[AT] = f"{float(shown.exploration.shown[position]):.9g}"
    if st.query_params.to_dict() != wanted:
        st.query_params.from_dict(wanted)


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
