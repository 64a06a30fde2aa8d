"""What the page's server logs: names and errors from files are visible."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator

import pytest

from cascade_core.panels import logs
from tests.names import hostile_names, is_clean


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    factory = logging.getLogRecordFactory()
    yield
    logging.setLogRecordFactory(factory)


def test_messages_arguments_and_tracebacks_are_visible() -> None:
    logs.make_visible()
    logs.make_visible()
    written = io.StringIO()
    logger, handler = logging.getLogger("tests.page"), logging.StreamHandler(written)
    logger.addHandler(handler)
    for name in hostile_names(9, 200):
        logger.error(name.replace("%", ""))
        logger.warning("cannot read %s of %d", name, 3)
        try:
            raise ValueError(name)
        except ValueError:
            logger.exception("a fault")
    logger.removeHandler(handler)
    assert "of 3\n" in written.getvalue()
    assert "ValueError: " in written.getvalue()
    assert is_clean(written.getvalue(), keep="\n\t")
