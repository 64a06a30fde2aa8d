"""Weights: files of others into a network, and trained heads to a file and back.

Files of others are read in `checkpoints`, and none can run code.  Trained heads are written as safetensors, with a JSON
description of how to build them in the file's metadata.  That description names the trunk by the digest of its
weights, since heads on another trunk give answers, but wrong ones.  A small network trained here is written whole:
trunk, heads and all.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import nn

from cascade_core.nets.heads.checkpoints import (
    COUNTER,
    Tensors,
    existing,
    first_line,
    named_alike,
    oddity,
    read_tensors,
)
from cascade_core.nets.heads.families import HeadSpec
from cascade_core.support.files import atomic_write, file_digest, opened
from cascade_core.support.json_files import strict_json
from cascade_core.support.visible import visible

SCHEMA_VERSION = 2
"""Version 1 named no exits and no images; its heads are at the places where the network is cut by default."""

METADATA_KEY = "cascade_core"

MAX_HEADER = 100 << 20
"""Most bytes of a file's header, as safetensors has it."""


def digest(path: str | Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal.

    Raises:
        ValueError: There is no such file.
    """
    return file_digest(existing(path))


def state_digest(module: nn.Module) -> str:
    """SHA-256 of a module's parameters and buffers (names, types, shapes, values), wherever they lie."""
    result = hashlib.sha256()
    for name, tensor in sorted(module.state_dict().items()):
        result.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        result.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return result.hexdigest()


def load_weights(network: nn.Module, path: str | Path) -> None:
    """Fill `network` with the weights of a file, all of them and nothing else.

    Raises:
        ValueError: The file is missing or not one of weights, or its names or shapes differ from the network's.
    """
    name = Path(path).name
    _fill(network, named_alike(read_tensors(path), network.state_dict(), name), name)


@dataclass(frozen=True, kw_only=True)
class HeadsFile:
    """What a heads file holds.

    Attributes:
        network: Name of the network, such as "cifar-resnet56"; only compared with what the user types.
        exits: Names of the M - 1 exits; none where the network is cut by default.
        images: `Preprocessing` of the images that the heads were fitted to; empty where that is the network's own.
        stage_names: M names, first to last.
        class_names: K texts.
        trunk: `state_digest` of the plain network.
        preset: Name of the heads' preset.
        specs: How to build the M - 1 early heads.
        whole: Whether the file also holds the plain network.
        training: How the heads were trained, as JSON data.
    """

    network: str
    exits: tuple[str, ...]
    images: Mapping[str, Any]
    stage_names: tuple[str, ...]
    class_names: tuple[str, ...]
    trunk: str
    preset: str
    specs: tuple[HeadSpec, ...]
    whole: bool
    training: Mapping[str, Any]


def save_heads(path: str | Path, about: HeadsFile, heads: Sequence[nn.Module], plain: nn.Module | None = None) -> Path:
    """Write trained early heads, and with `about.whole` the plain network; atomically."""
    tensors = {f"heads.{k}": v for k, v in nn.ModuleList(heads).state_dict().items()}
    if about.whole and plain is not None:
        tensors |= {f"plain.{k}": v for k, v in plain.state_dict().items()}
    text = json.dumps({"schema_version": SCHEMA_VERSION, **asdict(about)}, sort_keys=True, allow_nan=False)
    # Tensors may be in another memory format after training; a file holds them in the plain one.
    dense = {k: v.detach().cpu().contiguous() for k, v in tensors.items()}
    with atomic_write(Path(path)) as temporary:
        # Written here, because the library's own words on a full disk are no OSError.
        temporary.write_bytes(safetensors.torch.save(dense, metadata={METADATA_KEY: text}))
    return Path(path)


def read_heads(path: str | Path) -> HeadsFile:
    """Description of a heads file.

    Raises:
        ValueError: The file is missing or malformed, or of a newer schema.
    """
    file = existing(path)
    wrong = f"Expected {file.name} to be a heads file written by `python -m cascade_core build`"
    try:
        fields = read_description(file)
        version = fields.pop("schema_version")
        if version == 1:
            fields |= {"exits": [], "images": {}}
        elif version != SCHEMA_VERSION:
            raise ValueError(f"its schema version is {version!r}, not {SCHEMA_VERSION}")
        fields["specs"] = tuple(HeadSpec(**s | {"shape": tuple(s["shape"])}) for s in fields["specs"])
        _check_description(fields)
        fields |= {key: tuple(fields[key]) for key in ("exits", "stage_names", "class_names")}
        return HeadsFile(**fields)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"{wrong} but {first_line(error)}") from None


