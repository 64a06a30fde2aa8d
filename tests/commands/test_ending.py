"""However a command ends, the same command afterwards comes to the same result and leaves nothing else behind.

Every verb that writes is killed at random moments, asked to stop, given a full disk, and started while another command
writes the same output.  `CASCADE_KILLS=20` kills each verb so often; a plain run does it a few times.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from cascade_core import load_choice, save_run
from cascade_core.support.claims import claimed
from tests.commands.ending import Ended, ended
from tests.logged import write_log
from tests.samples import sample_run

KILLS = int(os.environ.get("CASCADE_KILLS", "0"))
SEED = int(os.environ.get("CASCADE_KILLS_SEED", "0"))

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")


@dataclass(frozen=True, kw_only=True)
class Case:
    """A call of a verb.

    Attributes:
        call: Its arguments.
        needs: Files of `inputs` that lie in the folder.
        writes: What it writes, the first of it.
        slow: Whether it takes seconds.
    """

    call: str
    needs: tuple[str, ...]
    writes: str
    slow: bool = False


NET = "--network small-cnn+net.safetensors"
DIGITS = "--data digits --chunk-size 256"

CASES = [
    Case(call="choose run.parquet --max-drop 1pt --answers own --out c.json", needs=("run.parquet",), writes="c.json"),
    Case(call="import mine.npz --macs 1,2,3 --out i.parquet", needs=("mine.npz",), writes="i.parquet"),
    Case(call="join run.parquet run.parquet --names a,b --out j.parquet", needs=("run.parquet",), writes="j.parquet"),
    Case(call="group run.parquet who.csv --out g.parquet", needs=("run.parquet", "who.csv"), writes="g.parquet"),
    Case(call="count run.parquet --out n.parquet", needs=("run.parquet",), writes="n.parquet"),
    Case(call="prepare run.parquet", needs=("run.parquet",), writes="run.prepared.json"),
    Case(call="costs run.parquet --unit cents --part 1,2,3,6", needs=("run.parquet",), writes="run.costs.json"),
    Case(call="report run.parquet --answers own --out r.html", needs=("run.parquet",), writes="r.html"),
    Case(call="site run.parquet --out site", needs=("run.parquet",), writes="site"),
    Case(
        call="check net.json net.parquet --max-drop 100pt --json v.json --junit v.xml",
        needs=("net.json", "net.parquet"),
        writes="v.json",
    ),
    Case(
        call="watch net.json exits.jsonl --state state.json --rechoose again.json",
        needs=("net.json", "exits.jsonl"),
        writes="state.json",
    ),
    Case(call="figure run.parquet --answers own --out f.svg f.png", needs=("run.parquet",), writes="f.svg"),
    Case(
        call=f"profile net.parquet {NET} --batch-sizes 1,2 --repeats 1",
        needs=("net.parquet", "net.safetensors"),
        writes="net.profile.json",
    ),
    Case(call=f"precompute {NET} {DIGITS} --out p.parquet", needs=("net.safetensors",), writes="p.parquet", slow=True),
    Case(call=f"precompute {NET} {DIGITS} --out p", needs=("net.safetensors",), writes="p", slow=True),
    Case(
        call=f"build --network small-cnn --train-data digits {DIGITS} --epochs 2 --heads linear --out b.parquet",
        needs=(),
        writes="b.parquet",
        slow=True,
    ),
    Case(
        call=f"front {NET} --train-data digits {DIGITS} --share .5 --views 2 --epochs 2 "
        "--front-out f.safetensors --out r.parquet",
        needs=("net.safetensors",),
        writes="f.safetensors",
        slow=True,
    ),
    Case(call=f"bundle net.json {NET} --out deploy", needs=("net.json", "net.safetensors"), writes="deploy", slow=True),
]
IDS = [f"{case.call.split()[0]} {case.writes}" for case in CASES]


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of what the calls read."""
    folder = tmp_path_factory.mktemp("inputs")
    run = sample_run()
    save_run(run, folder / "run.parquet")
    rows = [f"{sample},{'left' if i % 3 else 'right'}" for i, sample in enumerate(run.sample_ids)]
    (folder / "who.csv").write_text("\n".join(["sample_id,camera", *rows]))
    np.savez(folder / "mine.npz", probs=run.probs, labels=run.labels)
    done(f"build --network small-cnn --train-data digits {DIGITS} --epochs 2 --heads linear --out net.parquet", folder)
    done("choose net.parquet --policy shared --threshold 0.9 --answers own --out net.json", folder)
    write_log(folder / "exits.jsonl", load_choice(folder / "net.json"), 600)
    return folder


@pytest.fixture(scope="module")
def whole(inputs: Path, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, tuple[Ended, dict[str, Any]]]:
    """How each call ends that is left alone, and what is there then."""
    return Whole(inputs, tmp_path_factory)


