"""Where a run came from, in plain words: a run file's `source` -> facts, and what is not understood as it is.

`source` is JSON data of any shape, for anybody may write a run file: a key is put in words only where its value has the
shape that this program writes, and the other keys are handed back to be shown raw.  Nothing is verified here; a digest
is what the program that wrote the run saw.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

Facts = list[tuple[str, str]]

DIGEST_SHOWN = 12
"""Letters of a SHA-256 that are shown; more than enough to tell files apart."""


def provenance(source: Mapping[str, Any]) -> tuple[Facts, dict[str, Any]]:
    """Facts as (name, value), and the part of `source` that has no words, under the same keys."""
    facts: Facts = []
    rest = dict(source)
    for key, words in _WORDS.items():
        found = words(source[key]) if key in source else None
        if found is not None:
            facts += found
            del rest[key]
    return facts, rest


def _plain(name: str) -> Callable[[Any], Facts | None]:
    """One fact of a text or a number."""

    def words(value: Any) -> Facts | None:
        fits = isinstance(value, str | int | float) and not isinstance(value, bool)
        return [(name, str(value))] if fits else None

    return words


def _date(value: Any) -> Facts | None:
    try:
        when = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return [("Recorded", f"{when:%Y-%m-%d %H:%M} {when.tzname() or ''}".strip())]


def _networks(value: Any) -> Facts | None:
    """What each network is, from which weights, and with which heads."""
    if not isinstance(value, list) or not all(_is_network(one) for one in value):
        return None
    facts: Facts = []
    for number, network in enumerate(value, 1):
        which = "Network" if len(value) == 1 else f"Network {number}"
        file = network.get("weights")
        weights = f"weights {file}{_digest(network.get('sha256'))}" if file else "weights not from a file"
        facts.append((which, f"{network['name']}, {weights}"))
        if "heads" in network:
            facts += [(f"{which}, exits", text) for text in _heads_words(network["heads"])]
    return facts


def _is_network(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and isinstance(value.get("name"), str)
        and isinstance(value.get("weights"), str | None)
        and value.keys() <= {"name", "weights", "sha256", "heads"}
        and ("heads" not in value or isinstance(value["heads"], dict))
    )


def _heads(value: Any) -> Facts | None:
    return [("Exits", text) for text in _heads_words(value)] if isinstance(value, dict) else None


def _heads_words(heads: Mapping[str, Any]) -> Iterator[str]:
    exits = heads.get("exits")
    places = f" behind {', '.join(map(str, exits))}" if isinstance(exits, list) and exits else ""
    file = f", from {heads['file']}{_digest(heads.get('sha256'))}" if isinstance(heads.get("file"), str) else ""
    training = heads.get("training")
    on = training.get("data") if isinstance(training, dict) else None
    trained = f", trained on {on}" if isinstance(on, str) else ""
    yield f"{heads.get('preset', 'unnamed')} heads{places}{file}{trained}; the trunk was not changed"


def _digest(value: Any) -> str:
    return f" (SHA-256 {value[:DIGEST_SHOWN]}…)" if isinstance(value, str) else ""


def _transform(value: Any) -> Facts | None:
    """What was done to pictures before the first stage saw them."""
    shapes = {"size": int, "channels": int, "mean": list, "std": list}
    if not isinstance(value, dict) or not all(isinstance(value.get(key), kind) for key, kind in shapes.items()):
        return None
    size, resize = value["size"], value.get("resize", value["size"])
    colour = {1: "grey", 3: "colour"}.get(value["channels"], f"{value['channels']} channels")
    scaled = f"scaled to {resize} pixels ({value.get('interpolation', 'bilinear')}), then " if resize != size else ""
    mean, std = (", ".join(map(str, value[key])) for key in ("mean", "std"))
    return [("Pictures", f"{colour}, {scaled}{size} x {size} pixels, less mean {mean}, over deviation {std}")]


def _versions(value: Any) -> Facts | None:
    if not isinstance(value, dict):
        return None
    return [("Versions", ", ".join(f"{name} {version}" for name, version in value.items()))]


def _joined(value: Any) -> Facts | None:
    """The facts of each run of a joined one, under the run's name; those of runs joined before are left out."""
    if not isinstance(value, list) or not all(
        isinstance(one, dict) and isinstance(one.get("name"), str) for one in value
    ):
        return None
    facts: Facts = []
    for one in value:
        known = provenance({key: item for key, item in one.items() if key not in ("name", "joined")})[0]
        facts += [(f"{one['name']}: {name}", text) for name, text in known]
        if "joined" in one:
            facts.append((f"{one['name']}: Run", "joined of others, see the metadata"))
    return facts


_WORDS: Mapping[str, Callable[[Any], Facts | None]] = {
    "title": _plain("Run"),
    "imported_from": _plain("Imported from"),
    "networks": _networks,
    "heads": _heads,
    "dataset": _plain("Data"),
    "split": _plain("Part of the data"),
    "transform": _transform,
    "date": _date,
    "versions": _versions,
    "device": _plain("Computed on"),
    "threads": _plain("Threads"),
    "seed": _plain("Seed"),
    "joined": _joined,
}
"""What puts each known key in words; None if its value has another shape."""
