"""A folder to deploy: ONNX files of stages and heads, the choice, classes, preprocessing, and a runner without torch.

What the files compute is said by `exporting`.  Routing between them, which samples leave and which go on, is done on
the host by `bundled_run`, a file that needs numpy and onnxruntime only and is copied into the folder as `run.py`.  The
folder is written under a temporary name and renamed, so that it is whole or not there.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

import torch

from cascade_core.nets.images.pixels import Preprocessing
from cascade_core.nets.running.exporting import exported_stages
from cascade_core.nets.running.runner import Runner
from cascade_core.nets.staged import StagedModel
from cascade_core.nets.texts.tokens import Tokens
from cascade_core.storage.choice import load_choice
from cascade_core.support.files import atomic_folder, file_digest

MANIFEST = "manifest.json"
CHOICE = "choice.json"


def write_bundle(
    folder: str | Path,
    model: StagedModel,
    choice: str | Path,
    *,
    preprocessing: Preprocessing | Tokens,
    class_names: Sequence[str],
) -> Path:
    """Write a bundle, which must not be there yet, and return its path.

    Args:
        choice: A choice file for the model's stages.
        class_names: K texts.

    Raises:
        ValueError: The network takes texts, the folder is there, the choice is for other stages, the classes are too
            few, or a stage cannot be exported.
        OSError: It cannot be written.
    """
    target = Path(folder)
    if isinstance(preprocessing, Tokens):
        raise ValueError("Expected a network of images to bundle but it takes texts; classify runs it")
    if target.exists():
        raise ValueError(f"Expected {target} not to be there yet; remove it, or give another --out")
    example = preprocessing.example(2)
    Runner(model, load_choice(choice), "cpu")(example)  # says what does not fit
    with torch.no_grad():
        classes = model.cpu().eval()(example).shape[-1]
    if classes != len(class_names):
        raise ValueError(f"Expected names of {classes} classes, as the network has, but there were {len(class_names)}")
    with atomic_folder(target) as unfinished:
        names = []
        for name, exported in exported_stages(model, example):
            names.append(f"{name}.onnx")
            exported.save(str(unfinished / names[-1]))
        shutil.copyfile(choice, unfinished / CHOICE)
        runner = files("cascade_core.nets.running").joinpath("bundled_run.py").read_bytes()
        (unfinished / "run.py").write_bytes(runner)
        manifest = {
            "created_by": "cascade_core",
            "stages": list(model.stage_names),
            "files": [name for name in names if name.startswith("stage_")],
            "heads": [name for name in names if name.startswith("head_")],
            "classes": list(class_names),
            "images": preprocessing.describe(),
            "sha256": {name: file_digest(unfinished / name) for name in names},
        }
        (unfinished / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    return target
