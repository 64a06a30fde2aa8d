"""Where to compute, how exactly and how: names such as "auto" resolved to what this machine has, threads, layout."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from cascade_core.support import checks

HEAP_BYTES = 31 << 20
"""A little less than the most that glibc's threshold grows to."""


def resolve_device(name: str) -> str:
    """A device's name; "auto" is the fastest present: cuda, mps, cpu.

    Raises:
        ValueError: The device is unknown or absent.
    """
    present = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    there = [device for device, available in present.items() if available]
    if name == "auto":
        return there[0]
    try:
        kind = torch.device(name)
    except RuntimeError:
        kind = None
    # One processor and one Apple chip; NVIDIA's are numbered.
    count = torch.cuda.device_count() if kind is not None and kind.type == "cuda" else 1
    if kind is None or kind.type not in there or (kind.index or 0) >= count:
        raise ValueError(
            f"Expected device to be auto or one of this machine's ({', '.join(there)}) but it was {name!r}"
        )
    return name


def resolve_precision(name: str, device: str) -> str:
    """A precision's name, float32 or bfloat16; "auto" is bfloat16 where the device computes it directly.

    Raises:
        ValueError: The name is unknown.
    """
    if checks.one_of("precision", name, ("auto", "float32", "bfloat16")) != "auto":
        return name
    if device.startswith("cuda"):
        return "bfloat16" if torch.cuda.is_bf16_supported(including_emulation=False) else "float32"
    direct = device == "cpu" and torch.cpu.get_capabilities().get("avx512_bf16", False)
    return "bfloat16" if direct else "float32"


def lay_out(module: nn.Module, memory_format: torch.memory_format) -> None:
    """Lay a module's weights out in place; channels_last made the convolutions here up to twice as fast."""
    module.to(memory_format=memory_format)  # type: ignore[call-overload]  # torch's stubs leave this form out


def placed(samples: Tensor, device: str, dtype: torch.dtype | None = None) -> Tensor:
    """A batch on a device: images laid out as `lay_out` does, in `dtype` if one is given; tokens are whole numbers."""
    if not samples.is_floating_point():
        return samples.to(device)
    return samples.to(device=device, dtype=dtype, memory_format=torch.channels_last)


def keep_heap() -> None:
    """Have freed memory kept for the next tensors, where the C library is glibc; elsewhere this does nothing.

    glibc hands blocks above a threshold back to the system when they are freed, and a network's feature maps then cost
    a page fault for every 4 KiB of each layer, a third of the time at a batch of 64.  Freeing one large block raises
    the threshold to its most, 32 MiB, for good.
    """
    torch.empty(HEAP_BYTES, dtype=torch.uint8)


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Compute with `count` threads inside; small tensors gain nothing from more, and lose much on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
