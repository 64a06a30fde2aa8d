"""The doors that files come in by: a good file for each (`good_files`), the ways to change it, and what opens it."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cascade_core import load_run
from cascade_core.__main__ import main
from cascade_core.analysis import prepared
from cascade_core.storage.parts import PLAN
from cascade_core.storage.reading import digest
from tests.fuzzing import good_files as good
from tests.fuzzing.changes import Change, in_arrays, in_bytes, in_digits, in_json, in_lines

Open = Callable[[Path], None]
"""Opens the files of a folder; raises Refused with what was said, or Fault."""


OURS = str.maketrans("\t\u00a0", "  ")
"""Tabs between columns and blanks that keep numbers with their units are not printable, but ours."""


class Refused(Exception):
    """One clean line, as it should be."""


class Fault(AssertionError):
    """What must not be: another exit status, several lines, unclean ones, or something left behind."""


@dataclass(frozen=True, kw_only=True)
class Door:
    """A way in.

    Attributes:
        files: Good files, by name; the first is the one that is changed.
        changes: Ways to change it.
    """

    files: Callable[[], Mapping[str, bytes]]
    changes: Sequence[Change]
    open: Open


def verb(*words: str, out: str = "") -> Open:
    """Runs a verb on the files of the folder, which `{}` stands for; `out` is what it may leave behind."""

    def opened(folder: Path) -> None:
        before = set(folder.rglob("*"))
        said, complained = io.StringIO(), io.StringIO()
        with redirect_stdout(said), redirect_stderr(complained):
            status = main([word.replace("{}", str(folder)) for word in words])
        lines = complained.getvalue().splitlines()
        unclean = [line for line in (*lines, *said.getvalue().splitlines()) if not line.translate(OURS).isprintable()]
        if unclean:
            raise Fault(f"unclean lines: {unclean[:2]}")
        left = {path.name for path in set(folder.rglob("*")) - before}
        if left - ({out} if status == 0 else set()):
            raise Fault(f"left behind with status {status}: {left}")
        if status == 2 and [line for line in lines if not line.startswith("note: ")] == lines[-1:]:
            raise Refused(lines[-1])
        if status != 0:
            raise Fault(f"status {status}: {complained.getvalue()[-500:]}")
        if out:
            load_run(folder / out)  # what was written is whole
            (folder / out).unlink()

    return opened


def reader(read: Callable[[Path], object], name: str) -> Open:
    """Calls what reads a file, whose refusals are ValueErrors and OSErrors of one line."""

    def opened(folder: Path) -> None:
        try:
            read(folder / name)
        except (ValueError, OSError) as error:
            if "\n" in str(error):
                raise Fault(f"several lines: {error}") from None
            raise Refused(str(error)) from None

    return opened


def _first(name: str, files: Mapping[str, bytes]) -> Mapping[str, bytes]:
    """The same files, of which another is changed."""
    return {name: files[name], **files}


def _load_front(path: Path) -> Any:
    from cascade_core.nets.networks.named import find, load_model

    return load_model(find(f"front={path}"), None)


def _read_prepared(path: Path) -> object:
    run = path.with_name("run.parquet")
    found = prepared.load_prepared(run, digest(run))
    return None if found is None else found.path.rule(0)


def _open_image(path: Path) -> Any:
    from cascade_core.nets.images.pixels import open_image

    return open_image(path)


def _data(kind: str) -> Open:
    """Opens shards of pictures, and reads the first."""

    def read(path: Path) -> object:
        from cascade_core.nets.images.datasets import open_images
        from cascade_core.nets.images.pixels import Preprocessing

        return open_images(f"{kind}:{path}", Preprocessing(size=8)).read(0)

    return reader(read, f"shard.{'tar' if kind == 'wds' else kind}")


def _read_tensors(path: Path) -> Any:
    from cascade_core.nets.heads.checkpoints import read_tensors

    return read_tensors(path)


LINK = (
    "run=mine&policy=paper&score=margin&answers=own&seed=7&at=2.5&hand=0.75,-&policies=paper&view=compare&kind=harmed"
)


def _read_link(path: Path) -> Any:
    from cascade_core.panels import address, history
    from cascade_core.panels.linked import links

    query = history.parameters(path.read_bytes().decode("latin-1"))
    values, faults = address.parsed(query, links(("mine",), ("explore", "compare")))
    address.query_of({link.value.key: link.value.default for link in links((), ())} | values, links((), ()))
    if any("\n" in fault for fault in faults):
        raise Fault(f"several lines: {faults}")


IMPORTED = "made.parquet"


def imported(name: str) -> Open:
    """Makes a run of a file."""
    return verb("import", "{}/" + name, "--out", "{}/" + IMPORTED, out=IMPORTED)


EVALUATE = ("evaluate", "{}/choice.json", "{}/run.parquet")
WATCH = ("watch", "{}/choice.json", "{}/exits.jsonl")
JSON: Sequence[Change] = (in_json, in_json, in_digits, in_bytes)
TEXT: Sequence[Change] = (in_lines, in_digits, in_bytes)

DOORS = {
    "import-npz": Door(files=good.arrays, changes=(in_arrays, in_bytes), open=imported("softmaxes.npz")),
    "import-answers": Door(files=good.answers, changes=(in_arrays, in_bytes), open=imported("answers.npz")),
    "import-csv": Door(
        files=lambda: {"softmaxes.csv": good.frame().to_csv(index=False).encode()},
        changes=TEXT,
        open=imported("softmaxes.csv"),
    ),
    "import-jsonl": Door(files=good.lines, changes=TEXT, open=imported("softmaxes.jsonl")),
    "import-parquet": Door(
        files=lambda: {"softmaxes.parquet": good.table()}, changes=(in_bytes,), open=imported("softmaxes.parquet")
    ),
    "groups": Door(
        files=lambda: {"cameras.csv": good.cameras(), "run.parquet": good.run_file()},
        changes=TEXT,
        open=verb("group", "{}/run.parquet", "{}/cameras.csv", "--out", "{}/" + IMPORTED, out=IMPORTED),
    ),
    "show": Door(
        files=lambda: {"run.parquet": good.run_file()}, changes=(in_bytes,), open=verb("show", "{}/run.parquet")
    ),
    "plan": Door(files=lambda: good.parts(f"run/{PLAN}"), changes=JSON, open=verb("show", "{}/run")),
    "part": Door(files=lambda: good.parts("run/part-00000.parquet"), changes=(in_bytes,), open=verb("show", "{}/run")),
    "choice": Door(files=good.chosen, changes=JSON, open=verb(*EVALUATE)),
    "costs": Door(files=good.costs, changes=JSON, open=verb(*EVALUATE, "--cost", "own")),
    "profile": Door(files=good.profile, changes=JSON, open=verb(*EVALUATE, "--cost", "milliseconds")),
    "prepared": Door(files=good.found, changes=JSON, open=reader(_read_prepared, "run.prepared.json")),
    "log": Door(files=lambda: _first("exits.jsonl", good.watched()), changes=TEXT, open=verb(*WATCH)),
    "state": Door(
        files=lambda: _first("state.json", good.watched()), changes=JSON, open=verb(*WATCH, "--state", "{}/state.json")
    ),
    "picture": Door(files=good.picture, changes=(in_bytes,), open=reader(_open_image, "picture.png")),
    "checkpoint": Door(files=good.checkpoint, changes=(in_bytes,), open=reader(_read_tensors, "weights.pt")),
    "link": Door(files=lambda: {"link.txt": LINK.encode()}, changes=(in_bytes,), open=reader(_read_link, "link.txt")),
    "front": Door(files=good.front, changes=(in_digits, in_bytes), open=reader(_load_front, "front.safetensors")),
    "tar": Door(files=good.tar, changes=(in_bytes, in_digits), open=_data("wds")),
    "pictures-parquet": Door(files=good.shown, changes=(in_bytes,), open=_data("parquet")),
    "tensors": Door(files=good.tensors, changes=(in_bytes,), open=reader(_read_tensors, "weights.safetensors")),
}
