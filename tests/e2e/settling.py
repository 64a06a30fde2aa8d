"""Waiting for the page, however slow the machine: until it has said what it had to say, was answered, and is quiet.

The suite sleeps for no guessed time.  What a browser sends to Streamlit and hears from it is counted inside the page
(`COUNTING` runs before anything else there), and Streamlit's own mark says whether a script is running.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, expect

TIMEOUT = 120_000
"""Milliseconds after which the suite takes something for missing; two busy cores may need a good part of them."""

QUIET = 300
"""Milliseconds without a word between page and server that make a rest."""

COUNTING = """(() => {
    const now = performance.now.bind(performance); // a test may stop the page's clock
    const talk = (window.talk_ = { sent: 0, heard: 0, received: 0, last: now(), now });
    window.WebSocket = class extends window.WebSocket {
        constructor(...given) {
            super(...given);
            this.addEventListener("message", () =>
                Object.assign(talk, { heard: talk.sent, received: talk.received + 1, last: now() }));
        }
        send(data) {
            Object.assign(talk, { sent: talk.sent + 1, last: now() });
            super.send(data);
        }
    };
})()"""

SETTLED = """quiet => document.querySelector("[data-testid=stApp]")?.dataset.testScriptState === "notRunning"
    && talk_.heard === talk_.sent && talk_.now() - talk_.last > quiet"""


def opened(page: Page, address: str) -> Page:
    """Go to an address where the live panel is shown, and wait until all of the page is there.

    The address is completed by a script of the page that may come after the panel, and asks Python for nothing.
    """
    page.goto(address)
    expect(page.get_by_test_id("live-readout").first).to_be_visible()
    page.wait_for_function("window.history.state?.cascade")
    settled(page)
    return page


def opened_from_disk(page: Page, written: Path, *beside: Path) -> None:
    """Open a file from disk, with the network off; what it asks for but files `beside` it fails the test."""
    page.context.set_offline(True)
    page.route(lambda url: not url.startswith("file:"), lambda route: route.abort())
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(written.as_uri(), wait_until="load")
    drawn(page)
    expected = [written.as_uri(), *(file.as_uri() for file in beside)]
    assert [url for url in asked if not url.startswith("data:")] == expected


def settled(page: Page) -> None:
    """Wait until Python has answered all that the page asked, and both are quiet."""
    page.wait_for_function(SETTLED, arg=QUIET)


def messages(page: Page) -> int:
    """How many messages the page has sent to Python."""
    count: int = page.evaluate("talk_.sent")
    return count


@contextmanager
def answered(page: Page) -> Iterator[None]:
    """Do what makes the page ask Python for something, and wait for the answer."""
    before = messages(page)
    yield
    page.wait_for_function("before => talk_.sent > before", arg=before)
    settled(page)


@contextmanager
def told(page: Page) -> Iterator[None]:
    """Do what makes Python tell the page something unasked, and wait until it has."""
    before = page.evaluate("talk_.received")
    yield
    page.wait_for_function("before => talk_.received > before", arg=before)
    settled(page)


def drawn(page: Page) -> None:
    """Wait until what was done last has been drawn: a panel draws at most once a frame."""
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
