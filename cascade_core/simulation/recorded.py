"""What every recording of a cascade's stages holds, with softmaxes or without: `Outputs`, and the checks of its fields.

`outputs.StageOutputs` has every stage's softmax; `answers.StageAnswers` has answers and confidences alone, as language
models and services on the network give them.  Whoever needs no softmaxes takes either.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from cascade_core.simulation.groups import CLASS, Groups, checked_divisions
from cascade_core.simulation.own_costs import OwnCosts
from cascade_core.simulation.pool import Pool
from cascade_core.simulation.record import Record, check_stand_in
from cascade_core.simulation.sample_costs import SampleCosts
from cascade_core.simulation.spending import Spending
from cascade_core.simulation.stages import Stage, checked_baseline, checked_stages
from cascade_core.support import checks
from cascade_core.support.terms import REFERENCES, Reference


@dataclass(frozen=True, kw_only=True, eq=False)
class Outputs(ABC):
    """What stages said of samples, and what the stages, samples and classes are.

    Attributes:
        labels: (N,) int64 class numbers, in [0, K); without them, the last stage's answers stand in.
        stages: M stages, first to last.
        baseline_macs: MACs of the plain network that would be run instead (for a cascade of models
            the last model alone); without it, all trunk pieces and the last head.
        sample_ids: (N,) different texts, such as file names; without them, the sample numbers.
        class_names: K texts; without them, the class numbers.
        source: Where the run came from (network, weights digest, data set, versions, ...), as JSON data.
        reference: What answers are compared with: the "labels", or, where there are none, the "last stage".
        costs: What stages cost in a unit of the run's own; None where nobody says so.
        spending: What that is for each sample, of which `costs` are the means; None where samples cost alike.
        groups: Divisions of the samples by what is known of them, beside that by class.
    """

    labels: NDArray[np.int64] = None  # type: ignore[assignment]  # filled in below, never None afterwards
    stages: tuple[Stage, ...]
    baseline_macs: int = None  # type: ignore[assignment]  # likewise
    sample_ids: NDArray[np.str_] = None  # type: ignore[assignment]  # likewise
    class_names: tuple[str, ...] = None  # type: ignore[assignment]  # likewise
    source: Mapping[str, Any] = field(default_factory=dict)
    reference: Reference = None  # type: ignore[assignment]  # likewise
    costs: OwnCosts | None = None
    spending: Spending | None = None
    groups: tuple[Groups, ...] = ()

    @property
    def divisions(self) -> tuple[str, ...]:
        """What the samples can be divided by: "class", and the columns of groups."""
        return (CLASS, *(one.what for one in self.groups))

    def divided_by(self, what: str) -> Groups:
        """The samples by one of `divisions`; by class is by label, or by the last stage's answer where that is one.

        Raises:
            ValueError: There is no such division.
        """
        if what == CLASS:
            return Groups(what=CLASS, names=self.class_names, of=self.labels)
        for one in self.groups:
            if one.what == what:
                return one
        raise ValueError(f"Expected to divide samples by {' or '.join(map(repr, self.divisions))} but it was {what!r}")

    @property
    def meter(self) -> OwnCosts | SampleCosts | None:
        """What counts the run's own costs; None where it has none."""
        return SampleCosts(self.costs) if self.costs is not None and self.spending is not None else self.costs

    @property
    @abstractmethod
    def scores(self) -> tuple[str, ...]:
        """Names in `scores.SCORES` of how sure stages are, that a record may be made under; the usual one first."""

    @abstractmethod
    def record(self, score: str | None = None, top_k: int = 1, pool: Pool | None = None) -> Record:
        """Confidences and answers under a score.

        Args:
            score: One of `scores`; None = the first.
            top_k: An answer is the `top_k` surest classes, right if the label is among them.
            pool: What stages answer with; None = each by itself.

        Raises:
            ValueError: These outputs have no such score, `top_k` is not from 1 to K, or the pool is of other stages.
        """

    @abstractmethod
    def without_labels(self) -> Self:
        """The same samples where the last stage's answers stand in for labels, as if there were none."""

    @abstractmethod
    def take(self, index: NDArray[np.int64]) -> Self:
        """The samples at `index` (n,), in that order."""

    @property
    @abstractmethod
    def nbytes(self) -> int:
        """Bytes of what stages said."""

    def _taken(self, index: NDArray[np.int64]) -> dict[str, Any]:
        """The fields that are here and have an entry for each sample, of the samples at `index`."""
        spending = None if self.spending is None else self.spending.take(index)
        groups = tuple(one.take(index) for one in self.groups)
        ids = self.sample_ids[index]
        return {"labels": self.labels[index], "sample_ids": ids, "spending": spending, "groups": groups}

    def _check_fields(self, m: int, n: int, k: int, last: NDArray[np.int64]) -> None:
        """Check and cast the fields that are here, of m stages, n samples and k classes.

        Args:
            last: (N,) what the last stage answers.
        """
        ids = np.arange(n).astype(str) if self.sample_ids is None else np.asarray(self.sample_ids).astype(str)
        if ids.shape != (n,):
            raise ValueError(f"Expected sample_ids to have shape ({n},) (samples) but it had shape {ids.shape}")
        checks.encodable("sample_ids", ids)
        _check_ids(ids)
        ids.setflags(write=False)
        classes = [str(c) for c in range(k)] if self.class_names is None else self.class_names
        put = object.__setattr__
        put(self, "reference", self._reference())
        put(self, "labels", last if self.labels is None else _labels(self.labels, n, k))
        if self.reference == "last stage":
            check_stand_in(self.labels, last)
        put(self, "stages", checked_stages(self.stages, m, n))
        put(self, "baseline_macs", checked_baseline(self.baseline_macs, self.stages))
        put(self, "sample_ids", ids)
        put(self, "class_names", checks.names("class_names", classes, k, "class"))
        put(self, "source", _json_data("source", self.source))
        put(self, "groups", checked_divisions(self.groups, n))
        names = tuple(stage.name for stage in self.stages)
        if self.costs is not None and self.costs.stage_names != names:
            raise ValueError(f"Expected costs of the stages {names} but they are of {self.costs.stage_names}")
        if self.spending is not None and (self.costs is None or self.spending.stages.shape != (m, n)):
            raise ValueError(
                f"Expected spending of shape ({m}, {n}) (stages, samples), with costs that say its unit, but it had "
                f"shape {self.spending.stages.shape}"
            )

    def _reference(self) -> Reference:
        """What answers are compared with, as said or as labels are there."""
        found: Reference = "last stage" if self.labels is None else "labels"
        reference = found if self.reference is None else self.reference
        checks.one_of("reference", reference, REFERENCES)
        if reference == "labels" != found:
            raise ValueError("Expected labels where they are the reference but there are none")
        return reference


