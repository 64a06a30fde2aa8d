"""Bundles: the ONNX files with their own runner say what the torch runner says, without torch."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from cascade_core import ExitRule, evaluate, save_choice
from cascade_core.nets.bundle import write_bundle
from cascade_core.nets.bundled_run import Bundle
from cascade_core.nets.datasets import open_data
from cascade_core.nets.pixels import Preprocessing, normalise, open_image, prepare
from cascade_core.nets.precompute import precompute
from cascade_core.nets.runner import Runner
from cascade_core.nets.staged import ModelCascade, StagedModel
from cascade_core.nets.zoo import ZOO
from cascade_core.record import Record
from tests.nets.test_runner import between
from tests.smallnets import in_one_piece, with_exits

IMAGES = ZOO["small-cnn"].preprocessing
CLASSES = tuple(str(c) for c in range(10))
DIGITS = open_data("digits", IMAGES).take(torch.arange(90))


def hybrid() -> ModelCascade:
    return ModelCascade([("small", with_exits(preset="ladder")), ("large", in_one_piece(seed=1))])


MODELS: dict[str, Callable[[], StagedModel]] = {"exits": with_exits, "hybrid with a ladder": hybrid}


def rule_for(record: Record, by_class: bool = False) -> ExitRule:
    """Thresholds that let a third leave at each stage but the second, whose head is off."""
    columns = [between(c, float(np.quantile(c, 0.67))) for c in record.confidence[:-1]]
    thresholds = np.array([np.inf if stage == 1 else t for stage, t in enumerate(columns)], dtype=np.float32)
    if by_class:
        thresholds = np.repeat(thresholds[:, None], record.classes, axis=1)
        thresholds[0, ::2] = np.inf
    return ExitRule(
        thresholds=thresholds,
        score=record.score,
        top_k=record.top_k,
        temperatures=record.temperatures,
        stage_names=record.stage_names,
    )


@pytest.fixture(scope="module", params=MODELS)
def written(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[StagedModel, Path]:
    model = MODELS[request.param]()
    record = precompute(model, DIGITS, device="cpu", progress=False).record()
    rule, folder = rule_for(record), tmp_path_factory.mktemp("bundle")
    choice = save_choice(folder / "c.json", rule, evaluate(record, rule))
    return model, write_bundle(folder / "out", model, choice, preprocessing=IMAGES, class_names=CLASSES)


@pytest.fixture(scope="module")
def images() -> Tensor:
    return DIGITS.normalise(DIGITS.pixels(torch.arange(90)))


@pytest.mark.parametrize(
    ("score", "top_k", "scaled", "by_class"),
    [
        ("max_probability", 1, False, False),
        ("margin", 1, True, False),
        ("negative_entropy", 1, False, False),
        ("max_probability", 3, False, False),
        ("max_probability", 1, False, True),
    ],
)
def test_equals_the_torch_runner(
    written: tuple[StagedModel, Path],
    images: Tensor,
    tmp_path: Path,
    score: str,
    top_k: int,
    scaled: bool,
    by_class: bool,
) -> None:
    model, folder = written
    outputs = precompute(model, DIGITS, device="cpu", progress=False)
    temperatures = [1.0 + 0.4 * m for m in range(len(outputs.stages))] if scaled else None
    record = outputs.record(score, top_k, temperatures)
    rule = rule_for(record, by_class)
    bundle = Bundle(folder)
    choice = save_choice(tmp_path / "c.json", rule, evaluate(record, rule))
    bundle.set_choice(json.loads(choice.read_text()))
    predictions, confidences, stages = bundle(images.numpy())
    found = Runner(model, rule, "cpu")(images)
    assert stages.tolist() == found.stages.tolist()
    assert {0, 2} <= set(stages.tolist()) or by_class
    assert 1 not in stages
    assert predictions.tolist() == found.predictions.tolist()
    np.testing.assert_allclose(confidences, found.confidence, rtol=1e-4, atol=1e-5)


def test_the_manifest_names_everything(written: tuple[StagedModel, Path]) -> None:
    model, folder = written
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["stages"] == list(model.stage_names)
    assert manifest["classes"] == list(CLASSES)
    assert manifest["images"] == IMAGES.describe()
    names = [f"stage_{i}.onnx" for i in range(len(model.stage_names))]
    assert manifest["files"] == names
    assert sorted(p.name for p in folder.iterdir()) == sorted([*names, "choice.json", "manifest.json", "run.py"])


def test_classifies_pictures_from_the_command_line_without_torch(
    written: tuple[StagedModel, Path], images: Tensor, tmp_path: Path
) -> None:
    _, folder = written
    wanted = Bundle(folder)
    for i in range(6):
        Image.fromarray(DIGITS.read(i).squeeze(2), mode="L").save(tmp_path / f"{i}.png")
    (tmp_path / "broken.png").write_bytes(b"no picture")
    np.save(tmp_path / "some.npy", images[:2].numpy())
    script = f"import sys, runpy; sys.argv = ['run.py', {str(tmp_path)!r}]; sys.modules['torch'] = None; "
    script += f"runpy.run_path({str(folder / 'run.py')!r}, run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("error: Expected a picture in ")
    assert done.stderr.count("\n") == 1
    predictions, _, stages = wanted(np.concatenate([images[:6].numpy(), images[:2].numpy()]))
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    assert [row[1] for row in rows] == [CLASSES[k] for k in predictions]
    assert [row[3] for row in rows] == [wanted.stages[stage] for stage in stages]


@pytest.mark.parametrize("size", [(40, 30), (30, 41), (16, 16), (20, 20)])
def test_pictures_are_prepared_as_for_training(
    written: tuple[StagedModel, Path], tmp_path: Path, size: tuple[int, int]
) -> None:
    """Of another size: scaled and cropped to the pixel as torchvision does."""
    pixels = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "p.png")
    bundle = Bundle(written[1])
    for wanted in (
        Preprocessing(size=16, resize=20),
        Preprocessing(size=16, interpolation="bicubic"),
        replace(IMAGES, size=10, resize=13),
    ):
        bundle.manifest["images"] = wanted.describe()
        expected = normalise(prepare(open_image(tmp_path / "p.png"), wanted)[None], wanted)
        np.testing.assert_allclose(bundle.prepare(tmp_path / "p.png"), expected.numpy(), atol=1e-6)


def test_a_damaged_or_missing_file_is_named(written: tuple[StagedModel, Path], tmp_path: Path) -> None:
    copied = tmp_path / "copy"
    copied.mkdir()
    for file in written[1].iterdir():
        (copied / file.name).write_bytes(file.read_bytes())
    stage = copied / "stage_1.onnx"
    stage.write_bytes(stage.read_bytes()[:-1])
    with pytest.raises(ValueError, match=r"stage_1\.onnx as it was written but its SHA-256 differs"):
        Bundle(copied)
    stage.unlink()
    with pytest.raises(ValueError, match=r"the file .*stage_1\.onnx of the bundle but there is none"):
        Bundle(copied)
    other = json.loads((copied / "choice.json").read_text())
    other["rule"]["thresholds"][0]["stage"] = "elsewhere"
    with pytest.raises(ValueError, match=r"a choice for the stages .* but it is for elsewhere"):
        Bundle(written[1]).set_choice(other)


def test_what_does_not_fit_is_refused_and_nothing_is_left(tmp_path: Path) -> None:
    model = with_exits()
    record = precompute(model, DIGITS, device="cpu", progress=False).record()
    rule = rule_for(record)
    choice = save_choice(tmp_path / "c.json", rule, evaluate(record, rule))
    with pytest.raises(ValueError, match="names of 10 classes, as the network has, but there were 3"):
        write_bundle(tmp_path / "out", model, choice, preprocessing=IMAGES, class_names=CLASSES[:3])
    with pytest.raises(ValueError, match="a choice for 1 stages but it is for 3"):
        write_bundle(tmp_path / "out", in_one_piece(), choice, preprocessing=IMAGES, class_names=CLASSES)
    (tmp_path / "there").mkdir()
    with pytest.raises(ValueError, match="there not to be there yet"):
        write_bundle(tmp_path / "there", model, choice, preprocessing=IMAGES, class_names=CLASSES)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["c.json", "there"]
