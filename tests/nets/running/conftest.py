"""Bundles of small networks, written once."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from torch import Tensor

from cascade_core import evaluate, save_choice
from cascade_core.nets.recording.precompute import precompute
from cascade_core.nets.running.bundle import write_bundle
from cascade_core.nets.staged import StagedModel
from tests.nets.running.bundles import CLASSES, DIGITS, IMAGES, MODELS, rule_for


@pytest.fixture(scope="session", params=MODELS)
def written(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[StagedModel, Path]:
    model = MODELS[request.param]()
    record = precompute(model, DIGITS, device="cpu", progress=False).record()
    rule, folder = rule_for(record), tmp_path_factory.mktemp("bundle")
    choice = save_choice(folder / "c.json", rule, evaluate(record, rule))
    return model, write_bundle(folder / "out", model, choice, preprocessing=IMAGES, class_names=CLASSES)


@pytest.fixture(scope="session")
def images() -> Tensor:
    return DIGITS.normalise(DIGITS.pixels(torch.arange(90)))


@pytest.fixture
def copied(written: tuple[StagedModel, Path], tmp_path: Path) -> Path:
    return Path(shutil.copytree(written[1], tmp_path / "copied"))
