"""The state of a training in a file, from which a stopped one goes on; that of another training is refused.

Parts of it that are large and never change lie in a folder beside the file, each in a file of its own, written once.
"""

from __future__ import annotations

import io
import math
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import count, takewhile
from pathlib import Path
from typing import Any

import torch
from torch import nn

from cascade_core.support.files import atomic_write, opened


def write_state(path: Path, identity: str, state: Mapping[str, Any]) -> None:
    """Write a state, tensors and plain data, atomically.

    Args:
        identity: A digest of all that decides the training's outcome.
    """
    # In memory first: torch's own words on a full disk are no OSError.
    packed = io.BytesIO()
    torch.save({"identity": identity, **state}, packed)
    with atomic_write(path) as temporary:
        temporary.write_bytes(packed.getbuffer())


def read_state(path: Path, identity: str, device: str) -> dict[str, Any] | None:
    """The state in a file, its tensors on `device`; None where there is no file.

    Raises:
        ValueError: It is damaged, or another training's.
    """
    return _read(path, identity, device, path) if path.exists() else None


def write_part(path: Path, number: int, identity: str, part: Mapping[str, Any]) -> None:
    """Write a part of the state in `path` that stays as it is, atomically; parts count from 0."""
    try:
        write_state(_parts(path) / str(number), identity, part)
    except OSError:
        with suppress(OSError):
            _parts(path).rmdir()  # where nothing could be written, nothing is left
        raise


def read_parts(path: Path, identity: str, device: str) -> list[dict[str, Any]]:
    """The parts of the state in `path` that were written, in order.

    Raises:
        ValueError: One is damaged, or another training's.
    """
    files = map(_parts(path).joinpath, map(str, count()))
    return [_read(file, identity, device, _parts(path)) for file in takewhile(Path.exists, files)]


def remove_state(path: Path) -> None:
    """Take away a state with its parts, if it is there."""
    # The file last, by which `remove_older` knows that something is left.
    shutil.rmtree(_parts(path), ignore_errors=True)
    path.unlink(missing_ok=True)


def _parts(path: Path) -> Path:
    return path.with_name(f"{path.name}-parts")


def _read(path: Path, identity: str, device: str, whole: Path) -> dict[str, Any]:
    way_out = f"delete {whole} to begin anew"
    try:
        with opened(path) as stream:
            state: dict[str, Any] = torch.load(stream, map_location=device, weights_only=True)
        found = state["identity"]
    except Exception:  # what a malformed archive makes of zipfile and pickle may be anything
        raise ValueError(f"Expected a checkpoint of training in {path} but it cannot be read; {way_out}") from None
    if found != identity:
        raise ValueError(f"Expected {path} to be of this training but its network, data or settings differ; {way_out}")
    return state


def check_trained(network: nn.Module, path: Path, loss: Sequence[float] = ()) -> None:
    """Raise ValueError, and take the state in `path` away, where training did not come to numbers."""
    finite = all(bool(tensor.isfinite().all()) for tensor in network.state_dict().values())
    if not finite or not all(map(math.isfinite, loss)):
        remove_state(path)
        raise ValueError("Expected training to come to numbers but it overflowed; lower the learning rate")


def remove_older(path: Path, result: Path) -> None:
    """Take away what a kill left of the training that a result came of; a newer checkpoint is another training's."""
    if path.exists() and path.stat().st_mtime_ns <= result.stat().st_mtime_ns:
        remove_state(path)
