"""A run of the size that the page is made for, and a way to print a table past pytest's capture."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

import pytest

from cascade_core import Record
from tests.samples import sample_record


@pytest.fixture(scope="session")
def large_record() -> Record:
    """10,000 samples at three stages, as the test images of CIFAR-10 give."""
    return sample_record(n=10_000, m=3, k=10)


@pytest.fixture
def show(capsys: pytest.CaptureFixture[str]) -> Callable[[str, Sequence[tuple[str, str]]], None]:
    """Print a title and rows of two columns."""

    def table(title: str, rows: Sequence[tuple[str, str]]) -> None:
        width = max(len(left) for left, _ in rows)
        lines = [title, *(f"  {left:<{width}}  {right:>12}" for left, right in rows)]
        with capsys.disabled():
            sys.stdout.write("\n" + "\n".join(lines) + "\n")

    return table
