"""When the server gives memory back: whenever a session has ended, closed or let go, and not while nobody leaves."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cascade_core.panels import memory, private
from cascade_core.panels.private import Sessions


def looks(counts: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """Pages open and kept at each look, and those at which memory was given back."""
    given: list[tuple[int, int]] = []
    seen: list[tuple[int, int]] = []

    def sessions() -> Iterator[Sessions]:
        for count in counts:
            seen.append(count)
            yield Sessions(open=count[0], waiting=count[1])

    there = sessions()
    monkeypatch.setattr(private, "sessions", lambda: next(there))
    monkeypatch.setattr(memory, "LOOK_SECONDS", 0.0)
    monkeypatch.setattr(memory, "give_back", lambda: given.append(seen[-1]))
    monkeypatch.setattr(memory, "_thread", ["this one"])
    memory._look()
    assert memory._thread == []
    assert seen == counts
    return given


def test_it_is_given_back_when_a_page_is_closed_and_when_its_session_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    assert looks([(1, 0), (2, 0), (1, 1), (1, 1), (1, 0), (0, 1), (0, 0), (0, 0)], monkeypatch) == [
        (1, 1),
        (1, 0),
        (0, 1),
        (0, 0),
    ]


def test_whoever_comes_at_the_last_moment_is_looked_after(monkeypatch: pytest.MonkeyPatch) -> None:
    # The second (1, 0) is seen where the thread was about to end.
    assert looks([(1, 0), (0, 0), (1, 0), (1, 0), (0, 0), (0, 0)], monkeypatch) == [(0, 0), (0, 0)]


def test_giving_back_is_possible_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    memory.give_back()
    memory.few_arenas()

    def refuse(_: None) -> None:
        raise OSError

    monkeypatch.setattr("ctypes.CDLL", refuse)
    memory.give_back()
    memory.few_arenas()


def test_without_a_server_there_is_nothing_to_look_after() -> None:
    memory.keep_small()
    assert memory._thread == []
    assert private.sessions() == Sessions(open=0, waiting=0)
