"""One thread for all tests of networks: theirs are small, and several would wait for each other on a busy machine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cascade_core.nets.devices import threads


@pytest.fixture(autouse=True)
def single_thread() -> Iterator[None]:
    with threads(1):
        yield
