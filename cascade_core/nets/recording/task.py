"""What is recorded: a model, the samples to ask it about, and what a run says of both.

A task can be sent to other machines: it holds the model and the samples' names, and reads pixels where it computes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from cascade_core.nets._torchvision import torchvision
from cascade_core.nets.answers import with_logits
from cascade_core.nets.devices import keep_heap, lay_out, placed
from cascade_core.nets.heads.weights import state_digest
from cascade_core.nets.macs import baseline_macs, stage_costs
from cascade_core.nets.samples import SampleSet, batches, check_answers
from cascade_core.nets.staged import StagedModel, softmaxes
from cascade_core.simulation.outputs import StageOutputs
from cascade_core.simulation.stages import Stage


@dataclass(frozen=True, kw_only=True)
class Task:
    """A model, the samples to ask it about, and what a run says of both.

    Attributes:
        device: Where the model computes.
        stages, baseline: As `StageOutputs` has them.
        source: Where all of it came from, as JSON data.
    """

    model: StagedModel
    data: SampleSet
    batch_size: int
    device: str
    stages: tuple[Stage, ...]
    baseline: int
    source: Mapping[str, Any]

    @classmethod
    def of(
        cls, model: StagedModel, data: SampleSet, batch_size: int, device: str, source: Mapping[str, Any] | None
    ) -> Task:
        """A task that was looked at: the model answers one sample with the right number of classes."""
        if batch_size < 1:
            raise ValueError(f"Expected batch_size to be at least 1 but it was {batch_size}")
        if len(data) == 0:
            raise ValueError(f"Expected {data.spec} to hold samples but it is empty")
        example = data[0][0][None]
        stages = stage_costs(model.cpu().eval(), example)
        with torch.inference_mode():
            answers = model(example)
        model, classes = with_logits(model, answers), answers.shape[-1]
        check_answers(data, classes)
        known = {**data.describe(), "device": torch.device(device).type, "versions": versions()}
        whole = {**(source or {}), **known}
        return cls(
            model=model,
            data=data,
            batch_size=batch_size,
            device=device,
            stages=stages,
            baseline=baseline_macs(model, example),
            source=whole,
        )

    def describe(self) -> dict[str, Any]:
        """All that decides the values, as JSON data; of pixels only which samples they belong to."""
        return {
            "source": self.source,
            "weights_sha256": state_digest(self.model),
            "samples_sha256": _samples_digest(self.data),
            "stages": [[stage.name, stage.trunk_macs, stage.head_macs] for stage in self.stages],
            "batch_size": self.batch_size,
        }

    def place(self) -> None:
        """Bring the model to its device, laid out for its convolutions."""
        lay_out(self.model.to(self.device), torch.channels_last)
        keep_heap()

    @contextmanager
    def placed(self) -> Iterator[None]:
        """The model on its device; afterwards on the CPU as it was."""
        self.place()
        try:
            yield
        finally:
            lay_out(self.model.to("cpu"), torch.contiguous_format)

    def compute(
        self, samples: range, circumstances: Mapping[str, Any], advance: Callable[[int], object] = lambda count: None
    ) -> StageOutputs:
        """The run of some samples, from the first of a batch on; the model is `placed`.

        Args:
            circumstances: What the run says beside its source.
            advance: Called with the count of samples done since its last call.
        """
        labels = self.data.labels[samples.start : samples.stop].numpy()
        probs = np.empty((len(self.stages), len(samples), len(self.data.class_names)), dtype=np.float32)
        done = 0
        for answers in self._answers(samples):
            probs[:, done : done + answers.shape[1]] = answers
            done += answers.shape[1]
            advance(answers.shape[1])
        try:
            return StageOutputs(
                probs=probs,
                labels=labels,
                stages=self.stages,
                baseline_macs=self.baseline,
                sample_ids=np.array(self.data.sample_ids[samples.start : samples.stop]),
                class_names=self.data.class_names,
                source={**self.source, **circumstances},
            )
        except ValueError as error:
            first = self.data.sample_ids[samples.start]
            raise ValueError(f"{error}; sample 0 is {first!r}" if samples.start else str(error)) from None

    def _answers(self, samples: range) -> Iterator[NDArray[np.float32]]:
        """(M, batch, K) float32 softmaxes, batch by batch."""
        made = batches(self.data, self.batch_size, skip=samples.start // self.batch_size)
        pending = None
        # Generators must not leave inference mode on while others run.
        for some, _ in islice(made, -(-len(samples) // self.batch_size)):
            with torch.inference_mode():
                answer = softmaxes(self.model, placed(some, self.device))
            # A GPU computes while the next are read; only then is waited for it.
            if pending is not None:
                yield pending.cpu().numpy()
            pending = answer
        if pending is not None:
            yield pending.cpu().numpy()


def versions() -> dict[str, str]:
    """Of the packages that decide the values."""
    return {"torch": torch.__version__, "torchvision": torchvision.__version__}


def _samples_digest(data: SampleSet) -> str:
    """SHA-256 of class names, labels and sample ids."""
    result = hashlib.sha256("\0".join(data.class_names).encode())
    result.update(data.labels.numpy().tobytes())
    for name in data.sample_ids:
        result.update(f"\0{name}".encode())
    return result.hexdigest()
