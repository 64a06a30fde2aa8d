"""What exported scripts import are public names, which are there; `tests/docs` holds pages to the same."""

from __future__ import annotations

from types import ModuleType

import pytest

import cascade_core
import cascade_core.nets
from cascade_core.storage.snippets import snippet
from tests.publicity import imports_public_names

SCRIPTS = {
    "script of softmaxes": snippet("c.json", "run", {}, ["a"], ["s"]),
    "script of answers": snippet("c.json", "run", {}, ["a"], ["s"], softmaxes=False),
    "script of a network": snippet("c.json", "run", {"networks": [{"name": "small-cnn"}]}, ["a"], ["s"]),
}


@pytest.mark.parametrize("name", SCRIPTS)
def test_only_public_names_are_imported(name: str) -> None:
    imports_public_names(SCRIPTS[name])


@pytest.mark.parametrize("module", [cascade_core, cascade_core.nets], ids=lambda module: module.__name__)
def test_public_names_are_there_and_in_order(module: ModuleType) -> None:
    names = module.__all__
    assert list(names) == sorted(names)
    assert all(hasattr(module, name) for name in names)


def test_pooled_answers_are_public_and_temperatures_are_gone() -> None:
    names = set(cascade_core.__all__)
    assert {"Pool", "fit_pool", "tune", "Tuned"} <= names
    assert not [name for name in dir(cascade_core) if "temperature" in name]
