"""What was read last, kept for who reads on beside it: pieces of files that are read in order come several at once."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")

KEPT = 2
"""How many pieces: one that ends, and one that begins."""


class Recent(Generic[Key, Value]):
    """A function that answers from what it answered last, in several threads; sent elsewhere, it begins anew.

    Args:
        read: The function.
    """

    def __init__(self, read: Callable[[Key], Value]) -> None:
        self._read = read
        self._lock = threading.Lock()
        self._kept: OrderedDict[Key, Value] = OrderedDict()

    def __reduce__(self) -> tuple[Any, ...]:
        return Recent, (self._read,)

    def __call__(self, key: Key) -> Value:
        """What the function gives; who asks meanwhile waits for it."""
        with self._lock:
            if key not in self._kept:
                self._kept[key] = self._read(key)
            self._kept.move_to_end(key)
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
            return self._kept[key]
