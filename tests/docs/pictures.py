"""The pictures of the page in ``docs/pictures/``: ``python -m tests.docs.pictures [NAME ...]`` makes them anew.

It starts the dashboard on the shipped runs, opens each view in Chromium, and keeps what is seen as a PNG of at most 256
colours.  Nothing is fetched, and no other data is needed: samples are those of scikit-learn's digits.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image
from playwright.sync_api import Browser, expect, sync_playwright

from cascade_core import CheapestWithinDrop, load_run
from cascade_core.analysis.exploration import Split, explore, halves
from cascade_core.analysis.points import Setting
from cascade_core.rendering.report import chosen_json
from cascade_core.storage.choice import parse_choice
from cascade_core.storage.log_files import LOGS
from tests.docs.pages import ROOT
from tests.e2e.conftest import ARGUMENTS, _chromium
from tests.e2e.settling import COUNTING, drawn, settled
from tests.logged import lines_of
from tests.serving import served

FOLDER = ROOT / "docs" / "pictures"
BEST = "cifar10-front-resnet20-resnet56"
COLOURS = 256
PATIENCE = 600_000
"""Milliseconds to wait for a view."""


class View(NamedTuple):
    """What is looked at: the address behind the server's, and the window's height in pixels."""

    address: str
    height: int
    width: int = 1400


VIEWS = {
    "explore": View(f"?run={BEST}", 1300),
    "compare": View(f"?run={BEST}&view=compare", 1180),
    "samples": View("?run=digits&view=samples", 1000),
    "groups": View(f"?run={BEST}&view=groups", 1100),
    "watch": View("?run=digits&view=watch", 1300),
    "try": View("?run=digits&view=try", 1100),
    "about": View(f"?run={BEST}&view=about", 1000),
    "present": View(f"?run={BEST}&view=present", 880),
}


def picture(browser: Browser, url: str, view: View) -> bytes:
    """What a new window shows of a view once all is there, as a PNG."""
    with browser.new_context(viewport={"width": view.width, "height": view.height}) as context:
        context.add_init_script(COUNTING)
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        page.goto(f"{url}/{view.address}")
        expect(page.get_by_test_id("stMain").locator("h2, h3, svg").first).to_be_visible()
        settled(page)
        expect(page.get_by_test_id("stSkeleton")).to_have_count(0)
        expect(page.get_by_test_id("stException")).to_have_count(0)
        page.wait_for_load_state("networkidle")
        page.wait_for_function("[...document.images].every(image => image.complete)")
        settled(page)
        drawn(page)
        return page.screenshot()


def optimised(png: bytes) -> bytes:
    """The same picture with at most `COLOURS` colours."""
    stream = BytesIO()
    Image.open(BytesIO(png)).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(
        stream, "PNG", optimize=True
    )
    return stream.getvalue()


def log(path: Path) -> None:
    """What the thresholds that the page opens on would log of samples as before, and then of harder ones."""
    exploration = explore(halves(load_run(ROOT / "cache" / "digits.parquet"), Split()), CheapestWithinDrop, Split())
    setting, test = Setting(exploration=exploration, position=exploration.opening), exploration.test
    choice = parse_choice(chosen_json(setting, {"name": "digits", "sha256": "0" * 64}).encode())
    random = np.random.default_rng(0)
    harder = np.argsort(test.confidence[0])[: test.n // 2]
    drawn = np.concatenate([random.integers(0, test.n, 1500), random.choice(harder, 1000)])
    path.write_text("".join(lines_of(test, choice, drawn, audited=True)), encoding="utf-8")


def main(names: Sequence[str]) -> None:
    """Make the pictures of the given views, or of all."""
    expect.set_options(timeout=PATIENCE)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as started:
        os.environ[LOGS] = str(Path(folder, "exits.jsonl"))
        log(Path(os.environ[LOGS]))
        server = started.enter_context(served(Path(folder, "log.txt")))
        play = started.enter_context(sync_playwright())
        browser = play.chromium.launch(executable_path=_chromium(), args=list(ARGUMENTS))
        for name in names or VIEWS:
            made = optimised(picture(browser, server.url, VIEWS[name]))
            (FOLDER / f"{name}.png").write_bytes(made)
            print(f"{name}.png: {len(made):,} bytes")
        browser.close()


if __name__ == "__main__":
    os.environ.setdefault("CASCADE_WEIGHTS", str(ROOT / "cache"))
    main(sys.argv[1:])
