"""Good files, as fuzzing finds them before it changes one: by name, the one that is changed first."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Mapping
from contextlib import redirect_stdout
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from cascade_core import save_run, tune
from cascade_core.__main__ import main
from cascade_core.analysis import prepared
from cascade_core.policies import CheapestWithinDrop
from cascade_core.storage.choice import load_choice, save_choice
from cascade_core.storage.parts import DONE, PLAN
from cascade_core.storage.writing import run_bytes
from tests.samples import sample_run


@cache
def run_file() -> bytes:
    return run_bytes(sample_run(n=60, k=4))


def cameras() -> bytes:
    rows = [f"{sample},{'left' if i % 3 else 'right'}" for i, sample in enumerate(sample_run(n=60, k=4).sample_ids)]
    return "\n".join(["sample_id,camera", *rows]).encode()


def arrays() -> Mapping[str, bytes]:
    outputs, stream = sample_run(n=30, k=4), io.BytesIO()
    np.savez(stream, probs=outputs.probs, labels=outputs.labels, macs=[1000, 2000, 3000], sample_ids=outputs.sample_ids)
    return {"softmaxes.npz": stream.getvalue()}


def answers() -> Mapping[str, bytes]:
    record, stream = sample_run(n=30, k=4).record(), io.BytesIO()
    np.savez(
        stream, answer=record.predictions, confidence=record.confidence, labels=record.labels, cost=[1.0, 2.0, 9.0]
    )
    return {"answers.npz": stream.getvalue()}


def frame() -> pd.DataFrame:
    outputs = sample_run(n=12, k=3)
    rows = [
        {"sample_id": f"s{i}", "label": int(outputs.labels[i]), "stage": stage, "macs": 1000 * (stage + 1)}
        | {f"p_{k}": float(value) for k, value in enumerate(outputs.probs[stage, i])}
        for stage in range(3)
        for i in range(12)
    ]
    return pd.DataFrame(rows)


def table() -> bytes:
    stream = io.BytesIO()
    pq.write_table(pa.Table.from_pandas(frame()), stream)
    return stream.getvalue()


@cache
def chosen() -> Mapping[str, bytes]:
    outputs = sample_run(n=60, k=4)
    tuned = tune(outputs, CheapestWithinDrop(max_drop=0.02), answers="own")
    with TemporaryDirectory() as folder:
        path = save_choice(Path(folder) / "choice.json", tuned.rule, tuned.evaluation)
        return {"choice.json": path.read_bytes(), "run.parquet": run_file()}


@cache
def found() -> Mapping[str, bytes]:
    with TemporaryDirectory() as folder:
        run = save_run(sample_run(n=60, k=4), Path(folder) / "run.parquet")
        return {"run.prepared.json": prepared.prepare(run).read_bytes(), "run.parquet": run.read_bytes()}


@cache
def watched() -> Mapping[str, bytes]:
    """A log, the choice that wrote it, and where a watch on it was."""
    from tests.logged import write_log

    made = chosen()
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "choice.json").write_bytes(made["choice.json"])
        log = write_log(folder / "exits.jsonl", load_choice(folder / "choice.json"), 40, audited=0.5)
        with redirect_stdout(io.StringIO()):
            main(["watch", str(folder / "choice.json"), str(log), "--state", str(folder / "state.json")])
        return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def costs() -> Mapping[str, bytes]:
    costs = {"unit": "dollars", "per": 1000, "stages": {}, "plain": {"network": 0.02, "cloud": 0.5}}
    costs["stages"] = {f"stage {i}": {"device": 0.01 * i, "cloud": 0.2} for i in (1, 2, 3)}
    return {"run.costs.json": json.dumps(costs).encode(), **chosen()}


def profile() -> Mapping[str, bytes]:
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
    return {"run.profile.json": json.dumps(profile).encode(), **chosen()}


def parts(changed: str) -> Mapping[str, bytes]:
    plan = {"work": {"chunks": 1}}
    files = {f"run/{PLAN}": json.dumps(plan).encode(), "run/part-00000.parquet": run_file(), f"run/{DONE}": b"{}"}
    return {changed: files.pop(changed), **files}


def picture() -> Mapping[str, bytes]:
    stream = io.BytesIO()
    Image.fromarray(np.arange(32 * 32 * 3, dtype=np.uint8).reshape(32, 32, 3)).save(stream, "PNG")
    return {"picture.png": stream.getvalue()}


def checkpoint() -> Mapping[str, bytes]:
    import torch

    stream = io.BytesIO()
    torch.save({"state_dict": {"a.weight": torch.zeros(2, 3), "a.bias": torch.zeros(2)}}, stream)
    return {"weights.pt": stream.getvalue()}


def tensors() -> Mapping[str, bytes]:
    from safetensors.numpy import save

    return {"weights.safetensors": save({"a.weight": np.zeros((2, 3), np.float32), "a.bias": np.zeros(2, np.float32)})}


def front() -> Mapping[str, bytes]:
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


def tar() -> Mapping[str, bytes]:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, raw in (("a.png", picture()["picture.png"]), ("a.cls", b"1"), ("b.cls", b"0"), ("b.png", b"")):
            member = tarfile.TarInfo(name)
            member.size = len(raw)
            archive.addfile(member, io.BytesIO(raw))
    return {"shard.tar": stream.getvalue()}


def shown() -> Mapping[str, bytes]:
    stream = io.BytesIO()
    pq.write_table(pa.table({"image": [picture()["picture.png"], None], "label": [0, 1]}), stream)
    return {"shard.parquet": stream.getvalue()}


def lines() -> Mapping[str, bytes]:
    return {"softmaxes.jsonl": frame().to_json(orient="records", lines=True).encode()}
