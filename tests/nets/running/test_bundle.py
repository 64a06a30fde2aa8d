"""Bundles: the ONNX files with their own runner say what the torch runner says."""

from __future__ import annotations

import errno
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torch import Tensor

from cascade_core import ExitRule, Pool, evaluate, save_choice
from cascade_core.nets.recording.precompute import precompute
from cascade_core.nets.running.bundle import write_bundle
from cascade_core.nets.running.bundled_run import Bundle
from cascade_core.nets.running.runner import Runner
from cascade_core.nets.staged import StagedModel
from tests.nets.running.bundles import CLASSES, DIGITS, IMAGES, rule_for
from tests.nets.running.test_runner import naive_cascade, pool_of
from tests.smallnets import in_one_piece, with_exits


@pytest.mark.parametrize(
    ("score", "top_k", "pooled", "by_class"),
    [
        ("max_probability", 1, False, False),
        ("margin", 1, True, False),
        ("negative_entropy", 1, False, False),
        ("max_probability", 3, False, False),
        ("max_probability", 1, False, True),
        ("max_probability", 1, True, True),
        ("max_probability", 3, True, False),
    ],
)
def test_equals_the_torch_runner(
    written: tuple[StagedModel, Path],
    images: Tensor,
    tmp_path: Path,
    score: str,
    top_k: int,
    pooled: bool,
    by_class: bool,
) -> None:
    model, folder = written
    outputs = precompute(model, DIGITS, device="cpu", progress=False)
    record = outputs.record(score, top_k, pool_of(len(outputs.stages)) if pooled else None)
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


def test_pooled_answers_equal_loops(written: tuple[StagedModel, Path], images: Tensor) -> None:
    """Where nothing leaves early too: all stages are asked, and the last pools them."""
    model, folder = written
    probs = precompute(model, DIGITS, device="cpu", progress=False).probs
    pool, bundle = pool_of(len(probs)), Bundle(folder)
    data = json.loads((folder / "choice.json").read_text())
    data["rule"]["pool"] = {"weights": [list(row) for row in pool.weights]}
    for limit in (None, 0.3):
        for row in data["rule"]["thresholds"][:-1]:
            row["threshold"] = limit
        bundle.set_choice(data)
        predictions, _, stages = bundle(images.numpy())
        limits = [[np.inf if limit is None else limit]] * (len(probs) - 1)
        wanted = naive_cascade(probs, pool.weights, limits, 1)
        assert list(zip(stages.tolist(), predictions.tolist(), strict=True)) == wanted


@pytest.mark.parametrize(("version", "given"), [(1, 2.0), (2, [0.5, 2.0, 1.0, 4.0])])
def test_temperatures_of_earlier_versions_are_weights(
    written: tuple[StagedModel, Path], images: Tensor, version: int, given: float | list[float]
) -> None:
    model, folder = written
    count = len(model.stage_names)
    data = json.loads((folder / "choice.json").read_text())
    del data["rule"]["pool"]
    data["schema_version"] = version
    data["rule"]["temperature"] = values = given[:count] if isinstance(given, list) else given
    bundle = Bundle(folder)
    bundle.set_choice(data)
    pool = Pool(
        weights=tuple(
            (*[0.0] * stage, 1 / (values[stage] if isinstance(values, list) else values)) for stage in range(count)
        )
    )
    thresholds = [row["threshold"] for row in data["rule"]["thresholds"][:-1]]
    rule = ExitRule(thresholds=np.array([np.inf if t is None else t for t in thresholds]), pool=pool)
    predictions, confidences, stages = bundle(images.numpy())
    found = Runner(model, rule, "cpu")(images)
    assert stages.tolist() == found.stages.tolist()
    assert predictions.tolist() == found.predictions.tolist()
    np.testing.assert_allclose(confidences, found.confidence, rtol=1e-4, atol=1e-5)


