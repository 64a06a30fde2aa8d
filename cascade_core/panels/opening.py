"""Ways from one view into another: a sample into *Try it*, samples into *Samples*.

What is clicked is heard by callbacks, before the page runs.  They set what the other view shows, and the view; the page
then runs as a whole, since the view is chosen outside of what a click runs again (see `page.look`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from cascade_core.analysis.samples import KINDS
from cascade_core.panels import state
from cascade_core.panels.runs import Run


def open_sample(run: Run, sample_id: str) -> None:
    """Show a sample of the run in *Try it*."""
    state.SAMPLE.set(sample_id)
    state.SAMPLE_OF.set(run.digest)
    state.TRY_KIND.set("sample")
    state.VIEW.set("try")


def open_samples(wanted: Mapping[state.Value[Any], Any]) -> None:
    """Show in *Samples* just the samples that meet the values wanted of `state.FILTERS`; others ask for nothing."""
    for value in state.FILTERS:
        value.set(wanted.get(value, value.default))
    state.OPENINGS.set(state.OPENINGS.get() + 1)
    state.VIEW.set("samples")


def follow(run: Run, clicked: Any) -> None:
    """Open what a component of the page told of; whatever else a browser sends opens nothing.

    Args:
        clicked: {kind: "sample", id}; {kind: "samples", of}, all of a kind; {kind: "stage", stage}, what leaves there;
            or {kind: "bin", stage, from, to}, what reaches a stage with a confidence from one end to less than the
            other, which is None at the last bin.
    """
    names = [stage["name"] for stage in run.metadata["stages"]]
    match clicked:
        case {"kind": "sample", "id": str(sample_id)}:
            open_sample(run, sample_id)
        case {"kind": "samples", "of": str(kind)} if kind in KINDS:
            open_samples({state.KIND: kind})
        case {"kind": "stage", "stage": int(stage)} if 0 <= stage < len(names):
            open_samples({state.LEFT: names[stage]})
        case {"kind": "bin", "stage": int(stage), "from": float() | int() as low, "to": high} if (
            0 <= stage < len(names)
        ):
            ends = {state.LEAST_SURE: float(low), state.MOST_SURE: _below(high)}
            open_samples({state.SURE_AT: names[stage], **ends})


def _below(end: object) -> float:
    """The largest confidence that is less than the end of a bin."""
    if not isinstance(end, int | float):
        return state.MOST_SURE.default
    return float(np.nextafter(np.float32(end), np.float32(-np.inf)))
