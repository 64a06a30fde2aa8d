"""Tensors out of the checkpoints that people keep: the network's among what training saved, its names as it has them.

A file may hold a state dict, or a dict with one under some name among optimisers and counts.  Names may stand behind a
prefix of whatever wrapped the network in training.  None of it is guessed by shape: a prefix is one behind which all of
the network's own names are.  What is taken among several, and what is left out, is said in a warning.

Files are read without running anything from them: tensors, numbers, texts, containers of these, and NumPy's numbers.
"""

from __future__ import annotations

import argparse
import re
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

from cascade_core.support.files import BadFile, is_regular, opened

Tensors = Mapping[str, Tensor]

ENDINGS = (".th", ".pt", ".pth", ".ckpt", ".bin", ".pth.tar", ".safetensors")
"""Of files that hold weights."""

COUNTER = "num_batches_tracked"
"""Of batch norm in training only; absent from many files."""

PLACES = (
    "state_dict",
    "model_state_dict",
    "model",
    "net",
    "network",
    "module",
    "weights",
    "params",
    "ema",
    "model_ema",
)
"""Where checkpoints keep a state dict, of several the first is taken."""

_PREFIXES = ("", "module.", "model.", "net.", "network.", "model.module.", "module.model.")

_COMPILED = "_orig_mod."
"""What torch.compile puts before the names of what it compiled, at any depth."""

_OLD_DENSENET = re.compile(
    r"(denselayer\d+\.(?:norm|conv))\.([12]\.)"
)  # the published files name layers norm.1, not norm1

_HARMLESS = [
    argparse.Namespace,
    np.dtype,
    np._core.multiarray.scalar,  # type: ignore[attr-defined]  # what pickles of NumPy's numbers name
    *(type(np.dtype(kind)) for kind in ("float64", "float32", "float16", "int64", "int32", "bool")),
]
"""What checkpoints hold beside tensors, and what does nothing by being made."""

MOST_TOLD = 8
"""Most entries of a file that a message lists."""


def read_tensors(path: str | Path) -> Tensors:
    """Named tensors of a weights file.

    Warns:
        UserWarning: It holds several state dicts, or one where none is looked for.

    Raises:
        ValueError: The file is missing, of another kind, or malformed, or holds no state dict.
    """
    file = existing(path)
    if not file.name.endswith(ENDINGS):
        kinds = f"{', '.join(ENDINGS[:-1])} or {ENDINGS[-1]}"
        raise ValueError(f"Expected weights to be a {kinds} file but it was {file.name!r}")
    try:
        with opened(file) as stream:
            if file.suffix == ".safetensors":
                # Not mapped into memory: what is cut short meanwhile would end the process.
                return dict(sorted(safetensors.torch.load(stream.read()).items()))
            with warnings.catch_warnings(), torch.serialization.safe_globals(_HARMLESS):
                # What torch would warn of, a file with more than tensors in it, is told below.
                warnings.simplefilter("ignore")
                loaded = torch.load(stream, map_location="cpu", weights_only=True)
    except BadFile as error:
        raise ValueError(f"Expected {file.name} to hold weights but it cannot be read: {error}") from None
    except (SafetensorError, RuntimeError, OSError, EOFError, KeyError, AttributeError) as error:
        raise ValueError(f"Expected {file.name} to hold weights but it cannot be read: {first_line(error)}") from None
    except Exception as error:  # torch raises pickle.UnpicklingError, and what a malformed archive makes of zipfile
        kind = re.search(r"GLOBAL ([\w.]+)", str(error))
        other = f"holds {kind[1][:80]}" if kind else "is damaged or holds other objects"
        raise ValueError(
            f"Expected {file.name} to hold plain tensors but it {other}, which is not read; "
            "save network.state_dict() instead"
        ) from None
    return _state(loaded, file.name)


def _state(loaded: Any, name: str) -> Tensors:
    """The state dict in what a file holds."""
    if _is_state(loaded):
        return loaded
    found = dict(_states(loaded))
    if not found:
        for odd in _odd_names(loaded):
            raise ValueError(f"Expected the names of tensors in {name} to be texts but one is {repr(odd)[:60]}")
        places = ", ".join(PLACES[:4])
        raise ValueError(
            f"Expected {name} to hold a dict of tensors, or one under {places}, but it holds {_held(loaded)}"
        )
    best = min(found, key=lambda place: [PLACES.index(part) if part in PLACES else len(PLACES) for part in place])
    others = ", ".join(".".join(place) for place in list(found)[:MOST_TOLD] if place != best)
    if others or best[0] not in PLACES:
        also = f", and not those under {others}" if others else ""
        warnings.warn(f"Weights of {name} are those under {'.'.join(best)}{also}", stacklevel=4)
    return found[best]


