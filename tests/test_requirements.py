"""Requirements are pinned and used, and whatever is imported is required."""

from __future__ import annotations

import re
import sys

import pytest

from tests.sourcefiles import ROOT, imports, sources

IMPORT_NAMES = {
    "scikit-learn": "sklearn",
    "pillow": "PIL",
    "axe-playwright-python": "axe_playwright_python",
    "protobuf": "google",
    "pytest-xdist": "xdist",
}

OPTIONAL = {"timm", "onnxruntime", "transformers", "huggingface_hub", "ray", "datasets", "triton_python_backend_utils"}
"""Packages that are used where a user has them, and that nothing here needs; a bundle brings its own need of one."""

BEHIND = {"onnxscript": "torch.onnx exports with it", "jinja2": "pandas writes LaTeX with it"}
"""Requirements of the package that others import for it."""

TOOLS = {
    "hatchling": "builds the wheel",
    "pytest-xdist": "runs the tests in several processes",
    "pytest-rerunfailures": "gives tests a second try in .ci/run",
    "ruff": "a program that .ci/run starts",
    "mypy": "a program that .ci/run starts",
    "pandas-stubs": "types for mypy",
    "types-tqdm": "types for mypy",
    "types-jsonschema": "types for mypy",
    "onnxruntime": "runs the bundles that tests write",
    "moto": "a server of buckets that tests start",
}
"""Requirements that nothing imports, and why they are there."""


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
