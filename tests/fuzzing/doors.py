"""The doors that files come in by: a good file for each, the ways to change it, and what opens it."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from cascade_core import load_run, save_run, tune
from cascade_core.__main__ import main
from cascade_core.analysis import prepared
from cascade_core.policies import CheapestWithinDrop
from cascade_core.storage.choice import load_choice, save_choice
from cascade_core.storage.parts import DONE, PLAN
from cascade_core.storage.reading import digest
from cascade_core.storage.writing import run_bytes
from tests.fuzzing.changes import Change, in_arrays, in_bytes, in_digits, in_json, in_lines
from tests.samples import sample_run

Open = Callable[[Path], None]
"""Opens the files of a folder; raises Refused with what was said, or Fault."""


OURS = str.maketrans("\t\u00a0", "  ")
"""Tabs between columns and blanks that keep numbers with their units are not printable, but ours."""


class Refused(Exception):
    """One clean line, as it should be."""


class Fault(AssertionError):
    """What must not be: another exit status, several lines, unclean ones, or something left behind."""


@dataclass(frozen=True, kw_only=True)
class Door:
    """A way in.

    Attributes:
        files: Good files, by name; the first is the one that is changed.
        changes: Ways to change it.
    """

    files: Callable[[], Mapping[str, bytes]]
    changes: Sequence[Change]
    open: Open


def verb(*words: str, out: str = "") -> Open:
    """Runs a verb on the files of the folder, which `{}` stands for; `out` is what it may leave behind."""

    def opened(folder: Path) -> None:
        before = set(folder.rglob("*"))
        said, complained = io.StringIO(), io.StringIO()
        with redirect_stdout(said), redirect_stderr(complained):
            status = main([word.replace("{}", str(folder)) for word in words])
        lines = complained.getvalue().splitlines()
        unclean = [line for line in (*lines, *said.getvalue().splitlines()) if not line.translate(OURS).isprintable()]
        if unclean:
            raise Fault(f"unclean lines: {unclean[:2]}")
        left = {path.name for path in set(folder.rglob("*")) - before}
        if left - ({out} if status == 0 else set()):
            raise Fault(f"left behind with status {status}: {left}")
        if status == 2 and [line for line in lines if not line.startswith("note: ")] == lines[-1:]:
            raise Refused(lines[-1])
        if status != 0:
            raise Fault(f"status {status}: {complained.getvalue()[-500:]}")
        if out:
            load_run(folder / out)  # what was written is whole
            (folder / out).unlink()

    return opened


def reader(read: Callable[[Path], object], name: str) -> Open:
    """Calls what reads a file, whose refusals are ValueErrors and OSErrors of one line."""

    def opened(folder: Path) -> None:
        try:
            read(folder / name)
        except (ValueError, OSError) as error:
            if "\n" in str(error):
                raise Fault(f"several lines: {error}") from None
            raise Refused(str(error)) from None

    return opened


@cache
def _run_file() -> bytes:
    return run_bytes(sample_run(n=60, k=4))


def _cameras() -> bytes:
    rows = [f"{sample},{'left' if i % 3 else 'right'}" for i, sample in enumerate(sample_run(n=60, k=4).sample_ids)]
    return "\n".join(["sample_id,camera", *rows]).encode()


def _arrays() -> Mapping[str, bytes]:
    outputs, stream = sample_run(n=30, k=4), io.BytesIO()
    np.savez(stream, probs=outputs.probs, labels=outputs.labels, macs=[1000, 2000, 3000], sample_ids=outputs.sample_ids)
    return {"softmaxes.npz": stream.getvalue()}


def _answers() -> Mapping[str, bytes]:
    record, stream = sample_run(n=30, k=4).record(), io.BytesIO()
    np.savez(
        stream, answer=record.predictions, confidence=record.confidence, labels=record.labels, cost=[1.0, 2.0, 9.0]
    )
    return {"answers.npz": stream.getvalue()}


def _frame() -> pd.DataFrame:
    outputs = sample_run(n=12, k=3)
    rows = [
        {"sample_id": f"s{i}", "label": int(outputs.labels[i]), "stage": stage, "macs": 1000 * (stage + 1)}
        | {f"p_{k}": float(value) for k, value in enumerate(outputs.probs[stage, i])}
        for stage in range(3)
        for i in range(12)
    ]
    return pd.DataFrame(rows)


def _table() -> bytes:
    stream = io.BytesIO()
    pq.write_table(pa.Table.from_pandas(_frame()), stream)
    return stream.getvalue()


@cache
def _chosen() -> Mapping[str, bytes]:
    from tempfile import TemporaryDirectory

    outputs = sample_run(n=60, k=4)
    tuned = tune(outputs, CheapestWithinDrop(max_drop=0.02), answers="own")
    with TemporaryDirectory() as folder:
        path = save_choice(Path(folder) / "choice.json", tuned.rule, tuned.evaluation)
        return {"choice.json": path.read_bytes(), "run.parquet": _run_file()}


@cache
def _found() -> Mapping[str, bytes]:
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        run = save_run(sample_run(n=60, k=4), Path(folder) / "run.parquet")
        return {"run.prepared.json": prepared.prepare(run).read_bytes(), "run.parquet": run.read_bytes()}


@cache
def _watched() -> Mapping[str, bytes]:
    """A log, the choice that wrote it, and where a watch on it was."""
    from tempfile import TemporaryDirectory

    from tests.logged import write_log

    chosen = _chosen()
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "choice.json").write_bytes(chosen["choice.json"])
        log = write_log(folder / "exits.jsonl", load_choice(folder / "choice.json"), 40, audited=0.5)
        with redirect_stdout(io.StringIO()):
            main(["watch", str(folder / "choice.json"), str(log), "--state", str(folder / "state.json")])
        return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def _first(name: str, files: Mapping[str, bytes]) -> Mapping[str, bytes]:
    """The same files, of which another is changed."""
    return {name: files[name], **files}


def _costs() -> Mapping[str, bytes]:
    costs = {"unit": "dollars", "per": 1000, "stages": {}, "plain": {"network": 0.02, "cloud": 0.5}}
    costs["stages"] = {f"stage {i}": {"device": 0.01 * i, "cloud": 0.2} for i in (1, 2, 3)}
    return {"run.costs.json": json.dumps(costs).encode(), **_chosen()}


def _profile() -> Mapping[str, bytes]:
    stages = [[0.001, 0.002], [0.002, 0.003], [0.004, 0.006]]
    profile = {
        "schema_version": 2,
        "stage_names": ["stage 1", "stage 2", "stage 3"],
        "batch_sizes": [1, 32],
        **dict.fromkeys(("trunk", "head", "pool", "trunk_p95", "head_p95", "pool_p95"), stages),
        "plain": [0.01, 0.1],
        "plain_p95": [0.02, 0.2],
        "circumstances": {"device": "cpu", "threads": 1},
    }
    return {"run.profile.json": json.dumps(profile).encode(), **_chosen()}


def _parts(changed: str) -> Mapping[str, bytes]:
    plan = {"work": {"chunks": 1}}
    files = {f"run/{PLAN}": json.dumps(plan).encode(), "run/part-00000.parquet": _run_file(), f"run/{DONE}": b"{}"}
    return {changed: files.pop(changed), **files}


def _picture() -> Mapping[str, bytes]:
    stream = io.BytesIO()
    Image.fromarray(np.arange(32 * 32 * 3, dtype=np.uint8).reshape(32, 32, 3)).save(stream, "PNG")
    return {"picture.png": stream.getvalue()}


def _checkpoint() -> Mapping[str, bytes]:
    import torch

    stream = io.BytesIO()
    torch.save({"state_dict": {"a.weight": torch.zeros(2, 3), "a.bias": torch.zeros(2)}}, stream)
    return {"weights.pt": stream.getvalue()}


def _tensors() -> Mapping[str, bytes]:
    from safetensors.numpy import save

    return {"weights.safetensors": save({"a.weight": np.zeros((2, 3), np.float32), "a.bias": np.zeros(2, np.float32)})}


def _front() -> Mapping[str, bytes]:
    from tempfile import TemporaryDirectory

    from cascade_core.nets.images.pixels import Preprocessing
    from cascade_core.nets.networks.front import FrontFile, save_front
    from cascade_core.nets.networks.small import SmallSpec

    spec, images = (
        SmallSpec(channels=1, size=8, classes=2, width=1),
        Preprocessing(channels=1, size=8, mean=(0,), std=(1,)),
    )
    about = FrontFile(spec=spec, images=images, class_names=("a", "b"), behind="small-cnn", training={})
    with TemporaryDirectory() as folder:
        return {"front.safetensors": save_front(Path(folder) / "f.safetensors", about, spec.build()).read_bytes()}


def _load_front(path: Path) -> Any:
    from cascade_core.nets.networks.named import find, load_model

    return load_model(find(f"front={path}"), None)


def _read_prepared(path: Path) -> object:
    run = path.with_name("run.parquet")
    found = prepared.load_prepared(run, digest(run))
    return None if found is None else found.path.rule(0)


def _open_image(path: Path) -> Any:
    from cascade_core.nets.images.pixels import open_image

    return open_image(path)


def _tar() -> Mapping[str, bytes]:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, raw in (("a.png", _picture()["picture.png"]), ("a.cls", b"1"), ("b.cls", b"0"), ("b.png", b"")):
            member = tarfile.TarInfo(name)
            member.size = len(raw)
            archive.addfile(member, io.BytesIO(raw))
    return {"shard.tar": stream.getvalue()}


def _shown() -> Mapping[str, bytes]:
    stream = io.BytesIO()
    pq.write_table(pa.table({"image": [_picture()["picture.png"], None], "label": [0, 1]}), stream)
    return {"shard.parquet": stream.getvalue()}


def _data(kind: str) -> Open:
    """Opens shards of pictures, and reads the first."""

    def read(path: Path) -> object:
        from cascade_core.nets.images.datasets import open_images
        from cascade_core.nets.images.pixels import Preprocessing

        return open_images(f"{kind}:{path}", Preprocessing(size=8)).read(0)

    return reader(read, f"shard.{'tar' if kind == 'wds' else kind}")


def _read_tensors(path: Path) -> Any:
    from cascade_core.nets.heads.checkpoints import read_tensors

    return read_tensors(path)


LINK = (
    "run=mine&policy=paper&score=margin&answers=own&seed=7&at=2.5&hand=0.75,-&policies=paper&view=compare&kind=harmed"
)


def _read_link(path: Path) -> Any:
    from cascade_core.panels import address, history
    from cascade_core.panels.linked import links

    query = history.parameters(path.read_bytes().decode("latin-1"))
    values, faults = address.parsed(query, links(("mine",), ("explore", "compare")))
    address.query_of({link.value.key: link.value.default for link in links((), ())} | values, links((), ()))
    if any("\n" in fault for fault in faults):
        raise Fault(f"several lines: {faults}")


def _lines() -> Mapping[str, bytes]:
    return {"softmaxes.jsonl": _frame().to_json(orient="records", lines=True).encode()}


IMPORTED = "made.parquet"


def imported(name: str) -> Open:
    """Makes a run of a file."""
    return verb("import", "{}/" + name, "--out", "{}/" + IMPORTED, out=IMPORTED)


EVALUATE = ("evaluate", "{}/choice.json", "{}/run.parquet")
WATCH = ("watch", "{}/choice.json", "{}/exits.jsonl")
JSON: Sequence[Change] = (in_json, in_json, in_digits, in_bytes)
TEXT: Sequence[Change] = (in_lines, in_digits, in_bytes)

DOORS = {
    "import-npz": Door(files=_arrays, changes=(in_arrays, in_bytes), open=imported("softmaxes.npz")),
    "import-answers": Door(files=_answers, changes=(in_arrays, in_bytes), open=imported("answers.npz")),
    "import-csv": Door(
        files=lambda: {"softmaxes.csv": _frame().to_csv(index=False).encode()},
        changes=TEXT,
        open=imported("softmaxes.csv"),
    ),
    "import-jsonl": Door(files=_lines, changes=TEXT, open=imported("softmaxes.jsonl")),
    "import-parquet": Door(
        files=lambda: {"softmaxes.parquet": _table()}, changes=(in_bytes,), open=imported("softmaxes.parquet")
    ),
    "groups": Door(
        files=lambda: {"cameras.csv": _cameras(), "run.parquet": _run_file()},
        changes=TEXT,
        open=verb("group", "{}/run.parquet", "{}/cameras.csv", "--out", "{}/" + IMPORTED, out=IMPORTED),
    ),
    "show": Door(files=lambda: {"run.parquet": _run_file()}, changes=(in_bytes,), open=verb("show", "{}/run.parquet")),
    "plan": Door(files=lambda: _parts(f"run/{PLAN}"), changes=JSON, open=verb("show", "{}/run")),
    "part": Door(files=lambda: _parts("run/part-00000.parquet"), changes=(in_bytes,), open=verb("show", "{}/run")),
    "choice": Door(files=_chosen, changes=JSON, open=verb(*EVALUATE)),
    "costs": Door(files=_costs, changes=JSON, open=verb(*EVALUATE, "--cost", "own")),
    "profile": Door(files=_profile, changes=JSON, open=verb(*EVALUATE, "--cost", "milliseconds")),
    "prepared": Door(files=_found, changes=JSON, open=reader(_read_prepared, "run.prepared.json")),
    "log": Door(files=lambda: _first("exits.jsonl", _watched()), changes=TEXT, open=verb(*WATCH)),
    "state": Door(
        files=lambda: _first("state.json", _watched()), changes=JSON, open=verb(*WATCH, "--state", "{}/state.json")
    ),
    "picture": Door(files=_picture, changes=(in_bytes,), open=reader(_open_image, "picture.png")),
    "checkpoint": Door(files=_checkpoint, changes=(in_bytes,), open=reader(_read_tensors, "weights.pt")),
    "link": Door(files=lambda: {"link.txt": LINK.encode()}, changes=(in_bytes,), open=reader(_read_link, "link.txt")),
    "front": Door(files=_front, changes=(in_digits, in_bytes), open=reader(_load_front, "front.safetensors")),
    "tar": Door(files=_tar, changes=(in_bytes, in_digits), open=_data("wds")),
    "pictures-parquet": Door(files=_shown, changes=(in_bytes,), open=_data("parquet")),
    "tensors": Door(files=_tensors, changes=(in_bytes,), open=reader(_read_tensors, "weights.safetensors")),
}
