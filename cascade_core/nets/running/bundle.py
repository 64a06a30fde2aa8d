"""A folder to deploy: one ONNX file a stage, the choice, the classes, the preprocessing, and a runner without torch.

A stage's file takes the state before it and gives the logits of its head and the state after it; the batch is
dynamic.  Routing between the files, which samples leave and which go on, is done on the host by `bundled_run`, a
file that needs numpy and onnxruntime only and is copied into the folder as `run.py`.  The folder is written under a
temporary name and renamed, so that it is whole or not there.
"""

from __future__ import annotations

import json
import shutil
import warnings
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

import torch
from torch import Tensor, nn

from cascade_core.nets.images.pixels import Preprocessing
from cascade_core.nets.running.runner import Runner
from cascade_core.nets.staged import StagedModel
from cascade_core.nets.texts.tokens import Tokens
from cascade_core.storage.choice import load_choice
from cascade_core.support.files import atomic_folder, file_digest

MANIFEST = "manifest.json"
CHOICE = "choice.json"


class _StageOf(nn.Module):
    """One stage of a model, as a function of the state before it."""

    def __init__(self, model: StagedModel, stage: int) -> None:
        super().__init__()
        self.model, self.stage = model, stage

    def forward(self, *state: Tensor) -> tuple[Tensor, ...]:
        """Logits, then the state after the stage."""
        after = self.model.extend(state, self.stage)
        return (self.model.classify(after, self.stage), *after)


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
        names = _export(model, example, unfinished)
        shutil.copyfile(choice, unfinished / CHOICE)
        runner = files("cascade_core.nets.running").joinpath("bundled_run.py").read_bytes()
        (unfinished / "run.py").write_bytes(runner)
        manifest = {
            "created_by": "cascade_core",
            "stages": list(model.stage_names),
            "files": names,
            "classes": list(class_names),
            "images": preprocessing.describe(),
            "sha256": {name: file_digest(unfinished / name) for name in names},
        }
        (unfinished / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    return target


def _export(model: StagedModel, images: Tensor, folder: Path) -> list[str]:
    """Write a file for each stage into `folder`, and return their names."""
    names, state = [], model.begin(images)
    batch = torch.export.Dim("batch")
    for stage, title in enumerate(model.stage_names):
        module = _StageOf(model, stage).eval()
        shapes = (tuple({0: batch} for _ in state),)
        try:
            # The exporter warns of its own ways, which are not the user's.
            with warnings.catch_warnings(), torch.no_grad():
                warnings.simplefilter("ignore")
                exported = torch.onnx.export(module, tuple(state), dynamic_shapes=shapes, dynamo=True, verbose=False)
        except Exception as error:  # the exporter runs the network's own code, which may raise anything
            if (refused := _refused_by_the_system(error)) is not None:  # it writes files of its own
                raise refused from None
            reason = " ".join(str(error).split())[:200]
            raise ValueError(f"Expected stage {title!r} to be one that ONNX can express but {reason}") from None
        assert exported is not None  # only a call that writes to a file itself returns nothing
        names.append(f"stage_{stage}.onnx")
        exported.save(str(folder / names[-1]))
        with torch.no_grad():
            state = model.extend(state, stage)
    return names


def _refused_by_the_system(error: BaseException | None) -> OSError | None:
    """What the system refused, if that is what led to an error."""
    while error is not None:
        if isinstance(error, OSError) and error.errno:
            return error
        error = error.__cause__ or error.__context__
    return None