_KINDS = {
    **dict.fromkeys(("network", "trunk", "preset"), (str, "a text")),
    **dict.fromkeys(("images", "training"), (Mapping, "an object")),
    **dict.fromkeys(("exits", "stage_names", "class_names"), (list, "a list of texts")),
    "whole": (bool, "true or false"),
}
"""What a description's entries are; `HeadSpec` knows of the heads."""


def _check_description(fields: Mapping[str, Any]) -> None:
    """Raise ValueError where an entry is not what `save_heads` writes."""
    for key, (kind, words) in ((key, wanted) for key, wanted in _KINDS.items() if key in fields):
        if not isinstance(fields[key], kind) or (kind is list and not all(isinstance(one, str) for one in fields[key])):
            raise ValueError(f"its {key} is not {words} but {repr(fields[key])[:60]}")


def read_description(file: Path) -> Any:
    """What a file of ours says of the tensors in it, which are not read, as JSON data.

    Raises:
        ValueError: It says nothing, or is no safetensors file: a header of JSON, with its length before it.
    """
    with opened(file) as stream:
        length = int.from_bytes(stream.read(8), "little")
        if length > MAX_HEADER:
            raise ValueError(f"its header is {length:,} bytes long, more than {MAX_HEADER:,}")
        header = strict_json(stream.read(length))
    metadata = header.get("__metadata__") if isinstance(header, dict) else None
    description = metadata.get(METADATA_KEY) if isinstance(metadata, dict) else None
    if not isinstance(description, str):
        raise ValueError("it has no description")
    return strict_json(description.encode())


def fill_heads(path: str | Path, heads: Sequence[nn.Module], plain: nn.Module | None = None) -> None:
    """Fill early heads, and `plain` if given, with the weights of a heads file.

    Raises:
        ValueError: Names or shapes differ.
    """
    name, tensors = Path(path).name, read_tensors(path)
    for prefix, module in (("heads.", nn.ModuleList(heads)), ("plain.", plain)):
        if module is not None:
            own = {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
            _fill(module, own, name)


def _fill(network: nn.Module, tensors: Tensors, name: str) -> None:
    """Copy `tensors` into `network`, or say in one line what differs."""
    own = network.state_dict()
    missing = [k for k in own if k not in tensors and not k.endswith(COUNTER)]
    unexpected = [k for k in tensors if k not in own]
    if missing or unexpected:
        raise ValueError(
            f"Expected {name} to hold the weights of this network but {_some('is missing', missing)}"
            f"{' and ' if missing and unexpected else ''}{_some('is unexpected', unexpected)}; is it another network's?"
        )
    for key, tensor in tensors.items():
        if odd := oddity(tensor):
            raise ValueError(f"Expected {visible(key[:80])} in {name} to be a plain tensor of numbers but it is {odd}")
        if tensor.shape != own[key].shape:
            raise ValueError(
                f"Expected {key} in {name} to have shape {tuple(own[key].shape)} but it had {tuple(tensor.shape)}; "
                "do the number of classes and the network's name fit the file? "
                "--classes names all classes, where the data have fewer"
            )
    network.load_state_dict(dict(tensors), strict=False)


def _some(what: str, keys: list[str]) -> str:
    if not keys:
        return ""
    return f"{visible(keys[0][:80])} {what}" + (f" (and {len(keys) - 1} more)" if len(keys) > 1 else "")
