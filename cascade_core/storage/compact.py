"""Softmaxes with fewer digits, for smaller files: what thresholds are compared with stays as it was.

The largest probability of a row keeps all its digits, for a cascade lives on what lies between 0.999 and 1.  Each of
the others keeps eleven significant bits, as float16 has them, and float32's range: it moves by a twentieth of a
percent of itself at most.  Rows are not divided by their sums again, which would bring the digits back.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cascade_core.simulation.outputs import StageOutputs
from cascade_core.storage.origin import Origin

DROPPED = 13
"""Of float32's 23 bits behind the first."""

NOTE = "To save room, probabilities but the largest of each softmax are kept to three digits."


def compact(outputs: StageOutputs) -> StageOutputs:
    """The same run with fewer digits, and a note that says so."""
    origin = Origin.of(outputs.source)
    source = replace(origin, notes=(*origin.notes, NOTE)).as_json()
    return replace(outputs, probs=rounded(outputs.probs), source=source)


def rounded(probs: NDArray[np.float32]) -> NDArray[np.float32]:
    """Softmaxes (..., K) with eleven significant bits, the first largest of each as it was."""
    top = probs.argmax(axis=-1)[..., None]
    largest = np.take_along_axis(probs, top, axis=-1)
    bits = np.ascontiguousarray(probs, dtype=np.float32).view(np.uint32)
    result: NDArray[np.float32] = ((bits + (1 << DROPPED - 1)) >> DROPPED << DROPPED).view(np.float32)
    result = np.minimum(result, np.nextafter(largest, np.float32(0)))  # none may come up to the largest
    np.put_along_axis(result, top, largest, axis=-1)
    return result
