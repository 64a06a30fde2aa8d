"""Anyone's softmaxes or logits -> `StageOutputs`: NumPy archives, CSV and Parquet tables, from disk or from memory.

A NumPy archive (``.npz``) holds ``probs`` or ``logits`` (M, N, K), ``labels`` (N,) and ``macs`` (M,); ``head_macs``
(M,), ``baseline_macs``, ``stage_names``, ``class_names``, ``sample_ids`` are optional.  A table (``.csv``,
``.parquet``) has a row for each sample at each stage, with the columns ``sample_id``, ``label``, ``stage`` and ``p_0``
.. ``p_K-1`` (or ``logit_0`` ..); an optional column ``macs`` is constant within a stage.  ``macs`` is what a stage adds
to the ones before it, for one sample.  Stages that are numbered come in that order, named ones in the order in which
they first appear.  Sizes and shapes are checked before contents are read, and nothing is ever unpickled.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cascade_core.simulation.outputs import StageOutputs
from cascade_core.simulation.stages import Stage
from cascade_core.storage.importers.archives import read_npz
from cascade_core.storage.origin import Origin
from cascade_core.storage.reading import is_run_file, load_run
from cascade_core.support import checks
from cascade_core.support.files import BadFile, Contents, readable, source_of

MAX_BYTES = 2 << 30
"""Most bytes that an imported file may take, on disk and unpacked."""

EQUAL_MACS = 1_000_000
"""MACs that each stage is taken to add where nobody knows them."""

ASSUMED = "MACs were not given: every stage is taken to add the same."
"""The title of such a run."""

_FORMATS = (".npz", ".csv", ".parquet")


def import_run(
    path: str | Path | Contents,
    *,
    macs: Sequence[int] | None = None,
    baseline_macs: int | None = None,
    stage_names: Sequence[str] | None = None,
    class_names: Sequence[str] | None = None,
    assume_equal_macs: bool = False,
    max_bytes: int = MAX_BYTES,
) -> StageOutputs:
    """Read softmaxes or logits from ``.npz``, ``.csv`` or ``.parquet``; a run file is read as it is.

    Args:
        path: The file, or its contents; its ending says its format.
        macs: (M,) multiply-accumulates that each stage adds; overrides the file's.
        baseline_macs: MACs of the plain network; without it, the sum of `macs`.
        stage_names, class_names: Override the file's.
        assume_equal_macs: Where nobody says `macs`, take every stage to cost the same; the run's title says so then.
        max_bytes: Refuse files larger than this, on disk or unpacked.

    Raises:
        BadFile: One line: what was expected, what came, where, and what to do; also where an
            argument overrides what a run file has already.
    """
    source = source_of(path)
    extra = {"macs": macs, "baseline_macs": baseline_macs, "stage_names": stage_names, "class_names": class_names}
    # Whoever imports the package would wait for pandas; only tables need it.
    from cascade_core.storage.importers import sheets

    with readable(source, "import"):
        checks.one_of("the file's ending", source.suffix, _FORMATS)
        extra = {key: value for key, value in extra.items() if value is not None}
        with source.open("rb") as stream:
            size = stream.seek(0, io.SEEK_END)
            if size > max_bytes:
                raise BadFile(f"expected at most {max_bytes:,} bytes but the file has {size:,}")
            stream.seek(0)
            if source.suffix == ".parquet":
                sheets.check_parquet(stream)
            if source.suffix == ".parquet" and is_run_file(source):
                if extra:
                    raise BadFile(f"expected no {', '.join(extra)} for a run file, which has its own; leave them out")
                return load_run(source, max_bytes)
            is_archive = source.suffix == ".npz"
            arrays = read_npz(stream, max_bytes) if is_archive else sheets.read_table(stream, source.suffix, max_bytes)
        return _outputs(arrays | extra, source.name, assume_equal_macs)


def with_macs(outputs: StageOutputs, macs: Sequence[int], baseline_macs: int | None = None) -> StageOutputs:
    """The run with MACs that are known after all.

    Args:
        macs: (M,) multiply-accumulates that each stage adds, its head's among them.
        baseline_macs: MACs of the plain network; without it, the sum of `macs`.

    Raises:
        ValueError: There is not one for each stage, or one is not a whole number of 0 or more.
    """
    total = checks.integers("macs", macs, "(stages)", (len(outputs.stages),))
    return replace(
        outputs,
        stages=tuple(
            Stage(name=stage.name, trunk_macs=int(all_macs), head_macs=0)
            for stage, all_macs in zip(outputs.stages, total, strict=True)
        ),
        baseline_macs=baseline_macs,  # type: ignore[arg-type]  # None = the sum
        source=replace(Origin.of(outputs.source), assumed_macs=False, title=None).as_json(),
    )


def _outputs(arrays: dict[str, Any], file_name: str, assume_equal_macs: bool) -> StageOutputs:
    """Assemble what a file held; logits become softmaxes here."""
    if ("probs" in arrays) == ("logits" in arrays):
        raise BadFile("expected either probs or logits, of shape (stages, samples, classes)")
    if "labels" not in arrays:
        raise BadFile("expected labels, of shape (samples,)")
    probs = arrays["probs"] if "probs" in arrays else _softmax(arrays["logits"])
    if np.ndim(probs) != 3:
        raise BadFile(f"expected probs to have shape (stages, samples, classes) but it had shape {np.shape(probs)}")
    m = len(probs)
    origin = Origin(imported_from=file_name)
    if "macs" not in arrays and assume_equal_macs:
        arrays = arrays | {"macs": [EQUAL_MACS] * m}
        origin = replace(origin, assumed_macs=True, title=ASSUMED)
    if "macs" not in arrays:
        raise BadFile(
            f"expected macs, the multiply-accumulates that each of the {m} stages adds; give them with --macs"
        )
    total = checks.integers("macs", arrays["macs"], "(stages)", (m,))
    heads = checks.integers("head_macs", arrays.get("head_macs", np.zeros(m, np.int64)), "(stages)", (m,))
    if (total < 0).any():
        stage = int((total < 0).argmax())
        raise BadFile(f"expected macs to be 0 or more but stage {stage} has {total[stage]}")
    if (heads > total).any():
        stage = int((heads > total).argmax())
        raise BadFile(f"expected head_macs to be part of macs but the head of stage {stage} costs more than the stage")
    baseline = arrays.get("baseline_macs")
    names = arrays.get("stage_names", [f"stage {i + 1}" for i in range(m)])
    names = checks.names("stage_names", _texts(names), m, "stage")
    return StageOutputs(
        probs=probs,
        labels=arrays["labels"],
        stages=tuple(
            Stage(name=name, trunk_macs=int(all_macs - head), head_macs=int(head))
            for name, all_macs, head in zip(names, total, heads, strict=True)
        ),
        baseline_macs=None if baseline is None else int(checks.integers("baseline_macs", baseline, "(one number)", ())),  # type: ignore[arg-type]  # None = derive
        sample_ids=arrays.get("sample_ids"),  # type: ignore[arg-type]  # None = sample numbers
        class_names=_texts(arrays["class_names"]) if "class_names" in arrays else None,  # type: ignore[arg-type]  # None = class numbers
        source=origin.as_json(),
    )


def _texts(values: Any) -> tuple[str, ...]:
    return tuple(str(value) for value in np.ravel(values))


def _softmax(logits: Any) -> NDArray[np.float32]:
    values = checks.array("logits", logits, np.float64, "(stages, samples, classes)", (None, None, None))
    if not np.isfinite(values).all():
        stage, sample, klass = np.argwhere(~np.isfinite(values))[0]
        raise BadFile(f"expected finite logits but stage {stage}, sample {sample}, class {klass} is not")
    raised = np.exp(values - values.max(axis=2, keepdims=True))
    return (raised / raised.sum(axis=2, keepdims=True)).astype(np.float32)
