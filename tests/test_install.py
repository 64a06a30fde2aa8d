"""A wheel works in an empty folder with no path set: the core without its extras, each extra with what it brings."""

from __future__ import annotations

import re
import shutil
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from cascade_core.storage.home import HOME
from cascade_core.support.extras import EXTRAS, OPTIONAL
from cascade_core.support.version import VERSION
from tests.installing import PROJECT, Installer
from tests.sourcefiles import ROOT
from tests.test_requirements import IMPORT_NAMES, requirements

NETS = "Expected torch, which is not installed; pip install 'cascade-core[nets]'"
PAGE = "Expected streamlit, which is not installed; pip install 'cascade-core[page]'"
PAPER = "Expected matplotlib, which is not installed; pip install 'cascade-core[paper]'"


@pytest.fixture
def run(tmp_path: Path) -> str:
    """The name of a run, the one file of an otherwise empty folder."""
    shutil.copy(ROOT / "cache" / "digits.parquet", tmp_path / "run.parquet")
    return "run.parquet"


def test_the_core_needs_no_extra(installer: Installer, tmp_path: Path, run: str) -> None:
    core = installer.core
    for words in (
        ("choose", run, "--max-drop", "0.01", "--out", "choice.json"),
        ("compare", run),
        ("evaluate", "choice.json", run),
        ("report", run, "--out", "report.html"),
        ("show", run),
    ):
        done = core.run(core.command, *words, cwd=tmp_path)
        assert done.returncode == 0, done.stderr


def test_a_session_with_the_core(installer: Installer, tmp_path: Path, run: str) -> None:
    session = """
from cascade_core import CheapestWithinDrop, choose, evaluate, fit_pool, load_choice, load_run, save_choice
outputs = load_run("run.parquet")
calibration, test = outputs.record().split(0.5, 0)
rule = choose(calibration, CheapestWithinDrop(max_drop=0.01))
save_choice("choice.json", rule, evaluate(test, rule))
assert load_choice("choice.json").rule.thresholds.tolist() == rule.thresholds.tolist()
print(len(fit_pool(outputs.probs, outputs.labels).weights))
"""
    done = installer.core.run(installer.core.python, "-c", session, cwd=tmp_path)
    assert done.stdout == "3\n", done.stderr


@pytest.mark.parametrize(
    ("words", "remedy"),
    [
        ("build --network small-cnn --train-data digits --data digits --out mine.parquet", NETS),
        ("exits resnet18", NETS),
        ("page", PAGE),
        ("figure run.parquet --out curve.pdf", PAPER),
    ],
)
def test_a_verb_says_which_extra_it_needs(installer: Installer, tmp_path: Path, words: str, remedy: str) -> None:
    done = installer.core.run(installer.core.command, *words.split(), cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"error: {remedy}\n")


@pytest.mark.parametrize(
    ("module", "remedy"),
    [
        ("cascade_core.nets", NETS),
        ("cascade_core.panels.page", PAGE),
        ("cascade_core.rendering.figures", PAGE),
        ("cascade_core.rendering.paper", PAPER),
    ],
)
def test_a_room_says_which_extra_it_needs(installer: Installer, tmp_path: Path, module: str, remedy: str) -> None:
    done = installer.core.run(installer.core.python, "-c", f"import {module}", cwd=tmp_path)
    assert done.stderr.splitlines()[-1].endswith(f"MissingExtra: {remedy}")


def test_the_page_shows_the_shipped_run_without_torch(installer: Installer, tmp_path: Path) -> None:
    script = "from cascade_core.panels.runs import list_runs; print(*(run.name for run in list_runs()[0]))"
    done = installer.paged.run(installer.paged.python, "-c", script, cwd=tmp_path)
    assert done.stdout == "digits\n", done.stderr
    looked_at = """
from streamlit.testing.v1 import AppTest
from cascade_core.storage.home import HOME
for view in ("explore", "compare", "samples", "groups", "about", "present", "try"):
    app = AppTest.from_file(HOME / "dashboard.py", default_timeout=120)
    app.query_params["view"] = view
    app.run()
    assert not app.exception, app.exception
print(*(text.value for text in app.text), sep='\\n')
"""
    done = installer.paged.run(installer.paged.python, "-c", looked_at, cwd=tmp_path)
    assert NETS in done.stdout.splitlines(), done.stderr


def test_the_wheel_holds_what_is_no_python(installer: Installer) -> None:
    package = ROOT / "cascade_core"
    kept = {str(path.relative_to(ROOT)) for path in package.rglob("*") if path.is_file() and path.suffix != ".pyc"}
    digits = {f"cache/digits.{ending}" for ending in ("parquet", "prepared.json", "safetensors")}
    shipped = {"dashboard.py", ".streamlit/config.toml", *digits}
    kept |= {f"cascade_core/storage/shipped/{name}" for name in shipped}
    with zipfile.ZipFile(installer.wheel) as wheel:
        assert {name for name in wheel.namelist() if ".dist-info/" not in name} == kept
        metadata = wheel.read(f"cascade_core-{VERSION}.dist-info/METADATA").decode()
    assert f"\nVersion: {VERSION}\n" in metadata


def ranges() -> dict[str, Requirement]:
    """Every package that pyproject.toml requires, the extras' included; one that stands twice has one range."""
    texts = [*PROJECT["dependencies"], *(t for extra in EXTRAS for t in PROJECT["optional-dependencies"][extra])]
    found = {Requirement(text).name: Requirement(text) for text in texts}
    assert {str(one) for one in found.values()} == {str(Requirement(text)) for text in texts}
    return found


def test_pins_lie_in_the_ranges() -> None:
    pins = requirements("requirements.txt")
    assert pins.keys() == ranges().keys()
    for name, requirement in ranges().items():
        assert requirement.specifier.contains(pins[name].removeprefix("==")), f"{name}{pins[name]}: {requirement}"


def test_extras_are_told_as_they_are_installed() -> None:
    extras = dict(PROJECT["optional-dependencies"])
    assert extras.pop("all") == [f"cascade-core[{','.join(EXTRAS)}]"]
    for optional, (name,) in OPTIONAL.items():
        own, package = map(Requirement, extras.pop(optional))
        assert IMPORT_NAMES.get(package.name, package.name) == name
        assert (own.name, own.extras) == ("cascade-core", {"nets"})
        pin = requirements(f"requirements-{optional}.txt")[package.name].removeprefix("==")
        assert package.specifier.contains(pin)
    names = {
        extra: {IMPORT_NAMES.get(Requirement(t).name, Requirement(t).name) for t in extras[extra]} for extra in extras
    }
    assert names == {extra: set(packages) for extra, packages in EXTRAS.items()}


def test_the_citation_names_the_version() -> None:
    assert re.search(rf"^version: {re.escape(VERSION)}$", (HOME / "CITATION.cff").read_text("utf-8"), re.MULTILINE)
