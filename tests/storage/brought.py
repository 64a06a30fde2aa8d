"""Files as people bring them: a made-up cascade written in many dialects, and spoilt in ways that people spoil them.

`Truth` is what a file is about; writers and mistakes know nothing of the importer.
"""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

NAMES = ("ant", "bee", "cat", "dog", "elk", "fox", "gnu", "hen")
STAGES = {2: ("small", "large"), 3: ("small", "mid", "large"), 4: ("tiny", "small", "mid", "large")}
MACS = {2: (10, 20), 3: (10, 20, 40), 4: (10, 20, 40, 80)}


@dataclass(frozen=True, kw_only=True)
class Truth:
    """A cascade on some samples.

    Attributes:
        logits: (M, N, K), of which the softmax is meant.
        macs: (M,) MACs that each stage adds.
    """

    logits: NDArray[np.float64]
    labels: NDArray[np.int64]
    macs: tuple[int, ...]

    @property
    def probs(self) -> NDArray[np.float64]:
        """(M, N, K)."""
        return softmax(self.logits)

    @property
    def class_names(self) -> tuple[str, ...]:
        """K names."""
        return NAMES[: self.logits.shape[2]]

    @property
    def stage_names(self) -> tuple[str, ...]:
        """M names, from cheap to dear."""
        return STAGES[len(self.logits)]

    @property
    def ids(self) -> NDArray[np.str_]:
        """N names of samples."""
        return np.array([f"pic_{i}.jpg" for i in range(len(self.labels))])


def softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Along the last axis."""
    raised = np.exp(logits - logits.max(axis=-1, keepdims=True))
    result: NDArray[np.float64] = raised / raised.sum(axis=-1, keepdims=True)
    return result


def made(seed: int = 0, n: int = 120, m: int = 3, k: int = 5) -> Truth:
    """A cascade whose later stages are clearly better."""
    random = np.random.default_rng(seed)
    labels = np.concatenate([np.arange(k), random.integers(0, k, n - k)])
    ease = random.normal(0, 1, (n, 1))
    logits = np.stack(
        [random.normal(0, 1, (n, k)) + np.eye(k)[labels] * (2.5 + 2 * stage + 0.7 * ease) for stage in range(m)]
    )
    return Truth(logits=logits, labels=labels, macs=tuple(count * 10**6 for count in MACS[m]))


def npz(**arrays: Any) -> bytes:
    """An archive; arrays that are None are left out."""
    stream = io.BytesIO()
    np.savez(stream, **{name: array for name, array in arrays.items() if array is not None})
    return stream.getvalue()


def table(
    truth: Truth,
    values: NDArray[Any] | None = None,
    *,
    columns: Sequence[str] | None = None,
    labels: Sequence[Any] | NDArray[Any] | None = None,
    stages: Sequence[Any] | None = None,
    macs: Sequence[Any] | NDArray[Any] | None = None,
    ids: Sequence[Any] | NDArray[Any] | None = None,
) -> pd.DataFrame:
    """A row for each sample at each stage, stage by stage; what is not given is as this project would have it."""
    m, n, k = truth.logits.shape
    cells = (truth.probs if values is None else values).reshape(m * n, -1)
    frame = pd.DataFrame(
        {
            "sample_id": np.tile(np.asarray(truth.ids if ids is None else ids), m),
            "label": np.tile(np.asarray(truth.labels if labels is None else labels), m),
            "stage": np.repeat(np.asarray(range(m) if stages is None else stages), n),
            "macs": np.repeat(np.asarray(truth.macs if macs is None else macs), n),
        }
    )
    names = [f"p_{i}" for i in range(k)] if columns is None else columns
    return pd.concat([frame, pd.DataFrame(cells, columns=list(names))], axis=1)


def csv(frame: pd.DataFrame, encoding: str = "utf-8", **how: Any) -> bytes:
    """Separated values, as `DataFrame.to_csv` writes them."""
    text: str = frame.to_csv(index=False, lineterminator="\n", **how)
    return text.encode(encoding)


def parquet(frame: pd.DataFrame, columns: Sequence[str] = (), name: str = "probs") -> bytes:
    """Parquet; with `columns`, those are one list column."""
    stream = io.BytesIO()
    listed(frame, columns, name).to_parquet(stream, index=False)
    return stream.getvalue()


def jsonl(frame: pd.DataFrame, columns: Sequence[str] = (), name: str = "probs") -> bytes:
    """An object a row; with `columns`, those are one list."""
    rows = listed(frame, columns, name).to_dict("records")
    return "".join(json.dumps(row, default=float) + "\n" for row in rows).encode()


def listed(frame: pd.DataFrame, columns: Sequence[str], name: str) -> pd.DataFrame:
    """The frame with some columns as one list column."""
    if not columns:
        return frame
    rest = frame.drop(columns=list(columns))
    rest[name] = frame[list(columns)].to_numpy().tolist()
    return rest


def rounded(probs: NDArray[np.float64], decimals: int) -> NDArray[np.float64]:
    """Softmaxes as people write them."""
    return np.round(probs, decimals)


def bfloat16(values: NDArray[np.float64]) -> NDArray[np.float32]:
    """Values with the eight leading bits that bfloat16 keeps."""
    bits = values.astype(np.float32).view(np.uint32) + np.uint32(0x8000)
    return (bits & np.uint32(0xFFFF0000)).view(np.float32)


def without_last_class(truth: Truth) -> Truth:
    """The samples of all classes but the last."""
    kept = truth.labels < truth.logits.shape[2] - 1
    return replace(truth, logits=truth.logits[:, kept], labels=truth.labels[kept])
