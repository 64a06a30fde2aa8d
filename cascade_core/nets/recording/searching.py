"""Trying many heads at many places of a frozen network at once, for the set of exits that is worth having.

All candidates are heads of one network that is cut at every place (`cutting.crowding`), so they are fitted as any
heads are, all in one pass over the frozen trunk, and go on from a checkpoint.  Most of them are dropped after a short
first round, which keeps the best size of each family at each place (successive halving; Jamieson & Talwalkar, arXiv
1502.07943, but never across families, which learn at different speeds).  The others say what they say of training
samples that none of them was fitted to, and `training.exits` chooses.  A ladder, whose rungs build on one another, is
tried against the set that was chosen, at its places and the network's own.  What is found is a description: whoever
asked fits its heads anew, to all samples and for longer.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias

from torch import nn

from cascade_core.nets.cutting.attach import Cut, assemble, cut, exit_points_of
from cascade_core.nets.cutting.crowding import crowded
from cascade_core.nets.cutting.places import candidate_places
from cascade_core.nets.cutting.splitting import ExitPoint, choose_points
from cascade_core.nets.heads.candidates import candidates
from cascade_core.nets.heads.families import HeadSpec, build, layout, preset
from cascade_core.nets.networks.named import EXAMPLES, example
from cascade_core.nets.networks.zoo import Network
from cascade_core.nets.recording.precompute import precompute
from cascade_core.nets.samples import SampleSet, hold_out
from cascade_core.nets.staged import CascadedNetwork
from cascade_core.nets.training.checkpoint import check_trained
from cascade_core.nets.training.exits import ChosenExits, Judge, Kept, choose_exits, compared, described
from cascade_core.nets.training.fitting import fit_heads
from cascade_core.nets.training.settings import HEAD_SETTINGS, SEARCH_SETTINGS, Training
from cascade_core.simulation.outputs import StageOutputs

AUTO = "auto"
"""What asks for a search, as exits and as heads."""

HELD_OUT = 0.2
"""Share of the training samples that choose exits, and that no candidate is fitted to."""

MOST_HELD = 10_000
"""More samples than these choose hardly better."""

FIRST_EPOCHS, FIRST_STEPS = 1, 300
"""Of the first round."""

STEPS = 1500
"""Steps that candidates take at least, by going over the features of one pass again where samples are few."""

MOST_REUSE = 20

SINGLE = ("linear", "paper", "fine", "conv")
"""Presets of heads that know nothing of one another; those of each at the network's own places are a candidate set."""

LADDER = "ladder"
LADDER_EPOCHS = 6
MOST_RUNGS = 6


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What to look for.

    Attributes:
        exits: "auto", or places as `splitting.choose_points` takes them, among which exits are chosen.
        heads: "auto", or the preset that all heads are of.
        drop: Accuracy that may be given up, a fraction.
    """

    exits: str
    heads: str
    drop: float


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A head at a place; `exit` is the place's name, `macs` are the head's share of the plain network's."""

    exit: str
    spec: HeadSpec
    macs: float


