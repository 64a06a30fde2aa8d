"""Recording what every stage of a model says about every sample: one pass, one forward for all stages.

The result is a `StageOutputs` (softmaxes in float32, labels, sample ids, costs, and where it all came from), which
`cascade_core.store` writes.  Nothing is chosen here: any rule can be tried on the result without running the
network again.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from cascade_core.nets._torchvision import torchvision
from cascade_core.nets.datasets import ImageSet, batches
from cascade_core.nets.devices import lay_out, resolve_device
from cascade_core.nets.macs import baseline_macs, stage_costs
from cascade_core.nets.staged import StagedModel, softmaxes
from cascade_core.record import StageOutputs


def precompute(
    model: StagedModel,
    data: ImageSet,
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
        ValueError: The device is absent, the batch size below 1, or the model answers with another number of classes.
    """
    if batch_size < 1:
        raise ValueError(f"Expected batch_size to be at least 1 but it was {batch_size}")
    place = resolve_device(device)
    example = data[0][0][None]
    stages = stage_costs(model.cpu().eval(), example)
    probs = _pass(model, data, batch_size, place, progress)
    if probs.shape[2] != len(data.class_names):
        raise ValueError(
            f"Expected the network to answer with the {len(data.class_names)} classes of {data.spec} "
            f"but it answers with {probs.shape[2]}; do network and data belong together?"
        )
    return StageOutputs(
        probs=probs,
        labels=data.labels.numpy(),
        stages=stages,
        baseline_macs=baseline_macs(model, stages),
        sample_ids=np.array(data.sample_ids),
        class_names=data.class_names,
        source={**(source or {}), **data.describe(), **_environment(place)},
    )


def _pass(model: StagedModel, data: ImageSet, batch_size: int, device: str, progress: bool) -> NDArray[np.float32]:
    """(M, N, K) float32 softmaxes."""
    lay_out(model.to(device), torch.channels_last)
    parts = []
    try:
        with torch.inference_mode(), tqdm(total=len(data), unit="images", disable=not progress, mininterval=1) as bar:
            for images, labels in batches(data, batch_size):
                parts.append(softmaxes(model, images.to(device, memory_format=torch.channels_last)).cpu())
                bar.update(len(labels))
    finally:
        lay_out(model.to("cpu"), torch.contiguous_format)
    return torch.cat(parts, dim=1).numpy()


def _environment(device: str) -> dict[str, Any]:
    return {
        "device": device,
        "threads": torch.get_num_threads(),
        "versions": {"torch": torch.__version__, "torchvision": torchvision.__version__},
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
    }
