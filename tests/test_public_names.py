"""What the README and exported scripts import are public names, which are there."""

from __future__ import annotations

import ast
import importlib
import re
from pathlib import Path
from types import ModuleType

import pytest

import cascade_core
import cascade_core.nets
from cascade_core.storage.snippets import snippet

ROOT = Path(__file__).resolve().parents[1]
PUBLIC = {"cascade_core", "cascade_core.nets"}

README = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), flags=re.DOTALL)
SCRIPTS = {
    **{f"README {number}": code for number, code in enumerate(README)},
    "script of softmaxes": snippet("c.json", "run", {}, ["a"], ["s"]),
    "script of answers": snippet("c.json", "run", {}, ["a"], ["s"], softmaxes=False),
    "script of a network": snippet("c.json", "run", {"networks": [{"name": "small-cnn"}]}, ["a"], ["s"]),
}


@pytest.mark.parametrize("name", SCRIPTS)
def test_only_public_names_are_imported(name: str) -> None:
    for node in ast.walk(ast.parse(SCRIPTS[name])):
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("cascade_core"):
            assert node.module in PUBLIC
            public = importlib.import_module(str(node.module)).__all__
            assert {alias.name for alias in node.names} <= set(public)
        elif isinstance(node, ast.Import):
            assert not [alias.name for alias in node.names if alias.name.startswith("cascade_core.")]


def test_the_readme_has_python() -> None:
    assert len(README) > 3


@pytest.mark.parametrize("module", [cascade_core, cascade_core.nets], ids=lambda module: module.__name__)
def test_public_names_are_there_and_in_order(module: ModuleType) -> None:
    names = module.__all__
    assert list(names) == sorted(names)
    assert all(hasattr(module, name) for name in names)


def test_pooled_answers_are_public_and_temperatures_are_gone() -> None:
    names = set(cascade_core.__all__)
    assert {"Pool", "fit_pool", "tune", "Tuned"} <= names
    assert not [name for name in dir(cascade_core) if "temperature" in name]