@dataclass(frozen=True, kw_only=True)
class Found:
    """Exits that were chosen.

    Attributes:
        heads: In order; none where nothing pays.
        chosen: What they save, and each of them.
        following: The head that would be added next.
        tried: How many heads were tried, and on how many samples they were judged.
    """

    heads: tuple[Candidate, ...]
    chosen: ChosenExits
    following: Candidate | None
    tried: tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class Search:
    """A search in one network.

    Attributes:
        network, plain: The network, and that built.
        data: The training samples.
        settings: Fields of `Training` that the user asks for.
        device, progress: As everywhere.
    """

    network: Network
    plain: nn.Module
    data: SampleSet
    settings: dict[str, Any]
    device: str
    progress: bool

    def run(self, wish: Wish, checkpoint: Path) -> Found:
        """The exits that pay.

        Args:
            checkpoint: Where training keeps its state; it is left there, with those of the first round and of a ladder
                beside it.

        Raises:
            ValueError: There are too few samples to choose on, or no place for an exit.
        """
        own = choose_points(self._points, self.network.exits)
        pieces = self._cut(self._places(wish, own))
        usual = _usual(pieces, own)
        specs: _Specs = [self._specs(wish.heads, pieces, place, usual) for place in range(len(pieces.exits))]
        tried = sum(map(len, specs))
        if any(len(here) > 1 for here in specs):
            first = checkpoint.with_name(f"{checkpoint.name}-first")
            outputs = self._tried(pieces, specs, SEARCH_SETTINGS | {"epochs": FIRST_EPOCHS}, FIRST_STEPS, first)
            specs = _best_sizes(pieces, specs, usual, Judge(outputs, wish.drop))
        outputs = self._tried(pieces, specs, SEARCH_SETTINGS, STEPS, checkpoint)
        flat = _flat(pieces, specs, outputs)
        found = _found(choose_exits(outputs, wish.drop, _starts(flat, usual)), flat, (tried, len(outputs.labels)))
        if wish.heads != AUTO or any(layout(shape) == "tokens" for shape in pieces.shapes):
            return found
        return self._or_ladder(found, outputs, own, wish.drop, checkpoint.with_name(f"{checkpoint.name}-ladder"))

    @cached_property
    def _points(self) -> tuple[ExitPoint, ...]:
        classes = len(self.data.class_names)
        return exit_points_of(
            self.plain, example(self.network, EXAMPLES), classes=classes, outputs=self.network.outputs
        )

    def _places(self, wish: Wish, own: tuple[str, ...]) -> tuple[str, ...]:
        """Names of the places to try, in order."""
        if wish.exits != AUTO:
            return choose_points(self._points, wish.exits)
        wanted = {*candidate_places(self._points), *own}
        return tuple(point.name for point in self._points if point.name in wanted)

    def _cut(self, names: tuple[str, ...]) -> Cut:
        return cut(
            self.plain,
            example(self.network, EXAMPLES),
            ",".join(names),
            classes=len(self.data.class_names),
            outputs=self.network.outputs,
        )

    def _specs(self, heads: str, pieces: Cut, place: int, usual: Sequence[_Usual]) -> tuple[HeadSpec, ...]:
        """Different heads to try at a place."""
        shape = pieces.shapes[place]
        if heads != AUTO:
            return preset(heads, [shape], pieces.macs)
        here = round(pieces.shares[place] * pieces.macs)
        tried = candidates(shape, len(self.data.class_names), here, pieces.macs - here)
        here_too = [by_exit[exit] for by_exit in usual if (exit := pieces.exits[place]) in by_exit]
        return tuple({str(spec): spec for spec in (*tried, *here_too)}.values())

    def _tried(
        self, pieces: Cut, specs: _Specs, defaults: dict[str, Any], steps: int, checkpoint: Path
    ) -> StageOutputs:
        """What candidates say once they are fitted, side by side."""
        heads = [build(here, len(self.data.class_names), self.settings["seed"]) for here in specs]
        return self._said(crowded(self.network.title, pieces, heads), defaults, steps, checkpoint)

    def _said(self, model: CascadedNetwork, defaults: dict[str, Any], steps: int, checkpoint: Path) -> StageOutputs:
        """What heads say of samples that they were not fitted to, after `steps` at least."""
        share = min(HELD_OUT, MOST_HELD / len(self.data))
        learned, held = hold_out(self.data, share, self.settings["seed"])
        if held is None:
            raise ValueError(f"Expected more training samples than {len(self.data)} to choose exits on")
        training = self._training(defaults, len(learned), steps)
        fit = fit_heads(model, learned, training, device=self.device, progress=self.progress, checkpoint=checkpoint)
        check_trained(model.heads, checkpoint, fit.loss)
        return precompute(model, held, device=self.device, progress=self.progress)

    def _training(self, defaults: dict[str, Any], samples: int, steps: int) -> Training:
        """Settings of a trial: as many epochs as the user asks for at the most."""
        epochs = min(defaults["epochs"], self.settings.get("epochs", math.inf))
        once = epochs * max(1, samples // defaults["batch_size"])
        reuse = min(MOST_REUSE, max(1, round(steps / once)))
        wishes = {key: self.settings[key] for key in ("seed", "precision") if key in self.settings}
        return Training(**defaults | {"epochs": epochs, "reuse": reuse} | wishes)

    def _or_ladder(
        self, found: Found, outputs: StageOutputs, own: tuple[str, ...], drop: float, checkpoint: Path
    ) -> Found:
        """What was found, or a ladder where that saves more."""
        wanted = {*own, *(head.exit for head in found.heads)}
        names = [point.name for point in self._points if point.name in wanted]
        pieces = self._cut(tuple(names[:: -(-len(names) // MOST_RUNGS)]))
        specs = preset(LADDER, list(pieces.shapes), pieces.macs)
        heads = build(specs, len(self.data.class_names), self.settings["seed"])
        settings = HEAD_SETTINGS[LADDER] | {"epochs": LADDER_EPOCHS, "held_out": 0.0}
        said = self._said(assemble(self.network.title, pieces, heads), settings, 0, checkpoint)
        every = tuple(range(len(specs)))
        ahead = compared(Judge(said, drop), every, Judge(outputs, drop), found.chosen.kept)
        if ahead.mean <= 0:
            return found
        flat = _flat(pieces, [(spec,) for spec in specs], said)
        return _found(described(Judge(said, drop), every), flat, (len(specs), len(said.labels)))


def _best_sizes(pieces: Cut, specs: _Specs, usual: Sequence[_Usual], judge: Judge) -> _Specs:
    """Of each place the heads that are best of their family, and those of single presets."""
    flat = list(enumerate(_pairs(pieces, specs)))
    best: dict[tuple[str, str], int] = {}
    for stage, (exit, spec) in flat:
        kind = exit, spec.family
        best[kind] = max(best.get(kind, stage), stage, key=judge.alone)
    single = [pair for by_exit in usual for pair in by_exit.items()]
    kept: dict[str, list[HeadSpec]] = {exit: [] for exit in pieces.exits}
    for stage, (exit, spec) in flat:
        if best[exit, spec.family] == stage or (exit, spec) in single:
            kept[exit].append(spec)
    return [tuple(here) for here in kept.values()]


def _pairs(pieces: Cut, specs: _Specs) -> list[tuple[str, HeadSpec]]:
    """The candidates in the order of their stages, with the names of their places."""
    return [(exit, spec) for exit, here in zip(pieces.exits, specs, strict=True) for spec in here]


def _flat(pieces: Cut, specs: _Specs, outputs: StageOutputs) -> tuple[Candidate, ...]:
    """The candidates in the order of their stages, with their costs."""
    costs = [stage.head_macs / outputs.baseline_macs for stage in outputs.stages]
    return tuple(
        Candidate(exit=e, spec=s, macs=macs) for (e, s), macs in zip(_pairs(pieces, specs), costs, strict=False)
    )


_Specs: TypeAlias = Sequence[tuple[HeadSpec, ...]]
"""Different heads for each place."""

_Usual: TypeAlias = dict[str, HeadSpec]
"""The heads of one preset, by the names of their places."""


def _usual(pieces: Cut, own: Sequence[str]) -> list[_Usual]:
    """What single presets put at the network's own places."""
    shapes = [(exit, shape) for exit, shape in zip(pieces.exits, pieces.shapes, strict=True) if exit in own]
    return [{exit: preset(name, [shape], pieces.macs)[0] for exit, shape in shapes} for name in SINGLE]


def _starts(flat: Sequence[Candidate], usual: Sequence[_Usual]) -> list[Kept]:
    """The candidate sets that single presets give."""
    sets = [tuple(i for i, one in enumerate(flat) if by_exit.get(one.exit) == one.spec) for by_exit in usual]
    return [kept for kept in sets if kept]


def _found(chosen: ChosenExits, flat: Sequence[Candidate], tried: tuple[int, int]) -> Found:
    return Found(
        heads=tuple(flat[stage] for stage in chosen.kept),
        chosen=chosen,
        following=None if chosen.following is None else flat[chosen.following[0]],
        tried=tried,
    )
