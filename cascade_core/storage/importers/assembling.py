"""What a reader found, and what the user says beside it -> `StageOutputs`, with a line on all that was supposed.

Here alone is decided what named arrays mean: the order of axes and stages, softmaxes or logits, labels, MACs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cascade_core.simulation.outputs import StageOutputs
from cascade_core.simulation.stages import Stage
from cascade_core.storage.importers.axes import in_order
from cascade_core.storage.importers.found import Found
from cascade_core.storage.importers.labels import class_numbers, least_classes
from cascade_core.storage.importers.mac_counts import added_macs, doubts
from cascade_core.storage.importers.naming import MAC_NAMES, VALUES
from cascade_core.storage.importers.softmaxes import as_softmaxes
from cascade_core.storage.importers.stage_order import given_order
from cascade_core.storage.origin import Origin
from cascade_core.support import checks
from cascade_core.support.files import BadFile

EQUAL_MACS = 1_000_000
"""MACs that each stage is taken to add where nobody knows them."""

ASSUMED = "MACs were not given: every stage is taken to add the same."
"""The title of such a run."""


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """What the user says beside a file, which overrides what the file says.

    Attributes:
        macs: (M,) MACs that each stage adds.
        macs_up_to: (M,) MACs from the start up to each stage's exit, in their place.
        baseline_macs: Those of the plain network.
        stage_names: Names of the stages, in their order.
        class_names: Names of the classes.
        labels_from: The number of the first class, 0 or 1.
        assume_equal_macs: Whether every stage is taken to add the same where nobody says MACs.
    """

    macs: Sequence[int] | None = None
    macs_up_to: Sequence[int] | None = None
    baseline_macs: int | None = None
    stage_names: Sequence[str] | None = None
    class_names: Sequence[str] | None = None
    labels_from: int = 0
    assume_equal_macs: bool = True

    def __post_init__(self) -> None:
        checks.whole("labels_from", self.labels_from, 0, 1)

    @property
    def arrays(self) -> dict[str, Any]:
        """Those that were said, by the names that files use."""
        named = {name: getattr(self, name) for name in ("macs", "macs_up_to", "baseline_macs", "class_names")}
        return {name: value for name, value in named.items() if value is not None}


def assemble(found: Found, wishes: Wishes, file_name: str) -> StageOutputs:
    """The run that a file holds.

    Raises:
        BadFile: Something is missing, or does not fit.
        ValueError: Likewise.
    """
    arrays = _overridden(found.arrays, wishes)
    kind = _kind(arrays)
    if "labels" not in arrays:
        raise BadFile("expected labels, of shape (samples,)")
    labels = np.asarray(arrays["labels"])
    classes = _texts(arrays.get("class_names"))
    values = _values(found, kind, arrays, labels, wishes.labels_from)
    probs = as_softmaxes(found, kind, values)
    if classes is not None:
        classes = checks.names("class_names", classes, probs.shape[2], "class")
    numbers = class_numbers(found, labels, probs.shape[2], classes, wishes.labels_from)
    order, names = _stages(arrays, wishes, len(probs))
    stages, baseline, assumed = _costed(found, arrays, wishes, order, names)
    origin = Origin(
        imported_from=file_name, assumed_macs=assumed, title=ASSUMED if assumed else None, notes=tuple(found.notes)
    )
    return StageOutputs(
        probs=probs[order],
        labels=numbers,
        stages=stages,
        baseline_macs=baseline,  # type: ignore[arg-type]  # None = derive
        sample_ids=arrays.get("sample_ids"),  # type: ignore[arg-type]  # None = sample numbers
        class_names=classes,  # type: ignore[arg-type]  # None = class numbers
        source=origin.as_json(),
    )


def _overridden(arrays: dict[str, Any], wishes: Wishes) -> dict[str, Any]:
    costs_said = wishes.macs is not None or wishes.macs_up_to is not None
    kept = {name: array for name, array in arrays.items() if not (costs_said and name in MAC_NAMES)}
    return kept | wishes.arrays


def _kind(arrays: dict[str, Any]) -> str:
    """What the values are called; predictions beside softmaxes or logits are answers, and passed over."""
    kinds = [name for name in VALUES if name in arrays]
    if len(kinds) > 1 and kinds[-1] == VALUES[-1]:
        kinds.pop()
    if len(kinds) != 1:
        raise BadFile("expected either probs or logits, of shape (stages, samples, classes)")
    return kinds[0]


def _values(found: Found, kind: str, arrays: dict[str, Any], labels: NDArray[Any], labels_from: int) -> NDArray[Any]:
    """(M, N, K) softmaxes or logits."""
    raw = np.asarray(arrays[kind])
    if raw.dtype.kind not in "biuf":
        raise BadFile(f"expected {kind} to be numbers of shape (stages, samples, classes) but it holds {raw.dtype}")
    named = [np.size(arrays[name]) for name in ("stage_names", *MAC_NAMES) if name in arrays]
    known = (named[0] if named else None, len(labels) if labels.ndim else 0, None)
    values = in_order(found, kind, raw, known, least_classes(labels, labels_from))
    if values.shape[1] != len(np.atleast_1d(labels)):
        raise BadFile(f"expected labels to have shape ({values.shape[1]},) (samples) but it had shape {labels.shape}")
    if not values.size:
        raise BadFile(f"expected {kind} to hold a stage, a sample and a class but it had shape {raw.shape}")
    return values


def _stages(arrays: dict[str, Any], wishes: Wishes, count: int) -> tuple[list[int], list[str]]:
    """The order of the stages, and what they are called in that order."""
    own = _texts(arrays.get("stage_names"))
    names = list(checks.names("stage_names", own, count, "stage")) if own else [f"stage {i + 1}" for i in range(count)]
    if wishes.stage_names is None:
        return list(range(count)), names
    order = given_order(names, wishes.stage_names)
    return order or list(range(count)), list(wishes.stage_names)


def _costed(
    found: Found, arrays: dict[str, Any], wishes: Wishes, order: list[int], names: list[str]
) -> tuple[tuple[Stage, ...], int | None, bool]:
    """Stages with their MACs, the plain network's, and whether they were assumed.

    MACs that the user says are in the order of the stages, those of the file in the file's.
    """
    of_file = wishes.macs is None and wishes.macs_up_to is None
    added = added_macs(arrays, order if of_file else list(range(len(order))), found.notes)
    assumed = added is None
    if added is None:
        if not wishes.assume_equal_macs:
            raise BadFile(
                f"expected macs, the multiply-accumulates that each of the {len(names)} stages adds; "
                "give them with --macs"
            )
        added = np.full(len(names), EQUAL_MACS)
    heads = np.zeros(len(names), np.int64)
    if "head_macs" in arrays:
        heads = checks.integers("head_macs", arrays["head_macs"], "(stages)", (len(names),))[order]
    if (heads > added).any():
        stage = int((heads > added).argmax())
        raise BadFile(f"expected head_macs to be part of macs but the head of stage {stage} costs more than the stage")
    baseline = arrays.get("baseline_macs")
    cumulated = any(name in arrays for name in MAC_NAMES if name.endswith("_up_to"))
    if not assumed and not cumulated and baseline is None:
        found.notes += doubts(added, names)
    stages = tuple(
        Stage(name=name, trunk_macs=int(macs - head), head_macs=int(head))
        for name, macs, head in zip(names, added, heads, strict=True)
    )
    return (
        stages,
        None if baseline is None else int(checks.integers("baseline_macs", baseline, "(one number)", ())),
        assumed,
    )


def _texts(values: Any) -> tuple[str, ...] | None:
    return None if values is None else tuple(str(value) for value in np.ravel(values))
