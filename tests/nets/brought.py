"""Networks as people write them, small: what `forward` returns and reads differs, the layers hardly do.

Factories of one's own for the command line too, `tests.nets.brought:Name`.  All take images (batch, 3, height, width).
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from cascade_core.nets.staged import StagedModel


class Base(nn.Module):
    """Three convolutions with a place for an exit behind each of the first two."""

    def __init__(self, num_classes: int = 10) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU())
        self.second = nn.Sequential(nn.Conv2d(8, 16, 3, stride=2, padding=1), nn.ReLU())
        self.third = nn.Sequential(nn.Conv2d(16, 32, 3, stride=2, padding=1), nn.ReLU())
        self.exits = nn.ModuleList(nn.Linear(width, num_classes) for width in (8, 16, 32))

    def answers(self, x: Tensor) -> list[Tensor]:
        """Logits (batch, K) of all exits."""
        result = []
        for piece, head in zip((self.first, self.second, self.third), self.exits, strict=True):
            x = piece(x)
            result.append(head(x.mean((2, 3))))
        return result

    def forward(self, x: Tensor) -> Any:
        """What the network returns."""
        return self.answers(x)[-1]


class Plain(Base):
    """Logits."""


class Softmax(Base):
    """Softmaxes."""

    def forward(self, x: Tensor) -> Any:
        return self.answers(x)[-1].softmax(1)


class SoftmaxLayer(Base):
    """Softmaxes by a layer."""

    def __init__(self, num_classes: int = 10) -> None:
        super().__init__(num_classes)
        self.last = nn.Softmax(dim=1)

    def forward(self, x: Tensor) -> Any:
        return self.last(self.answers(x)[-1])


class Tuple(Base):
    """Exits in a tuple."""

    def forward(self, x: Tensor) -> Any:
        return tuple(self.answers(x))


class List(Base):
    """Exits in a list."""

    def forward(self, x: Tensor) -> Any:
        return self.answers(x)


class Dict(Base):
    """Exits by name."""

    def forward(self, x: Tensor) -> Any:
        return dict(zip(("early", "middle", "late"), self.answers(x), strict=True))


class Stacked(Base):
    """Exits in one tensor."""

    def forward(self, x: Tensor) -> Any:
        return torch.stack(self.answers(x))


class LastFirst(Base):
    """Exits with the network's own answer first, as in training of GoogLeNet."""

    def forward(self, x: Tensor) -> Any:
        return tuple(reversed(self.answers(x)))


class SoftmaxExits(Base):
    """Exits of which the early ones are softmaxes."""

    def forward(self, x: Tensor) -> Any:
        first, second, third = self.answers(x)
        return first.softmax(1), second.softmax(1), third


class Adding(Base):
    """Exits that add to one another, so that each needs those before."""

    def forward(self, x: Tensor) -> Any:
        first, second, third = self.answers(x)
        return first, first + second, first + second + third


class Sharing(Base):
    """Exits of which the first two share work that the last does not need."""

    def __init__(self, num_classes: int = 10) -> None:
        super().__init__(num_classes)
        self.shared, self.more = nn.Linear(8, 8), nn.Linear(8, num_classes)

    def forward(self, x: Tensor) -> Any:
        x = self.first(x)
        shared = self.shared(x.mean((2, 3)))
        return self.exits[0](shared), self.more(shared.relu()), self.exits[2](self.third(self.second(x)).mean((2, 3)))


class WithFeatures(Base):
    """Logits and features."""

    def forward(self, x: Tensor) -> Any:
        features = self.third(self.second(self.first(x))).mean((2, 3))
        return self.exits[2](features), features


class LogitsDict(Base):
    """A dict with logits, and an auxiliary answer."""

    def forward(self, x: Tensor) -> Any:
        first, _, third = self.answers(x)
        return {"aux": first, "logits": third}


class LogitsObject(Base):
    """An object with logits."""

    def forward(self, x: Tensor) -> Any:
        return SimpleNamespace(logits=self.answers(x)[-1], loss=None)


class Features(Base):
    """Feature maps, and no answer."""

    def forward(self, x: Tensor) -> Any:
        return self.first(x)


class Broken(Base):
    """Fails on every image."""

    def forward(self, x: Tensor) -> Any:
        return functional.linear(x, torch.zeros(2, 1000))


