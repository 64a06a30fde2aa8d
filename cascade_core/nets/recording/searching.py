"""Trying many heads at many places of a frozen network at once, for the set of exits that is worth having.

All candidates are heads of one network that is cut at every place (`cutting.crowding`), so they are fitted as any
heads are, all in one pass over the frozen trunk, and go on from a checkpoint.  Then they say what they say of training
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
            checkpoint: Where training keeps its state; it is left there, with another file for a ladder beside it.

        Raises:
            ValueError: There are too few samples to choose on, or no place for an exit.
        """
        own = choose_points(self._points, self.network.exits)
        pieces = self._cut(self._places(wish, own))
        usual = _usual(pieces, own)
        specs = [self._specs(wish.heads, pieces, place, usual) for place in range(len(pieces.exits))]
        seed, classes = self.settings["seed"], len(self.data.class_names)
        heads = [build(tuple(here), classes, seed) for here in specs]
        outputs = self._said(crowded(self.network.title, pieces, heads), SEARCH_SETTINGS, checkpoint)
        flat = _flat(pieces, specs, outputs)
        found = _found(choose_exits(outputs, wish.drop, _starts(flat, usual)), flat, outputs)
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

    def _said(self, model: CascadedNetwork, defaults: dict[str, Any], checkpoint: Path) -> StageOutputs:
        """What fitted heads say of samples that they were not fitted to."""
        share = min(HELD_OUT, MOST_HELD / len(self.data))
        learned, held = hold_out(self.data, share, self.settings["seed"])
        if held is None:
            raise ValueError(f"Expected more training samples than {len(self.data)} to choose exits on")
        training = self._training(defaults, len(learned))
        fit = fit_heads(model, learned, training, device=self.device, progress=self.progress, checkpoint=checkpoint)
        check_trained(model.heads, checkpoint, fit.loss)
        return precompute(model, held, device=self.device, progress=self.progress)

    def _training(self, defaults: dict[str, Any], samples: int) -> Training:
        """Settings of a trial: as many epochs as the user asks for at the most."""
        epochs = min(defaults["epochs"], self.settings.get("epochs", math.inf))
        steps = epochs * max(1, samples // defaults["batch_size"])
        reuse = min(MOST_REUSE, max(1, round(STEPS / steps)))
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
        said = self._said(assemble(self.network.title, pieces, heads), settings, checkpoint)
        every = tuple(range(len(specs)))
        ahead = compared(Judge(said, drop), every, Judge(outputs, drop), found.chosen.kept)
        if ahead.mean <= 0:
            return found
        return _found(described(Judge(said, drop), every), _flat(pieces, [(spec,) for spec in specs], said), said)


def _flat(pieces: Cut, specs: Sequence[Sequence[HeadSpec]], outputs: StageOutputs) -> tuple[Candidate, ...]:
    """The candidates in the order of their stages."""
    pairs = [(exit, spec) for exit, here in zip(pieces.exits, specs, strict=True) for spec in here]
    costs = [stage.head_macs / outputs.baseline_macs for stage in outputs.stages]
    return tuple(Candidate(exit=e, spec=s, macs=macs) for (e, s), macs in zip(pairs, costs, strict=False))


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


def _found(chosen: ChosenExits, flat: Sequence[Candidate], outputs: StageOutputs) -> Found:
    return Found(
        heads=tuple(flat[stage] for stage in chosen.kept),
        chosen=chosen,
        following=None if chosen.following is None else flat[chosen.following[0]],
        tried=(len(flat), len(outputs.labels)),
    )
