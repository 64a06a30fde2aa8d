"""The registry of views: each is a file with one function of one kind, and each file is in it."""

from __future__ import annotations

import inspect
from importlib import import_module
from pathlib import Path

import pytest

from cascade_core.panels import views
from cascade_core.panels.views import VIEWS


def test_every_file_is_a_view_and_every_view_a_file() -> None:
    files = {path.stem for path in Path(views.__file__).parent.glob("[!_]*.py")}
    assert {view.file for view in VIEWS.values()} == files
    assert len({view.title for view in VIEWS.values()}) == len(VIEWS) == len(files)


@pytest.mark.parametrize("view", VIEWS.values(), ids=lambda view: view.file)
def test_a_view_shows_what_is_shown(view: views.View) -> None:
    show = import_module(f"{views.__name__}.{view.file}").show
    assert str(inspect.signature(show)) == "(shown: 'Shown') -> 'None'"
    assert show.__doc__
