"""Recording what every stage of a model says about every sample: one pass, one forward for all stages.

`precompute` gives a `StageOutputs` (softmaxes in float32, labels, sample ids, costs, and where it all came from), in
memory.  `precompute_to` writes the same to disk chunk by chunk, with the memory of one chunk: a killed one goes on
when it is started again, and several processes share the work, see `chunks`.  Nothing is chosen here: any rule can
be tried on the result without running the network again.

The values of both are equal bit for bit, and so are those of any number of processes, as long as the batch size,
the kind of processor and the versions are: batches are the same.  On a CPU the number of threads may matter too:
oneDNN sums some 1x1 convolutions in another order, in the last digit, when threads are many.  A plan therefore keeps
the number of threads with which it was begun; torchrun sets OMP_NUM_THREADS=1 unless you set it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from cascade_core.nets._torchvision import torchvision
from cascade_core.nets.answers import with_logits
from cascade_core.nets.devices import keep_heap, lay_out, placed, resolve_device, threads
from cascade_core.nets.heads.weights import state_digest
from cascade_core.nets.macs import baseline_macs, stage_costs
from cascade_core.nets.progress import Bar
from cascade_core.nets.recording.chunks import Chunks
from cascade_core.nets.samples import SampleSet, batches, check_answers
from cascade_core.nets.staged import StagedModel, softmaxes
from cascade_core.simulation.outputs import StageOutputs
from cascade_core.simulation.stages import Stage
from cascade_core.storage.parts import check_result
from cascade_core.support import checks
from cascade_core.support.group import Group

MAX_THREADS = 4096


def precompute(
    model: StagedModel,
    data: SampleSet,
    *,
    batch_size: int = 256,
    device: str = "auto",
    progress: bool = True,
    source: Mapping[str, Any] | None = None,
) -> StageOutputs:
    """Every stage's softmax on every sample of `data`, in its order.

    Args:
        model: Put in eval mode, and moved to the device and back.
        device: "auto", or a device's name.
        source: Where the model came from, as JSON data; what is known here is added.

    Raises:
        ValueError: The device is absent, the batch size below 1, there are no samples, or the model answers with
            another number of classes.
    """
    task = _Task.of(model, data, batch_size, resolve_device(device), source)
    with (
        _placed(task.model, task.device),
        Bar(total=len(data), unit=data.unit, shown=progress, mininterval=1) as bar,
    ):
        return task.compute(range(len(data)), bar.update, _circumstances())


def precompute_to(
    path: str | Path,
    model: StagedModel,
    data: SampleSet,
    *,
    batch_size: int = 256,
    chunk_size: int = 1024,
    device: str = "auto",
    progress: bool = True,
    source: Mapping[str, Any] | None = None,
) -> Path:
    """Write the run that `precompute` gives, in chunks: started again after a kill, it continues.

    Started in several processes with RANK, WORLD_SIZE and LOCAL_RANK set, as torchrun does, each computes its share;
    they need a shared file system only.  Process 0 returns when the run is whole, others when their share is done:
    the run may not exist yet then.

    Args:
        path: A file ending in ``.parquet``, or, without ending, a folder of parts, which needs no merging.
        model: Put in eval mode, and moved to the device and back.
        chunk_size: Samples a part file, rounded up to whole batches.
        device: "auto", or a device's name; with "auto" and several GPUs, a process takes that of its LOCAL_RANK.
        source: Where the model came from, as JSON data; what is known here is added.

    Returns:
        `path`.

    Raises:
        ValueError: As for `precompute`; the ending is another; or work that differs was begun there.
        OSError: A file cannot be written; what is done stays.
        Stopped: The work was interrupted (Ctrl-C, SIGTERM, SIGHUP): a KeyboardInterrupt with a line on how to continue.
    """
    target = Path(path)
    check_result(target)
    checks.whole("chunk_size", chunk_size, 1, 1 << 40)
    group = Group.of_environment()
    task = _Task.of(model, data, batch_size, _device(device, group), source)
    chunks = Chunks(target, len(data), -(-chunk_size // batch_size) * batch_size, task.describe())
    circumstances = chunks.begin(group.rank, _circumstances())
    count = checks.whole("threads in the plan", circumstances["threads"], 1, MAX_THREADS)
    with threads(count), _placed(task.model, task.device):
        chunks.run(lambda samples, advance: task.compute(samples, advance, circumstances), group, progress)
    return target


@dataclass(frozen=True, kw_only=True)
class _Task:
    """A model, the samples to ask it about, and what a run says of both."""

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
    ) -> _Task:
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
        versions = {"torch": torch.__version__, "torchvision": torchvision.__version__}
        known = {**data.describe(), "device": torch.device(device).type, "versions": versions}
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

    def compute(
        self, samples: range, advance: Callable[[int], object], circumstances: Mapping[str, Any]
    ) -> StageOutputs:
        """The run of some samples, from the first of a batch on; the model is on its device."""
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


@contextmanager
def _placed(model: StagedModel, device: str) -> Iterator[None]:
    """The model on a device, laid out for its convolutions; afterwards on the CPU as it was."""
    lay_out(model.to(device), torch.channels_last)
    keep_heap()
    try:
        yield
    finally:
        lay_out(model.to("cpu"), torch.contiguous_format)


def _device(name: str, group: Group) -> str:
    """A device's name; "auto" divides a machine's GPUs among its processes."""
    device = resolve_device(name)
    if name == "auto" and device == "cuda" and group.size > 1:
        return f"cuda:{group.local % torch.cuda.device_count()}"
    return device


def _samples_digest(data: SampleSet) -> str:
    """SHA-256 of class names, labels and sample ids."""
    result = hashlib.sha256("\0".join(data.class_names).encode())
    result.update(data.labels.numpy().tobytes())
    for name in data.sample_ids:
        result.update(f"\0{name}".encode())
    return result.hexdigest()


def _circumstances() -> dict[str, Any]:
    """What is worth noting of a computation beyond what its values depend on."""
    return {"threads": torch.get_num_threads(), "date": datetime.now(UTC).isoformat(timespec="seconds")}