class Whole(dict[str, tuple[Ended, dict[str, Any]]]):
    """Made when a call is first asked for."""

    def __init__(self, inputs: Path, factory: pytest.TempPathFactory) -> None:
        super().__init__()
        self.inputs, self.factory = inputs, factory

    def __missing__(self, call: str) -> tuple[Ended, dict[str, Any]]:
        case = next(case for case in CASES if case.call == call)
        folder = prepared(case, self.inputs, self.factory.mktemp("whole"))
        self[call] = done(call, folder), contents(folder)
        return self[call]


def done(call: str, folder: Path) -> Ended:
    """Run a call that must succeed."""
    result = ended(call.split(), folder)
    assert result.status == 0, result.said
    return result


def prepared(case: Case, inputs: Path, folder: Path) -> Path:
    """The folder, with what a call needs in it."""
    folder.mkdir(exist_ok=True)
    for name in case.needs:
        shutil.copy(inputs / name, folder)
    return folder


def contents(folder: Path) -> dict[str, Any]:
    """Every file below a folder by its name, hidden ones too, with what it says but for dates and measured times."""
    return {str(path.relative_to(folder)): _content(path) for path in sorted(folder.rglob("*"))}


def _content(path: Path) -> Any:
    if path.is_dir():
        return None
    if path.suffix == ".parquet":
        table = pq.read_table(path)
        about = {key.decode(): _undated(value.decode()) for key, value in (table.schema.metadata or {}).items()}
        return about, table.num_rows, hashlib.sha256(repr(table.to_pydict()).encode()).hexdigest()
    if path.name.endswith(".profile.json"):
        return sorted(json.loads(path.read_text()))
    if path.suffix in (".json", ".html"):
        return _undated(path.read_text())
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _undated(text: str) -> str:
    return re.sub(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(\+\d\d:\d\d)?", "DATE", text)


def unfinished(folder: Path) -> list[str]:
    """What only a command that is at work may have there."""
    return [path.name for path in folder.rglob(".*") if path.suffix in (".tmp", ".lock")]


def finish(case: Case, folder: Path, expected: dict[str, Any]) -> None:
    """Start the command again, and look at what is there."""
    again = ended(case.call.split(), folder)
    if case.writes in ("deploy", "site") and again.status == 2:
        # It had come to its end: a folder is not written over.
        assert "not to be there yet" in again.said
    else:
        assert again.status == 0, again.said
    assert contents(folder) == expected


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_killed_at_random_moments_it_comes_to_the_same(
    case: Case, inputs: Path, whole: Mapping[str, tuple[Ended, dict[str, Any]]], tmp_path: Path
) -> None:
    alone, expected = whole[case.call]
    random = np.random.default_rng([SEED, IDS.index(f"{case.call.split()[0]} {case.writes}")])
    for number in range(KILLS or (1 if case.slow else 4)):
        folder = prepared(case, inputs, tmp_path / str(number))
        if number % 2:
            ended(case.call.split(), folder, after=float(random.uniform(0, alone.seconds)))
        else:
            killed = ended(case.call.split(), folder, before=int(random.integers(1, alone.touched + 1)))
            assert killed.status == -signal.SIGKILL
        finish(case, folder, expected)


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_asked_to_stop_it_tidies_up_says_one_line_and_goes_on_when_it_is_started_again(
    case: Case, inputs: Path, whole: Mapping[str, tuple[Ended, dict[str, Any]]], tmp_path: Path
) -> None:
    alone, expected = whole[case.call]
    random = np.random.default_rng(SEED)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)[: 1 if case.slow else 3]:
        folder = prepared(case, inputs, tmp_path / number.name)
        # The last thing of all is the removal of its lock.
        stopped = ended(case.call.split(), folder, number=number, before=int(random.integers(1, alone.touched)))
        assert stopped.status == 128 + number, stopped.said
        assert stopped.said.splitlines()[-1].startswith("stopped")
        assert "Traceback" not in stopped.said
        assert unfinished(folder) == []
        if KILLS or not case.slow:
            finish(case, folder, expected)


@pytest.mark.parametrize("largest", [0, 60])
@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_a_full_disk_is_one_line_that_names_the_file(case: Case, largest: int, inputs: Path, tmp_path: Path) -> None:
    folder = prepared(case, inputs, tmp_path / "full")
    before = contents(folder)
    full = ended(case.call.split(), folder, largest=largest)
    assert full.status == 2, full.said
    last = full.said.splitlines()[-1]
    named = r"[\w./-]*" if case.writes.startswith(("p", "b", "f.safe")) else re.escape(case.writes)
    assert re.match(rf"error: Cannot write {named}: file too large", last), full.said
    assert contents(folder) == before


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_a_second_command_says_at_once_that_another_writes(case: Case, inputs: Path, tmp_path: Path) -> None:
    folder = prepared(case, inputs, tmp_path / "busy")
    with claimed(folder / case.writes):
        before = contents(folder)
        second = ended(case.call.split(), folder)
        assert contents(folder) == before
    assert second.status == 2
    owner = rf"another command \(process {os.getpid()}, since [^)]*\)"
    assert re.fullmatch(
        rf"error: Cannot write {case.writes}: {owner} is writing it; wait, or stop that one\n", second.said
    )