def test_the_manifest_names_everything(written: tuple[StagedModel, Path]) -> None:
    model, folder = written
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["stages"] == list(model.stage_names)
    assert manifest["classes"] == list(CLASSES)
    assert manifest["images"] == IMAGES.describe()
    names = [f"stage_{i}.onnx" for i in range(len(model.stage_names))]
    heads = [f"head_{i}.onnx" for i in range(len(model.stage_names) - 1)]
    assert manifest["files"] == names
    assert manifest["heads"] == heads
    written_files = {*names, *heads, "choice.json", "manifest.json", "run.py", "cascade_rule.py", "exit_lines.py"}
    assert {p.name for p in folder.iterdir()} == written_files


def test_heads_that_are_off_are_not_run(written: tuple[StagedModel, Path], images: Tensor) -> None:
    """The second stage's head is off, of a pool's no weight is 0, and where all have left nothing more is computed."""
    bundle, seen = Bundle(written[1]), []

    def noted(name: str, part: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def noting(state: Any) -> Any:
            seen.append(name)
            return part(state)

        return noting

    bundle.trunk = [noted(f"stage {k}", part) for k, part in enumerate(bundle.trunk)]
    bundle.heads = [noted(f"head {k}", part) for k, part in enumerate(bundle.heads)]
    stages = len(bundle.stages)
    bundle(images.numpy())
    every = [name for k in range(stages) for name in (f"stage {k}", f"head {k}")][:-1]
    assert seen == [name for name in every if name != "head 1"]
    seen.clear()
    data = json.loads((written[1] / "choice.json").read_text())
    data["rule"]["pool"] = {"weights": [list(row) for row in pool_of(stages).weights]}
    bundle.set_choice(data)
    bundle(images.numpy())
    assert seen == every[: len(seen)]
    assert "head 1" in seen
    seen.clear()
    data["rule"]["thresholds"][0]["threshold"] = 0.0
    bundle.set_choice(data)
    bundle(images.numpy())
    assert seen == ["stage 0", "head 0"]


def test_what_does_not_fit_is_refused_and_nothing_is_left(tmp_path: Path) -> None:
    model = with_exits()
    record = precompute(model, DIGITS, device="cpu", progress=False).record()
    rule = rule_for(record)
    choice = save_choice(tmp_path / "c.json", rule, evaluate(record, rule))
    with pytest.raises(ValueError, match="names of 10 classes, as the network has, but there were 3"):
        write_bundle(tmp_path / "out", model, choice, preprocessing=IMAGES, class_names=CLASSES[:3])
    with pytest.raises(ValueError, match=r"a rule for 1 stages \(0 thresholds\) but it is for 3"):
        write_bundle(tmp_path / "out", in_one_piece(), choice, preprocessing=IMAGES, class_names=CLASSES)
    (tmp_path / "there").mkdir()
    with pytest.raises(ValueError, match="there not to be there yet"):
        write_bundle(tmp_path / "there", model, choice, preprocessing=IMAGES, class_names=CLASSES)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["c.json", "there"]


@pytest.mark.parametrize(
    ("cause", "said"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "Cannot write .*out: no space left"),
        (OSError(errno.ENOSPC, "No space left on device", "/elsewhere/cache"), "No space left on device: '/elsewhere/"),
        (FileNotFoundError(errno.ENOENT, "No usable temporary directory found in ['/tmp']"), "out: no temporary files"),
        (ZeroDivisionError("in the network"), "one that ONNX can express but the exporter failed"),
    ],
)
def test_what_the_exporter_wraps_is_told_apart(
    written: tuple[StagedModel, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cause: Exception, said: str
) -> None:
    model, folder = written

    def export(*_: object, **__: object) -> None:
        raise RuntimeError("the exporter failed") from cause

    monkeypatch.setattr("torch.onnx.export", export)
    with pytest.raises((OSError, ValueError), match=said):
        write_bundle(tmp_path / "out", model, folder / "choice.json", preprocessing=IMAGES, class_names=CLASSES)
    assert not list(tmp_path.iterdir())
