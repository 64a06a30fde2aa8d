"""Weights: files of others into a network, and trained heads to a file and back.

Two kinds of file are read, and neither can run code: `.th`, `.pt` and `.pth` through `torch.load(weights_only=True)`
(a state dict, or a dict that holds one as `state_dict`; a `module.` before every name is dropped), and
`.safetensors`.  Trained heads are written as safetensors, with a JSON description of how to build them in the
file's metadata.  That description names the trunk by the digest of its weights, since heads on another trunk
give answers, but wrong ones.  A small network trained here is written whole: trunk, heads and all.
"""

from __future__ import annotations

import hashlib
import json
import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from cascade_core.nets.heads.families import HeadSpec
from cascade_core.support.files import atomic_write, file_digest, strict_json

Tensors = Mapping[str, Tensor]

SCHEMA_VERSION = 2
"""Version 1 named no exits and no images; its heads are at the places where the network is cut by default."""

METADATA_KEY = "cascade_core"

ENDINGS = (".th", ".pt", ".pth", ".safetensors")
"""Of files that hold weights."""

_OLD_DENSENET = re.compile(
    r"(denselayer\d+\.(?:norm|conv))\.([12]\.)"
)  # the published files name layers norm.1, not norm1
_COUNTER = "num_batches_tracked"  # of batch norm in training only; absent from many files


def digest(path: str | Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal.

    Raises:
        ValueError: There is no such file.
    """
    return file_digest(_existing(path))


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
    tensors = read_tensors(path)
    names = {k: _OLD_DENSENET.sub(r"\1\2", k.removeprefix("module.")) for k in tensors}
    _fill(network, {names[k]: v for k, v in tensors.items()}, Path(path).name)


def read_tensors(path: str | Path) -> Tensors:
    """Named tensors of a weights file.

    Raises:
        ValueError: The file is missing, of another kind, or malformed.
    """
    file = _existing(path)
    if file.suffix not in ENDINGS:
        raise ValueError(f"Expected weights to be a .th, .pt, .pth or .safetensors file but it was {file.name!r}")
    try:
        if file.suffix == ".safetensors":
            return safetensors.torch.load_file(file)
        with warnings.catch_warnings():
            # What torch would warn of, a file with more than tensors in it, is refused below.
            warnings.simplefilter("ignore")
            loaded = torch.load(file, map_location="cpu", weights_only=True)
    except (SafetensorError, RuntimeError, OSError, EOFError, KeyError, AttributeError) as error:
        raise ValueError(f"Expected {file.name} to hold weights but it cannot be read: {_line(error)}") from None
    except Exception:  # torch raises pickle.UnpicklingError, and what a malformed archive makes of zipfile
        raise ValueError(
            f"Expected {file.name} to hold plain tensors but it is damaged or holds other objects, which are not read"
        ) from None
    state = loaded.get("state_dict", loaded) if isinstance(loaded, Mapping) else None
    if not isinstance(state, Mapping) or not state or not all(isinstance(v, Tensor) for v in state.values()):
        raise ValueError(f"Expected {file.name} to hold a dict of tensors, or one under 'state_dict', but it does not")
    return state


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
        safetensors.torch.save_file(dense, temporary, metadata={METADATA_KEY: text})
    return Path(path)


def read_heads(path: str | Path) -> HeadsFile:
    """Description of a heads file.

    Raises:
        ValueError: The file is missing or malformed, or of a newer schema.
    """
    file = _existing(path)
    wrong = f"Expected {file.name} to be a heads file written by `python -m cascade_core build`"
    try:
        with safe_open(file, framework="pt") as opened:
            metadata = (opened.metadata() or {}).get(METADATA_KEY)
        if metadata is None:
            raise ValueError("it has no description")
        fields = strict_json(metadata.encode())
        version = fields.pop("schema_version")
        if version == 1:
            fields |= {"exits": [], "images": {}}
        elif version != SCHEMA_VERSION:
            raise ValueError(f"its schema version is {version!r}, not {SCHEMA_VERSION}")
        fields["specs"] = tuple(HeadSpec(**s | {"shape": tuple(s["shape"])}) for s in fields["specs"])
        fields |= {key: tuple(fields[key]) for key in ("exits", "stage_names", "class_names")}
        return HeadsFile(**fields)
    except (SafetensorError, OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"{wrong} but {_line(error)}") from None


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
    missing = [k for k in own if k not in tensors and not k.endswith(_COUNTER)]
    unexpected = [k for k in tensors if k not in own]
    if missing or unexpected:
        raise ValueError(
            f"Expected {name} to hold the weights of this network but {_some('is missing', missing)}"
            f"{' and ' if missing and unexpected else ''}{_some('is unexpected', unexpected)}; is it another network's?"
        )
    for key, tensor in tensors.items():
        if tensor.shape != own[key].shape:
            raise ValueError(
                f"Expected {key} in {name} to have shape {tuple(own[key].shape)} but it had {tuple(tensor.shape)}; "
                "do the number of classes and the network's name fit the file?"
            )
    network.load_state_dict(dict(tensors), strict=False)


def _some(what: str, keys: list[str]) -> str:
    if not keys:
        return ""
    return f"{keys[0]} {what}" + (f" (and {len(keys) - 1} more)" if len(keys) > 1 else "")


def _existing(path: str | Path) -> Path:
    file = Path(path)
    if not file.is_file():
        raise ValueError(f"Expected a file at {file} but there is none")
    return file


def _line(error: BaseException) -> str:
    """The first line of an error's text."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]
