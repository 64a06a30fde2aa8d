"""What scripts for users may import: public names alone."""

from __future__ import annotations

import ast
import importlib

PUBLIC = ("cascade_core", "cascade_core.nets")


def imports_public_names(code: str) -> None:
    """Fail where Python imports anything of this package that is not public."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("cascade_core"):
            assert node.module in PUBLIC
            public = importlib.import_module(str(node.module)).__all__
            assert {alias.name for alias in node.names} <= set(public)
        elif isinstance(node, ast.Import):
            assert not [alias.name for alias in node.names if alias.name.startswith("cascade_core.")]
