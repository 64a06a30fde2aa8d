"""Pinned points as a link carries them: each a name, and the part of an address that leads there.

All of them are one parameter: JSON, deflated, in base64url, so that a dozen points take a few hundred letters.  What a
link brings is bounded in every way and is text until `pins` looks it up; nothing of it is trusted.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

MOST = 50
"""Pins that a session keeps; the oldest go."""

MOST_NAME = 60
MOST_QUERY = 6_000
MOST_TEXT = 24_000
MOST_UNPACKED = 96_000
"""Letters of a name, of an address, and of all pins in a link, before and after they are unpacked."""


@dataclass(frozen=True, kw_only=True)
class Pin:
    """A pinned point.

    Attributes:
        name: What the user calls it.
        query: The part of an address that leads there: run, policy, all that they depend on, and the place.
    """

    name: str
    query: tuple[tuple[str, str], ...]

    @property
    def key(self) -> str:
        """Of the place, whatever it is called."""
        return hashlib.sha256(urlencode(self.query).encode()).hexdigest()[:12]


def packed(pins: Sequence[Pin]) -> str:
    """The text of pins in a link."""
    text = json.dumps([[pin.name, urlencode(pin.query)] for pin in pins], separators=(",", ":"))
    engine = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return base64.urlsafe_b64encode(engine.compress(text.encode()) + engine.flush()).decode().rstrip("=")


def unpacked(text: str) -> tuple[Pin, ...]:
    """The pins of a link's text.

    Raises:
        ValueError: It is none that `packed` writes.
    """
    try:
        return tuple(_pin(*entry) for entry in json.loads(_inflated(text))[:MOST])
    except (ValueError, TypeError, zlib.error, binascii.Error, RecursionError):
        raise ValueError("pinned points as this page writes them") from None


def _inflated(text: str) -> bytes:
    if len(text) > MOST_TEXT or not text.isascii():
        raise ValueError("too long")
    engine = zlib.decompressobj(-zlib.MAX_WBITS)
    raw = engine.decompress(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), MOST_UNPACKED)
    if not engine.eof:
        raise ValueError("too long, or cut off")
    return raw


def _pin(name: object, query: object) -> Pin:
    if not isinstance(name, str) or not isinstance(query, str) or len(query) > MOST_QUERY:
        raise ValueError("no pin")
    return Pin(name=name[:MOST_NAME], query=tuple(parse_qsl(query, keep_blank_values=True, max_num_fields=40)))
