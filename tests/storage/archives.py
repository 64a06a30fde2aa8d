"""NumPy archives to import: a sound one, its members, and members with any header."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cascade_core import import_run
from tests.oracle import assert_refused, random_outputs

MADE = random_outputs(1, stages=2, n=20, classes=3, decimals=None)
ARRAYS = {"probs": MADE.probs, "labels": MADE.labels, "macs": [40, 60], "baseline_macs": 100}


def npz(folder: Path, **arrays: Any) -> Path:
    path = folder / "mine.npz"
    np.savez_compressed(path, **arrays)
    return path


def npy(array: Any) -> bytes:
    stream = io.BytesIO()
    np.lib.format.write_array(stream, np.asarray(array))
    return stream.getvalue()


def headed(header: str, data: bytes = b"", version: bytes = b"\x01\x00") -> bytes:
    """An array file with any header text."""
    return b"\x93NUMPY" + version + len(header).to_bytes(2, "little") + header.encode() + data


def archive(folder: Path, members: Sequence[tuple[str, bytes]]) -> Path:
    path = folder / "mine.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as stream:
        for name, raw in members:
            stream.writestr(name, raw)
    return path


def good(**members: bytes) -> list[tuple[str, bytes]]:
    """Members of a sound archive, some exchanged for other bytes."""
    raw = {name: npy(array) for name, array in ARRAYS.items()} | members
    return [(f"{name}.npy", data) for name, data in raw.items()]


def assert_bad(path: Path, *words: str, **given: Any) -> None:
    assert_refused(lambda p: import_run(p, **given), path, f"Cannot import {path}: ", *words)
