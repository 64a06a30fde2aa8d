"""What is done in one place of the source alone: opening files, writing to a terminal, making files of tables."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.sourcefiles import PACKAGE, ROOT, imports, sources

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

BY_NAME = {
    "cascade_core/support/files.py",
    "cascade_core/nets/running/bundled_run.py",
    "cascade_core/nets/running/bundled_model.py",
}
"""What may open a file by its name: the door, and what stands in a bundle by itself."""

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
            allowed = OPENS.get(called, BY_NAME)
            assert name in allowed, f"{name} calls {called}; support.files.opened opens what is read"


TABLES = {"to_csv": {"support/spreadsheets.py", "storage/importers/templates.py"}, "to_latex": {"rendering/points.py"}}
"""What makes files of tables, and the only places where it does: there no text is a formula, or taken apart."""


@pytest.mark.parametrize("path", sources("cascade_core"), ids=lambda p: str(p.relative_to(ROOT)))
def test_files_of_tables_are_made_in_one_place(path: Path) -> None:
    used = {one.attr for one in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(one, ast.Attribute)}
    for name in used & TABLES.keys():
        assert str(path.relative_to(PACKAGE)) in TABLES[name]
