"""A recorded run's networks again: from what the run says of them, and files found by their digests.

A run names its networks, and the SHA-256 of the files of their weights and heads.  Files are looked for among those of
given folders, in any depth, and known by their bytes alone: names in a run are compared and shown, never joined to a
path, imported or called.  Only the zoo's and torchvision's networks are rebuilt, since others are code of the user's.
Runs of an earlier form name no file of heads; these are known by trunk, preset and training.  Nothing is fetched.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from cascade_core.nets.heads import weights
from cascade_core.nets.images.pixels import Preprocessing
from cascade_core.nets.networks.named import recorded_network
from cascade_core.nets.running.classify import load_cascade
from cascade_core.nets.staged import StagedModel

ENDINGS = (".th", ".pt", ".pth", ".safetensors")

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


def locate(source: Mapping[str, Any], folders: Sequence[Path]) -> tuple[Located, ...]:
    """The networks that a run's `source` names, with files of `folders`.

    Raises:
        MissingFiles: Some are in none of the folders.
        ValueError: The run names no networks, or others than are rebuilt here; one line says why.
    """
    networks = _networks(source)
    files, missing, found = list(_candidates(folders)), [], []
    for number, network in enumerate(networks):
        name = _known(network)
        # A run of an earlier form says of the heads beside its networks, and they are the first one's.
        heads = network.get("heads") or (source.get("heads") if number == 0 else None)
        places = []
        for wanted in (_weights(network), _heads(name, heads) if isinstance(heads, Mapping) else None):
            place = None if wanted is None else wanted.among(files)
            if wanted is not None and place is None:
                missing.append(wanted.missing)
            places.append(place)
        digests = [None if place is None else file_digest(place) for place in places]
        found.append(
            Located(name=name, weights=places[0], weights_digest=digests[0], heads=places[1], heads_digest=digests[1])
        )
    if missing:
        raise MissingFiles(missing)
    return tuple(found)


def rebuild(
    located: Sequence[Located], source: Mapping[str, Any], class_names: Sequence[str], stage_names: Sequence[str]
) -> tuple[StagedModel, Preprocessing]:
    """The model of a run with the images that it takes.

    Args:
        source, class_names, stage_names: As the run has them.

    Raises:
        ValueError: The run does not say how its pictures were prepared, or the files give another model.
    """
    images = preprocessing(source)
    networks = [recorded_network(one.name, one.weights, one.heads, images.describe()) for one in located]
    model = load_cascade(networks, len(class_names))
    if model.stage_names != tuple(stage_names):
        raise ValueError(
            f"Expected the stages of the run, {', '.join(stage_names)}, "
            f"but its networks are cut into {', '.join(model.stage_names)} by this version"
        )
    return model, images


def preprocessing(source: Mapping[str, Any]) -> Preprocessing:
    """The images that a run was recorded on.

    Raises:
        ValueError: The run does not say.
    """
    transform = source.get("transform")
    if not isinstance(transform, Mapping):
        raise ValueError("Expected the run to say how its pictures were prepared but it does not")
    try:
        fields: dict[str, Any] = {key: tuple(v) if isinstance(v, list) else v for key, v in transform.items()}
        return Preprocessing(**fields)
    except TypeError as error:
        raise ValueError(f"Expected the run to say how its pictures were prepared but {error}") from None


def _networks(source: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """What a run says of each of its networks."""
    if "imported_from" in source:
        raise ValueError(
            "This run was imported as softmaxes, and does not say which network gave them; "
            "build and precompute make runs that can be tried"
        )
    if "joined" in source:
        raise ValueError(
            "This run was joined from others; record the cascade in one go, with precompute and a --network for each, "
            "to try it"
        )
    networks = source.get("networks")
    if not isinstance(networks, list) or not networks:
        raise ValueError("This run does not say which networks gave its softmaxes, so they cannot be rebuilt")
    if not all(isinstance(one, Mapping) and isinstance(one.get("name"), str) for one in networks):
        raise ValueError("Expected the run to name each of its networks but one has no name")
    return networks


def _known(network: Mapping[str, Any]) -> str:
    """The name of a network, if such a one can be rebuilt."""
    name: str = network["name"]
    if ":" in name:
        raise ValueError(
            f"The network {name[:60]!r} is code from outside this package, which is never run because a file names it; "
            "classify runs it, as you name it there yourself"
        )
    return name


@dataclass(frozen=True, kw_only=True)
class _Wanted:
    """A file that is needed, and whether a file is it."""

    missing: Missing
    fits: Callable[[Path], bool]

    def among(self, files: Sequence[Path]) -> Path | None:
        """The first of `files` that fits."""
        # What is called as it was recorded is most likely it, and large files are read in vain least.
        ordered = sorted(files, key=lambda path: path.name != self.missing.name)
        return next((path for path in ordered if self.fits(path)), None)


def _weights(network: Mapping[str, Any]) -> _Wanted | None:
    """The file of weights that is wanted, if any is."""
    if network.get("weights") is None and network.get("sha256") is None:
        return None
    return _by_digest("weights", network.get("weights"), network.get("sha256"))


def _heads(network: str, heads: Mapping[str, Any]) -> _Wanted:
    """The file of heads that is wanted."""
    if "sha256" in heads:
        return _by_digest("heads", heads.get("file"), heads["sha256"])
    name = f"({str(heads.get('preset'))[:40]}, fitted to {network[:60]})"
    missing = Missing(name=name, digest=str(heads.get("trunk")), what="heads")
    return _Wanted(missing=missing, fits=_like(network, heads))


def _by_digest(what: str, name: object, digest: object) -> _Wanted:
    if not isinstance(digest, str) or len(digest) != 64:
        raise ValueError(f"Expected the run to give the SHA-256 of its file of {what} but it was {str(digest)[:60]!r}")
    missing = Missing(name=str(name)[:200], digest=digest, what=what)
    return _Wanted(missing=missing, fits=lambda path: file_digest(path) == digest)


def _like(network: str, heads: Mapping[str, Any]) -> Callable[[Path], bool]:
    """Whether a file holds the heads that a run of an earlier form describes."""

    def fits(path: Path) -> bool:
        if path.suffix != ".safetensors":
            return False
        try:
            about = weights.read_heads(path)
        except ValueError:
            return False
        said = (heads.get("trunk"), heads.get("preset"), heads.get("training"))
        return about.network == network and (about.trunk, about.preset, about.training) == said

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
        found = path.stat()
        return _digest(path, found.st_size, found.st_mtime_ns)
    except (OSError, ValueError):
        return ""


@lru_cache(maxsize=4096)
def _digest(path: Path, _size: int, _modified: int) -> str:
    return weights.digest(path)
