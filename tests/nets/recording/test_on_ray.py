"""A cluster of two machines on this one: the bytes of one process, whatever of it is killed or taken away meanwhile."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import fx, nn

from cascade_core import StageOutputs, save_run
from cascade_core.__main__ import main
from cascade_core.nets import attach_exits
from cascade_core.nets.recording.precompute import precompute
from cascade_core.storage import streaming
from tests.nets.working import BATCH, CHUNK, CHUNKS, SAMPLES, images, network, on_ray
from tests.oracle import assert_one_line
from tests.runfiles import load_softmaxes
from tests.samples import sample_run

clusters = pytest.importorskip("ray.cluster_utils", reason="Ray is not installed: requirements-ray.txt")
pytestmark = pytest.mark.filterwarnings("default")  # what Ray's own code warns of

ROOT = Path(__file__).resolve().parents[3]
KILLS = int(os.environ.get("CASCADE_KILLS", "3"))
PAUSE = 0.15
LIMIT = 120.0


@pytest.fixture(scope="module")
def machines() -> Iterator[Any]:
    """A head without cores, for the driver, and a machine of two."""
    cluster = clusters.Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    cluster.add_node(num_cpus=2)
    yield cluster
    cluster.shutdown()


@pytest.fixture(scope="module")
def wanted() -> StageOutputs:
    return precompute(network(), images(), batch_size=BATCH, device="cpu", progress=False)


def read(journal: Path) -> list[tuple[int, int]]:
    """Which process read which image, in that order."""
    lines = journal.read_text().splitlines() if journal.exists() else []
    return [(int(process), int(image)) for process, image in (line.split() for line in lines)]


def twice(journal: Path) -> int:
    """How many images were read more than they need be; the driver looks at the first."""
    return len([i for _, i in read(journal) if i]) - (SAMPLES - 1)


def assert_same_data(path: Path, wanted: StageOutputs) -> None:
    found = load_softmaxes(path)
    assert found.probs.tobytes() == wanted.probs.tobytes()
    assert found.labels.tobytes() == wanted.labels.tobytes()
    assert found.sample_ids.tolist() == wanted.sample_ids.tolist()


@contextmanager
def meanwhile(act: Callable[[], object]) -> Iterator[None]:
    """Something else that goes on, in a thread."""
    thread = threading.Thread(target=act)
    thread.start()
    yield
    thread.join(LIMIT)
    assert not thread.is_alive()


def wait_for(images_read: int, journal: Path) -> None:
    end = time.monotonic() + LIMIT
    while len(read(journal)) < images_read:
        assert time.monotonic() < end
        time.sleep(0.01)


def test_workers_killed_at_random_moments(machines: Any, wanted: StageOutputs, tmp_path: Path) -> None:
    path, journal, moments = tmp_path / "run.parquet", tmp_path / "journal", random.Random(0)
    killed: list[int] = []

    def kill() -> None:
        for number in range(KILLS):
            # Every so many images of those to come one of those that read the last is killed.
            wait_for(20 + (number + 1) * SAMPLES // (KILLS + 2), journal)
            time.sleep(moments.uniform(0, 2 * PAUSE))
            victim = read(journal)[-1][0]
            if victim not in (os.getpid(), *killed):
                killed.append(victim)
                os.kill(victim, signal.SIGKILL)

    with meanwhile(kill):
        on_ray(path, machines.address, network(PAUSE), images(journal=journal))
    assert killed
    assert_same_data(path, wanted)
    assert twice(journal) <= len(killed) * CHUNK
    assert [p.name for p in tmp_path.iterdir() if p.name != "journal"] == ["run.parquet"]


def test_a_machine_that_goes_takes_its_chunks_only(machines: Any, wanted: StageOutputs, tmp_path: Path) -> None:
    path, journal = tmp_path / "run", tmp_path / "journal"
    spot = machines.add_node(num_cpus=1)

    def remove() -> None:
        wait_for(4 * CHUNK, journal)
        machines.remove_node(spot)

    with meanwhile(remove):
        on_ray(path, machines.address, network(PAUSE), images(journal=journal))
    assert_same_data(path, wanted)
    assert twice(journal) <= CHUNK


def test_a_driver_that_is_killed_goes_on(machines: Any, wanted: StageOutputs, tmp_path: Path) -> None:
    path, journal = tmp_path / "run", tmp_path / "journal"
    command = [sys.executable, "-m", "tests.nets.working", str(path), str(PAUSE), machines.address]
    driver = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for(5 * CHUNK, journal)
    driver.kill()
    driver.wait(LIMIT)
    done = {p.name: p.stat().st_mtime_ns for p in path.glob("part-*.parquet")}
    assert 0 < len(done) < CHUNKS
    on_ray(path, machines.address, network(PAUSE), images(journal=journal))
    assert done.items() <= {p.name: p.stat().st_mtime_ns for p in path.glob("part-*.parquet")}.items()
    assert_same_data(path, wanted)
    # Each of two workers lost the chunk that it was at.
    assert twice(journal) <= 2 * CHUNK


def test_a_network_that_was_cut_travels_to_the_workers(machines: Any, tmp_path: Path) -> None:
    """Its pieces are graphs of torch.fx."""
    plain = nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.Conv2d(8, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(32, 5))
    data = images()
    cut = attach_exits(plain.eval(), data.batch(torch.arange(2)), exits="1", heads="linear")
    assert any(isinstance(module, fx.GraphModule) for module in cut.modules())
    path = on_ray(tmp_path / "run", machines.address, cut, data)
    assert_same_data(path, precompute(cut, data, batch_size=BATCH, device="cpu", progress=False))


def test_counts_of_a_cluster_are_those_of_one_pass(
    machines: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(4):
        save_run(sample_run(n=500, seed=number), tmp_path / "run" / f"{number}.parquet")
    monkeypatch.chdir(tmp_path)
    assert main(["count", "run", "--out", "one.parquet"]) == 0
    monkeypatch.setattr(streaming, "ROWS", 600)
    assert len(streaming.Rows(tmp_path / "run").pieces()) == 4
    assert main(["count", "run", "--out", "other.parquet", "--on", f"ray:{machines.address}"]) == 0, capsys.readouterr()
    assert (tmp_path / "one.parquet").read_bytes() == (tmp_path / "other.parquet").read_bytes()
    (tmp_path / "run" / "4.parquet").write_bytes((tmp_path / "run" / "0.parquet").read_bytes()[:-100])
    assert main(["count", "run", "--out", "none.parquet", "--on", f"ray:{machines.address}"]) == 2


def test_what_a_worker_cannot_do_is_said_as_by_one_process(machines: Any, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"an image in cat/0100\.png but it cannot be read: it is broken") as error:
        on_ray(tmp_path / "run", machines.address, network(), images(broken=100))
    assert_one_line(error.value, "Expected ")


def test_no_cluster_where_there_should_be_one(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="Expected a cluster of Ray at nowhere:1 but") as error:
        on_ray(tmp_path / "run", "nowhere:1", network(), images())
    assert_one_line(error.value, "Expected ")
    assert not list((tmp_path / "run").iterdir())
