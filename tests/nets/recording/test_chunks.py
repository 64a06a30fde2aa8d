"""Real processes: killed with SIGKILL at random moments, told to stop, sharing the work, started by torchrun."""

from __future__ import annotations

import multiprocessing
import os
import random
import subprocess
import sys
import time
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from cascade_core import StageOutputs
from cascade_core.nets.recording.precompute import precompute
from tests.nets.working import BATCH, CHUNKS, images, network, of_a_group, work
from tests.runfiles import load_softmaxes

ROOT = Path(__file__).resolve().parents[3]
PAUSE = 0.02
LIMIT = 180.0


@pytest.fixture(scope="module")
def fresh() -> ForkServerContext:
    """Fresh processes that need not import torch again."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.nets.working"])
    return context


@pytest.fixture(scope="module")
def wanted() -> StageOutputs:
    return precompute(network(), images(), batch_size=BATCH, device="cpu", progress=False)


def assert_same_data(path: Path, wanted: StageOutputs) -> None:
    found = load_softmaxes(path)
    assert found.probs.tobytes() == wanted.probs.tobytes()
    assert found.labels.tobytes() == wanted.labels.tobytes()
    assert found.sample_ids.tolist() == wanted.sample_ids.tolist()
    assert found.stages == wanted.stages


def parts(path: Path) -> dict[str, int]:
    folder = path.with_name(f".{path.name}.parts") if path.suffix else path
    return {p.name: p.stat().st_mtime_ns for p in folder.glob("part-*.parquet")}


def wait_for_parts(path: Path, count: int, process: BaseProcess) -> None:
    end = time.monotonic() + LIMIT
    while len(parts(path)) < count and process.is_alive():
        assert time.monotonic() < end
        time.sleep(0.003)


@pytest.mark.parametrize("name", ["run.parquet", "run"])
def test_killed_at_random_moments(name: str, fresh: ForkServerContext, wanted: StageOutputs, tmp_path: Path) -> None:
    path, moments = tmp_path / name, random.Random(name)
    for _ in range(5):
        before = parts(path)
        process = fresh.Process(target=work, args=(str(path), PAUSE))
        process.start()
        wait_for_parts(path, len(before) + 1, process)
        time.sleep(moments.uniform(0, 0.06))
        process.kill()
        process.join(LIMIT)
        assert process.exitcode == -9
        after = parts(path)
        assert len(before) < len(after) < CHUNKS
        assert before.items() <= after.items()  # what was done has not been touched
    process = fresh.Process(target=work, args=(str(path), 0.0))
    process.start()
    process.join(LIMIT)
    assert process.exitcode == 0
    assert_same_data(path, wanted)
    assert not list(tmp_path.rglob(".*"))  # neither temporary files nor parts


@pytest.mark.parametrize("count", [2, 4])
def test_several_processes_give_what_one_gives(
    count: int, fresh: ForkServerContext, wanted: StageOutputs, tmp_path: Path
) -> None:
    path = tmp_path / ("run.parquet" if count == 2 else "run")
    group = [fresh.Process(target=work, args=(str(path), PAUSE, environment)) for environment in of_a_group(count)]
    for process in reversed(group):
        process.start()
    for process in group:
        process.join(LIMIT)
    assert [process.exitcode for process in group] == [0] * count
    assert_same_data(path, wanted)


@pytest.mark.parametrize("killed", [0, 1])
def test_a_process_that_dies_ends_the_group_and_loses_nothing(
    killed: int, fresh: ForkServerContext, wanted: StageOutputs, tmp_path: Path
) -> None:
    path = tmp_path / "run.parquet"
    group = [fresh.Process(target=work, args=(str(path), PAUSE, environment)) for environment in of_a_group(2)]
    for process in group:
        process.start()
    wait_for_parts(path, 3, group[0])
    group[killed].kill()
    for process in group:
        process.join(LIMIT)
    assert (group[killed].exitcode, group[1 - killed].exitcode) == (-9, 2)
    assert "one has ended, or cannot be reached; start the same command again" in (tmp_path / "failed.txt").read_text()
    before = parts(path)
    assert 3 <= len(before) < CHUNKS
    work(str(path), 0.0)
    assert_same_data(path, wanted)


def test_a_process_that_is_told_to_stop_says_how_to_continue(fresh: ForkServerContext, tmp_path: Path) -> None:
    path = tmp_path / "run"
    process = fresh.Process(target=work, args=(str(path), PAUSE))
    process.start()
    wait_for_parts(path, 2, process)
    process.terminate()
    process.join(LIMIT)
    assert process.exitcode == 130
    done = len(parts(path))
    said = f"stopped: {done} of 13 chunks are done in {path}; start the same command again to continue"
    assert (tmp_path / "stopped.txt").read_text() == said
    assert not list(path.glob(".*.tmp"))


def test_torchrun(wanted: StageOutputs, tmp_path: Path) -> None:
    path = tmp_path / "run"
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    subprocess.run(
        [*launcher, "-m", "tests.nets.working", str(path), "0"],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        check=True,
        capture_output=True,
        timeout=LIMIT,
    )
    assert_same_data(path, wanted)
