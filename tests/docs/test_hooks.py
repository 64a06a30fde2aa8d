"""What is made when the site is built: the panel as one file, all verbs' help, a warning of what is fetched."""

from __future__ import annotations

import importlib.util
import json
import logging
import re
from types import ModuleType, SimpleNamespace

import pytest

from cascade_core.__main__ import VERBS_BY_FILE
from tests.docs.pages import ROOT

pytest.importorskip("mkdocs", reason="needs mkdocs: pip install -r requirements-docs.txt")


@pytest.fixture(scope="module")
def hooks() -> ModuleType:
    """The file that `mkdocs.yml` names."""
    spec = importlib.util.spec_from_file_location("hooks", ROOT / "docs" / "hooks.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_panel_is_one_file(hooks: ModuleType) -> None:
    text = hooks.panel(ROOT / "cache" / "digits.parquet")
    assert "default-src 'none'" in text
    assert not hooks.FETCHED.findall(text)
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.S)
    assert found
    data = json.loads(found[1])
    assert data["slider"]["initial"] > 0
    assert "panelHeight" in text
    assert "panelHeight" in (ROOT / "docs" / "explanation" / "cascade.md").read_text(encoding="utf-8")


def test_every_verb_has_its_help(hooks: ModuleType) -> None:
    filled = hooks.on_page_markdown(f"before\n{hooks.COMMANDS}\nafter")
    assert re.findall(r"^## (\S+)$", filled, re.M) == [name for names in VERBS_BY_FILE.values() for name in names]
    assert hooks.on_page_markdown("a page") == "a page"


@pytest.mark.parametrize(
    ("markup", "fetched"),
    [
        ('<script src="https://a.example/b.js"></script>', "https://a.example/b.js"),
        ('<img alt="x" src="//a.example/b.png">', "//a.example/b.png"),
        ('<link rel="stylesheet" href="http://a.example/b.css">', "http://a.example/b.css"),
        ('<a href="https://a.example">read on</a> <img src="../pictures/b.png">', None),
    ],
)
def test_what_a_page_would_fetch_is_warned_of(
    hooks: ModuleType, caplog: pytest.LogCaptureFixture, markup: str, fetched: str | None
) -> None:
    page = SimpleNamespace(file=SimpleNamespace(src_uri="a.md"))
    with caplog.at_level(logging.WARNING, logger="mkdocs.hooks"):
        assert hooks.on_post_page(markup, page) == markup
    assert caplog.messages == ([f"a.md fetches {fetched}"] if fetched else [])
