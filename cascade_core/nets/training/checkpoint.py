"""The state of a training in a file, from which a stopped one goes on; that of another training is refused."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
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
    if not path.exists():
        return None
    way_out = f"delete {path} to begin anew"
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
        path.unlink(missing_ok=True)
        raise ValueError("Expected training to come to numbers but it overflowed; lower the learning rate")


def remove_older(path: Path, result: Path) -> None:
    """Take away what a kill left of the training that a result came of; a newer checkpoint is another training's."""
    if path.exists() and path.stat().st_mtime_ns <= result.stat().st_mtime_ns:
        path.unlink(missing_ok=True)
