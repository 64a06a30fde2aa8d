"""Where a run came from: the JSON `source` of a run file as a type, with one reader, one writer and one upgrade.

Anybody may write a run file, so `Origin.of` takes JSON data of any shape and refuses none: a field holds what the file
gives in the shape that this program writes, everything else stays under its key in `rest`.  Earlier forms are upgraded
here alone: heads that stand beside the networks are the first network's, and the data set's name follows from the
kind of the data, or from a title that begins with it.  Nothing is verified: names are for people to read, and digests
are what the program that wrote the run saw.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

Json = Mapping[str, Any]

DATASET_NAMES: Mapping[str, str] = {
    "digits": "scikit-learn's digits",
    "cifar10": "CIFAR-10",
    "cifar100": "CIFAR-100",
    "svhn": "SVHN",
    "fashionmnist": "Fashion-MNIST",
}
"""What people call the kinds of data that are opened; an image folder may hold any."""

_IN_TITLES = (*DATASET_NAMES.values(), "ImageNet top-1", "ImageNet top-5")


@dataclass(frozen=True, kw_only=True)
class RecordedFile:
    """A file that a run was made with: its name at that time, and the SHA-256 of its bytes; None where damaged."""

    name: str | None
    sha256: str | None

    @classmethod
    def of(cls, name: object, sha256: object) -> RecordedFile | None:
        """The file of these two entries; None where neither says anything."""
        return None if name is None and sha256 is None else cls(name=_text(name), sha256=_text(sha256))


@dataclass(frozen=True, kw_only=True)
class HeadsOrigin:
    """Heads that were fitted to a network.

    Attributes:
        file: None in runs of an earlier form, whose heads are known by trunk, preset and training.
        exits: Names of the places behind which they stand.
        trunk: Digest of the network's weights.
        training: How they were trained.
    """

    file: RecordedFile | None
    preset: str | None
    exits: tuple[str, ...]
    trunk: str | None
    training: Json | None

    @classmethod
    def of(cls, raw: Json) -> HeadsOrigin:
        """Heads as a run file describes them."""
        exits, training = raw.get("exits"), raw.get("training")
        return cls(
            file=RecordedFile.of(raw.get("file"), raw.get("sha256")),
            preset=_text(raw.get("preset")),
            exits=tuple(map(str, exits)) if isinstance(exits, list) else (),
            trunk=_text(raw.get("trunk")),
            training=training if isinstance(training, Mapping) else None,
        )

    def as_json(self) -> dict[str, Any]:
        """What a run file says of them."""
        file = {} if self.file is None else {"file": self.file.name, "sha256": self.file.sha256}
        training = None if self.training is None else dict(self.training)
        return {**file, "preset": self.preset, "exits": list(self.exits), "trunk": self.trunk, "training": training}


@dataclass(frozen=True, kw_only=True)
class NetworkOrigin:
    """One of the networks that gave the softmaxes.

    Attributes:
        name: Empty where the file gives none.
        weights: Their file; None where they came from none.
    """

    name: str
    weights: RecordedFile | None = None
    heads: HeadsOrigin | None = None

    @classmethod
    def of(cls, raw: object) -> NetworkOrigin:
        """A network as a run file describes it."""
        entries = raw if isinstance(raw, Mapping) else {}
        return cls(
            name=_text(entries.get("name")) or "",
            weights=RecordedFile.of(entries.get("weights"), entries.get("sha256")),
            heads=HeadsOrigin.of(entries["heads"]) if isinstance(entries.get("heads"), Mapping) else None,
        )

    def as_json(self) -> dict[str, Any]:
        """What a run file says of it."""
        file = self.weights or RecordedFile(name=None, sha256=None)
        heads = {} if self.heads is None else {"heads": self.heads.as_json()}
        return {"name": self.name, "weights": file.name, "sha256": file.sha256, **heads}


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Where a run came from.

    Attributes:
        title: One sentence on the run.
        networks: Those that gave the softmaxes, in the order in which samples go through them.
        data: The samples as they were named for recording, such as "imagefolder:test".
        dataset: What people call the data set, such as "CIFAR-10".
        kind: What lists file the run under, such as "Language models"; None = its data set.
        transform: What was done to pictures, as `Preprocessing.describe` gives it.
        corrupted: What was done to them on purpose to make them worse, `KIND:SEVERITY` each, in that order.
        imported_from: Name of the file whose softmaxes were imported.
        assumed_macs: Whether nobody said what the stages cost.
        notes: Lines on what was mended or supposed when softmaxes were imported.
        joined: The `source` of each run that was joined, with its ``name``; None of a run that was not.
        rest: Everything else, by its key; also ``networks``, where more is said of them than their type holds.
    """

    title: str | None = None
    networks: tuple[NetworkOrigin, ...] = ()
    data: str | None = None
    dataset: str | None = None
    kind: str | None = None
    transform: Json | None = None
    corrupted: tuple[str, ...] = ()
    imported_from: str | None = None
    assumed_macs: bool = False
    notes: tuple[str, ...] = ()
    joined: tuple[Json, ...] | None = None
    rest: Json = field(default_factory=dict)

    @classmethod
    def of(cls, source: Json) -> Origin:
        """The origin that a run file's `source` describes, of this form or an earlier one."""
        values = {key: read(source[key]) for key, (_, read) in _FIELDS.items() if key in source}
        fields = {_FIELDS[key][0]: value for key, value in values.items() if value is not None}
        rest = {key: value for key, value in source.items() if values.get(key) is None or not _is_whole(key, value)}
        return _upgraded(cls(**fields, rest=rest))

    @property
    def list_kind(self) -> str:
        """What a list files the run under: what its file says, else its data set."""
        return self.kind or self.dataset or "Others"

    def as_json(self) -> dict[str, Any]:
        """What a run file says of it; a name of the data set that follows from the rest is left out."""
        entries = {
            "networks": [network.as_json() for network in self.networks] or None,
            "title": self.title,
            "dataset": self.data,
            "dataset_name": None if self.dataset == _dataset_name(self) else self.dataset,
            "kind": self.kind,
            "transform": self.transform,
            "corrupted": list(self.corrupted) or None,
            "imported_from": self.imported_from,
            "macs_assumed": self.assumed_macs or None,
            "notes": list(self.notes) or None,
            "joined": None if self.joined is None else list(self.joined),
        }
        return {key: value for key, value in entries.items() if value is not None} | dict(self.rest)