def _labels(values: Any, n: int, k: int) -> NDArray[np.int64]:
    labels = checks.integers("labels", values, "(samples)", (n,))
    outside = np.flatnonzero((labels < 0) | (labels >= k))
    if outside.size:
        i = int(outside[0])
        hint = "; they seem to count from 1: subtract it" if labels.min() == 1 and labels.max() == k else ""
        raise ValueError(f"Expected labels to be from 0 to {k - 1} but sample {i} has {labels[i]}{hint}")
    return labels


def _json_data(name: str, value: Mapping[str, Any]) -> dict[str, Any]:
    """`value` as it would come back from a file, so that what cannot be written is refused at once."""
    try:
        return json.loads(json.dumps(dict(value), allow_nan=False))
    except (TypeError, ValueError) as error:
        raise ValueError(f"Expected {name} to be a mapping of JSON data but {error}") from None


def _check_ids(ids: NDArray[np.str_]) -> None:
    """Raise ValueError where an id repeats: the same sample would choose thresholds and measure them."""
    _, first, counts = np.unique(ids, return_index=True, return_counts=True)
    if len(first) < len(ids):
        i = int(first[counts > 1].min())
        again = int(np.flatnonzero(ids == ids[i])[1])
        raise ValueError(
            f"Expected each sample to have an id of its own in sample_ids but {len(ids) - len(first):,} of "
            f"{len(ids):,} repeat one: sample {again} has {str(ids[i])[:40]!r} as sample {i} does; leave each in once"
        )
