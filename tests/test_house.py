"""The floors of the house, read from the README and proved from the source; and which folder may import which package.

A folder of `cascade_core` is a room.  It imports only rooms on floors below its own, none of its own floor; within a
room, neither files nor folders import one another in circles.  The files in the package's root are doors: nothing
inside imports them.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from tests.sourcefiles import PACKAGE, ROOT, imports, sources

DOORS = frozenset({"__init__", "__main__", "dashboard"})

MOST_FLOORS = 8

MOST_ENTRIES = 12
"""Folders and files in the package's root, beside its doors."""

ONLY = {
    "streamlit": {"panels", "dashboard"},
    "plotly": {"rendering", "panels"},
    "matplotlib": {"rendering"},
    "PIL": {"nets", "storage"},
    "sklearn": {"nets", "storage"},
    **{name: {"nets"} for name in ("torch", "torchvision", "ptflops", "safetensors", "tqdm", "datasets")},
    "ray": {"nets", "support"},
}
"""The only rooms that may import a package."""


@cache
def floors() -> tuple[frozenset[str], ...]:
    """Rooms by floor as the README's table lists them, the lowest first."""
    table = (ROOT / "README.md").read_text(encoding="utf-8").split("| floor |")[1].split("\n\n")[0]
    rows = [line.split("|")[1] for line in table.splitlines()[2:]]
    return tuple(frozenset(re.findall(r"`(\w+)/`", row)) for row in reversed(rows))


def room(path: Path) -> str:
    """The room that a source file belongs to: the folder of the package, or the door itself."""
    parts = path.relative_to(PACKAGE if path.is_relative_to(PACKAGE) else ROOT).parts
    return parts[0] if len(parts) > 1 else path.stem


def rooms_imported(path: Path) -> set[str]:
    """Rooms and doors that a file imports, its own left out."""
    names = [name.split(".") for name in imports(path)]
    found = {parts[1] if len(parts) > 1 else "__init__" for parts in names if parts[0] == "cascade_core"}
    return found - {room(path)}


def floor(name: str) -> int:
    return next(number for number, rooms in enumerate(floors()) if name in rooms)


def test_the_house_is_its_folders() -> None:
    entries = {path.name for path in PACKAGE.iterdir() if path.name != "__pycache__"}
    folders = {path.name for path in PACKAGE.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert frozenset().union(*floors()) == folders, "README's table of floors and the folders differ"
    assert len(floors()) <= MOST_FLOORS
    assert len(entries - {"__init__.py", "__main__.py", "py.typed"}) <= MOST_ENTRIES


@pytest.mark.parametrize("path", sources("cascade_core"), ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_go_down(path: Path) -> None:
    others = rooms_imported(path)
    if room(path) in DOORS:
        return
    assert not others & DOORS, f"{path.relative_to(ROOT)} imports a door of the package"
    for other in sorted(others):
        assert floor(other) < floor(room(path)), f"{path.relative_to(ROOT)} imports {other}, which is not below it"


@pytest.mark.parametrize("path", sources("cascade_core"), ids=lambda p: str(p.relative_to(ROOT)))
def test_packages_stay_in_their_rooms(path: Path) -> None:
    for name in {name.split(".")[0] for name in imports(path)} & ONLY.keys():
        assert room(path) in ONLY[name], f"{path.relative_to(ROOT)} imports {name}; only {ONLY[name]} may"


@pytest.mark.parametrize("path", sources("cascade_core", "tests"), ids=lambda p: str(p.relative_to(ROOT)))
def test_files_open_with_prose(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    # A folder of tests is marked by an empty file.
    assert ast.get_docstring(ast.parse(text)) or not text, f"{path.relative_to(ROOT)} has no docstring"


def test_folders_have_no_circles() -> None:
    graph = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts): {
            n for n in imports(path) if n.startswith("cascade_core.")
        }
        for path in sources("cascade_core")
    }
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, f"a circle of imports: {' -> '.join((*trail, name))}"
        if name in graph and name not in done:
            for other in sorted(graph[name]):
                visit(other, (*trail, name))
            done.add(name)

    for name in graph:
        visit(name, ())


@pytest.mark.parametrize("inside", sorted(PACKAGE.iterdir()), ids=lambda p: p.name)
def test_rooms_within_a_room_have_no_circles(inside: Path) -> None:
    graph: dict[str, set[str]] = {}
    for path in sorted(inside.rglob("*.py")) if inside.is_dir() else []:
        parts = path.relative_to(inside).parts
        if parts[0] != "__init__.py":
            names = [name.split(".") for name in imports(path) if name.startswith(f"cascade_core.{inside.name}.")]
            graph.setdefault(parts[0].removesuffix(".py"), set()).update(name[2] for name in names if len(name) > 2)
    order = TopologicalSorter({name: others - {name} for name, others in graph.items()})
    order.prepare()  # raises CycleError, which names the circle


def loaded_by(code: str) -> set[str]:
    """Top-level names of the modules that a fresh interpreter has after running `code`."""
    show = "import sys; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    result = subprocess.run(
        [sys.executable, "-c", f"{code}\n{show}"], cwd=ROOT, capture_output=True, text=True, check=True, timeout=180
    )
    return set(result.stdout.splitlines()[-1].split())


def test_the_package_is_light() -> None:
    assert not loaded_by("import cascade_core") & {"torch", "streamlit", "plotly", "PIL", "sklearn"}


def test_panels_and_command_line_start_without_torch() -> None:
    files = sorted((PACKAGE / "panels").rglob("[!_]*.py"))
    modules = [".".join(p.relative_to(ROOT).with_suffix("").parts) for p in files]
    assert modules
    loaded = loaded_by(f"import {', '.join(modules)}\nfrom cascade_core.__main__ import parser\nparser()")
    assert "streamlit" in loaded
    assert not loaded & {"torch", "torchvision", "ptflops"}


def test_the_live_panel_waits_for_no_tables() -> None:
    """What is imported up to the panel's payload keeps whoever opens the page waiting."""
    loaded = loaded_by(
        "from cascade_core.panels import page, questions, runs, sidebar\n"
        "import cascade_core.panels.views.explore\n"
        "from cascade_core.analysis.exploration import Split\n"
        "from cascade_core.simulation.meters import MACS\n"
        "run = next(run for run in runs.list_runs()[0] if run.name == sidebar.PREFERRED_RUN)\n"
        "question = dict(policy='cheapest', score='max_probability', answers='auto', split=Split())\n"
        "questions.payload(questions.Question(run=run, **question), MACS, ())"
    )
    assert "pyarrow" in loaded
    assert not loaded & {"pandas", "scipy", "jsonschema"}


def test_a_build_that_checks_waits_for_no_tables(tmp_path: Path) -> None:
    run, choice = "cache/digits.parquet", str(tmp_path / "choice.json")
    verb = "from cascade_core.__main__ import main\nassert main({}) == 0"
    assert "pandas" in loaded_by(verb.format(["choose", run, "--max-drop", "1pt", "--out", choice]))
    loaded = loaded_by(verb.format(["check", choice, run, "--max-drop", "99pt"]))
    assert "pyarrow" in loaded
    assert not loaded & {"torch", "pandas", "scipy", "matplotlib", "plotly", "streamlit"}