def _upgraded(origin: Origin) -> Origin:
    """The same in today's form."""
    origin = replace(origin, dataset=origin.dataset or _dataset_name(origin))
    heads, networks = origin.rest.get("heads"), origin.networks
    if not isinstance(heads, Mapping) or not networks or networks[0].heads or "networks" in origin.rest:
        return origin
    first = replace(networks[0], heads=HeadsOrigin.of(heads))
    rest = {key: value for key, value in origin.rest.items() if key != "heads"}
    return replace(origin, networks=(first, *networks[1:]), rest=rest)


def _dataset_name(origin: Origin) -> str | None:
    """The data set's name, where the kind of the data tells it, or the title."""
    kind, title = (origin.data or "").partition(":")[0], origin.title or ""
    return DATASET_NAMES.get(kind) or next((name for name in _IN_TITLES if title.startswith(f"{name},")), None)


def _is_whole(key: str, value: Any) -> bool:
    """Whether a field holds all that its value says."""
    shapes = {"name": str, "weights": str | None, "sha256": object, "heads": Mapping}
    return key != "networks" or all(
        isinstance(one, Mapping) and "name" in one and all(isinstance(v, shapes.get(k, ())) for k, v in one.items())
        for one in value
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _plain(value: object) -> str | None:
    """A text, or a number as one."""
    return str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else None


def _lines(value: object) -> tuple[str, ...] | None:
    return tuple(value) if isinstance(value, list) and all(isinstance(line, str) for line in value) else None


def _joined(value: object) -> tuple[Json, ...] | None:
    if not isinstance(value, list) or not all(isinstance(run, Mapping) and _text(run.get("name")) for run in value):
        return None
    return tuple(value)


_FIELDS: Mapping[str, tuple[str, Callable[[Any], Any]]] = {
    "title": ("title", _plain),
    "networks": ("networks", lambda value: tuple(map(NetworkOrigin.of, value)) if isinstance(value, list) else None),
    "dataset": ("data", _plain),
    "dataset_name": ("dataset", _text),
    "kind": ("kind", _text),
    "transform": ("transform", lambda value: value if isinstance(value, Mapping) else None),
    "corrupted": ("corrupted", _lines),
    "imported_from": ("imported_from", _plain),
    "macs_assumed": ("assumed_macs", lambda _value: True),
    "notes": ("notes", _lines),
    "joined": ("joined", _joined),
}
"""Keys of `source`: the field that each fills, and how it is read; None where the value has another shape."""