def _is_state(value: Any) -> bool:
    return (
        isinstance(value, Mapping)
        and len(value) > 0
        and all(isinstance(key, str) and isinstance(each, Tensor) for key, each in value.items())
    )


def _states(loaded: Any, place: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Tensors]]:
    """State dicts in a dict, or in dicts in it, with their places."""
    for key, value in loaded.items() if isinstance(loaded, Mapping) and len(place) < 2 else ():
        if isinstance(key, str) and _is_state(value):
            yield (*place, key), value
        elif isinstance(key, str):
            yield from _states(value, (*place, key))


def _odd_names(loaded: Any) -> Iterator[Any]:
    """Names of tensors that are no texts, in a dict and in dicts in it."""
    for key, value in loaded.items() if isinstance(loaded, Mapping) else ():
        if isinstance(value, Tensor) and not isinstance(key, str):
            yield key
        yield from ((one for one in value if not isinstance(one, str)) if _is_named(value) else ())


def _is_named(value: Any) -> bool:
    """Whether something is a dict of tensors under whatever names."""
    return isinstance(value, Mapping) and len(value) > 0 and all(isinstance(each, Tensor) for each in value.values())


def oddity(tensor: Tensor) -> str:
    """What keeps the numbers of a tensor from being copied; empty where nothing does."""
    kinds = {
        "without values (on the meta device); save the weights after they are loaded": tensor.is_meta,
        "nested; save its parts": tensor.is_nested,
        "quantised; save tensor.dequantize() instead": tensor.is_quantized,
        "sparse; save tensor.to_dense() instead": not tensor.is_nested and tensor.layout != torch.strided,
        "of complex numbers": tensor.is_complex(),
    }
    return next((words for words, is_it in kinds.items() if is_it), "")


def _held(loaded: Any) -> str:
    """What a file holds, for people."""
    if not isinstance(loaded, Mapping):
        return f"one {type(loaded).__name__}"
    told = [f"{str(key)[:40]!r} ({type(value).__name__})" for key, value in list(loaded.items())[:MOST_TOLD]]
    more = [f"{len(loaded) - MOST_TOLD} more"] if len(loaded) > MOST_TOLD else []
    return ", ".join([*told, *more]) or "nothing"


def named_alike(tensors: Tensors, own: Tensors, name: str) -> Tensors:
    """The tensors of a file under the names that a network has.

    Args:
        own: The network's state dict.
        name: The file's, for messages.

    Warns:
        UserWarning: Behind another prefix than the network's there are more tensors, which are left out.
    """
    needed = {key for key in own if not key.endswith(COUNTER)}
    plain = {_OLD_DENSENET.sub(r"\1\2", k if k in own else k.replace(_COMPILED, "")): v for k, v in tensors.items()}
    prefix = _prefix(set(plain), needed)
    within = {key.removeprefix(prefix): value for key, value in plain.items() if key.startswith(prefix)}
    left = [key for key in plain if not key.startswith(prefix) and not key.endswith("n_averaged")]
    if left:
        count = f" (and {len(left) - 1} more)" if len(left) > 1 else ""
        warnings.warn(f"Of {name}, {left[0]}{count} is not behind {prefix!r} and left out", stacklevel=4)
    return within


def _prefix(names: set[str], needed: set[str]) -> str:
    """That behind which all names that are needed are, else one that all names have, else none."""
    some = min(needed, key=len, default="")
    behind = {name.removesuffix(some) for name in names if name.endswith(some)}
    known = [*_PREFIXES, *sorted(behind - set(_PREFIXES))]
    whole = [p for p in known if p in behind and p[-1:] in ("", ".") and all(p + name in names for name in needed)]
    shared = [p for p in reversed(_PREFIXES) if all(name.startswith(p) for name in names)]
    return (whole or shared)[0]


def existing(path: str | Path) -> Path:
    """The path of a file that is there.

    Raises:
        ValueError: There is none.
    """
    file = Path(path)
    if not is_regular(file):
        raise ValueError(f"Expected a file at {file} but there is none")
    return file


def first_line(error: BaseException) -> str:
    """The first line of an error's text."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]