class SoftmaxStages(StagedModel):
    """A model with stages of its own, of which the first answers with softmaxes."""

    stage_names = ("early", "late")

    def __init__(self, num_classes: int = 10) -> None:
        super().__init__()
        self.base = Base(num_classes)

    def begin(self, images: Tensor) -> tuple[Tensor, ...]:
        return (images,)

    def extend(self, state: tuple[Tensor, ...], stage: int) -> tuple[Tensor, ...]:
        piece = self.base.first if stage == 0 else nn.Sequential(self.base.second, self.base.third)
        return (piece(state[0]),)

    def classify(self, state: tuple[Tensor, ...], stage: int) -> Tensor:
        logits: Tensor = self.base.exits[0 if stage == 0 else 2](state[0].mean((2, 3)))
        return logits.softmax(1) if stage == 0 else logits

    def plain(self, images: Tensor) -> Tensor:
        return self(images)[-1]


class Shapes(Base):
    """Reads all sizes first, and uses them until the end."""

    def forward(self, x: Tensor) -> Any:
        B, C, H, W = x.shape  # noqa: N806  # as people write it
        x = self.third(self.second(self.first(x.view(B, C, H * W).view(B, C, H, W))))
        return self.exits[2](x.view(B, 32, (H // 4) * (W // 4)).mean(2))


class BatchSize(Base):
    """Reads the batch first."""

    def forward(self, x: Tensor) -> Any:
        bs = x.size(0)
        x = self.third(self.second(self.first(x)))
        return self.exits[2](x.reshape(bs, 32, -1).mean(-1))


class Length(Base):
    """Asks for lengths, checks axes, and loops over sizes."""

    def forward(self, x: Tensor) -> Any:
        if x.dim() != 4 or x.shape[1] != 3 or x.size(2) % 4:
            raise ValueError("images (batch, 3, height, width) are expected")
        n = len(x)
        x = self.third(self.second(self.first(x)))
        rows = [x[:, :, i].mean(-1) for i in range(x.shape[2])]
        return self.exits[2](torch.stack(rows).mean(0).view(n, *rows[0].shape[1:]))


class Windows(Base):
    """Folds windows into the batch, adds zeros of the batch's size, and takes them out again."""

    def forward(self, x: Tensor) -> Any:
        x = self.second(self.first(x))
        B, C, H, W = x.shape  # noqa: N806  # as people write it
        windows = x.view(B, C, 2, H // 2, W).transpose(1, 2).reshape(B * 2, C, H // 2, W)
        windows = windows * 2 + torch.zeros(B * 2, C, 1, 1, device=x.device)
        x = windows.view(B, 2, C, H // 2, W).transpose(1, 2).reshape(B, C, H, W) / 2
        return self.exits[2](self.third(x).mean((2, 3)))


class Squeeze(Base):
    """Squeezes the pooled map with no axis named, and so a batch of one too."""

    def forward(self, x: Tensor) -> Any:
        x = self.third(self.second(self.first(x)))
        return self.exits[2](functional.adaptive_avg_pool2d(x, 1).squeeze())


class SqueezeFunction(Base):
    """The same by the function."""

    def forward(self, x: Tensor) -> Any:
        x = self.third(self.second(self.first(x)))
        return self.exits[2](torch.squeeze(functional.adaptive_avg_pool2d(x, 1)))


class SizedExits(Base):
    """Exits in a list, with sizes read off the input."""

    def forward(self, x: Tensor) -> Any:
        bs, result = x.shape[0], []
        for piece, head in zip((self.first, self.second, self.third), self.exits, strict=True):
            x = piece(x)
            result.append(head(x.view(bs, x.shape[1], -1).mean(-1)))
        return result


class Deciding(Base):
    """Depends on what is in the images."""

    def forward(self, x: Tensor) -> Any:
        x = self.first(x)
        if x.sum() > 0:
            x = -x
        return self.exits[2](self.third(self.second(x)).mean((2, 3)))


class SqueezeDeciding(Base):
    """Squeezes, and depends on what is in the images."""

    def forward(self, x: Tensor) -> Any:
        x = self.third(self.second(self.first(x if x.sum() > 0 else -x)))
        return self.exits[2](x.mean((2, 3), keepdim=True).squeeze())
