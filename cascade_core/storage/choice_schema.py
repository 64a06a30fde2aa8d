"""What a choice file may hold: the JSON Schema ``choice.schema.json`` beside this file, and how large a file may be.

Writing and reading check against the same, so that what is written can be read.  Lists of plain numbers, of which there
are as many as classes, are looked at all at once; of what is longer than it may be no item is looked at by itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from itertools import islice
from types import NoneType
from typing import Any

from cascade_core.support.files import BadFile

MAX_BYTES = 16 << 20
"""Most bytes of a choice file: 35 stages of 21,841 classes, a threshold for each; most files have a few thousand."""

MOST_FAULTS = 64
"""Faults among which the one is sought that is told."""

_PLAIN = {"number": {int, float}, "null": {NoneType}}
"""Python's types of JSON's, a truth value being no number."""


@cache
def schema() -> dict[str, Any]:
    """The JSON Schema of choice files."""
    text = files("cascade_core.storage").joinpath("choice.schema.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def check_size(count: int) -> None:
    """Raise BadFile where a choice has more bytes than may be read."""
    if count > MAX_BYTES:
        raise BadFile(f"expected at most {MAX_BYTES:,} bytes of JSON but there are more")


def validate(data: Any) -> None:
    """Raise BadFile at the place that departs most from the schema."""
    # Only who writes or reads a choice waits for it.
    from jsonschema.exceptions import best_match

    try:
        error = best_match(islice(_validator().iter_errors(data), MOST_FAULTS))
    except RecursionError:
        raise BadFile("expected a flat JSON document but it is nested too deeply") from None
    if error is not None:
        where = "/".join(str(part) for part in error.absolute_path) or "the top"
        raise BadFile(f"expected a choice of thresholds but at {where}: {error.message[:200]}")


@cache
def _validator() -> Any:
    """What checks against the schema as it is now."""
    from jsonschema import Draft202012Validator, validators

    standard = Draft202012Validator.VALIDATORS

    def items(validator: Any, wanted: Any, found: Any, around: Mapping[str, Any]) -> Iterator[Any]:
        if (
            isinstance(found, list)
            and len(found) <= around.get("maxItems", len(found))
            and not _are_plain(wanted, found)
        ):
            yield from standard["items"](validator, wanted, found, around)

    def additional(validator: Any, wanted: Any, found: Any, around: Mapping[str, Any]) -> Iterator[Any]:
        if isinstance(found, dict) and len(found) <= around.get("maxProperties", len(found)):
            yield from standard["additionalProperties"](validator, wanted, found, around)

    own = {"items": items, "additionalProperties": additional}
    return validators.extend(Draft202012Validator, own)(schema())  # type: ignore[no-untyped-call]


def _are_plain(wanted: Mapping[str, Any], found: list[Any]) -> bool:
    """Whether all items are of the types wanted, where nothing else is."""
    if wanted.keys() != {"type"}:
        return False
    names = wanted["type"] if isinstance(wanted["type"], list) else [wanted["type"]]
    return set(map(type, found)) <= set().union(*(_PLAIN.get(name, set()) for name in names))


def check_data(name: str, value: Any) -> None:
    """Raise BadFile unless a value would come back from a file as it is: of texts as keys, and not nested deeply."""
    try:
        odd = list(islice(_odd_keys(value), 1))
    except RecursionError:
        raise BadFile(f"expected {name} to be flat JSON data but it is nested too deeply") from None
    if odd:
        raise BadFile(f"expected the keys of {name} to be texts but one is {repr(odd[0])[:60]}")


def _odd_keys(value: Any) -> Iterator[Any]:
    inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ()
    if isinstance(value, Mapping):
        yield from (key for key in value if not isinstance(key, str))
    for one in inner:
        yield from _odd_keys(one)
