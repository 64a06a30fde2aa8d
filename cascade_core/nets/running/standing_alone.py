"""Files of this package that are copied into bundles, where they stand without it and import one another by name."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

RULE = "cascade_rule"


def copy_rule(folder: Path) -> None:
    """Write `bundled_rule` into a folder, as what `copy_alone` writes imports it."""
    copy_alone("bundled_rule", folder / f"{RULE}.py")


def copy_alone(name: str, path: Path) -> None:
    """Write the source of a module of this room to `path`."""
    source = files(__package__).joinpath(f"{name}.py").read_text("utf-8")
    path.write_text(source.replace(f"from {__package__}.bundled_rule import", f"from {RULE} import"), encoding="utf-8")
