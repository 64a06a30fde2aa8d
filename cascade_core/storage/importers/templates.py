"""Small files to start from: softmaxes of a made-up cascade in each format, which import as they are.

The numbers mean nothing; they show where things go.
"""

from __future__ import annotations

import io
from functools import cache

import numpy as np

PROBS = np.array(
    [
        [[0.5, 0.25, 0.25], [0.125, 0.75, 0.125], [0.5, 0.375, 0.125], [0.25, 0.5, 0.25]],
        [[0.75, 0.125, 0.125], [0, 1, 0], [0.125, 0.125, 0.75], [0.25, 0.25, 0.5]],
    ]
)
"""(2, 4, 3) stages, samples, classes."""

LABELS = np.array([0, 1, 2, 2])
MACS = np.array([40_550_000, 84_940_000])
IDS = np.array(["cat-1.png", "dog-1.png", "fox-1.png", "fox-2.png"])
STAGES = ("early", "late")


@cache
def npz_template() -> bytes:
    """A NumPy archive."""
    stream = io.BytesIO()
    np.savez(stream, probs=PROBS, labels=LABELS, macs=MACS, stage_names=np.array(STAGES), sample_ids=IDS)
    return stream.getvalue()


@cache
def csv_template() -> bytes:
    """A table with a row for each sample at each stage."""
    # Whoever opens the page would wait for pandas.
    import pandas as pd

    rows = [
        {"sample_id": IDS[i], "label": LABELS[i], "stage": stage, "macs": MACS[s]}
        | {f"p_{k}": PROBS[s, i, k] for k in range(PROBS.shape[2])}
        for s, stage in enumerate(STAGES)
        for i in range(len(LABELS))
    ]
    return pd.DataFrame(rows).to_csv(index=False, lineterminator="\n").encode()
