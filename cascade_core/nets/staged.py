"""Networks that answer in stages: `StagedModel`, and its two forms.

What is known of a batch between two stages is its state, a flat tuple of tensors whose first axis is the
batch.  `extend` computes the next piece of the trunk, `classify` that stage's head; `keep` drops the samples that
have answered, so that a later stage is computed for the survivors only.  The stages of a model are numbered
from 0, and are taken in order.

- `CascadedNetwork`: one trunk cut into pieces, and a head after each.  A plain network is one of one stage.
- `ModelCascade`: whole models in a row, each beginning again with the images.  Its stages are the stages of its
  members, so a small network with early exits followed by a large one is a `ModelCascade` too.

No threshold is applied here: all stages are computed, or those that the caller asks for.

A network that `torch.fx` cannot trace, or that was trained with exits, is written as a `StagedModel` of one's own; with
this in `mine.py`, `--network mine:Early=weights.pt` is a network for the command line.  Stage by stage, `extend`
takes the state on, and `classify` answers from it.  (`plain` is the network that would be run without a cascade.)

    import torch
    from torch import nn
    from cascade_core.nets import StagedModel

    class Early(StagedModel):
        stage_names = ("early", "late")

        def __init__(self, num_classes):
            super().__init__()
            self.trunk = nn.ModuleList([nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 32, 3, stride=2)])
            self.heads = nn.ModuleList([nn.Linear(8, num_classes), nn.Linear(32, num_classes)])

        def begin(self, images):
            return (images,)

        def extend(self, state, stage):
            return (torch.relu(self.trunk[stage](state[0])),)

        def classify(self, state, stage):
            return self.heads[stage](state[0].mean((2, 3)))

        def plain(self, images):
            return self(images)[-1]
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from cascade_core.support import checks

State = tuple[Tensor, ...]


class StagedModel(nn.Module, ABC):
    """A classifier that answers after each of its stages.

    Attributes:
        stage_names: M distinct names, first to last.
    """

    stage_names: tuple[str, ...]

    @abstractmethod
    def begin(self, images: Tensor) -> State:
        """The state before stage 0; `images` is (batch, channels, height, width), normalised."""

    @abstractmethod
    def extend(self, state: State, stage: int) -> State:
        """The state after the trunk piece of `stage`, from the state before it."""

    @abstractmethod
    def classify(self, state: State, stage: int) -> Tensor:
        """(batch, K) logits of the head of `stage`, from the state after its trunk piece."""

    @abstractmethod
    def plain(self, images: Tensor) -> Tensor:
        """(batch, K) logits of the plain network that would be run instead, with its work and no more."""

    def advance(self, state: State, stage: int) -> tuple[Tensor, State]:
        """Logits (batch, K) of `stage` and the state after it, from the state before it."""
        state = self.extend(state, stage)
        return self.classify(state, stage), state

    def keep(self, state: State, index: Tensor) -> State:
        """The state of the samples at `index` (n,) int64, or where it is True (batch,) bool."""
        return tuple(part[index] for part in state)

    def forward(self, images: Tensor) -> Tensor:
        """(M, batch, K) logits of all stages."""
        state, logits = self.begin(images), []
        for stage in range(len(self.stage_names)):
            answer, state = self.advance(state, stage)
            logits.append(answer)
        return torch.stack(logits)


class CascadedNetwork(StagedModel):
    """A trunk cut into M pieces with a head after each, and perhaps a ladder beside it.

    Piece m takes the tensors of the state and returns one tensor or a tuple of them; a head takes the first
    tensor of the state after its piece.  Tensors beyond the first (such as skip connections across the cut) are
    for the next piece only.  With a ladder, the state's last tensor is what the rung computed (`ladder`): it is what
    the early heads take, and goes on to the next rung but not into the trunk.

    Args:
        name: What to call the network, such as "ResNet-56".
        stage_names: M names.
        trunk, heads: M modules each.
        rungs: M - 1 of a ladder, or none.

    Raises:
        ValueError: The counts differ, or a name is empty or repeated.
    """

    def __init__(
        self,
        name: str,
        stage_names: Sequence[str],
        trunk: Sequence[nn.Module],
        heads: Sequence[nn.Module],
        rungs: Sequence[nn.Module] = (),
    ) -> None:
        super().__init__()
        if not len(stage_names) == len(trunk) == len(heads) >= 1:
            raise ValueError(
                f"Expected {name} to have as many names as trunk pieces and heads, at least one, "
                f"but it had {len(stage_names)}, {len(trunk)} and {len(heads)}"
            )
        if len(rungs) not in (0, len(trunk) - 1):
            raise ValueError(f"Expected {name} to have a rung for each early stage, or none, but it had {len(rungs)}")
        self.name = name
        self.stage_names = checks.names("stage_names", stage_names, len(trunk), "trunk piece")
        self.trunk = nn.ModuleList(trunk)
        self.heads = nn.ModuleList(heads)
        self.rungs = nn.ModuleList(rungs)

    def begin(self, images: Tensor) -> State:
        """The images themselves."""
        return (images,)

    def extend(self, state: State, stage: int) -> State:
        """The trunk piece's result, as a tuple, and the rung's behind it."""
        below = state[-1:] if self.rungs and stage > 0 else ()
        result = _tuple(self.trunk[stage](*state[: len(state) - len(below)]))
        return (*result, self.rungs[stage](result[0], *below)) if stage < len(self.rungs) else result

    def classify(self, state: State, stage: int) -> Tensor:
        """The head's logits (batch, K)."""
        logits: Tensor = self.heads[stage](state[-1] if stage < len(self.rungs) else state[0])
        return logits

    def early_heads(self) -> list[nn.Sequential]:
        """The M - 1 early heads, each with its rung in front if there is a ladder; they share the network's weights.

        Raises:
            ValueError: There is none, or one is no sequence of layers with weights.
        """
        if len(self.heads) < 2:
            raise ValueError(f"Expected {self.name} to have a stage before its last, to fit a head to, but it has none")
        result = []
        for stage, head in enumerate(list(self.heads)[:-1]):
            if not isinstance(head, nn.Sequential) or not any(True for _ in head.parameters()):
                raise ValueError(
                    f"Expected the head of {self.stage_names[stage]} to be a sequence of layers with weights "
                    f"but it was {head}"
                )
            result.append(nn.Sequential(*self.rungs[stage : stage + 1], *head))
        return result

    def plain(self, images: Tensor) -> Tensor:
        """All trunk pieces, and the last head."""
        state = self.begin(images)
        for piece in self.trunk:
            state = _tuple(piece(*state))
        logits: Tensor = self.heads[-1](state[0])
        return logits


