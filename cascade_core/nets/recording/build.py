"""From texts to fitted heads and a recorded run: `build_run`, which the command line calls.

Heads are fitted to the first network, behind the exits that the user chose; it is trained before if it is small and
comes without weights.  Further networks follow it in a cascade, each in one piece or with a heads file of its own.
The heads are written before anything is recorded, so that a recording that was stopped costs no training: a build
started again with the same arguments finds them there.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
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
from cascade_core.nets.recording.runs import RecordOptions, check_networks, record
from cascade_core.nets.samples import SampleSet, check_classes, samples_digest
from cascade_core.nets.staged import CascadedNetwork, StagedModel
from cascade_core.nets.training.checkpoint import remove_older
from cascade_core.nets.training.fitting import fit_heads
from cascade_core.nets.training.settings import (
    HEAD_SETTINGS,
    SMALL_HEAD_SETTINGS,
    SMALL_SETTINGS,
    Fit,
    Training,
    fit_network,
)
from cascade_core.storage.parts import check_result, heads_beside
from cascade_core.support import checks
from cascade_core.support.files import check_writable
from cascade_core.support.group import Group


def build_run(
    networks: Sequence[str],
    *,
    train_data: str,
    data: str,
    out: str | Path,
    exits: str | None = None,
    heads: str = "fine",
    heads_out: str | Path | None = None,
    training: Mapping[str, Any] = NO_WISHES,
    **options: Any,
) -> Path:
    """Fit heads to a frozen network, record a run, and return its path.

    Args:
        networks: `NAME[=WEIGHTS][+HEADS]`; heads are fitted to the first, more make a cascade of models.
        train_data, data: `KIND` or `KIND:PATH`, to fit on and to record.
        out: The run: a file ending in .parquet, or a folder without ending.
        exits: "auto:5", or names of exits, a,b; without it, the network's own default.
        heads: A preset's name.
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
    checks.one_of("heads", heads, PRESETS)
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
    _fitting(first, training_set, exits, heads, settings, chosen.download).run(file, device, chosen.progress)
    return record([replace(first, heads=file), *others], samples, out, chosen)


@dataclass(frozen=True, kw_only=True)
class _Fitting:
    """Heads that are to be fitted.

    Attributes:
        network, plain: The network, and that built.
        pieces: The same, cut.
        before: How to train the plain network first, if it is to be trained.
        training: How to train the heads.
        about: What the heads file will say, but for what training comes to.
    """

    network: Network
    plain: nn.Module
    pieces: Cut
    data: SampleSet
    before: Training | None
    training: Training
    about: HeadsFile

    def run(self, file: Path, device: str, progress: bool) -> None:
        """Train and write the heads, unless they are there already.

        Raises:
            ValueError: Training came to nothing, or its checkpoint is another training's.
        """
        checkpoint = file.with_name(f"{file.name}.checkpoint")
        if self._is_in(file):
            if progress:
                above_bars(f"{file} holds these heads already; delete it to fit them again")
            remove_older(checkpoint, file)
            return
        # A network that is trained here is small, and its weights then do not depend on the number of cores.
        with threads(1 if self.before else torch.get_num_threads()):
            if self.before:
                fit_network(self.plain, self.data, self.before, device=device, progress=progress)
            early = build(self.about.specs, len(self.data.class_names), self.training.seed)
            cascade = assemble(self.network.title, self.pieces, early, self.about.stage_names)
            fit = fit_heads(cascade, self.data, self.training, device=device, progress=progress, checkpoint=checkpoint)
        self._check(cascade, fit, checkpoint)
        result = {**self.about.training, "accuracy": list(fit.accuracy), "epoch": list(fit.epoch)}
        about = replace(self.about, trunk=weights.state_digest(self.plain), training=result)
        weights.save_heads(file, about, early, self.plain if about.whole else None)
        checkpoint.unlink(missing_ok=True)

    def _is_in(self, file: Path) -> bool:
        """Whether a file holds what the training would give."""
        try:
            written = weights.read_heads(file)
        except ValueError:
            return False
        # The weights of a network that is trained here are known only afterwards, as is what training comes to.
        expected = replace(self.about, trunk=written.trunk) if self.before else self.about
        return replace(written, training={key: written.training.get(key) for key in expected.training}) == expected

    def _check(self, cascade: CascadedNetwork, fit: Fit, checkpoint: Path) -> None:
        finite = all(bool(tensor.isfinite().all()) for tensor in cascade.heads.state_dict().values())
        if not finite or not all(map(math.isfinite, fit.loss)):
            checkpoint.unlink(missing_ok=True)
            raise ValueError("Expected training to come to numbers but it overflowed; lower the learning rate")


def _fitting(
    network: Network, data: SampleSet, exits: str | None, heads: str, settings: dict[str, Any], download: bool
) -> _Fitting:
    """What is to be fitted to `network`."""
    classes, seed = len(data.class_names), settings["seed"]
    trained_here = network.trained_here and network.weights is None
    plain = build_plain(network, classes, seed, download=download)
    if isinstance(plain, StagedModel):
        raise ValueError(f"Expected a plain network to fit heads to but {network.name} has its own; precompute runs it")
    wish = exits or network.exits
    pieces = cut(plain, example(network, EXAMPLES), wish, classes=classes, outputs=network.outputs)
    defaults = SMALL_HEAD_SETTINGS if trained_here else HEAD_SETTINGS.get(heads, {})
    training = Training(**defaults | settings)
    return _Fitting(
        network=network,
        plain=plain,
        pieces=pieces,
        data=data,
        before=Training(**SMALL_SETTINGS | settings) if trained_here else None,
        training=training,
        about=HeadsFile(
            network=network.name,
            exits=pieces.exits,
            images=network.preprocessing.describe(),
            stage_names=(network.stage_names if exits is None else ()) or (*pieces.exits, LAST),
            class_names=data.class_names,
            trunk=weights.state_digest(plain),
            preset=heads,
            specs=preset(heads, list(pieces.shapes), pieces.macs),
            whole=trained_here,
            training={**training.describe(), "data": data.spec, "samples": samples_digest(data)},
        ),
    )
