"""The page on one small run, driven without a browser."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from streamlit.testing.v1 import AppTest

from cascade_core import CheapestWithinDrop
from cascade_core.analysis.exploration import Exploration, Split, explore, halves
from tests.opening import unopened
from tests.samples import sample_run

NAMES = ("<b>ant</b>", "**bee**", "cat", "dog", "eel")
OUTPUTS = replace(
    sample_run(),
    class_names=NAMES,
    sample_ids=np.array([f"{NAMES[2]}/{i:04d}.png" for i in range(400)]),
    source={"title": "A sample run.", "dataset": "imagefolder:test", "own": {"key": "<i>value</i>"}},
)
"""What the page shows where a test takes the fixture `folder`."""


def view(name: str) -> AppTest:
    """The page, where a view has been chosen."""
    app = unopened().run()
    app.segmented_control(key="view").set_value(name).run()
    assert not app.exception
    return app


def expected() -> Exploration:
    """What the page explores."""
    return explore(halves(OUTPUTS, Split()), CheapestWithinDrop, Split())
