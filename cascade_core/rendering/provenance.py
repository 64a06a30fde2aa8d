"""Where a run came from, in plain words: a run file's `source` -> facts, and what is not understood as it is.

`source` is JSON data of any shape, for anybody may write a run file: what `Origin` reads of it is put in words, and the
keys that it does not understand whole are handed back to be shown raw.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from cascade_core.storage.origin import HeadsOrigin, Origin, RecordedFile

Facts = list[tuple[str, str]]

DIGEST_SHOWN = 12
"""Letters of a SHA-256 that are shown; more than enough to tell files apart."""


def provenance(source: Mapping[str, Any]) -> tuple[Facts, dict[str, Any]]:
    """Facts as (name, value), and the part of `source` that has no words, under the same keys."""
    origin = Origin.of(source)
    facts: Facts = []
    rest = dict(source)
    for key, words in _WORDS.items():
        new = words(origin) if key in source else None
        if new is not None:
            facts += new
            del rest[key]
    if "networks" not in rest and "heads" not in origin.rest:
        rest.pop("heads", None)  # said of the first network
    return facts, rest


def _plain(name: str, key: str) -> Callable[[Origin], Facts | None]:
    """One fact of a text or a number."""

    def words(origin: Origin) -> Facts | None:
        value = getattr(origin, key, origin.rest.get(key))
        fits = isinstance(value, str | int | float) and not isinstance(value, bool)
        return [(name, str(value))] if fits else None

    return words


def _date(origin: Origin) -> Facts | None:
    try:
        when = datetime.fromisoformat(origin.rest["date"])
    except (TypeError, ValueError):
        return None
    return [("Recorded", f"{when:%Y-%m-%d %H:%M} {when.tzname() or ''}".strip())]


def _networks(origin: Origin) -> Facts | None:
    """What each network is, from which weights, and with which heads."""
    if "networks" in origin.rest:
        return None
    facts: Facts = []
    for number, network in enumerate(origin.networks, 1):
        which = "Network" if len(origin.networks) == 1 else f"Network {number}"
        file = network.weights
        weights = f"weights {_file(file)}" if file and file.name else "weights not from a file"
        facts.append((which, f"{network.name}, {weights}"))
        if network.heads is not None:
            # Heads of an earlier form, which names no file of them, are those of the run.
            facts.append(("Exits" if network.heads.file is None else f"{which}, exits", _heads(network.heads)))
    return facts


def _heads(heads: HeadsOrigin) -> str:
    places = f" behind {', '.join(heads.exits)}" if heads.exits else ""
    file = f", from {_file(heads.file)}" if heads.file and heads.file.name else ""
    on = (heads.training or {}).get("data")
    trained = f", trained on {on}" if isinstance(on, str) else ""
    return f"{heads.preset or 'unnamed'} heads{places}{file}{trained}; the trunk was not changed"


def _file(file: RecordedFile) -> str:
    return f"{file.name} (SHA-256 {file.sha256[:DIGEST_SHOWN]}…)" if file.sha256 is not None else str(file.name)


def _transform(origin: Origin) -> Facts | None:
    """What was done to pictures or texts before the first stage saw them."""
    shapes = {"size": int, "channels": int, "mean": list, "std": list}
    value = origin.transform or {}
    if isinstance(value.get("tokens"), int):
        return [("Texts", f"cut or padded to {value['tokens']} tokens, which MACs are counted at")]
    if not all(isinstance(value.get(key), kind) for key, kind in shapes.items()):
        return None
    size, resize = value["size"], value.get("resize", value["size"])
    colour = {1: "grey", 3: "colour"}.get(value["channels"], f"{value['channels']} channels")
    scaled = f"scaled to {resize} pixels ({value.get('interpolation', 'bilinear')}), then " if resize != size else ""
    mean, std = (", ".join(map(str, value[key])) for key in ("mean", "std"))
    return [("Pictures", f"{colour}, {scaled}{size} x {size} pixels, less mean {mean}, over deviation {std}")]


def _versions(origin: Origin) -> Facts | None:
    versions = origin.rest["versions"]
    if not isinstance(versions, Mapping):
        return None
    return [("Versions", ", ".join(f"{name} {version}" for name, version in versions.items()))]


def _joined(origin: Origin) -> Facts | None:
    """The facts of each run of a joined one, under the run's name; those of runs joined before are left out."""
    if origin.joined is None:
        return None
    facts: Facts = []
    for run in origin.joined:
        known = provenance({key: item for key, item in run.items() if key not in ("name", "joined")})[0]
        facts += [(f"{run['name']}: {name}", text) for name, text in known]
        if "joined" in run:
            facts.append((f"{run['name']}: Run", "joined of others, see the metadata"))
    return facts


_WORDS: Mapping[str, Callable[[Origin], Facts | None]] = {
    "title": _plain("Run", "title"),
    "notes": lambda origin: [("Noted at import", line) for line in origin.notes] or None,
    "imported_from": _plain("Imported from", "imported_from"),
    "macs_assumed": lambda origin: [] if origin.assumed_macs else None,  # said above all that is shown of the run
    "networks": _networks,
    "dataset_name": _plain("Data set", "dataset"),
    "kind": _plain("Kind", "kind"),
    "dataset": _plain("Data", "data"),
    "split": _plain("Part of the data", "split"),
    "transform": _transform,
    "corrupted": lambda origin: (
        [("Corrupted on purpose", ", then ".join(origin.corrupted))] if origin.corrupted else None
    ),
    "date": _date,
    "versions": _versions,
    "device": _plain("Computed on", "device"),
    "threads": _plain("Threads", "threads"),
    "seed": _plain("Seed", "seed"),
    "joined": _joined,
}
"""What puts the value of each known key in words; None if it has another shape."""
