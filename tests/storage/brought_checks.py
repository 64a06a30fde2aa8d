"""What is brought, read, and held against what was meant."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from cascade_core import StageOutputs
from cascade_core.simulation.recorded import Outputs
from cascade_core.storage.importers import Wishes, read_files
from cascade_core.storage.notes import notes_on
from cascade_core.support.files import BadFile, Contents
from tests.oracle import assert_one_line
from tests.runfiles import softmaxes
from tests.storage.brought import made, table

TRUTH = made()
NAMED = table(TRUTH, stages=TRUTH.stage_names)
P = [f"p_{k}" for k in range(5)]
LOGITS = [f"logit_{k}" for k in range(5)]
AS_MEANT = {"labels": TRUTH.labels, "macs": TRUTH.macs}


def read(raw: bytes, ending: str = "npz", **wishes: Any) -> StageOutputs:
    run = read_files([Contents(name=f"mine.{ending}", raw=raw)], Wishes(**wishes))
    assert isinstance(run, StageOutputs)
    return run


def assert_right(run: Outputs, *notes: str, close: float = 1e-6, names: Sequence[str] | None = None) -> None:
    """The run is what was meant, and says just these lines."""
    np.testing.assert_allclose(softmaxes(run).probs, TRUTH.probs, atol=close)
    assert run.labels.tolist() == TRUTH.labels.tolist()
    assert [stage.trunk_macs for stage in run.stages] == list(TRUTH.macs)
    if names is not None:
        assert [stage.name for stage in run.stages] == list(names)
    said = notes_on(run)
    assert len(said) == len(notes), said
    for line, words in zip(said, notes, strict=True):
        assert_one_line(ValueError(line), words)


def assert_refused(raw: bytes, ending: str, *words: str, **wishes: Any) -> None:
    with pytest.raises(BadFile) as caught:
        read(raw, ending, **wishes)
    assert_one_line(caught.value, f"Cannot import mine.{ending}: ", *words)
