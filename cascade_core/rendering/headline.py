"""What is looked at, in one line: the network, its exits, the data, how much of it was measured, and the baseline.

It says what a run file tells of its origin, and names nothing that the file does not: a run without a named network is
called by its title, or by its own name.
"""

from __future__ import annotations

import re

from cascade_core.analysis.exploration import Exploration
from cascade_core.storage.importers.stage_costs import ASSUMED
from cascade_core.storage.origin import NetworkOrigin, Origin
from cascade_core.support import wording

_RESNET = re.compile(r"(?:cifar-)?resnet-?(\d+)")


def headline(exploration: Exploration, origin: Origin, run: str) -> str:
    """One line on what was explored, without a full stop; names in it come from files and are not escaped.

    Args:
        run: Its name, for runs that say nothing of their network.
    """
    test, result = exploration.test, exploration.evaluation
    measured = "samples" if exploration.split.in_sample else "test samples"
    top = "" if test.top_k == 1 else f", top {test.top_k}"
    cost = "" if origin.assumed_macs else f", {wording.macs(test.baseline_macs)}"
    plain = f"plain network {wording.percent(result.full_accuracy, 1)}"
    if test.reference != "labels":
        plain = "no labels, the last stage's answer stands in"
    return f"{_cascade(origin, run, len(test.stages))} ({test.n:,} {measured}{top}); {plain}{cost}"


def _cascade(origin: Origin, run: str, stages: int) -> str:
    """The network, or the networks that follow one another, and the data."""
    names = [name for network in origin.networks if (name := network_title(network.name))]
    if not names:
        # That MACs are assumed is said elsewhere, and calls no run by a name.
        title = None if origin.title == ASSUMED else origin.title
        return (title or run).strip().rstrip(".")
    if len(names) == 1:
        what = f"{names[0]}{_exits(stages - 1)}"
    else:
        early = [_exits(_own_exits(network)) for network in origin.networks if network.name]
        what = ", then ".join(f"{name}{exits}" for name, exits in zip(names, early, strict=True))
    return f"{what} on {origin.dataset}" if origin.dataset else what


def network_title(name: str) -> str:
    """What people call a network: "ResNet-56" for cifar-resnet56; other names stay.

    >>> network_title("cifar-resnet56"), network_title("small-cnn"), network_title("vit_b_16")
    ('ResNet-56', 'small CNN', 'vit_b_16')
    """
    found = _RESNET.fullmatch(name)
    return f"ResNet-{found[1]}" if found else {"small-cnn": "small CNN"}.get(name, name)


def _own_exits(network: NetworkOrigin) -> int:
    return 0 if network.heads is None else len(network.heads.exits)


def _exits(count: int) -> str:
    """How many early exits, after the name of what has them."""
    return "" if count == 0 else f" with {count} {'exit' if count == 1 else 'exits'}"
