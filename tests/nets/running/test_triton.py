"""Folders for Triton Inference Server: configurations that its schema takes, a script that answers as the runner."""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from cascade_core import ExitRule, evaluate, save_choice
from cascade_core.nets.recording.precompute import precompute
from cascade_core.nets.running.bundle import write_bundle
from cascade_core.nets.running.runner import Runner
from cascade_core.nets.running.triton import ANSWERS, tensors_of
from cascade_core.nets.staged import StagedModel
from tests.nets.running.bundles import CLASSES, DIGITS, IMAGES, MODELS, rule_for
from tests.nets.running.test_runner import pool_of
from tests.nets.running.tritons import Tensor as Given
from tests.nets.running.tritons import asked, config_of, declared, serving

Written = tuple[StagedModel, ExitRule, Path]


@pytest.fixture(scope="module", params=MODELS)
def written(request: pytest.FixtureRequest, folders: Callable[[str], Written]) -> Written:
    return folders(request.param)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Written]:
    """A model by its name, its rule and its folder; the second stage's head is off, or, of a hybrid, pooled later."""

    @cache
    def made(name: str) -> Written:
        model, folder = MODELS[name](), tmp_path_factory.mktemp("triton")
        outputs = precompute(model, DIGITS, device="cpu", progress=False)
        record = outputs.record(pool=pool_of(len(outputs.stages)) if name.startswith("hybrid") else None)
        rule = rule_for(record)
        choice = save_choice(folder / "c.json", rule, evaluate(record, rule))
        about: dict[str, Any] = {"preprocessing": IMAGES, "class_names": CLASSES, "target": "triton"}
        return model, rule, write_bundle(folder / "out", model, choice, **about)

    return made


def test_configurations_are_of_the_schema_and_of_the_files(written: Written) -> None:
    model, _, folder = written
    stages = [f"cascade_stage_{k}" for k in range(len(model.stage_names))]
    assert sorted(path.name for path in (folder / "models").iterdir()) == ["cascade", *stages]
    with serving(folder / "models") as (server, _):
        for name, (session, config) in server.sessions.items():
            assert (config.name, config.backend, config.max_batch_size) == (name, "onnxruntime", 64)
            assert config.HasField("dynamic_batching")
            for tensors, nodes in ((config.input, session.get_inputs()), (config.output, session.get_outputs())):
                of_file = {node.name: (node.type, tuple(node.shape[1:])) for node in nodes}
                assert of_file == {key: ("tensor(float)", shape) for key, (_, shape) in declared(tensors).items()}
    config = config_of(folder / "models" / "cascade")
    assert (config.name, config.backend, config.max_batch_size) == ("cascade", "python", 64)
    assert config.HasField("dynamic_batching")
    assert declared(config.input) == {"images": (np.float32, (1, 8, 8))}
    assert declared(config.output).keys() == ANSWERS.keys()
    assert {shape for _, shape in declared(config.output).values()} == {(1,)}
    said = (folder / "README.md").read_text("utf-8")
    assert "1 x 8 x 8 (channels, " in said
    assert re.search(r"IR version \d+ and operator set \d\d\.", said)
    assert re.findall(r"\$\w+", said) == ["$PWD"]


def test_requests_are_answered_together_as_the_runner_answers(written: Written, images: Tensor) -> None:
    model, rule, folder = written
    wanted = Runner(model, rule, "cpu")(images[:64])
    with serving(folder / "models") as (server, script):
        found = asked(script, np.split(images[:64].numpy(), [1, 20, 21]))
    assert [len(each["stage"]) for each in found] == [1, 19, 1, 43]
    kinds = {"prediction": np.int64, "confidence": np.float32, "stage": np.int64}
    for each in found:
        assert {key: array.dtype.type for key, array in each.items()} == kinds
        assert {array.shape[1:] for array in each.values()} == {(1,)}
    columns = {key: np.concatenate([each[key] for each in found])[:, 0] for key in kinds}
    assert columns["stage"].tolist() == wanted.stages.tolist()
    assert columns["prediction"].tolist() == wanted.predictions.tolist()
    np.testing.assert_allclose(columns["confidence"], wanted.confidence, rtol=1e-4, atol=1e-5)
    # Each stage is asked once, about those that are left.
    left, reached = Counter(wanted.stages.tolist()), [64]
    for stage in range(len(model.stage_names) - 1):
        reached.append(reached[-1] - left[stage])
    assert 0 < reached[-1] < 64
    assert server.asked == [(f"cascade_stage_{k}", count) for k, count in enumerate(reached)]


def test_a_head_that_is_off_is_in_no_file_and_a_choice_that_asks_it_is_refused(
    folders: Callable[[str], Written], images: Tensor, tmp_path: Path
) -> None:
    _, rule, folder = folders("exits")
    assert rule.active.tolist() == [True, False, True]
    models = Path(shutil.copytree(folder / "models", tmp_path / "models"))
    place = models / "cascade" / "1"
    described = json.loads((place / "manifest.json").read_text())["models"]
    assert ["logits" in each["outputs"] for each in described] == [True, False, True]
    # Another choice takes its place: one that switches the other head off too is as good, one that asks more is not.
    data = json.loads((place / "choice.json").read_text())
    data["rule"]["thresholds"][0]["threshold"] = None
    (place / "choice.json").write_text(json.dumps(data))
    with serving(models) as (_, script):
        assert {*asked(script, [images[:9].numpy()])[0]["stage"][:, 0].tolist()} == {2}
    data["rule"]["thresholds"][1]["threshold"] = 0.5
    (place / "choice.json").write_text(json.dumps(data))
    refused = pytest.raises(ValueError, match=r"a choice that does not ask .*, whose head is not in this folder")
    with refused, serving(models):
        pass


def test_what_a_stage_fails_on_is_every_requests_error(written: Written, images: Tensor, tmp_path: Path) -> None:
    models = Path(shutil.copytree(written[2] / "models", tmp_path / "models"))
    shutil.rmtree(models / "cascade_stage_1")
    with serving(models) as (_, script):
        responses = script.execute([[Given("images", some.numpy())] for some in images[:60].split(30)])
    assert [response.error for response in responses] == ["cascade_stage_1: KeyError('cascade_stage_1')"] * 2


def test_what_a_stage_only_hands_on_is_not_sent(written: Written) -> None:
    """The images that a cascade of models keeps for the next one are of no use to a stage in the middle of one."""
    model, _, folder = written
    manifest = json.loads((folder / "models" / "cascade" / "1" / "manifest.json").read_text())
    for each in manifest["models"]:
        assert not {*each["outputs"]} & {*each["before"]}
        assert {*each["after"]} <= {*each["before"], *each["outputs"]}
    if len(model.stage_names) == 4:
        assert manifest["models"][1]["inputs"] == ["before_1", "before_2"]
        assert manifest["models"][1]["after"] == ["before_0", "after_1", "after_2"]
        assert manifest["models"][3]["inputs"] == ["before_0"]


@pytest.mark.parametrize("state", [torch.zeros(2, 3, dtype=torch.bfloat16), torch.zeros(2)])
def test_a_state_that_the_server_cannot_hand_on_is_one_line(state: Tensor) -> None:
    words = f"Expected after_0 of early to have two axes or more, of numbers that NumPy has, but it is {state.dtype} of"
    with pytest.raises(ValueError, match=words):
        tensors_of({"after_0": state}, "early")
