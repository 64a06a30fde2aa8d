"""What a file says that its stages answered, judged and named: all of a run but its stages' names and costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cascade_core.simulation.answers import StageAnswers
from cascade_core.simulation.outputs import StageOutputs


@dataclass(frozen=True, kw_only=True)
class Said:
    """What stages said, in the order in which the file has them.

    Attributes:
        form: What a run of it is.
        by_stage: Fields of that form whose first axis is stages.
        labels: (N,) class numbers; None where there are none.
        class_names: K texts; None = class numbers.
        accuracy: (M,) share of right answers, in [0, 1]; None without labels.
    """

    form: type[StageOutputs] | type[StageAnswers]
    by_stage: Mapping[str, NDArray[Any]]
    labels: NDArray[np.int64] | None
    class_names: tuple[str, ...] | None
    accuracy: NDArray[np.float64] | None

    @property
    def stages(self) -> int:
        """How many there are."""
        return len(next(iter(self.by_stage.values())))

    @property
    def samples(self) -> int:
        """How many there are."""
        return next(iter(self.by_stage.values())).shape[1]

    def outputs(self, order: Sequence[int], **others: Any) -> StageOutputs | StageAnswers:
        """The run with stages in an order, and the fields that are not here."""
        by_stage: dict[str, Any] = {name: values[list(order)] for name, values in self.by_stage.items()}
        return self.form(**by_stage, labels=self.labels, class_names=self.class_names, **others)  # type: ignore[arg-type]  # None = class numbers; the last stage
