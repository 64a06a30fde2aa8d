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

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from cascade_core.nets.devices import resolve_device
from cascade_core.nets.progress import Bar
from cascade_core.nets.recording.chunks import Chunks
from cascade_core.nets.recording.task import Task
from cascade_core.nets.recording.workers import Processes, Workers
from cascade_core.nets.samples import SampleSet
from cascade_core.nets.staged import StagedModel
from cascade_core.simulation.outputs import StageOutputs
from cascade_core.storage.parts import check_result
from cascade_core.support import checks
from cascade_core.support.group import Group
from cascade_core.support.remote import Somewhere, place


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
    task = Task.of(model, data, batch_size, resolve_device(device), source)
    with task.placed(), Bar(total=len(data), unit=data.unit, shown=progress, mininterval=1) as bar:
        return task.compute(range(len(data)), _circumstances(), bar.update)


def precompute_to(
    path: str | Somewhere,
    model: StagedModel,
    data: SampleSet,
    *,
    batch_size: int = 256,
    chunk_size: int = 1024,
    device: str = "auto",
    progress: bool = True,
    source: Mapping[str, Any] | None = None,
    workers: Workers | None = None,
) -> Path | Somewhere:
    """Write the run that `precompute` gives, in chunks: started again after a kill, it continues.

    Started by torchrun in several processes, each computes its share; they need a shared file system.  All return when
    the last has done its share; process 0 then when the run is whole, and for the others it may not exist yet.

    Args:
        path: A file ending in ``.parquet``, or, without ending, a folder of parts, which needs no merging;
            here or at an address.
        model: Put in eval mode, and moved to the device and back.
        chunk_size: Samples a part file, rounded up to whole batches.
        device: "auto", or a device's name; with "auto" and several GPUs, a process takes that of its LOCAL_RANK.
        source: Where the model came from, as JSON data; what is known here is added.
        workers: Who computes; None = this process, and those that torchrun started with it.

    Returns:
        `path`.

    Raises:
        ValueError: As for `precompute`; the ending is another; or work that differs was begun there.
        OSError: A file cannot be written, or others that compute are lost for good; what is done stays.
        Stopped: The work was interrupted (Ctrl-C, SIGTERM, SIGHUP): a KeyboardInterrupt with a line on how to continue.
    """
    target = place(path)
    if workers is not None and isinstance(target, Path):
        # Processes of a cluster work in another folder.
        target = target.absolute()
    check_result(target)
    checks.whole("chunk_size", chunk_size, 1, 1 << 40)
    workers = Processes(Group.of_environment()) if workers is None else workers
    with workers.joined():
        task = Task.of(model, data, batch_size, workers.device(device), source)
        chunks = Chunks(target, len(data), -(-chunk_size // batch_size) * batch_size, task.describe())
        workers.record(chunks, task, _circumstances(), progress)
    return target


def _circumstances() -> dict[str, Any]:
    """What is worth noting of a computation beyond what its values depend on."""
    return {"threads": torch.get_num_threads(), "date": datetime.now(UTC).isoformat(timespec="seconds")}
