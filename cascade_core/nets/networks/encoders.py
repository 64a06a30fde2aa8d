"""Text classifiers of Hugging Face as networks of one tensor, (batch, 2, length) of tokens, cut behind encoder layers.

In one piece any classifier is run as it is.  Exits are for encoders that are embeddings, then layers in a row that take
what the one before computes and a mask, then what answers; whether one is that, `cutting.layers` finds out on an
example.  Padding is masked in every layer.  Where a piece ends, the places of padding hold the mean of the text's own
tokens, so that a head that takes the mean of all places takes that of the text alone.
"""

from __future__ import annotations

import copy
import importlib
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from cascade_core.nets.cutting.layers import LayeredNetwork


class TextNetwork(LayeredNetwork):
    """(batch, 2, length) int64 of tokens to (batch, K) logits.

    Args:
        network: A `...ForSequenceClassification` of transformers.
    """

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.network = network

    def forward(self, tokens: Tensor) -> Tensor:
        """Logits of the whole network."""
        logits: Tensor = self.network(input_ids=tokens[:, 0], attention_mask=tokens[:, 1]).logits
        return logits

    @property
    def layer_names(self) -> tuple[str, ...]:
        """Paths of the encoder's layers."""
        path, layers = self._layers()
        return tuple(f"{path}.{number}" for number in range(len(layers)))

    def pieces(self, ends: Sequence[int]) -> list[nn.Module]:
        """The encoder cut behind layers; the first piece embeds the tokens, the last answers."""
        _, layers = self._layers()
        bounds = [0, *(end + 1 for end in ends), len(layers)]
        parts = [_Layers(layers[start:stop]) for start, stop in pairwise(bounds)]
        first, last = _Embedded(self.network.base_model.embeddings, parts[0]), _Answering(self.network)
        if len(parts) == 1:
            return [_Last(first, last)]
        return [first, *parts[1:-1], _Last(parts[-1], last)]

    def _layers(self) -> tuple[str, nn.ModuleList]:
        config, base = self.network.config, getattr(self.network, "base_model", None)
        rows = [
            (path, part)
            for path, part in self.network.named_modules()
            if isinstance(part, nn.ModuleList) and len(part) == getattr(config, "num_hidden_layers", 0)
        ]
        if len(rows) != 1 or not hasattr(base, "embeddings"):
            raise ValueError(
                f"Expected {type(self.network).__name__} to be embeddings and then encoder layers, to put exits "
                "between them, but it is built otherwise; run it in one piece, with precompute"
            )
        return rows[0]


class _Layers(nn.Module):
    """Encoder layers: (batch, length, features) and the mask (batch, length) to the same."""

    def __init__(self, layers: Any) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)

    def forward(self, hidden: Tensor, real: Tensor) -> tuple[Tensor, Tensor]:
        """What the last layer computes, with the mean of the text in the places of padding; and the mask."""
        lowest = torch.finfo(hidden.dtype).min
        mask = torch.zeros_like(real, dtype=hidden.dtype).masked_fill(real == 0, lowest)[:, None, None]
        for layer in self.layers:
            result = layer(hidden, mask)
            hidden = result[0] if isinstance(result, tuple) else result
        weights = real[..., None].to(hidden.dtype)
        mean = (hidden * weights).sum(1, keepdim=True) / weights.sum(1, keepdim=True).clamp_min(1)
        return torch.where(weights > 0, hidden, mean), real


class _Embedded(nn.Module):
    """Embeddings, then layers."""

    def __init__(self, embeddings: nn.Module, layers: nn.Module) -> None:
        super().__init__()
        self.embeddings, self.layers = embeddings, layers

    def forward(self, tokens: Tensor) -> Any:
        """As `_Layers`."""
        return self.layers(self.embeddings(input_ids=tokens[:, 0]), tokens[:, 1])


class _Last(nn.Module):
    """Layers, then what answers."""

    def __init__(self, layers: nn.Module, answering: nn.Module) -> None:
        super().__init__()
        self.layers, self.answering = layers, answering

    def forward(self, *state: Tensor) -> Tensor:
        """(batch, K) logits."""
        logits: Tensor = self.answering(self.layers(*state)[0])
        return logits


class _Answering(nn.Module):
    """A classifier without its encoder: what the last layer computes to logits."""

    def __init__(self, network: Any) -> None:
        super().__init__()
        # A copy that shares all weights but those of the encoder, which is not in it.
        self.network = copy.copy(network)
        self.network._modules = dict(network._modules)
        encoder = network.base_model
        self.network._modules[network.base_model_prefix] = _Computed(getattr(encoder, "pooler", None))

    def forward(self, hidden: Tensor) -> Tensor:
        """(batch, K) logits."""
        logits: Tensor = self.network(inputs_embeds=hidden).logits
        return logits


class _Computed(nn.Module):
    """Stands in the encoder's place, and returns what it is given as what the encoder computed."""

    def __init__(self, pooler: nn.Module | None) -> None:
        super().__init__()
        self.pooler = pooler

    def forward(self, input_ids: None = None, *_: Any, inputs_embeds: Tensor, **__: Any) -> Any:
        """The encoder's form of result."""
        outputs = importlib.import_module("transformers").modeling_outputs
        pooled = None if self.pooler is None else self.pooler(inputs_embeds)
        return outputs.BaseModelOutputWithPooling(last_hidden_state=inputs_embeds, pooler_output=pooled)
