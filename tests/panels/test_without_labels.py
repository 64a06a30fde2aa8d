"""The page on a run without labels: every view speaks of agreement with the last stage, and of nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from cascade_core import StageOutputs, save_run
from cascade_core.panels.views import VIEWS
from cascade_core.support.terms import NO_LABELS
from tests.pages import view
from tests.panels.uploading import MINE
from tests.support.test_terms import LIES

UNLABELLED = StageOutputs(probs=MINE.probs, stages=MINE.stages, source={"title": "A sample run."})


@pytest.fixture
def unlabelled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder with one run, which has no labels."""
    monkeypatch.setenv("CASCADE_CACHE", str(tmp_path))
    save_run(UNLABELLED, tmp_path / "mine.parquet")
    return tmp_path


ALLOWED = "|".join(
    [
        re.escape(NO_LABELS),
        "Published results are accuracies",
        r"What does a little accuracy buy\?",  # the page's heading
        "Dynamically Sacrificing Accuracy",  # the paper's title
        r"order='harmed first'|/tmp/\S*",
    ]
)
CODE = ("js_content", "css_content", "html_content", "arrow_data", "styler", "component_name")
"""Fields of elements that hold no words."""


def said(app: AppTest) -> Iterator[str]:
    """All texts that elements hold: labels, help, markdown, titles of charts, headings of columns, payloads."""
    for root in (app.main, app.sidebar):
        for element in _elements(root):
            yield from _texts(element.proto)


def _elements(block: Any) -> Iterator[Any]:
    for child in block.children.values():
        if hasattr(child, "children"):
            yield from _elements(child)
        elif getattr(child, "proto", None) is not None:
            yield child


def _texts(message: Any) -> Iterator[str]:
    for field, value in message.ListFields():
        values = value if field.is_repeated else [value]
        for one in [] if field.name in CODE else values:
            if hasattr(one, "ListFields"):
                yield from _texts(one)
            elif isinstance(one, str):
                yield from _values(one)


def _values(text: str) -> Iterator[str]:
    """Values of JSON, whose keys nobody reads; anything else as it is."""
    try:
        stack = [json.loads(text)]
    except ValueError:
        yield text
        return
    while stack:
        data = stack.pop()
        if isinstance(data, str):
            yield data
        stack += list(data.values()) if isinstance(data, dict) else data if isinstance(data, list) else []


def lies(texts: Iterable[str]) -> set[str]:
    """Where texts speak of accuracy, but for what is true in any case."""
    told = (re.sub(ALLOWED, "", text) for text in texts if text not in ("harmed", "helped", "right", "wrong"))
    return {text[max(0, found.start() - 60) : found.end() + 40] for text in told for found in LIES.finditer(text)}


@pytest.mark.parametrize("name", [name for name in VIEWS if name != "try"])
def test_no_view_speaks_of_accuracy(name: str, unlabelled: Path) -> None:
    texts = set(said(view(name)))
    assert any(NO_LABELS in text for text in texts)
    assert not lies(texts)
    assert any("greement with the last stage" in text for text in texts)
