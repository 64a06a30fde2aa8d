"""A folder for Triton Inference Server: a model for each stage, and one that asks them in turn.

`models/` is a model repository.  In it, `cascade_stage_K` is a stage with its head, for ONNX Runtime (`whole_stages`),
and `cascade` is a script of the Python backend (`bundled_model`), which clients ask: it calls the stages, and after
each keeps the samples that are left.  All of them batch dynamically.  A README says how to start it, and what was
checked.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

import torch
from torch import Tensor

from cascade_core.nets.running.standing_alone import copy_alone, copy_rule
from cascade_core.nets.running.whole_stages import WholeStage, whole_stages
from cascade_core.nets.staged import StagedModel
from cascade_core.storage.choice import Choice

MODELS = "models"
CASCADE = "cascade"

MAX_BATCH = 64
"""Most samples that a model is asked about at once."""

DELAY = 500
"""Microseconds that a request may wait for others to join it."""

INSTANCES = 2
"""Processes of the script: while one waits for a stage, another's samples are computed, or join those that wait."""

TYPES = {
    torch.float32: "TYPE_FP32",
    torch.float16: "TYPE_FP16",
    torch.float64: "TYPE_FP64",
    torch.int64: "TYPE_INT64",
    torch.int32: "TYPE_INT32",
    torch.uint8: "TYPE_UINT8",
    torch.bool: "TYPE_BOOL",
}
"""The server's names of types that NumPy has too."""

ANSWERS = {"prediction": "TYPE_INT64", "confidence": "TYPE_FP32", "stage": "TYPE_INT64"}


def write_models(
    folder: Path, model: StagedModel, example: Tensor, choice: Path, rule: Choice, about: Mapping[str, Any]
) -> None:
    """Write all of it into a folder that is there.

    Args:
        model: In eval mode on the processor.
        example: Two images, normalised.
        choice, rule: The file of a choice for the model's stages, and what it holds.
        about: What the manifest says beside the models: stages, classes, images.

    Raises:
        ValueError: A stage cannot be exported, or its state is of a type or shape that the server has not.
        OSError: It cannot be written.
    """
    described, needed = [], {"ir": 0, "opset": 0}
    for stage, whole in enumerate(whole_stages(model, example, rule.rule.active.tolist())):
        name = f"{CASCADE}_stage_{stage}"
        place = _place(folder, name)
        whole.program.save(str(place / "model.onnx"))
        tensors = [tensors_of(each, model.stage_names[stage]) for each in (whole.inputs, whole.outputs)]
        _write(place.parent / "config.pbtxt", _config(name, "onnxruntime", *tensors))
        described.append(_described(name, whole))
        read = whole.program.model
        needed = {"ir": max(needed["ir"], read.ir_version), "opset": max(needed["opset"], read.opset_imports[""])}
    place = _place(folder, CASCADE)
    copy_rule(place)
    copy_alone("bundled_model", place / "model.py")
    shutil.copyfile(choice, place / "choice.json")
    _write(place / "manifest.json", json.dumps({**about, "models": described}, indent=2) + "\n")
    answers = [(name, kind, (1,)) for name, kind in ANSWERS.items()]
    config = _config(CASCADE, "python", tensors_of({"images": example}, "images"), answers)
    instances = f"instance_group [\n  {{ count: {INSTANCES} kind: KIND_CPU }}\n]\n"
    _write(place.parent / "config.pbtxt", config + instances)
    _write(folder / "README.md", _readme(example, about["images"], needed))


def _place(folder: Path, name: str) -> Path:
    """The folder of a model's only version."""
    place = folder / MODELS / name / "1"
    place.mkdir(parents=True)
    return place


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def _described(name: str, whole: WholeStage) -> dict[str, Any]:
    """What the script has to know of a stage."""
    names = {"before": whole.before, "inputs": whole.inputs, "outputs": whole.outputs, "after": whole.after}
    return {"name": name, **{key: [*value] for key, value in names.items()}}


Tensors = Sequence[tuple[str, str, tuple[int, ...]]]
"""Names, types and shapes of one sample."""


def tensors_of(examples: Mapping[str, Tensor], title: str) -> Tensors:
    """What the server is to know of tensors."""
    for name, example in examples.items():
        if example.dtype not in TYPES or example.dim() < 2:
            raise ValueError(
                f"Expected {name} of {title} to have two axes or more, of numbers that NumPy has, but it is "
                f"{example.dtype} of shape {tuple(example.shape)}"
            )
    return [(name, TYPES[example.dtype], tuple(example.shape[1:])) for name, example in examples.items()]


def _config(name: str, backend: str, inputs: Tensors, outputs: Tensors) -> str:
    """The configuration of a model, in the text form of protobuf."""
    blocks = "".join(f"{key} [\n{_listed(tensors)}\n]\n" for key, tensors in (("input", inputs), ("output", outputs)))
    return (
        f'name: "{name}"\nbackend: "{backend}"\nmax_batch_size: {MAX_BATCH}\n{blocks}'
        f"dynamic_batching {{ max_queue_delay_microseconds: {DELAY} }}\n"
    )


def _listed(tensors: Tensors) -> str:
    return ",\n".join(
        f'  {{ name: "{name}" data_type: {kind} dims: [ {", ".join(map(str, shape))} ] }}'
        for name, kind, shape in tensors
    )


def _readme(example: Tensor, images: Mapping[str, Any], needed: Mapping[str, int]) -> str:
    channels, height, width = example.shape[1:]
    source = files(__package__).joinpath("triton_readme.md").read_text("utf-8")
    return Template(source).substitute(
        channels=channels,
        height=height,
        width=width,
        resize=images["resize"],
        mean=json.dumps(images["mean"]),
        std=json.dumps(images["std"]),
        batch=MAX_BATCH,
        delay=DELAY,
        instances=INSTANCES,
        **needed,
    )
