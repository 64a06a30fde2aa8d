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
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "cascade_core"

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
    **{name: {"nets"} for name in ("torch", "torchvision", "ptflops", "safetensors", "tqdm", "ray")},
}
"""The only rooms that may import a package."""

IMPORT_NAMES = {
    "scikit-learn": "sklearn",
    "pillow": "PIL",
    "axe-playwright-python": "axe_playwright_python",
    "pytest-xdist": "xdist",
}

OPTIONAL = {"timm", "onnxruntime", "transformers", "huggingface_hub", "ray"}
"""Packages that are used where a user has them, and that nothing here needs; a bundle brings its own need of one."""

BEHIND = {"onnxscript": "torch.onnx exports with it", "jinja2": "pandas writes LaTeX with it"}
"""Requirements of the package that others import for it."""

TOOLS = {
    "hatchling": "builds the wheel",
    "pytest-xdist": "runs the tests in several processes",
    "ruff": "a program that .ci/run starts",
    "mypy": "a program that .ci/run starts",
    "pandas-stubs": "types for mypy",
    "types-tqdm": "types for mypy",
    "types-jsonschema": "types for mypy",
    "onnxruntime": "runs the bundles that tests write",
    "moto": "a server of buckets that tests start",
}
"""Requirements that nothing imports, and why they are there."""


def sources(*folders: str) -> list[Path]:
    found = [p for folder in folders for p in sorted((ROOT / folder).rglob("*.py"))]
    return [*found, ROOT / "dashboard.py"] if "cascade_core" in folders else found


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


@cache
def imports(path: Path) -> tuple[str, ...]:
    """Full names of all modules that a file imports, anywhere in it, functions included."""
    return tuple(_imports(path))


def _imports(path: Path) -> Iterator[str]:
    here = path.relative_to(ROOT).with_suffix("").parts
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = [*here[: -node.level]] if node.level else []
            name = ".".join([*base, node.module] if node.module else base)
            for alias in node.names:
                whole = f"{name}.{alias.name}"
                yield whole if _exists(whole) else name
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            yield from (str(word.value) for word in node.args if isinstance(word, ast.Constant))


def _exists(name: str) -> bool:
    path = ROOT.joinpath(*name.split("."))
    return path.with_suffix(".py").exists() or (path / "__init__.py").exists()


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


PRINTS = {"commands/terminal.py", "nets/progress.py", "nets/running/bundled_run.py"}
"""What writes to a terminal, and makes visible what it writes."""


@pytest.mark.parametrize("path", sources("cascade_core"), ids=lambda p: str(p.relative_to(ROOT)))
def test_what_is_printed_passes_the_filter(path: Path) -> None:
    calls = [ast.unparse(one.func) for one in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(one, ast.Call)]
    writes = {"print", "tqdm.write", "sys.stdout.write", "sys.stderr.write", "click.echo"} & set(calls)
    assert not writes or str(path.relative_to(PACKAGE)) in PRINTS


OPENS = {
    "Image.open": {"cascade_core/storage/pictures.py", "cascade_core/nets/running/bundled_run.py"},
    "pq.ParquetFile": {"cascade_core/storage/parquet.py", "cascade_core/storage/importers/parquet_tables.py"},
    "pq.read_schema": {"cascade_core/storage/importers/parquet_tables.py"},
    "open": {"cascade_core/support/files.py"},
    "np.load": {"cascade_core/nets/running/bundled_run.py"},
    "pq.read_table": set(),
    "pq.read_metadata": set(),
    "safe_open": set(),
    "safetensors.torch.load_file": set(),
}
"""What opens a file or takes an open one, and the only files that call it."""

OWN = {"importlib.resources", "zipfile"}
"""What opens files of the package itself, and members of an archive that is open."""


@pytest.mark.parametrize("path", sources("cascade_core"), ids=lambda p: str(p.relative_to(ROOT)))
def test_files_are_opened_by_one_door(path: Path) -> None:
    """Whatever else opens a file by its name would wait for a pipe."""
    name, own = path.relative_to(ROOT).as_posix(), any(one.startswith(tuple(OWN)) for one in imports(path))
    for one in ast.walk(ast.parse(path.read_text("utf-8"))):
        called = ast.unparse(one.func) if isinstance(one, ast.Call) else ""
        by_name = called.endswith((".read_bytes", ".read_text")) or ".open('rb')" in ast.unparse(one)
        if called in OPENS or (called and by_name and not own):
            allowed = OPENS.get(called, {"cascade_core/support/files.py", "cascade_core/nets/running/bundled_run.py"})
            assert name in allowed, f"{name} calls {called}; support.files.opened opens what is read"


TABLES = {"to_csv": {"support/spreadsheets.py", "storage/importers/templates.py"}, "to_latex": {"rendering/points.py"}}
"""What makes files of tables, and the only places where it does: there no text is a formula, or taken apart."""


@pytest.mark.parametrize("path", sources("cascade_core"), ids=lambda p: str(p.relative_to(ROOT)))
def test_files_of_tables_are_made_in_one_place(path: Path) -> None:
    used = {one.attr for one in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(one, ast.Attribute)}
    for name in used & TABLES.keys():
        assert str(path.relative_to(PACKAGE)) in TABLES[name]


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


def requirements(name: str) -> dict[str, str]:
    """Package names of a requirements file with what follows them, such as ``==1.2``."""
    lines = [line.split("#")[0].strip() for line in (ROOT / name).read_text(encoding="utf-8").splitlines()]
    found = {}
    for line in lines:
        if line and not line.startswith("-"):
            package = re.match(r"([A-Za-z0-9._-]+)(\[[a-z,]+\])?", line)
            assert package, f"{name}: {line!r} names no package"
            found[package[1].lower()] = line[package.end() :]
    return found


def packages_imported(*folders: str) -> set[str]:
    return {name.split(".")[0] for path in sources(*folders) for name in imports(path)}


@pytest.mark.parametrize("name", sorted(path.name for path in ROOT.glob("requirements*.txt")))
def test_requirements_are_pinned(name: str) -> None:
    for package, version in requirements(name).items():
        assert re.fullmatch(r"==[0-9][0-9A-Za-z.+]*", version), f"{name}: {package} is not pinned with =="


def test_requirements_are_used() -> None:
    used = packages_imported("cascade_core")
    for package in requirements("requirements.txt").keys() - BEHIND.keys():
        assert IMPORT_NAMES.get(package, package) in used, f"nothing imports {package}: drop it from requirements.txt"


def test_development_requirements_are_used() -> None:
    used = packages_imported("tests")
    checks = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    for package in requirements("requirements-dev.txt"):
        if TOOLS.get(package, "").startswith("a program"):
            assert f"/{package}" in checks, f".ci/run does not start {package}"
        elif package not in TOOLS:
            assert IMPORT_NAMES.get(package, package) in used, f"no test imports {package}"
    assert TOOLS.keys() <= requirements("requirements-dev.txt").keys()


def test_whatever_is_imported_is_required() -> None:
    own = {"cascade_core", "tests", "dashboard", *sys.stdlib_module_names}
    wanted = {IMPORT_NAMES.get(p, p) for p in requirements("requirements.txt")}
    assert packages_imported("cascade_core") - own <= wanted | OPTIONAL
    wanted |= {IMPORT_NAMES.get(p, p) for p in requirements("requirements-dev.txt")}
    assert packages_imported("tests") - own <= wanted
