"""What all tests share: processes, the package as a wheel, and the optional development data, which is no part of it.

A run of all tests is divided among as many processes as there are processors, a file at a time, but for folders whose
tests share much (`TOGETHER`); tests that are named, and benchmarks, run in one.
"""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

from cascade_core.support.remote import Remote
from tests.buckets import served_bucket
from tests.installing import Installer

HOW = "set CASCADE_DATA=path/of/a/folder with cifar10.zip and weights/ to run it"


PROCESSES = 4
"""Most of them: each may hold networks, a server and a browser."""


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Processes that run the tests; 0 for the one that was started."""
    everything = config.args_source is pytest.Config.ArgsSource.TESTPATHS
    chosen = config.getoption("keyword") or "not benchmark" not in config.getoption("markexpr")
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(processors, PROCESSES) if everything and not chosen else 0


TOGETHER = ("tests/e2e/", "tests/nets/running/")
"""Folders whose tests share what is dear to make: a browser and its server; networks that were exported."""


class Scheduling(LoadFileScheduling):  # type: ignore[misc]  # xdist has no types
    """A file stays in one process, for what its tests share; so do some folders (`TOGETHER`)."""

    def _split_scope(self, nodeid: str) -> str:
        return next((folder for folder in TOGETHER if nodeid.startswith(folder)), str(super()._split_scope(nodeid)))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling:
    """Who runs what."""
    return Scheduling(config, log)


def pytest_xdist_setupnodes() -> None:
    """Libraries that would start a thread for each processor start one in each process."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(name, "1")


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


@pytest.fixture(scope="module")
def bucket() -> Iterator[Remote]:
    """An empty bucket, of a server for all tests of a file."""
    with served_bucket() as made:
        yield made
