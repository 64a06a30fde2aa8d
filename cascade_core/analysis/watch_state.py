"""Where a watch was, as a file: written whole or not at all, and read back bit by bit.

A digest of all that it holds stands in it: one that was changed or cut off is refused, and not gone on from.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from cascade_core.analysis.watched import Watch
from cascade_core.simulation.bounds import ALPHA
from cascade_core.storage.choice import Choice
from cascade_core.support.files import BadFile, readable
from cascade_core.support.json_files import read_json, write_json

VERSION = 3

MAX_BYTES = 64 << 20
"""Most bytes of a state: some thousand audited samples of some hundred stages."""


def save_state(path: Path, watch: Watch) -> None:
    """Write where a watch is."""
    state = {"version": VERSION, "choice": _digest(watch.choice), **watch.state()}
    write_json(path, {**state, "sha256": _sha256(state)}, MAX_BYTES)


def load_state(path: Path, choice: Choice, alpha: float = ALPHA) -> Watch:
    """The watch that was kept, or a new one where there is no file.

    Raises:
        BadFile: It is no state, or of another choice or alpha.
    """
    if not path.exists():
        return Watch(choice, alpha)
    with readable(path):
        state = read_json(path, MAX_BYTES)
        if not isinstance(state, dict) or state.get("version") != VERSION:
            raise BadFile(f"expected what `watch --state` wrote, of version {VERSION}")
        if state.pop("sha256", None) != _sha256(state):
            raise BadFile(
                "expected it as `watch --state` wrote it but it was changed; give another --state, or remove it"
            )
        if state.get("choice") != _digest(choice):
            raise BadFile("it is of another choice; give another --state, or remove it")
        if state.get("alpha") != alpha:
            raise BadFile(f"it is for alpha {state.get('alpha')}, not {alpha:g}; give another --state, or remove it")
        return Watch.restore(choice, state)


def _digest(choice: Choice) -> str:
    """Of what the watch depends on."""
    rule = choice.rule
    told = [rule.stage_names, rule.thresholds.astype(float).tolist(), rule.score, rule.top_k, choice.measured]
    return _sha256(told)


def _sha256(data: Any) -> str:
    """Of JSON data, in hexadecimal."""
    return hashlib.sha256(json.dumps(data, default=str).encode()).hexdigest()
