"""Multiply-accumulates, counted by ptflops on the operations that torch really runs (`backend="aten"`).

One multiply-accumulate is 1.  Convolutions, linear layers and matrix products are counted, with one for each bias
addition; fused forms of them, such as attention, are taken apart for counting, or counted by torch's own formula.
Batch normalisation, activations, pooling and what merely moves or compares numbers are not.  An operation that is
neither counted nor known to be of that kind is named in a warning, never silently zero.

ptflops leaves a model in eval mode and patches nothing with this backend; modes are restored here.
"""

from __future__ import annotations

import contextlib
import io
import re
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from ptflops import get_model_complexity_info
from ptflops.aten_ops import ATEN_OPS_MAPPING
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import flop_registry

from cascade_core.nets.staged import StagedModel
from cascade_core.simulation.stages import Stage

_ZERO = re.compile(r"(\w+) operation is treated as a zero-op")

_FREE_NAMES = """
    native_batch_norm _native_batch_norm_legit _native_batch_norm_legit_no_training cudnn_batch_norm native_layer_norm
    native_group_norm relu relu_ leaky_relu hardtanh hardtanh_ hardswish hardswish_ hardsigmoid gelu silu silu_
    sigmoid tanh elu _softmax _log_softmax mean sum avg_pool2d _adaptive_avg_pool2d max_pool2d_with_indices
    adaptive_max_pool2d max amax view _unsafe_view reshape permute transpose t expand unsqueeze squeeze slice select
    index gather cat stack split split_with_sizes chunk unbind clone copy_ contiguous detach alias lift_fresh _to_copy
    constant_pad_nd roll fill_ zeros ones full empty arange native_dropout unfold flip where add add_ sub mul mul_
    div div_ pow rsqrt sqrt exp log neg clamp clamp_min clamp_max maximum minimum eq ne lt gt le ge logical_not
    logical_and logical_or masked_fill masked_fill_ scalar_tensor as_strided as_strided_ new_zeros new_ones new_empty
    new_full _local_scalar_dense zeros_like ones_like empty_like full_like zero_ any all _safe_softmax bernoulli_
    detach_
"""
_FREE = frozenset(_FREE_NAMES.split())
"""Operations that the convention does not count."""


@dataclass(frozen=True, kw_only=True)
class Count:
    """The result of a counting pass.

    Attributes:
        macs: Multiply-accumulates of the whole call.
        uncounted: Names of operations neither counted nor known to be free, sorted.
    """

    macs: int
    uncounted: tuple[str, ...]


class _Call(nn.Module):
    """A call on fixed inputs, as the one-argument module that ptflops takes.

    The module is held by a plain function: ptflops registers hooks on children and never removes them.
    """

    def __init__(self, call: Callable[[], Any]) -> None:
        super().__init__()
        self._call = call

    def forward(self, _: Tensor) -> Any:
        return self._call()


def count(call: Callable[[], Any]) -> Count:
    """Count what `call` computes; modules that it uses should be in eval mode.

    Raises:
        ValueError: The call failed.
    """
    printed, failed = io.StringIO(), io.StringIO()
    # In inference mode torch hands linear layers to the counter whole, and ptflops would not know them.
    with torch.no_grad(), unfused(), contextlib.redirect_stderr(failed):
        macs, _ = get_model_complexity_info(
            _Call(call),
            (1,),
            backend="aten",
            as_strings=False,
            verbose=True,
            print_per_layer_stat=False,
            ost=printed,
            input_constructor=lambda _: torch.zeros(1),
            custom_modules_hooks=_more_formulas(),
        )
    if macs is None:
        reason = (failed.getvalue().strip() or "no reason was given").splitlines()[-1]
        raise ValueError(f"Expected to count multiply-accumulates but the network failed on the example: {reason}")
    return Count(macs=int(macs), uncounted=tuple(sorted(set(_ZERO.findall(printed.getvalue())) - _FREE)))


def count_macs(module: nn.Module, *inputs: Tensor) -> int:
    """Multiply-accumulates of `module` on `inputs`, all of their batch; the module's modes are left as they were.

    Warns:
        UserWarning: An operation is not counted, and not known to be free.

    Raises:
        ValueError: The module fails on the inputs.
    """
    with _eval_mode(module):
        return _warned(count(lambda: module(*inputs)), type(module).__name__)


def stage_costs(model: StagedModel, example: Tensor) -> tuple[Stage, ...]:
    """Cost of each stage for one sample.

    Args:
        example: One image, (1, channels, height, width), or the tokens of one text, (1, 2, length).

    Raises:
        ValueError: `example` is not one sample, or the model fails on it.
    """
    if example.ndim not in (3, 4) or example.shape[0] != 1:
        shape = tuple(example.shape)
        raise ValueError(f"Expected example to have shape (1, channels, height, width) but it had {shape}")
    stages = []
    with _eval_mode(model), torch.no_grad():
        state = model.begin(example)
        for number, name in enumerate(model.stage_names):
            trunk = _warned(count(partial(model.extend, state, number)), name)
            state = model.extend(state, number)
            head = _warned(count(partial(model.classify, state, number)), name)
            stages.append(Stage(name=name, trunk_macs=trunk, head_macs=head))
    return tuple(stages)


def baseline_macs(model: StagedModel, example: Tensor) -> int:
    """Cost of the plain network that would be run instead of the cascade, for one sample.

    For a network with exits that is its trunk and last head; for a cascade of models, the last model in plain form.

    Args:
        example: As `stage_costs` takes it.
    """
    with _eval_mode(model):
        return _warned(count(partial(model.plain, example)), "the plain network")


def _warned(result: Count, where: str) -> int:
    if result.uncounted:
        warnings.warn(f"Multiply-accumulates of {where} leave out {', '.join(result.uncounted)}", stacklevel=3)
    return result.macs


@contextlib.contextmanager
def unfused() -> Iterator[None]:
    """Attention as the matrix products that it is made of."""
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with sdpa_kernel(SDPBackend.MATH):
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)


def _more_formulas() -> dict[Any, Callable[[Any, Any], int]]:
    """Counters for what torch's own counter knows and ptflops does not (such as `baddbmm`)."""

    def halved(formula: Callable[..., int]) -> Callable[[Any, Any], int]:
        # Torch counts multiplications and additions, two for one multiply-accumulate.
        return lambda args, out: int(formula(*args, out_val=out if len(out) > 1 else out[0])) // 2

    return {op: halved(formula) for op, formula in flop_registry.items() if op not in ATEN_OPS_MAPPING}


@contextlib.contextmanager
def _eval_mode(module: nn.Module) -> Iterator[None]:
    """The module and all within it in eval mode, and afterwards each as it was."""
    modes = {part: part.training for part in module.modules()}
    module.eval()
    try:
        yield
    finally:
        for part, training in modes.items():
            part.training = training
