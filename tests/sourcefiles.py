"""The source as tests look at it: its files, and what each of them imports."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "cascade_core"


def sources(*folders: str) -> list[Path]:
    found = [p for folder in folders for p in sorted((ROOT / folder).rglob("*.py"))]
    return [*found, ROOT / "dashboard.py"] if "cascade_core" in folders else found


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
