"""Classifies with the folder that this file lies in: a network cut into stages, which leaves early.

    python run.py picture.png folder/ --log exits.jsonl --audit 1%

Needs numpy and onnxruntime; Pillow too, to read pictures (arrays come as .npy files, (N, channels, size, size), already
normalised).  From Python: `Bundle(folder)(images)`.  Who leaves where is decided by `cascade_rule.py` beside it.
`--log` writes a line on each exit, for `cascade-core watch`; `--audit` has all stages answer a share of the pictures
for it.

`manifest.json` names the files with their SHA-256, the classes, the preprocessing and the stages; `choice.json` holds
the thresholds and the pool, and another choice for the same stages may take its place.  A stage's file gives the state
for the next one, its head's file logits; the softmax, pooled with those before, answers samples that are sure enough.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import signal
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from unicodedata import category

import numpy as np

try:
    import onnxruntime
except ModuleNotFoundError:
    print("error: onnxruntime is missing: pip install onnxruntime pillow", file=sys.stderr)
    raise SystemExit(2) from None

from cascade_core.nets.running.bundled_rule import Rule, is_number, is_whole
from cascade_core.storage.exit_lines import line_of

MAX_PIXELS = 1 << 26  # of a picture that is read, and of one that is scaled
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "PPM", "TIFF")  # whose readers call no other program
ENDINGS = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".npy"}
UNSEEN = {*"\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0"}  # printable without a shape
UNSEEN |= {*map(chr, range(0xFE00, 0xFE0E)), *map(chr, range(0xE0100, 0xE01F0))}
Array = Any  # of numpy


class Bundle:
    """The network and its thresholds.

    Args:
        folder: What `python -m cascade_core bundle` wrote.
        threads: That compute a stage; 0 = one for each core.

    Raises:
        ValueError: A file is missing or damaged, or the choice is for other stages; one line says which.
    """

    def __init__(self, folder: str | Path, threads: int = 0) -> None:
        self.folder, self.threads = Path(folder), threads
        self.manifest = _manifest(self._read_json("manifest.json"), self.folder / "manifest.json")
        for name, digest in self.manifest["sha256"].items():
            if hashlib.sha256(self._bytes(name)).hexdigest() != digest:
                raise ValueError(f"Expected {self.folder / name} as it was written but its SHA-256 differs")
        self.stages: list[str] = self.manifest["stages"]
        self.set_choice(self._read_json("choice.json"))
        self.trunk, self.heads = ([self._part(name) for name in self.manifest[key]] for key in ("files", "heads"))

    def set_choice(self, choice: dict[str, Any]) -> None:
        """Use another choice, the data of its file; ValueError, and nothing is set, if it does not fit this network."""
        self.rule = Rule(self.stages, len(self.manifest["classes"]), choice)

    def __call__(self, images: Array) -> tuple[Array, Array, Array]:
        """Class numbers, confidences and exit stages, (N,) each, of normalised images (N, channels, size, size)."""
        return self.rule.route(images, self._compute)

    def trace(self, images: Array) -> tuple[Array, Array, Array, Array]:
        """The same, and how sure each stage was, (N, M); NaN of those that were not asked."""
        return self.rule.trace(images, self._compute)

    def audit(self, images: Array) -> tuple[Array, Array, Array]:
        """What all stages say: confidences and answers (N, M), and the plain network's answers (N,)."""
        return self.rule.audit(images, lambda stage, state: self._compute(stage, state, every=True))

    def _compute(self, stage: int, state: list[Array], *, every: bool = False) -> tuple[Array, list[Array]]:
        """Logits of a stage, None of one whose head is off unless `every` is asked, and the state after it."""
        state = self.trunk[stage](state)
        if stage == len(self.heads):
            return state[0], []
        return (self.heads[stage](state)[0] if every or self.rule.active[stage] else None), state

    def prepare(self, file: Path) -> Array:
        """Normalised images (N, channels, size, size) of a picture or an .npy file; ValueError if it cannot be read."""
        shape = tuple(self.manifest["images"][key] for key in ("channels", "size", "size"))
        try:
            if not file.is_file():  # which would be waited for, if it is a pipe
                raise ValueError("there is no regular file")
            if file.suffix.lower() == ".npy":
                images = np.load(file, allow_pickle=False)
                if images.ndim != 4 or images.shape[1:] != shape or images.dtype.kind not in "fiu":
                    found = f"{images.dtype} of shape {images.shape}"
                    raise ValueError(f"expected numbers of shape (N, {', '.join(map(str, shape))}) but it was {found}")
                if not np.isfinite(images).all():
                    raise ValueError("expected numbers but some are not finite")
                return images
            return self._picture(file)
        # Decoders of foreign bytes raise errors of every kind (struct.error, DecompressionBombError, ...).
        except Exception as error:
            reason = " ".join(str(error).split()) or type(error).__name__
            raise ValueError(f"Expected a picture in {file} but {reason[:300]}") from None

    def _picture(self, file: Path) -> Array:
        from PIL import Image

        expected = self.manifest["images"]
        size, resize = expected["size"], expected["resize"]
        warnings.filterwarnings("ignore", module="PIL")  # of sizes, and of oddities that pixels do not depend on
        with Image.open(file, formats=FORMATS) as opened:
            width, height = opened.size
            if width * height > MAX_PIXELS or resize * resize * max(width, height) > MAX_PIXELS * min(width, height):
                raise ValueError(f"it is too large or too long, {width} x {height} pixels")
            if opened.mode == "F":
                raise ValueError("its pixels are fractions, and nothing says of what range")
            image: Image.Image = opened
            if opened.mode.startswith("I"):  # 16 bits; Pillow's own conversion cuts off what is above 255
                image = Image.fromarray(np.clip(np.asarray(opened).astype(np.int64) >> 8, 0, 255).astype(np.uint8))
            image = image.convert("RGB").convert("RGB" if expected["channels"] == 3 else "L")
        if image.size != (size, size) or resize != size:
            # Shorter side to `resize`, as torchvision rounds it, then the middle.
            scaled = (int(resize * image.width / min(image.size)), int(resize * image.height / min(image.size)))
            image = image.resize(scaled, getattr(Image.Resampling, expected["interpolation"].upper()))
            left, top = (round((side - size) / 2.0) for side in scaled)
            image = image.crop((left, top, left + size, top + size))
        pixels = np.asarray(image, dtype=np.float32).reshape(size, size, expected["channels"]) / 255
        normal = (pixels - np.float32(expected["mean"])) / np.float32(expected["std"])
        return normal.transpose(2, 0, 1)[None].astype(np.float32)

    def _bytes(self, name: str) -> bytes:
        if not (file := self.folder / name).is_file():
            raise ValueError(f"Expected the file {file} of the bundle but there is none")
        return file.read_bytes()

    def _read_json(self, name: str) -> Any:
        raw = self._bytes(name)
        try:
            return json.loads(raw)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"Expected JSON in {self.folder / name} but {error}") from None

    def _part(self, name: str) -> Callable[[Sequence[Array]], list[Array]]:
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        # A head takes less time than waking threads for it does.
        options.intra_op_num_threads = 1 if name in self.manifest["heads"] else self.threads
        # Each file's session has threads of its own, which would spin on and take the cores from the next one's.
        options.add_session_config_entry("session.force_spinning_stop", "1")
        try:
            session = onnxruntime.InferenceSession(self._bytes(name), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime has an error of its own for each thing that may be wrong
            reason = " ".join(str(error).split())[:200]
            raise ValueError(f"Expected a stage of a network in {self.folder / name} but {reason}") from None
        names = [node.name for node in session.get_inputs()]
        return lambda state: session.run(None, dict(zip(names, state, strict=False)))


def _manifest(content: Any, file: Path) -> dict[str, Any]:
    """`content`, if it is what `bundle` writes: a file a stage and early head, in this folder, with their digests."""
    wrong = f"Expected {file} as `python -m cascade_core bundle` writes it but"
    if not isinstance(content, dict):
        raise ValueError(f"{wrong} it holds no object")
    for key in ("stages", "files", "classes", "heads"):
        values = content.get(key)
        if (
            not isinstance(values, list)
            or not (values or key == "heads")
            or not all(isinstance(v, str) for v in values)
        ):
            raise ValueError(f"{wrong} its {key} are no list of texts")
    stages, files, heads, digests = (content.get(key, ()) for key in ("stages", "files", "heads", "sha256"))
    if not len(files) == len(heads) + 1 == len(stages):
        raise ValueError(f"{wrong} it names {len(files)} files and {len(heads)} heads for {len(stages)} stages")
    if not isinstance(digests, dict) or digests.keys() != {*files, *heads}:
        raise ValueError(f"{wrong} its sha256 are not those of its files")
    for name in (name for name in digests if Path(name).name != name):
        raise ValueError(f"{wrong} its file {name!r} would lie elsewhere")
    images = content["images"] if isinstance(content.get("images"), dict) else {}
    sizes = [images.get(key) for key in ("channels", "size", "resize")]
    if not all(is_whole(size, 1, 1 << 14) for size in sizes) or sizes[0] not in (1, 3):
        raise ValueError(f"{wrong} its images have no size")
    numbers: list[Any] = [images.get(key) for key in ("mean", "std")]
    fit = all(isinstance(v, list) and len(v) == sizes[0] and all(map(is_number, v)) for v in numbers)
    if not fit or not all(numbers[1]) or images.get("interpolation") not in ("bilinear", "bicubic"):
        raise ValueError(f"{wrong} its images have no mean, std and interpolation")
    return content


def _visible(text: str) -> str:
    return "".join(c if (c.isprintable() or category(c) == "Zs") and c not in UNSEEN else ascii(c)[1:-1] for c in text)


def _files(paths: Sequence[Path]) -> list[Path]:
    """The files among `paths`, and those with pictures' endings in the folders among them."""
    files = []
    for path in paths:
        inside = path.is_dir()
        files += sorted(p for p in path.rglob("*") if p.suffix.lower() in ENDINGS and p.is_file()) if inside else [path]
    return files


def _arguments(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="run.py", description="Classifies pictures, and leaves early.")
    parser.add_argument("pictures", type=Path, nargs="+", metavar="PICTURE_OR_FOLDER")
    parser.add_argument("--log", type=Path, metavar="FILE", help="a log of exits to write on, for cascade-core watch")
    about = "of the pictures that all stages answer for the log, drawn at random: 1%% or 0.01"
    parser.add_argument("--audit", type=_share, default=0.0, metavar="SHARE", help=about)
    return parser.parse_args(arguments)


def _share(text: str) -> float:
    value = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"expected a share from 0 to 1 or 100% but it was {_visible(text)}")
    return value


