"""Small networks to bundle, and a bundle's program and files."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from cascade_core import ExitRule
from cascade_core.nets.networks.zoo import ZOO
from cascade_core.nets.opening import open_data
from cascade_core.nets.staged import ModelCascade, StagedModel
from cascade_core.simulation.record import Record
from tests.nets.running.test_runner import between
from tests.smallnets import in_one_piece, with_exits

IMAGES = ZOO["small-cnn"].images


CLASSES = tuple(str(c) for c in range(10))


DIGITS = open_data("digits", IMAGES).take(torch.arange(90))


def hybrid() -> ModelCascade:
    return ModelCascade([("small", with_exits(preset="ladder")), ("large", in_one_piece(seed=1))])


MODELS: dict[str, Callable[[], StagedModel]] = {"exits": with_exits, "hybrid with a ladder": hybrid}


def rule_for(record: Record, by_class: bool = False) -> ExitRule:
    """Thresholds that let a third leave at each stage but the second; its head is off, or pooled later."""
    columns = [between(c, float(np.quantile(c, 0.67))) for c in record.confidence[:-1]]
    thresholds = np.array([np.inf if stage == 1 else t for stage, t in enumerate(columns)], dtype=np.float32)
    if by_class:
        thresholds = np.repeat(thresholds[:, None], record.classes, axis=1)
        thresholds[0, ::2] = np.inf
    return ExitRule(
        thresholds=thresholds,
        score=record.score,
        top_k=record.top_k,
        pool=record.pool,
        stage_names=record.stage_names,
    )


def run(folder: Path, *arguments: str) -> tuple[int, list[str], list[str]]:
    done = subprocess.run(
        [sys.executable, str(folder / "run.py"), *arguments], capture_output=True, encoding="utf-8", check=False
    )
    return done.returncode, done.stdout.splitlines(), done.stderr.splitlines()


def changed(file: Path, *path: str | int, value: object) -> None:
    """Put a value into a JSON file."""
    data = json.loads(file.read_text())
    place = data
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    file.write_text(json.dumps(data))
