"""The package as others have it: a wheel, built once, in environments that hold nothing of the checkout.

An environment has either all packages of the one that runs the tests, or, by links, those that some requirements of
pyproject.toml bring and nothing else.
"""

from __future__ import annotations

import subprocess
import sys
import tomllib
import venv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import Distribution, distribution
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from cascade_core.storage.home import HOME

PROJECT: dict[str, Any] = tomllib.loads((HOME / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@dataclass(frozen=True, kw_only=True)
class Environment:
    """A virtual environment with the wheel in it."""

    folder: Path

    @property
    def python(self) -> str:
        """Its interpreter."""
        return str(self.folder / "bin" / "python")

    @property
    def command(self) -> str:
        """Its console command."""
        return str(self.folder / "bin" / "cascade-core")

    def run(self, *words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        """What a program of it says, started in `cwd` with no path set."""
        return subprocess.run(words, cwd=cwd, env={"PATH": ""}, capture_output=True, text=True, timeout=120)


class Installer:
    """Builds the wheel once, and makes environments below `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @cached_property
    def wheel(self) -> Path:
        """The wheel, built from the checkout without asking any network."""
        out = self._folder / "dist"
        flags = ["--no-deps", "--no-build-isolation", "--no-index", "--quiet", "--wheel-dir", str(out)]
        _pip("wheel", *flags, str(HOME))
        return next(out.glob("*.whl"))

    @cached_property
    def whole(self) -> Environment:
        """The wheel beside all packages of the environment that runs the tests."""
        environment = self._environment("whole")
        site = _site(environment.folder)
        (site / "beside.pth").write_text("\n".join(p for p in sys.path if p.endswith("-packages")), encoding="utf-8")
        return environment

    @cached_property
    def core(self) -> Environment:
        """The wheel, and what a plain ``pip install`` brings with it."""
        return self._linked("core", PROJECT["dependencies"])

    @cached_property
    def paged(self) -> Environment:
        """The wheel, and what the extra ``page`` brings with it."""
        return self._linked("paged", [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["page"]])

    def _environment(self, name: str) -> Environment:
        folder = self._folder / name
        venv.create(folder, symlinks=True)
        _pip("--python", str(folder / "bin" / "python"), "install", "--no-deps", "--no-index", "-q", str(self.wheel))
        return Environment(folder=folder)

    def _linked(self, name: str, requirements: Sequence[str]) -> Environment:
        environment = self._environment(name)
        site = _site(environment.folder)
        for package in closure(requirements):
            for top in {file.parts[0] for file in package.files or ()} - {"..", "__pycache__"}:
                if not (site / top).exists():
                    (site / top).symlink_to(str(package.locate_file(top)))
        return environment


def closure(requirements: Sequence[str]) -> list[Distribution]:
    """Installed distributions that requirements bring, directly or through others."""
    seen: dict[str, Distribution] = {}
    waiting = list(requirements)
    while waiting:
        requirement = Requirement(waiting.pop())
        if requirement.name in seen:
            continue
        package = seen[requirement.name] = distribution(requirement.name)
        waiting += _needs(package, requirement.extras)
    return list(seen.values())


def _needs(package: Distribution, extras: set[str]) -> Iterator[str]:
    for text in package.requires or ():
        marker = Requirement(text).marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *extras)):
            yield text


def _site(folder: Path) -> Path:
    return next((folder / "lib").glob("python*/site-packages"))


def _pip(*words: str) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *words]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        pytest.fail(f"pip {' '.join(words)}: {done.stdout}{done.stderr}")
