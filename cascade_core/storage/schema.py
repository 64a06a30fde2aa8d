"""What a run file is: its version, its metadata and the types of its columns; `reading` and `writing` share it.

One run is one ``.parquet`` file (or a folder of parts of one schema, see `parts`): a row a sample, with its id, its
label, and for each stage m the columns ``stage_m_prediction``, one for each score such as ``stage_m_max_probability``,
and ``stage_m_probs``, the softmax as a fixed-size list of float32.  A run without softmaxes says so in its metadata and
has ``stage_m_confidence`` in their place, and ``stage_m_correct`` where answers are not right by the label alone.
A run of counts has a row for each cell of a grid of confidences, and says how many samples it stands for (`counted`).
A run whose samples are of groups has a column of texts for each division, such as ``group_camera``, and their names in
its metadata; readers that know of none pass over them.
Names, MACs and origin are JSON under the key ``cascade_core`` of the file's metadata.  Nothing is pickled; nothing in a
file is executed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cascade_core.simulation import scores
from cascade_core.simulation.answers import StageAnswers
from cascade_core.simulation.meters import MACS, Meter
from cascade_core.simulation.outputs import StageOutputs
from cascade_core.simulation.own_costs import OwnCosts
from cascade_core.simulation.recorded import Outputs
from cascade_core.simulation.sample_costs import SampleCosts
from cascade_core.simulation.stages import Stage
from cascade_core.storage.costs import parse_costs
from cascade_core.storage.origin import Origin
from cascade_core.support.files import BadFile
from cascade_core.support.json_files import strict_json
from cascade_core.support.terms import REFERENCES

ANSWERS_SINCE = REFERENCE_SINCE = 2
SCHEMA_VERSION = COUNTS_SINCE = 3
"""Files of version 1 have softmaxes and labels; such runs are still written so, for readers that know no others."""

STORED_SCORES = ("max_probability", "margin", "negative_entropy")
"""Scores that have columns of their own in files with softmaxes; others are computed from the softmaxes."""

GROUP = "group_"
"""What names of columns begin with that say of what group a sample is."""

COUNT = "count"
"""The column of runs of counts that says how many samples a row stands for."""

METADATA_KEY = b"cascade_core"
PART_KEY = b"cascade_core_part"
"""Under it a part that was computed by itself says of which work it is which part."""


def run_metadata(outputs: Outputs) -> dict[str, Any]:
    """What `read_metadata` would find in the file that `save_run` would write."""
    form: dict[str, Any] = {"schema_version": 1}
    if not isinstance(outputs, StageOutputs):
        form = {"schema_version": ANSWERS_SINCE, "softmaxes": False}
    if outputs.reference != "labels":
        form |= {"schema_version": REFERENCE_SINCE, "reference": outputs.reference}
    return form | {
        "stages": [{"name": s.name, "trunk_macs": s.trunk_macs, "head_macs": s.head_macs} for s in outputs.stages],
        "baseline_macs": outputs.baseline_macs,
        "class_names": list(outputs.class_names),
        "source": dict(outputs.source),
        **({} if outputs.costs is None else {"costs": outputs.costs.describe()}),
        **({} if outputs.spending is None else {"costs_by_sample": True}),
        **({"groups": [one.what for one in outputs.groups]} if outputs.groups else {}),
    }


def parse_metadata(raw: bytes | None) -> dict[str, Any]:
    """The metadata of a run file from its bytes, checked.

    Raises:
        BadFile: There is none, or it is of another version or shape.
    """
    if raw is None:
        raise BadFile("it is Parquet but not a run; `python -m cascade_core import` makes a run of your softmaxes")
    metadata = strict_json(raw)
    version = metadata.get("schema_version") if isinstance(metadata, dict) else None
    if version not in range(1, SCHEMA_VERSION + 1) or isinstance(version, bool):
        raise BadFile(
            f"expected schema version 1 to {SCHEMA_VERSION} but it has {str(version)[:40]}; update this program"
        )
    if metadata.get("softmaxes", True) is not True and (version == 1 or metadata["softmaxes"] is not False):
        raise BadFile(f"expected softmaxes in its metadata to be true, or false from version {ANSWERS_SINCE} on")
    for key, kind in (("stages", list), ("baseline_macs", int), ("class_names", list), ("source", dict)):
        if not isinstance(metadata.get(key), kind) or metadata[key] == []:
            raise BadFile(f"expected {key} in its metadata but it is missing, empty or of another type")
    reference = metadata.get("reference", "labels")
    if reference not in REFERENCES:
        raise BadFile(
            f"expected reference in its metadata to be one of {', '.join(REFERENCES)} but it has {reference!r:.40}"
        )
    if not isinstance(metadata.get("costs_by_sample", False), bool):
        raise BadFile("expected costs_by_sample in its metadata to be true or false")
    for stage in metadata["stages"]:
        if not isinstance(stage, dict) or stage.keys() != {"name", "trunk_macs", "head_macs"}:
            raise BadFile(f"expected a stage to have name, trunk_macs and head_macs but one is {str(stage)[:60]}")
    if not _are_names(metadata.get("groups", [])):
        raise BadFile("expected groups in its metadata to be different names of columns")
    own_costs(metadata)
    _check_counted(metadata)
    return metadata


def _are_names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value) and len(set(value)) == len(value)


def group_columns(metadata: Mapping[str, Any]) -> list[str]:
    """Columns that say of what group each sample is."""
    return [f"{GROUP}{what}" for what in metadata.get("groups", [])]


def _check_counted(metadata: Mapping[str, Any]) -> None:
    """Raise BadFile unless what a run says of its counts, if it is one, fits: its score, and a grid of each stage."""
    if not is_counted(metadata):
        return
    counted = metadata["counts"] if isinstance(metadata["counts"], dict) else {}
    grid, score = counted.get("grid"), counted.get("score")
    if metadata["schema_version"] < COUNTS_SINCE or has_softmaxes(metadata) or metadata.get("costs_by_sample"):
        raise BadFile(f"expected counts in its metadata from version {COUNTS_SINCE} on, and no softmaxes beside them")
    if not isinstance(grid, list) or len(grid) != len(metadata["stages"]) - 1 or not all(map(_rising, grid)):
        raise BadFile("expected counts to have a grid of rising confidences for each stage but the last")
    if score not in tuple(scores.SCORES):
        raise BadFile(f"expected counts by one of {', '.join(scores.SCORES)} but they are by {score!r:.40}")


def _rising(values: Any) -> bool:
    """Whether these are finite numbers, each as float32 above the one before it."""
    if not isinstance(values, list) or not values or not all(type(value) in (int, float) for value in values):
        return False
    with np.errstate(over="ignore"):
        grid = np.array(values, dtype=np.float64).astype(np.float32)
    return bool(np.isfinite(grid).all() and (grid[1:] > grid[:-1]).all())


def is_counted(metadata: Mapping[str, Any]) -> bool:
    """Whether a run holds counts on a grid of confidences in place of single samples."""
    return "counts" in metadata


def has_softmaxes(metadata: Mapping[str, Any]) -> bool:
    """Whether a run of this metadata has softmaxes, or answers and confidences alone."""
    return bool(metadata.get("softmaxes", True))


def stage_columns(outputs: Outputs) -> Iterator[dict[str, Any]]:
    """The columns (N,) of each stage, by what they hold."""
    if isinstance(outputs, StageOutputs):
        for probs in outputs.probs:
            yield stored_beside(probs) | {
                "probs": pa.FixedSizeListArray.from_arrays(pa.array(probs.ravel()), probs.shape[1])
            }
    if isinstance(outputs, StageAnswers):
        for stage, (answers, confidence) in enumerate(zip(outputs.predictions, outputs.confidence, strict=True)):
            own = {} if outputs.judged_by_label else {"correct": outputs.correct[stage]}
            yield {"prediction": answers, "confidence": confidence} | own


def stored_beside(probs: NDArray[np.float32]) -> dict[str, NDArray[Any]]:
    """Answers and scores (N,) that are written beside the softmaxes (N, K) of a stage, by their columns' names."""
    return {"prediction": probs.argmax(axis=1)} | {s: scores.confidence(probs, s, 1) for s in STORED_SCORES}


