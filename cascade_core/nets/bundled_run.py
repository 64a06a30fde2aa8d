"""Classifies with the folder that this file lies in: a network cut into stages, which leaves early.

    python run.py picture.png folder/

Needs numpy and onnxruntime; Pillow too, to read pictures (arrays come as .npy files, (N, channels, size, size), already
normalised).  From Python: `Bundle(folder)(images)`.

`manifest.json` names the files with their SHA-256, the classes, the preprocessing and the stages; `choice.json` holds
the thresholds, and another choice for the same stages may take its place.  A stage's file gives its logits and the
state for the next one; samples that are sure enough leave, and the next stage is run for the others only.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

Array = Any  # of numpy; this file stands alone and is kept short

ENDINGS = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".npy"}


class Bundle:
    """The network and its thresholds.

    Args:
        folder: What `python -m cascade_core bundle` wrote.

    Raises:
        ValueError: A file is missing or damaged, or the choice is for other stages; one line says which.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.manifest = self._read_json("manifest.json")
        self.choice = self._read_json("choice.json")
        for name, digest in self.manifest["sha256"].items():
            if hashlib.sha256(self._bytes(name)).hexdigest() != digest:
                raise ValueError(f"Expected {self.folder / name} as it was written but its SHA-256 differs")
        self.stages: list[str] = self.manifest["stages"]
        self.set_choice(self.choice)
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        self.sessions = [
            onnxruntime.InferenceSession(self._bytes(name), options, providers=["CPUExecutionProvider"])
            for name in self.manifest["files"]
        ]
        # What a head that is off would need is then not computed.
        self.run_options = onnxruntime.RunOptions()
        self.run_options.only_execute_path_to_fetches = True

    def set_choice(self, choice: dict[str, Any]) -> None:
        """Use other thresholds, given as the data of a choice file.

        Raises:
            ValueError: It is for other stages.
        """
        rows = choice["rule"]["thresholds"]
        names = [row["stage"] for row in rows]
        if names != self.stages:
            raise ValueError(
                f"Expected a choice for the stages {', '.join(self.stages)} but it is for {', '.join(names)}"
            )
        given = [row["threshold"] for row in rows[:-1]]
        one = [np.inf if t is None else t for t in given if not isinstance(t, list)]
        many = [[np.inf if c is None else c for c in t] for t in given if isinstance(t, list)]
        self.thresholds = np.array(many or one, dtype=np.float32)
        temperature = choice["rule"]["temperature"]
        self.temperatures = temperature if isinstance(temperature, list) else [temperature] * len(names)
        self.score, self.top_k = choice["rule"]["score"], choice["rule"]["top_k"]
        self.macs = [stage["cumulative_macs"] for stage in choice["stages"]]

    def __call__(self, images: Array) -> tuple[Array, Array, Array]:
        """Class numbers, confidences and stages left at, (N,) each, of normalised images (N, channels, size, size)."""
        images = np.ascontiguousarray(images, dtype=np.float32)
        count, last = len(images), len(self.sessions) - 1
        predictions, stages = np.empty(count, dtype=np.int64), np.full(count, last)
        confidences, left, state = np.empty(count, dtype=np.float32), np.arange(count), [images]
        for number, session in enumerate(self.sessions):
            if not len(left):
                break
            inputs = {given.name: part for given, part in zip(session.get_inputs(), state, strict=False)}
            names = [output.name for output in session.get_outputs()]
            active = number == last or bool((self.thresholds[number] < np.inf).any())
            if not active:
                state = session.run(names[1:], inputs, self.run_options)
                continue
            logits, *state = session.run(names if number < last else names[:1], inputs, self.run_options)
            answers, confidence = self._judged(logits, number)
            leaves = np.ones(len(left), dtype=bool)
            if number < last:
                threshold = self.thresholds[number]
                leaves = confidence >= (threshold[answers] if threshold.ndim else threshold)
            gone = left[leaves]
            predictions[gone], confidences[gone], stages[gone] = answers[leaves], confidence[leaves], number
            left, state = left[~leaves], [part[~leaves] for part in state]
        return predictions, confidences, stages

    def _judged(self, logits: Array, stage: int) -> tuple[Array, Array]:
        """Answers and confidences of logits (n, K)."""
        scaled = logits.astype(np.float32) / np.float32(self.temperatures[stage])
        raised = np.exp(scaled - scaled.max(axis=1, keepdims=True))
        softmax = raised / raised.sum(axis=1, keepdims=True)
        ordered = np.sort(softmax, axis=1)[:, ::-1]
        if self.score == "margin":
            confidence = ordered[:, 0] - ordered[:, 1] if ordered.shape[1] > 1 else ordered[:, 0]
        elif self.score == "negative_entropy":
            logs = np.log(softmax, out=np.zeros_like(softmax), where=softmax > 0)
            confidence = (softmax * logs).sum(axis=1)
        else:
            confidence = ordered[:, : self.top_k].sum(axis=1) if self.top_k > 1 else ordered[:, 0]
        return softmax.argmax(axis=1), confidence

    def prepare(self, file: Path) -> Array:
        """Normalised images (N, channels, size, size) of a picture, or of an .npy file of such images.

        Raises:
            ValueError: It cannot be read.
        """
        wanted = self.manifest["images"]
        shape = (wanted["channels"], wanted["size"], wanted["size"])
        try:
            if file.suffix == ".npy":
                found = np.load(file, allow_pickle=False)
                if found.ndim != 4 or found.shape[1:] != shape:
                    raise ValueError(f"expected shape (N, {', '.join(map(str, shape))}) but it was {found.shape}")
                return found
            return self._picture(file)
        except (OSError, ValueError, SyntaxError) as error:
            raise ValueError(f"Expected a picture in {file} but {' '.join(str(error).split())}") from None

    def _picture(self, file: Path) -> Array:
        from PIL import Image

        wanted = self.manifest["images"]
        size, resize = wanted["size"], wanted["resize"]
        with Image.open(file) as opened:
            image = opened.convert("RGB").convert("RGB" if wanted["channels"] == 3 else "L")
        if image.size != (size, size) or resize != size:
            # Shorter side to `resize`, as torchvision rounds it, then the middle.
            width, height = image.size
            short = min(width, height)
            scaled = (int(resize * width / short), int(resize * height / short))
            image = image.resize(scaled, getattr(Image.Resampling, wanted["interpolation"].upper()))
            left, top = (round((side - size) / 2.0) for side in scaled)
            image = image.crop((left, top, left + size, top + size))
        pixels = np.asarray(image, dtype=np.float32).reshape(size, size, wanted["channels"]) / 255
        normal = (pixels - np.float32(wanted["mean"])) / np.float32(wanted["std"])
        return normal.transpose(2, 0, 1)[None].astype(np.float32)

    def _bytes(self, name: str) -> bytes:
        file = self.folder / name
        if not file.is_file():
            raise ValueError(f"Expected the file {file} of the bundle but there is none")
        return file.read_bytes()

    def _read_json(self, name: str) -> dict[str, Any]:
        try:
            found: dict[str, Any] = json.loads(self._bytes(name))
        except json.JSONDecodeError as error:
            raise ValueError(f"Expected JSON in {self.folder / name} but {error}") from None
        return found


def main(arguments: Sequence[str]) -> int:
    """Classify the files named, and those in folders named, a line each; 1 if some failed, 2 if all did."""
    paths = [Path(argument) for argument in arguments]
    inside = {
        path: sorted(p for p in path.rglob("*") if p.suffix.lower() in ENDINGS) for path in paths if path.is_dir()
    }
    files = [file for path in paths for file in inside.get(path, [path])]
    if not files:
        print("usage: python run.py PICTURE_OR_FOLDER ...", file=sys.stderr)
        return 2
    try:
        bundle = Bundle(Path(__file__).resolve().parent)
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    failed = 0
    for file in files:
        try:
            predictions, confidences, stages = bundle(bundle.prepare(file))
        except ValueError as error:
            print(f"error: {error}", file=sys.stderr)
            failed += 1
            continue
        for prediction, confidence, stage in zip(predictions, confidences, stages, strict=True):
            label = bundle.manifest["classes"][prediction]
            print(f"{file}\t{label}\t{confidence:.4f}\t{bundle.stages[stage]}\t{bundle.macs[stage]:,}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
