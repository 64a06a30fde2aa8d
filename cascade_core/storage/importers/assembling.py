"""What a reader found, and what the user says beside it -> `Outputs`, with a line on all that was supposed.

Here alone is decided what named arrays mean: the order of axes and stages, softmaxes or logits, labels, MACs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from cascade_core.simulation.outputs import StageOutputs
from cascade_core.simulation.recorded import Outputs
from cascade_core.storage.importers.axes import in_order
from cascade_core.storage.importers.found import Found
from cascade_core.storage.importers.labels import class_numbers, least_classes, without_labels
from cascade_core.storage.importers.naming import CONFIDENCE, MAC_NAMES, VALUES
from cascade_core.storage.importers.own_unit import in_proportion, own_costs
from cascade_core.storage.importers.room import check_room
from cascade_core.storage.importers.said import Said
from cascade_core.storage.importers.softmaxes import as_softmaxes
from cascade_core.storage.importers.stage_answers import is_without_softmaxes, said_without_softmaxes
from cascade_core.storage.importers.stage_costs import ASSUMED, costed
from cascade_core.storage.importers.stage_order import check_stage_count, doubts_about_order, stage_order, texts
from cascade_core.storage.origin import Origin
from cascade_core.support import checks
from cascade_core.support.files import BadFile


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """What the user says beside a file, which overrides what the file says.

    Attributes:
        macs: (M,) MACs that each stage adds.
        macs_up_to: (M,) MACs from the start up to each stage's exit, in their place; True where the file's are these.
        baseline_macs: Those of the plain network.
        stage_names: Names of the stages, in their order.
        class_names: Names of the classes.
        labels_from: The number of the first class, 0 or 1.
        assume_equal_macs: Whether every stage is taken to add the same where nobody says MACs.
    """

    macs: Sequence[int] | None = None
    macs_up_to: Sequence[int] | Literal[True] | None = None
    baseline_macs: int | None = None
    stage_names: Sequence[str] | None = None
    class_names: Sequence[str] | None = None
    labels_from: int = 0
    assume_equal_macs: bool = True

    def __post_init__(self) -> None:
        checks.whole("labels_from", self.labels_from, 0, 1)

    @property
    def costs_said(self) -> bool:
        """Whether the user says what stages cost."""
        return self.macs is not None or not (self.macs_up_to is None or self.macs_up_to is True)

    @property
    def arrays(self) -> dict[str, Any]:
        """Those that were said, by the names that files use."""
        named = {name: getattr(self, name) for name in ("macs", "macs_up_to", "baseline_macs", "class_names")}
        return {name: value for name, value in named.items() if value is not None and value is not True}


def assemble(found: Found, wishes: Wishes, file_name: str, max_bytes: int) -> Outputs:
    """The run that a file holds.

    Raises:
        TooLarge: It would take more than `max_bytes`.
        BadFile: Something is missing, or does not fit.
        ValueError: Likewise.
    """
    arrays = _overridden(found.arrays, wishes)
    said = _said(found, arrays, wishes, max_bytes)
    if said.labels is None:
        found.notes.append(without_labels(found.names))
    count = said.stages
    check_stage_count(count)
    order, names = stage_order(found, arrays, wishes.stage_names, count)
    costs = costed(found, arrays, None if wishes.costs_said else order, names, wishes.assume_equal_macs)
    own = own_costs(found, arrays, names, order, said.samples)
    if own and costs.assumed:
        costs = in_proportion(own["costs"])
    if found.named_stages:
        found.notes += doubts_about_order(names, costs.macs, None if said.accuracy is None else said.accuracy[order])
    title = ASSUMED if costs.assumed and not own else None
    origin = Origin(imported_from=file_name, notes=tuple(found.notes), assumed_macs=costs.assumed, title=title)
    return said.outputs(
        order,
        stages=costs.stages,
        baseline_macs=costs.baseline_macs,
        sample_ids=arrays.get("sample_ids"),
        source=origin.as_json(),
        **own,
    )


def _said(found: Found, arrays: dict[str, Any], wishes: Wishes, max_bytes: int) -> Said:
    """What stages said: softmaxes, or answers and confidences where there are none."""
    classes = texts(arrays.get("class_names"))
    if is_without_softmaxes(arrays):
        check_room(1, np.size(arrays[CONFIDENCE]), 1, max_bytes)
        return said_without_softmaxes(found, arrays, classes, wishes.labels_from)
    kind = _kind(arrays)
    labels = np.asarray(arrays["labels"]) if "labels" in arrays else None
    values = _values(found, kind, arrays, labels, wishes)
    check_stage_count(len(values))
    check_room(len(values), values.shape[1], values.shape[2], max_bytes)
    probs = as_softmaxes(found, kind, values)
    if classes is not None:
        classes = checks.names("class_names", classes, probs.shape[2], "class")
    numbers, accuracy = None, None
    if labels is not None:
        numbers = class_numbers(found, labels, probs.shape[2], classes, wishes.labels_from)
        accuracy = (probs.argmax(axis=2) == numbers).mean(axis=1)
    return Said(form=StageOutputs, by_stage={"probs": probs}, labels=numbers, class_names=classes, accuracy=accuracy)


def _overridden(arrays: dict[str, Any], wishes: Wishes) -> dict[str, Any]:
    kept = {name: array for name, array in arrays.items() if not (wishes.costs_said and name in MAC_NAMES)}
    if wishes.macs_up_to is True:
        kept = {f"{name}_up_to" if f"{name}_up_to" in MAC_NAMES else name: array for name, array in kept.items()}
    return kept | wishes.arrays


def _kind(arrays: dict[str, Any]) -> str:
    """What the values are called; predictions beside softmaxes or logits are answers, and passed over."""
    kinds = [name for name in VALUES if name in arrays]
    if len(kinds) > 1 and kinds[-1] == VALUES[-1]:
        kinds.pop()
    if len(kinds) != 1:
        raise BadFile(
            "expected either probs or logits, of shape (stages, samples, classes); or without softmaxes confidence, of "
            "shape (stages, samples), with answers or correct"
        )
    return kinds[0]


def _values(
    found: Found, kind: str, arrays: dict[str, Any], labels: NDArray[Any] | None, wishes: Wishes
) -> NDArray[Any]:
    """(M, N, K) softmaxes or logits."""
    raw = np.asarray(arrays[kind])
    if raw.dtype.kind not in "biuf":
        raise BadFile(f"expected {kind} to be numbers of shape (stages, samples, classes) but it holds {raw.dtype}")
    stages = [np.size(arrays[name]) for name in ("stage_names", *MAC_NAMES) if name in arrays]
    stages += [] if wishes.stage_names is None else [len(wishes.stage_names)]
    classes = np.size(arrays["class_names"]) if "class_names" in arrays else None
    samples = _count(arrays.get("sample_ids") if labels is None else labels)
    known = (stages[0] if stages else None, samples, classes)
    values = in_order(found, kind, raw, known, 1 if labels is None else least_classes(labels, wishes.labels_from))
    if labels is not None and values.shape[1] != len(np.atleast_1d(labels)):
        raise BadFile(
            f"expected labels to have shape ({values.shape[1]},) (samples) but it had shape {labels.shape}; {kind} of "
            f"shape {raw.shape} was read as (stages, samples, classes)"
        )
    if not values.size:
        raise BadFile(f"expected {kind} to hold a stage, a sample and a class but it had shape {raw.shape}")
    return values


def _count(of_samples: Any) -> int | None:
    """How many samples an array has entries of; None where there is none."""
    if of_samples is None:
        return None
    return len(of_samples) if np.ndim(of_samples) else 0
