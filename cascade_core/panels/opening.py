"""Ways from one view into another: a sample into *Try it*, samples into *Samples*.

What is clicked is heard by callbacks, before the page runs.  They set what the other view shows, and the view; the page
then runs as a whole, since the view is chosen outside of what a click runs again (see `page.look`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cascade_core.panels import state
from cascade_core.panels.runs import Run


def open_sample(run: Run, sample_id: str) -> None:
    """Show a sample of the run in *Try it*."""
    state.tried_sample(run.digest).set(sample_id)
    state.TRY_KIND.set("sample")
    state.VIEW.set("try")


def open_samples(wanted: Mapping[state.Value[Any], Any]) -> None:
    """Show in *Samples* just the samples that meet the values wanted of `state.FILTERS`; others ask for nothing."""
    for value in state.FILTERS:
        value.set(wanted.get(value, value.default))
    state.VIEW.set("samples")


def follow(run: Run, clicked: Any) -> None:
    """Open what a component of the page told of: {kind: "sample", id} or {kind: "samples", of}."""
    match clicked:
        case {"kind": "sample", "id": str(sample_id)}:
            open_sample(run, sample_id)
        case {"kind": "samples", "of": str(kind)}:
            open_samples({state.KIND: kind})
