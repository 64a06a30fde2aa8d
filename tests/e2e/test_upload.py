"""Your own softmaxes in a browser: what is none leaves the page alone, what is good is explored, unseen by others."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("playwright.sync_api")

from playwright.sync_api import FilePayload, Locator, Page, expect

from cascade_core import StageOutputs, save_run
from cascade_core.storage.importers.templates import csv_template
from cascade_core.storage.writing import run_bytes
from tests.e2e.settling import answered, opened, settled
from tests.malformed import FILES, TRAP
from tests.runfiles import load_softmaxes
from tests.samples import sample_run

MINE = sample_run(n=600, seed=3)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory, start_dashboard: Callable[..., str]) -> str:
    """A dashboard whose cache folder holds one run, `shipped`."""
    cache = tmp_path_factory.mktemp("cache")
    save_run(sample_run(), cache / "shipped.parquet")
    return start_dashboard(cache)


@pytest.fixture
def page(browser_page: Page, url: str) -> Page:
    open_uploader(browser_page, url)
    return browser_page


def open_uploader(page: Page, url: str) -> None:
    opened(page, url)
    page.get_by_text("Your own softmaxes").click()
    expect(page.get_by_text("64MB per file")).to_be_visible()


def sidebar(page: Page) -> Locator:
    return page.get_by_test_id("stSidebar")


def bring(page: Page, name: str, raw: bytes) -> None:
    file = FilePayload(name=name, mimeType="application/octet-stream", buffer=raw)
    sidebar(page).locator("input[type=file]").set_input_files(file)


def wait_for_message(page: Page, name: str) -> str:
    """What is said of a file; looked for at every frame, where `expect` would look a few times a second."""
    page.wait_for_function(
        """name => {
            const said = document.querySelector('[data-testid=stSidebar] [data-testid=stText]');
            return said !== null && said.innerText.includes(` ${name}: `);
        }""",
        arg=name,
    )
    return sidebar(page).get_by_test_id("stText").first.inner_text()


def expect_shown(page: Page, name: str, samples: int) -> None:
    expect(run_selector(page)).to_have_value(name)
    expect(page.get_by_test_id("live-panel")).to_contain_text(f"of {samples:,} leave")


def run_selector(page: Page) -> Locator:
    return page.get_by_role("combobox", name="Run")


def offered(page: Page) -> list[str]:
    run_selector(page).click()
    expect(page.get_by_role("option").first).to_be_visible()
    names = page.get_by_role("option").all_inner_texts()
    page.keyboard.press("Escape")
    return names


def readout(page: Page) -> dict[str, str]:
    found: dict[str, str] = page.get_by_test_id("live-readout").evaluate("element => ({...element.dataset})")
    return found


def npz(outputs: StageOutputs) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, probs=outputs.probs, labels=outputs.labels, macs=np.array([1070, 2070, 3070]))
    return stream.getvalue()


def parquet_table() -> bytes:
    stream = io.BytesIO()
    pd.read_csv(io.BytesIO(csv_template())).to_parquet(stream)
    return stream.getvalue()


def test_malformed_files_leave_the_page_alone(page: Page) -> None:
    before = readout(page)
    assert len(FILES) >= 50
    for file in FILES:
        bring(page, file.name, file.raw)
        said = wait_for_message(page, file.name)
        assert file.words[0] in said, said
    expect(page.get_by_text("This file was not loaded; the page shows what it showed.")).to_be_visible()
    assert readout(page) == before
    assert run_selector(page).input_value() == "shipped"
    assert not page.evaluate("'trapped' in window")
    assert not TRAP.exists()


def test_good_files_of_each_kind_are_explored_and_taken_home(page: Page, tmp_path: Path) -> None:
    bring(page, "table.csv", csv_template())
    expect_shown(page, "table (yours)", 2)
    bring(page, "sheet.parquet", parquet_table())
    expect_shown(page, "sheet (yours)", 2)
    bring(page, "run.parquet", run_bytes(sample_run(n=500, seed=7)))
    expect_shown(page, "run (yours)", 250)
    bring(page, "archive.npz", npz(MINE))
    expect_shown(page, "archive (yours)", 300)
    assert offered(page) == ["shipped", "sheet (yours)", "run (yours)", "archive (yours)"]  # the last three
    with page.expect_download() as download:
        page.get_by_role("button", name="Cache file").click()
    assert download.value.suggested_filename == "archive.parquet"
    download.value.save_as(tmp_path / "archive.parquet")
    assert load_softmaxes(tmp_path / "archive.parquet").probs.tobytes() == MINE.probs.tobytes()
    page.get_by_role("button", name="Remove", exact=True).click()
    expect_shown(page, "shipped", 200)
    assert offered(page) == ["shipped", "sheet (yours)", "run (yours)"]


def test_a_file_dropped_while_another_is_explored(page: Page, tmp_path: Path) -> None:
    bring(page, "first.npz", npz(MINE))
    expect_shown(page, "first (yours)", 300)
    with answered(page):
        page.get_by_test_id("live-slider").press("End")
    end = readout(page)
    too_large = tmp_path / "large.npz"
    with too_large.open("wb") as stream:
        stream.truncate((64 << 20) + 1)
    sidebar(page).locator("input[type=file]").set_input_files(too_large)
    expect(sidebar(page).get_by_text("64.0MB or smaller")).to_be_visible()
    settled(page)
    assert run_selector(page).input_value() == "first (yours)"
    assert readout(page) == end
    bytes_of_a_file = list(npz(sample_run(n=460, seed=8)))
    transfer = page.evaluate_handle(
        """raw => {
            const transfer = new DataTransfer();
            transfer.items.add(new File([new Uint8Array(raw)], 'second.npz'));
            return transfer;
        }""",
        bytes_of_a_file,
    )
    sidebar(page).get_by_test_id("stFileUploaderDropzone").dispatch_event("drop", {"dataTransfer": transfer})
    expect_shown(page, "second (yours)", 230)
    run_selector(page).click()
    page.get_by_role("option", name="first (yours)").click()
    expect_shown(page, "first (yours)", 300)


def test_another_session_never_sees_it(page: Page, url: str, new_window: Callable[..., Page]) -> None:
    other = new_window()
    open_uploader(other, url)
    bring(page, "secret.npz", npz(MINE))
    expect_shown(page, "secret (yours)", 300)
    assert "secret (yours)" in offered(page)
    assert offered(other) == ["shipped"]
    for name in ("secret", "secret (yours)"):
        other.goto(f"{url}/?run={name}&view=explore")
        expect_shown(other, "shipped", 200)
        settled(other)
        assert offered(other) == ["shipped"]
        # Of the name there is only what the address itself said.
        assert f"but it was {name!r}" in other.get_by_test_id("stMain").inner_text()
        assert "secret" not in sidebar(other).inner_text()
