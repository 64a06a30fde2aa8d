"""SIGTERM and SIGHUP are Ctrl-C, for whom they are not ignored."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from cascade_core.support.stopping import Stopped, asked_by, stoppable


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_what_asks_is_raised_within_the_block_and_handled_as_before_afterwards(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt) as stop, stoppable():
        os.kill(os.getpid(), number)
    assert asked_by(stop.value) == number
    assert signal.getsignal(number) == before


def test_what_is_ignored_stays_so() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stoppable():
            os.kill(os.getpid(), signal.SIGHUP)
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_in_another_thread_nothing_changes() -> None:
    def work() -> None:
        with stoppable():
            seen.append(signal.getsignal(signal.SIGTERM))

    seen: list[object] = []
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [signal.getsignal(signal.SIGTERM)]


def test_ctrl_c_is_the_one_without_a_number() -> None:
    assert asked_by(KeyboardInterrupt()) == signal.SIGINT == asked_by(Stopped("on"))
    assert str(Stopped("on", signal.SIGTERM)) == "on"