def outputs_fields(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of `Outputs` that metadata gives."""
    return {
        "costs": own_costs(metadata),
        "stages": tuple(Stage(**stage) for stage in metadata["stages"]),
        "baseline_macs": metadata["baseline_macs"],
        "class_names": tuple(metadata["class_names"]),
        "source": metadata["source"],
        "reference": metadata.get("reference", "labels"),
    }


def same_cascade(metadata: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two runs have the same stages at the same MACs; the last head may count as trunk in one of them."""

    def stages(of: Mapping[str, Any]) -> list[tuple[str, int]]:
        return [(stage["name"], stage["trunk_macs"] + stage["head_macs"]) for stage in of["stages"]]

    return stages(metadata) == stages(other) and metadata["baseline_macs"] == other["baseline_macs"]


def own_costs(metadata: Mapping[str, Any]) -> OwnCosts | None:
    """What the stages of a run cost in a unit of its own; None where it does not say.

    Raises:
        BadFile: They are of other stages, or a value does not fit.
    """
    costs, names = metadata.get("costs"), tuple(stage["name"] for stage in metadata["stages"])
    if costs is None:
        return None
    if isinstance(costs, dict) and isinstance(costs.get("stages"), dict) and costs["stages"].keys() == set(names):
        # JSON has them sorted by name.
        costs = {**costs, "stages": {name: costs["stages"][name] for name in names}}
    return parse_costs(costs, names)


def own_meter(metadata: Mapping[str, Any]) -> OwnCosts | SampleCosts | None:
    """What counts a run's own costs; None where it has none."""
    costs = own_costs(metadata)
    return SampleCosts(costs) if costs is not None and metadata.get("costs_by_sample") else costs


def costs_in_place_of_macs(metadata: Mapping[str, Any]) -> OwnCosts | None:
    """The own costs of a run whose MACs nobody knows."""
    return own_costs(metadata) if Origin.of(metadata["source"]).assumed_macs else None


def usual_meter(metadata: Mapping[str, Any]) -> Meter:
    """What a run's costs are counted in where nobody says: its own unit, if it has no MACs but assumed ones."""
    own = None if costs_in_place_of_macs(metadata) is None else own_meter(metadata)
    return MACS if own is None else own


def check_type(name: str, stored: pa.DataType, size: int | None) -> None:
    """Raise BadFile unless a column has its type; `size` is that of its lists, if it holds lists."""
    if size is not None:
        fits, expected = stored == pa.list_(pa.float32(), size), f"lists of {size} float32"
    elif name == "sample_id" or name.startswith(GROUP):
        fits, expected = pa.types.is_string(stored) or pa.types.is_large_string(stored), "texts"
    elif name.endswith("_correct"):
        fits, expected = pa.types.is_boolean(stored), "true or false"
    elif name.endswith("_cost"):
        fits, expected = stored == pa.float64(), "float64"
    elif name in ("label", COUNT) or name.endswith("_prediction"):
        fits, expected = pa.types.is_integer(stored), "whole numbers"
    else:
        fits, expected = stored == pa.float32(), "float32"
    if not fits:
        raise BadFile(f"expected column {name!r} to hold {expected} but it holds {stored}")
