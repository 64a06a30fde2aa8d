"""Batch norms folded into the convolutions before them: nearly the same function in less time, for inference only.

A folded network rounds differently in the last digits, so the folded are copies; what is recorded is never folded.
Folding needs to see which norm follows which convolution: in sequences of layers, in the pieces that `splitting` cuts,
and in whole networks that `torch.fx` can trace.  Everything else is left as it is.
"""

from __future__ import annotations

import copy
from collections import Counter

from torch import fx, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from cascade_core.nets.staged import CascadedNetwork, StagedModel


def folded_model(model: StagedModel) -> StagedModel:
    """A copy for inference with its batch norms folded where they can be."""
    copied = copy.deepcopy(model).eval()
    for part in list(copied.modules()):
        if isinstance(part, CascadedNetwork):
            for pieces in (part.trunk, part.heads):
                for i, piece in enumerate(pieces):
                    pieces[i] = folded(piece)
            for rung in part.rungs:
                _fold_sequences(rung)
    return copied


def folded(module: nn.Module) -> nn.Module:
    """A copy of a module of tensors to tensors with its batch norms folded; unfolded where it cannot be traced."""
    copied = copy.deepcopy(module)
    if isinstance(copied, nn.Sequential):
        _fold_sequences(copied)
        return copied
    try:
        traced = fx.symbolic_trace(copied)
    # Tracing runs the module's own code, which may raise anything; unfolded it is as good, only slower.
    except Exception:
        return copied
    _fold_graph(traced)
    return traced


def _fold_sequences(module: nn.Module) -> None:
    """Fold in all sequences of layers inside, in place."""
    for sequence in [part for part in module.modules() if isinstance(part, nn.Sequential)]:
        for i in range(len(sequence) - 2, -1, -1):
            convolution, norm = sequence[i], sequence[i + 1]
            if isinstance(convolution, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                sequence[i] = fuse_conv_bn_eval(convolution, norm)
                del sequence[i + 1]


def _fold_graph(traced: fx.GraphModule) -> None:
    parts, calls = dict(traced.named_modules()), Counter(node.target for node in traced.graph.nodes)
    for node in list(traced.graph.nodes):
        before = node.args[0] if node.op == "call_module" and node.args else None
        if not isinstance(before, fx.Node) or before.op != "call_module" or len(before.users) > 1:
            continue
        norm, convolution = parts[node.target], parts[before.target]
        if not isinstance(norm, nn.BatchNorm2d) or not isinstance(convolution, nn.Conv2d):
            continue
        # Where one is used twice, the other use would change too.
        if calls[node.target] == calls[before.target] == 1:
            traced.set_submodule(str(before.target), fuse_conv_bn_eval(convolution, norm))
            node.replace_all_uses_with(before)
            traced.graph.erase_node(node)
    traced.recompile()
