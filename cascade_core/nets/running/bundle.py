"""A folder to deploy: ONNX files of stages and heads, the choice, classes, preprocessing, and a runner without torch.

What the files compute is said by `exporting`.  Routing between them, which samples leave and which go on, is done on
the host by `bundled_run` with `bundled_rule`, files that need numpy and onnxruntime only and are copied into the folder
as `run.py` and `cascade_rule.py`, with `exit_lines` for logs.  For Triton Inference Server, `triton` writes another
folder.  Either is written under a temporary name and renamed, so that it is whole or not there.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from cascade_core.nets.images.pixels import Preprocessing
from cascade_core.nets.running.exporting import exported_stages
from cascade_core.nets.running.runner import Runner
from cascade_core.nets.running.standing_alone import copy_alone, copy_lines, copy_rule
from cascade_core.nets.running.triton import write_models
from cascade_core.nets.staged import StagedModel
from cascade_core.nets.texts.tokens import Tokens
from cascade_core.storage.choice import load_choice
from cascade_core.support import checks
from cascade_core.support.files import atomic_folder, file_digest

MANIFEST = "manifest.json"
CHOICE = "choice.json"

TARGETS = ("onnx", "triton")
"""What a bundle is for: its own `run.py`, or Triton Inference Server."""


def write_bundle(
    folder: str | Path,
    model: StagedModel,
    choice: str | Path,
    *,
    preprocessing: Preprocessing | Tokens,
    class_names: Sequence[str],
    target: str = TARGETS[0],
) -> Path:
    """Write a bundle, which must not be there yet, and return its path.

    Args:
        choice: A choice file for the model's stages.
        class_names: K texts.
        target: "onnx", for `run.py`, or "triton".

    Raises:
        ValueError: The network takes texts, the folder is there, the choice is for other stages, the classes are too
            few, or a stage cannot be exported.
        OSError: It cannot be written.
    """
    checks.one_of("target", target, TARGETS)
    path, chosen = Path(folder), load_choice(choice)
    if isinstance(preprocessing, Tokens):
        raise ValueError("Expected a network of images to bundle but it takes texts; classify runs it")
    if path.exists():
        raise ValueError(f"Expected {path} not to be there yet; remove it, or give another --out")
    example = preprocessing.example(2)
    Runner(model, chosen, "cpu")(example)  # says what does not fit
    with torch.no_grad():
        classes = model.cpu().eval()(example).shape[-1]
    if classes != len(class_names):
        raise ValueError(f"Expected names of {classes} classes, as the network has, but there were {len(class_names)}")
    about = {
        "created_by": "cascade_core",
        "stages": list(model.stage_names),
        "classes": list(class_names),
        "images": preprocessing.describe(),
    }
    with atomic_folder(path) as unfinished:
        if target == "triton":
            write_models(unfinished, model, example, Path(choice), chosen, about)
        else:
            _write_parts(unfinished, model, example, Path(choice), about)
    return path


def _write_parts(folder: Path, model: StagedModel, example: Tensor, choice: Path, about: Mapping[str, Any]) -> None:
    """Write what `run.py` runs, and itself."""
    names = []
    for name, exported in exported_stages(model, example):
        names.append(f"{name}.onnx")
        exported.save(str(folder / names[-1]))
    shutil.copyfile(choice, folder / CHOICE)
    copy_rule(folder)
    copy_lines(folder)
    copy_alone("bundled_run", folder / "run.py")
    manifest = {
        **about,
        "files": [name for name in names if name.startswith("stage_")],
        "heads": [name for name in names if name.startswith("head_")],
        "sha256": {name: file_digest(folder / name) for name in names},
    }
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