def _logged(bundle: Bundle, images: Array, seconds: float, answered: tuple[Array, ...], share: float) -> str:
    """Lines of an exit log on images that are answered now; of a share, drawn at random, all stages are asked."""
    predictions, _, stages, passed = answered
    drawn = np.flatnonzero(np.random.default_rng().random(len(images)) < share)
    audits: dict[int, tuple[Any, Any, Any]] = {}
    if len(drawn):
        audits = dict(zip(drawn.tolist(), zip(*bundle.audit(images[drawn]), strict=True), strict=True))
    lines = []
    for number, (answer, stage) in enumerate(zip(predictions.tolist(), stages.tolist(), strict=True)):
        sure, answers, plain = audits.get(number, (passed[number, : stage + 1], None, None))
        told = [None if math.isnan(value) else value for value in sure.tolist()]
        audit = None if answers is None else (answers.tolist(), int(plain))
        lines.append(line_of(time.time(), bundle.stages[stage], told, answer, 1000 * seconds, audit))
    return "".join(lines)


def _append(log: Path | None, text: str) -> None:
    """Write on at the end of a log, if there is one, opening it anew, so that it may be renamed meanwhile."""
    if log is None:
        return
    if log.exists() and not log.is_file():
        raise ValueError(f"Expected a file to write a log on but {log} is none")
    with log.open("a", encoding="utf-8") as stream:
        stream.write(text)


