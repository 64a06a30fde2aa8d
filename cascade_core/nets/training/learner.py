"""Steps of training: several classifiers side by side under one optimiser, each on its own input.

The sum of their losses is minimised by AdamW under a one-cycle schedule; they share no weights, so each is trained as
if alone, but for the rungs of a ladder, which learn from all exits that build on them.  A loss is cross-entropy, or
with distillation a mean of that and of the divergence from a teacher's softmax, both softened by a temperature
(Hinton, Vinyals & Dean, arXiv 1503.02531).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from cascade_core.nets.heads.ladder import Rung

MOST_TOLD = 9
"""Most classifiers that a progress bar speaks of one by one."""


def answers(classifiers: Sequence[nn.Sequential], inputs: Sequence[Tensor]) -> list[Tensor]:
    """(batch, K) logits of each classifier on its own input; a rung also takes what the rung before it computed."""
    logits = []
    below: tuple[Tensor, ...] = ()
    for classifier, x in zip(classifiers, inputs, strict=True):
        layers = list(classifier)
        if isinstance(layers[0], Rung):
            x = layers.pop(0)(x, *below)
            below = (x,)
        for layer in layers:
            x = layer(x)
        logits.append(x)
    return logits


def divergence(answer: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    """Of softmaxes from the teacher's, both softened, in units of cross-entropy's gradient; logits (batch, K) come."""
    own, others = (answer / temperature).log_softmax(1), (teacher / temperature).log_softmax(1)
    return functional.kl_div(own, others, reduction="batchmean", log_target=True) * temperature**2


class Learner:
    """Classifiers, their optimiser and its schedule, and how they do in the epoch at hand.

    Args:
        steps: Of the whole training.
        distil: Share of the teacher's loss, in [0, 1].
        temperature: Of the softmaxes that are compared with the teacher's.
    """

    def __init__(
        self,
        classifiers: Sequence[nn.Sequential],
        steps: int,
        *,
        learning_rate: float,
        weight_decay: float,
        distil: float = 0.0,
        temperature: float = 1.0,
    ) -> None:
        self.classifiers = [classifier.train() for classifier in classifiers]
        parameters = [p for classifier in classifiers for p in classifier.parameters()]
        # Fused: with many heads its steps would else take as long as all the rest, on a processor.
        self.optimiser = torch.optim.AdamW(parameters, lr=learning_rate, weight_decay=weight_decay, fused=True)
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimiser, max_lr=learning_rate, total_steps=max(2, steps)
        )
        self.distil, self.temperature = distil, temperature
        self.start_epoch()

    def start_epoch(self) -> None:
        """Forget what `averages` tells."""
        self.count, self.loss, self.right = 0, torch.zeros(len(self.classifiers)), torch.zeros(len(self.classifiers))

    def step(self, inputs: Sequence[Tensor], target: Tensor, teacher: Tensor | None = None) -> None:
        """Change every classifier by one step on its own input; `teacher` is (batch, K) logits."""
        logits = answers(self.classifiers, inputs)
        losses = torch.stack([functional.cross_entropy(answer, target) for answer in logits])
        total = losses.sum()
        if teacher is not None:
            total = (1 - self.distil) * total + self.distil * sum(
                divergence(answer, teacher, self.temperature) for answer in logits
            )
        self.optimiser.zero_grad(set_to_none=True)
        total.backward()
        self.optimiser.step()
        self.schedule.step()
        self.count += len(target)
        self.loss += (losses.detach() * len(target)).cpu()
        self.right += torch.stack([(answer.argmax(1) == target).sum() for answer in logits]).cpu()

    @torch.no_grad()
    def judge(self, inputs: Sequence[Tensor], target: Tensor) -> tuple[Tensor, Tensor]:
        """Summed cross-entropy and number of right answers of each classifier, (heads,) both, in eval mode."""
        logits = answers([classifier.eval() for classifier in self.classifiers], inputs)
        for classify in self.classifiers:
            classify.train()
        loss = torch.stack([functional.cross_entropy(answer, target, reduction="sum") for answer in logits])
        return loss.cpu(), torch.stack([(answer.argmax(1) == target).sum() for answer in logits]).cpu()

    def averages(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Cross-entropy and accuracy of each classifier over the epoch so far."""
        return tuple((self.loss / self.count).tolist()), tuple((self.right / self.count).tolist())

    def tell(self, names: Sequence[str]) -> str:
        """`averages`, for a progress bar; of many classifiers only how far they range."""
        if len(self.classifiers) > MOST_TOLD:
            accuracies = self.averages()[1]
            return f"{len(accuracies)} heads: accuracy {min(accuracies):.1%} to {max(accuracies):.1%}"
        each = zip(names, *self.averages(), strict=False)
        return ", ".join(f"{name}: loss {loss:.3f}, accuracy {right:.1%}" for name, loss, right in each)

    def state(self) -> dict[str, Any]:
        """All that steps change, as tensors and plain data."""
        return {
            "classifiers": [classifier.state_dict() for classifier in self.classifiers],
            "optimiser": self.optimiser.state_dict(),
            "schedule": self.schedule.state_dict(),
            "epoch": [self.count, self.loss, self.right],
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a `state`; the classifiers' own weights are restored by whoever built them."""
        self.optimiser.load_state_dict(state["optimiser"])
        self.schedule.load_state_dict(state["schedule"])
        self.count, self.loss, self.right = state["epoch"]
