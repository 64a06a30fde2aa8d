"""A recorded run's networks again: from what the run says of them, and files found by their digests.

A run names its networks, and the SHA-256 of the files of their weights and heads.  Files are looked for among those of
given folders, in any depth, and known by their bytes alone: names in a run are compared and shown, never joined to a
path, imported or called.  Only the zoo's and torchvision's networks are rebuilt, since others are code of the user's.
Heads of which a run names no file are known by trunk, preset and training.  Nothing is fetched.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from cascade_core.nets.heads import weights
from cascade_core.nets.heads.checkpoints import ENDINGS
from cascade_core.nets.images.pixels import Preprocessing
from cascade_core.nets.networks.named import recorded_network
from cascade_core.nets.running.classify import load_cascade
from cascade_core.nets.staged import StagedModel
from cascade_core.storage.origin import HeadsOrigin, NetworkOrigin, Origin, RecordedFile

MOST_FILES = 5_000
"""Most files that are looked at in a folder; one with more is not a folder of weights."""


@dataclass(frozen=True, kw_only=True)
class Missing:
    """A file that a run needs: its name when it was recorded, for people, and what it is known by.

    Attributes:
        digest: SHA-256 of the file; for heads of an earlier form that of the trunk that they were fitted to.
    """

    name: str
    digest: str
    what: str

    def __str__(self) -> str:
        """One line for people."""
        return f"{self.what} {self.name} (SHA-256 {self.digest[:12]}...)"


class MissingFiles(ValueError):
    """Files that a run needs are in none of the folders.

    Attributes:
        files: Which.
    """

    def __init__(self, files: Sequence[Missing]) -> None:
        super().__init__(f"Expected {'; '.join(map(str, files))} but no file in the folders is that")
        self.files = tuple(files)


@dataclass(frozen=True, kw_only=True)
class Located:
    """A network of a run, and where its files are.

    Attributes:
        weights_digest, heads_digest: SHA-256 of the files; None without one.
    """

    name: str
    weights: Path | None
    weights_digest: str | None
    heads: Path | None
    heads_digest: str | None

    @property
    def key(self) -> tuple[str | None, ...]:
        """What tells it from all others, wherever its files lie."""
        return self.name, self.weights_digest, self.heads_digest


def locate(origin: Origin, folders: Sequence[Path]) -> tuple[Located, ...]:
    """The networks that a run names, with files of `folders`.

    Raises:
        MissingFiles: Some are in none of the folders.
        ValueError: The run names no networks, or others than are rebuilt here; one line says why.
    """
    files, missing, located = list(_candidates(folders)), [], []
    for network in _networks(origin):
        weights_needed = None if network.weights is None else _by_digest("weights", network.weights)
        places = []
        for needed in (weights_needed, _heads(network)):
            place = None if needed is None else needed.among(files)
            if needed is not None and place is None:
                missing.append(needed.missing)
            places.append(place)
        digests = [None if place is None else file_digest(place) for place in places]
        located.append(
            Located(
                name=network.name,
                weights=places[0],
                weights_digest=digests[0],
                heads=places[1],
                heads_digest=digests[1],
            )
        )
    if missing:
        raise MissingFiles(missing)
    return tuple(located)


def rebuild(
    located: Sequence[Located], origin: Origin, class_names: Sequence[str], stage_names: Sequence[str]
) -> tuple[StagedModel, Preprocessing]:
    """The model of a run with the images that it takes.

    Args:
        origin, class_names, stage_names: As the run has them.

    Raises:
        ValueError: The run does not say how its pictures were prepared, or the files give another model.
    """
    images = preprocessing(origin)
    networks = [recorded_network(one.name, one.weights, one.heads, images.describe()) for one in located]
    model = load_cascade(networks, len(class_names))
    if model.stage_names != tuple(stage_names):
        raise ValueError(
            f"Expected the stages of the run, {', '.join(stage_names)}, "
            f"but its networks are cut into {', '.join(model.stage_names)} by this version"
        )
    return model, images


def preprocessing(origin: Origin) -> Preprocessing:
    """The images that a run was recorded on.

    Raises:
        ValueError: The run does not say.
    """
    if origin.transform is None:
        raise ValueError("Expected the run to say how its pictures were prepared but it does not")
    try:
        fields: dict[str, Any] = {key: tuple(v) if isinstance(v, list) else v for key, v in origin.transform.items()}
        return Preprocessing(**fields)
    except TypeError as error:
        raise ValueError(f"Expected the run to say how its pictures were prepared but {error}") from None


def _networks(origin: Origin) -> tuple[NetworkOrigin, ...]:
    """The networks of a run, if such ones can be rebuilt."""
    if origin.imported_from is not None:
        raise ValueError(
            "This run was imported as softmaxes, and does not say which network gave them; "
            "build and precompute make runs that can be tried"
        )
    if origin.joined is not None:
        raise ValueError(
            "This run was joined from others; record the cascade in one go, with precompute and a --network for each, "
            "to try it"
        )
    if not origin.networks:
        raise ValueError("This run does not say which networks gave its softmaxes, so they cannot be rebuilt")
    for network in origin.networks:
        if not network.name:
            raise ValueError("Expected the run to name each of its networks but one has no name")
        if ":" in network.name:
            raise ValueError(
                f"The network {network.name[:60]!r} is code from outside this package, which is never run because a "
                "file names it; classify runs it, as you name it there yourself"
            )
    return origin.networks


@dataclass(frozen=True, kw_only=True)
class _Needed:
    """A file that is needed, and whether a file is it."""

    missing: Missing
    fits: Callable[[Path], bool]

    def among(self, files: Sequence[Path]) -> Path | None:
        """The first of `files` that fits."""
        # What is called as it was recorded is most likely it, and large files are read in vain least.
        ordered = sorted(files, key=lambda path: path.name != self.missing.name)
        return next((path for path in ordered if self.fits(path)), None)


def _heads(network: NetworkOrigin) -> _Needed | None:
    """The file of heads that is needed, if any is."""
    heads = network.heads
    if heads is None:
        return None
    if heads.file is not None:
        return _by_digest("heads", heads.file)
    name = f"({str(heads.preset)[:40]}, fitted to {network.name[:60]})"
    missing = Missing(name=name, digest=str(heads.trunk), what="heads")
    return _Needed(missing=missing, fits=_like(network.name, heads))


def _by_digest(what: str, file: RecordedFile) -> _Needed:
    digest = str(file.sha256)
    if len(digest) != 64:
        raise ValueError(f"Expected the run to give the SHA-256 of its file of {what} but it was {digest[:60]!r}")
    missing = Missing(name=str(file.name)[:200], digest=digest, what=what)
    return _Needed(missing=missing, fits=lambda path: file_digest(path) == digest)


def _like(network: str, heads: HeadsOrigin) -> Callable[[Path], bool]:
    """Whether a file holds the heads that a run of an earlier form describes."""

    def fits(path: Path) -> bool:
        if path.suffix != ".safetensors":
            return False
        try:
            about = weights.read_heads(path)
        except ValueError:
            return False
        recorded = (network, heads.trunk, heads.preset, heads.training)
        return (about.network, about.trunk, about.preset, about.training) == recorded

    return fits


def _candidates(folders: Sequence[Path]) -> Iterator[Path]:
    """Files of weights in folders, at any depth."""
    for folder in folders:
        count = 0
        for place, below, names in os.walk(folder):
            below.sort()
            for name in sorted(names):
                count += 1
                if name.endswith(ENDINGS) and not name.startswith("."):
                    yield Path(place, name)
            if count > MOST_FILES:
                break


def file_digest(path: Path) -> str:
    """SHA-256 of a file; it is read once as long as its size and time of change stay. Empty where it cannot be read."""
    try:
        stat = path.stat()
        return _digest(path, stat.st_size, stat.st_mtime_ns)
    except (OSError, ValueError):
        return ""


@lru_cache(maxsize=4096)
def _digest(path: Path, _size: int, _modified: int) -> str:
    return weights.digest(path)