def main(arguments: Sequence[str]) -> int:
    """Classify the files named, and those in folders named, a line each; 1 if some failed, 2 if all did."""
    for stream in (sys.stdout, sys.stderr):  # names of files may hold what the terminal cannot show
        getattr(stream, "reconfigure", lambda **_: None)(errors="backslashreplace")
    given = _arguments(arguments)
    warnings.showwarning = lambda message, *_, **__: print(_visible(f"note: {message}"), file=sys.stderr)
    try:
        files = _files(given.pictures)
        if not files:
            raise ValueError(f"Expected pictures in {', '.join(map(str, given.pictures))} but there are none")
        if find_spec("PIL") is None and any(file.suffix.lower() != ".npy" for file in files):
            raise ValueError("Pillow is missing, which reads pictures: pip install pillow")
        bundle = Bundle(Path(__file__).resolve().parent)
        _append(given.log, "")
    except (ValueError, OSError) as error:
        print(_visible(f"error: {error}"), file=sys.stderr)
        return 2
    failed = 0
    for file in files:
        try:
            images, start = bundle.prepare(file), time.perf_counter()
            answered = bundle.trace(images)
            seconds = time.perf_counter() - start
        except Exception as error:  # onnxruntime has errors of its own; a picture stops nothing but itself
            print(_visible(f"error: {error}"), file=sys.stderr)
            failed += 1
            continue
        for prediction, confidence, stage in zip(*answered[:3], strict=True):
            label, macs = bundle.manifest["classes"][prediction], f"{bundle.rule.macs[stage]:,}"
            print(*map(_visible, (str(file), label, f"{confidence:.4f}", bundle.stages[stage], macs)), sep="\t")
        try:
            _append(given.log, _logged(bundle, images, seconds, answered, given.audit) if given.log else "")
        except (ValueError, OSError) as error:
            print(_visible(f"error: {error}"), file=sys.stderr)
            return 2
    if failed:
        print(f"{failed:,} of {len(files):,} files were not classified", file=sys.stderr)
    return 0 if not failed else 2 if failed == len(files) else 1


if __name__ == "__main__":
    if hasattr(signal, "SIGPIPE"):  # it ends quietly where what it is piped into has read enough
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    sys.exit(main(sys.argv[1:]))
