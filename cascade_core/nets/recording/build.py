"""From texts to fitted heads and a recorded run: `build_run`, which the command line calls.

Heads are fitted to the first network, behind the exits that the user chose; it is trained before if it is small and
comes without weights.  Further networks follow it in a cascade, each in one piece or with a heads file of its own.
The heads are written before anything is recorded, so that a recording that was stopped costs no training: a build
started again with the same arguments finds them there.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from cascade_core.nets.cutting.attach import LAST, Cut, assemble, cut
from cascade_core.nets.devices import resolve_device, resolve_precision, threads
from cascade_core.nets.heads import weights
from cascade_core.nets.heads.families import PRESETS, build, preset
from cascade_core.nets.heads.weights import HeadsFile
from cascade_core.nets.networks.named import EXAMPLES, NO_WISHES, build_plain, example
from cascade_core.nets.networks.zoo import Network
from cascade_core.nets.progress import above_bars
from cascade_core.nets.recording.chosen import Chosen, nothing_pays
from cascade_core.nets.recording.runs import RecordOptions, check_networks, record
from cascade_core.nets.recording.searching import AUTO, LADDER, Search, Wish
from cascade_core.nets.samples import SampleSet, check_classes, samples_digest
from cascade_core.nets.staged import StagedModel
from cascade_core.nets.training.checkpoint import check_trained, remove_older
from cascade_core.nets.training.fitting import fit_heads
from cascade_core.nets.training.settings import (
    HEAD_SETTINGS,
    SMALL_HEAD_SETTINGS,
    SMALL_SETTINGS,
    Training,
    fit_network,
)
from cascade_core.storage.parts import check_result, heads_beside
from cascade_core.support import checks
from cascade_core.support.files import check_writable
from cascade_core.support.group import Group
from cascade_core.support.remote import Somewhere

FOR_DROP = 0.01
"""Accuracy that most would give up, a fraction."""


def build_run(
    networks: Sequence[str],
    *,
    train_data: str,
    data: str,
    out: str | Somewhere,
    exits: str | None = None,
    heads: str = AUTO,
    for_drop: float = FOR_DROP,
    heads_out: str | Path | None = None,
    training: Mapping[str, Any] = NO_WISHES,
    **options: Any,
) -> Path | Somewhere:
    """Fit heads to a frozen network, record a run, and return its path.

    Args:
        networks: `NAME[=WEIGHTS][+HEADS]`; heads are fitted to the first, more make a cascade of models.
        train_data, data: `KIND` or `KIND:PATH`, to fit on and to record.
        out: The run: a file ending in .parquet, or a folder without ending.
        exits: "auto", or "auto:5", or names of exits, a,b; without it, auto for auto heads, else the network's own.
        heads: A preset's name, or "auto": the heads and exits that save most are searched for.
        for_drop: Accuracy that may be given up, a fraction, for which exits are chosen where that is asked for.
        heads_out: Where to keep the heads, a .safetensors file; without it, beside the run.
        training: Fields of `Training` that replace what suits the network and the heads.
        options: Fields of `RecordOptions`.

    Raises:
        ValueError: An argument is wrong; one line says which.
    """
    chosen = RecordOptions(**options)
    cascade, device = chosen.networks(networks), resolve_device(chosen.device)
    file = Path(heads_out) if heads_out is not None else heads_beside(out)
    check_networks(cascade, trained_here=True)
    checks.one_of("heads", heads, (AUTO, *PRESETS))
    checks.in_range("for_drop", for_drop, 0.0, 1.0)
    check_result(out)
    check_writable(file, ".safetensors")
    if Group.of_environment().size > 1:
        raise ValueError("Expected one process to fit heads but there are several; build first, then share precompute")
    first, *others = cascade
    if first.heads is not None:
        raise ValueError(f"Expected no heads file with {first.name}, as heads are fitted to it; precompute takes one")
    training_set = chosen.open(train_data, first, "train")
    samples = chosen.open(data, first, "test")
    check_classes(samples, training_set.class_names)
    settings = {"precision": resolve_precision("auto", device), **training, "seed": chosen.seed}
    fitting = _fitting(first, training_set, exits, heads, settings, chosen.download, for_drop)
    fitting.run(file, device, chosen.progress)
    return record([replace(first, heads=file), *others], samples, out, chosen)


@dataclass(frozen=True, kw_only=True)
class _Fitting:
    """Heads that are to be fitted.

    Attributes:
        network, plain: The network, and that built.
        data: The training samples.
        wish: What exits and heads to search for; None where they are given.
        before: How to train the plain network first, if it is to be trained.
        settings: Fields of `Training` that replace what suits the heads.
        about: What the heads file will say, but for what a search and training come to.
    """

    network: Network
    plain: nn.Module
    data: SampleSet
    wish: Wish | None
    before: Training | None
    settings: dict[str, Any]
    about: HeadsFile

    def run(self, file: Path, device: str, progress: bool) -> None:
        """Search where that is asked for, train and write the heads, unless they are there already.

        Raises:
            ValueError: No exit pays, training came to nothing, or its checkpoint is another training's.
        """
        checkpoint = _beside(file, "checkpoint")
        if self._is_in(file):
            if progress:
                above_bars(f"{file} holds these heads already; delete it to fit them again")
            remove_older(checkpoint, file)
            return
        # A network that is trained here is small, and its weights then do not depend on the number of cores.
        with threads(1 if self.before else torch.get_num_threads()):
            if self.before:
                fit_network(self.plain, self.data, self.before, device=device, progress=progress)
            about = self.about if self.wish is None else self._searched(self.wish, file, device, progress)
            training = self._training(about)
            early = build(about.specs, len(self.data.class_names), training.seed)
            pieces = _cut(self.network, self.plain, ",".join(about.exits), len(self.data.class_names))
            cascade = assemble(self.network.title, pieces, early, about.stage_names)
            fit = fit_heads(cascade, self.data, training, device=device, progress=progress, checkpoint=checkpoint)
        check_trained(cascade.heads, checkpoint, fit.loss)
        result = {
            **training.describe(),
            **about.training,
            "accuracy": list(fit.accuracy),
            "epoch": list(fit.epoch),
        }
        about = replace(about, trunk=weights.state_digest(self.plain), training=result)
        weights.save_heads(file, about, early, self.plain if about.whole else None)
        for ending in ENDINGS:
            _beside(file, ending).unlink(missing_ok=True)

    def _training(self, about: HeadsFile) -> Training:
        """How to train the heads that a file describes."""
        suited = LADDER if any(spec.family == "rung" for spec in about.specs) else about.preset
        defaults = SMALL_HEAD_SETTINGS if self.before else HEAD_SETTINGS.get(suited, {})
        return Training(**defaults | self.settings)

    def _searched(self, wish: Wish, file: Path, device: str, progress: bool) -> HeadsFile:
        """What the heads file will say of the exits that pay; found once, though training is stopped.

        Raises:
            ValueError: None does.
        """
        kept, digest = _beside(file, "search"), weights.state_digest(self.plain)
        identity = hashlib.sha256(json.dumps([digest, asdict(wish), self.about.training]).encode()).hexdigest()
        chosen = Chosen.kept(kept, identity)
        if chosen is None:
            search = Search(
                network=self.network,
                plain=self.plain,
                data=self.data,
                settings=self.settings,
                device=device,
                progress=progress,
            )
            chosen = Chosen.of(search.run(wish, _beside(file, "search-checkpoint")), wish.drop)
            chosen.save(kept, identity)
        if progress:
            for line in chosen.says:
                above_bars(line)
        if not chosen.exits:
            for ending in ENDINGS:
                _beside(file, ending).unlink(missing_ok=True)
            raise ValueError(nothing_pays(self.network.name, wish.drop))
        return replace(self.about, exits=chosen.exits, specs=chosen.specs, stage_names=(*chosen.exits, LAST))

    def _is_in(self, file: Path) -> bool:
        """Whether a file holds what the training would give."""
        try:
            written = weights.read_heads(file)
        except ValueError:
            return False
        expected = self.about
        if self.before:
            # The weights of a network that is trained here are known only afterwards, as is what training comes to.
            expected = replace(expected, trunk=written.trunk)
        if self.wish:
            found = {name: getattr(written, name) for name in ("exits", "specs", "stage_names")}
            expected = replace(expected, **found)
        return replace(written, training={key: written.training.get(key) for key in expected.training}) == expected


ENDINGS = ("search", "search-checkpoint-first", "search-checkpoint", "search-checkpoint-ladder", "checkpoint")
"""Of the files beside the heads that a stopped build goes on from."""


def _beside(file: Path, ending: str) -> Path:
    return file.with_name(f"{file.name}.{ending}")


def _cut(network: Network, plain: nn.Module, exits: str, classes: int) -> Cut:
    return cut(plain, example(network, EXAMPLES), exits, classes=classes, outputs=network.outputs)


def _fitting(
    network: Network,
    data: SampleSet,
    exits: str | None,
    heads: str,
    settings: dict[str, Any],
    download: bool,
    drop: float,
) -> _Fitting:
    """What is to be fitted to `network`."""
    classes, seed = len(data.class_names), settings["seed"]
    trained_here = network.trained_here and network.weights is None
    plain = build_plain(network, classes, seed, download=download)
    if isinstance(plain, StagedModel):
        raise ValueError(f"Expected a plain network to fit heads to but {network.name} has its own; precompute runs it")
    exits = AUTO if exits is None and heads == AUTO else exits
    wish = Wish(exits=exits, heads=heads, drop=drop) if exits and AUTO in (exits, heads) else None
    about = HeadsFile(
        network=network.name,
        exits=(),
        images=network.preprocessing.describe(),
        stage_names=(),
        class_names=data.class_names,
        trunk=weights.state_digest(plain),
        preset=heads,
        specs=(),
        whole=trained_here,
        training={**settings, "data": data.spec, "samples": samples_digest(data)},
    )
    fitting = _Fitting(
        network=network,
        plain=plain,
        data=data,
        wish=wish,
        before=Training(**SMALL_SETTINGS | settings) if trained_here else None,
        settings=settings,
        about=about,
    )
    given_exits = None if exits == AUTO else exits
    # What cannot be cut, or trained so, is told before anything is trained.
    fitting._training(about)
    pieces = _cut(network, plain, given_exits or network.exits, classes)
    if wish is not None:
        return replace(fitting, about=replace(about, training={**about.training, "search": asdict(wish)}))
    given = replace(
        about,
        exits=pieces.exits,
        stage_names=(network.stage_names if exits is None else ()) or (*pieces.exits, LAST),
        specs=preset(heads, list(pieces.shapes), pieces.macs),
    )
    described = {**fitting._training(given).describe(), **about.training}
    return replace(fitting, about=replace(given, training=described))
