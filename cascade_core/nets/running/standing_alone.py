"""Files of this package that are copied into bundles, where they stand without it and import one another by name."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

RULE = "cascade_rule"

LINES = "cascade_core.storage.exit_lines"
"""What makes lines of logs, in the package; it imports nothing of it."""


def copy_rule(folder: Path) -> None:
    """Write `bundled_rule` into a folder, as what `copy_alone` writes imports it."""
    copy_alone("bundled_rule", folder / f"{RULE}.py")


def copy_alone(name: str, path: Path) -> None:
    """Write the source of a module of this room to `path`; what it imports of the package is to lie beside it."""
    source = files(__package__).joinpath(f"{name}.py").read_text("utf-8")
    for module, alone in ((f"{__package__}.bundled_rule", RULE), (LINES, LINES.rpartition(".")[2])):
        source = source.replace(f"from {module} import", f"from {alone} import")
    path.write_text(source, encoding="utf-8")


def copy_lines(folder: Path) -> None:
    """Write what makes lines of logs into a folder."""
    package, _, name = LINES.rpartition(".")
    (folder / f"{name}.py").write_bytes(files(package).joinpath(f"{name}.py").read_bytes())