def _tuple(result: Tensor | State) -> State:
    return result if isinstance(result, tuple) else (result,)


class ModelCascade(StagedModel):
    """Whole models in a row; the state holds the images, then the state of the model at work.

    Stages are named after the model, with the model's own stage behind it if it has several.

    Args:
        members: Names and models, first to last.

    Raises:
        ValueError: There is no model, or a name is repeated.
    """

    def __init__(self, members: Sequence[tuple[str, StagedModel]]) -> None:
        super().__init__()
        names = checks.names("members", [name for name, _ in members], max(len(members), 1), "model")
        self.members = nn.ModuleList(model for _, model in members)
        self._at = [(m, s) for m, (_, model) in enumerate(members) for s in range(len(model.stage_names))]
        self.stage_names = tuple(
            names[m] if len(members[m][1].stage_names) == 1 else f"{names[m]}, {members[m][1].stage_names[s]}"
            for m, s in self._at
        )

    def _member(self, stage: int) -> tuple[StagedModel, int]:
        """The model that computes `stage`, and that stage's number within it."""
        member, own = self._at[stage]
        model = self.members[member]
        assert isinstance(model, StagedModel)  # ModuleList forgets the type
        return model, own

    def begin(self, images: Tensor) -> State:
        """The images themselves."""
        return (images,)

    def extend(self, state: State, stage: int) -> State:
        """The images, and the state of the model that computes `stage`."""
        model, own = self._member(stage)
        before = model.begin(state[0]) if own == 0 else state[1:]
        return (state[0], *model.extend(before, own))

    def classify(self, state: State, stage: int) -> Tensor:
        """Logits (batch, K) of the model's own stage."""
        model, own = self._member(stage)
        return model.classify(state[1:], own)

    def plain(self, images: Tensor) -> Tensor:
        """What the last model alone would answer."""
        return self._member(len(self._at) - 1)[0].plain(images)


def softmaxes(model: StagedModel, images: Tensor) -> Tensor:
    """(M, batch, K) float32 softmaxes of all stages, from one forward pass."""
    logits: Tensor = model(images)
    return logits.float().softmax(dim=-1)
