"""Packages that come with an extra of this one: what only some rooms need, so that the core installs without it.

A room that cannot do without an extra opens with `require`: who lacks it reads one line that says what to install.
"""

from __future__ import annotations

from importlib.util import find_spec

EXTRAS = {
    "page": ("streamlit", "plotly", "PIL", "sklearn", "jinja2", "matplotlib"),
    "nets": ("torch", "torchvision", "ptflops", "safetensors", "onnxscript", "tqdm", "PIL", "sklearn"),
    "paper": ("matplotlib",),
}
"""What each extra brings, by import name; pyproject.toml has the ranges."""

OPTIONAL = {"transformers": ("transformers",), "ray": ("ray",), "data": ("datasets",)}
"""The same of extras that `all` leaves out, each with a requirements file of its own."""


class MissingExtra(ModuleNotFoundError):
    """A package is not installed; the message is one line that names the extra that brings it."""


def require(extra: str) -> None:
    """Check that the packages of an extra can be imported; none of them is.

    Raises:
        MissingExtra: One cannot.
    """
    for package in (EXTRAS | OPTIONAL)[extra]:
        if find_spec(package) is None:
            remedy = f"pip install 'cascade-core[{extra}]'"
            raise MissingExtra(f"Expected {package}, which is not installed; {remedy}", name=package)
