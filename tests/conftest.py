"""Fixtures shared by all tests: the package as a wheel, and the optional development data, which is no part of it."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest

from tests.installing import Installer

HOW = "set CASCADE_DATA=path/of/a/folder with cifar10.zip and weights/ to run it"


def _data(name: str) -> Path:
    folder = os.environ.get("CASCADE_DATA")
    if not folder:
        pytest.skip(f"needs {name}: {HOW}")
    path = Path(folder) / name
    if not path.exists():
        pytest.skip(f"{path} does not exist: {HOW}")
    return path


@pytest.fixture(scope="session")
def cifar10(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with train/<class>/*.png and test/<class>/*.png: CIFAR-10, unpacked once."""
    archive = _data("cifar10.zip")
    folder = tmp_path_factory.mktemp("cifar10")
    with zipfile.ZipFile(archive) as stream:
        stream.extractall(folder)
    return folder


@pytest.fixture(scope="session")
def weights() -> Path:
    """The folder with the pre-trained resnet20 and resnet56 weights."""
    return _data("weights")


@pytest.fixture(scope="session")
def installer(tmp_path_factory: pytest.TempPathFactory) -> Installer:
    """Environments with the package's wheel, each made when it is first asked for."""
    return Installer(tmp_path_factory.mktemp("installed"))
