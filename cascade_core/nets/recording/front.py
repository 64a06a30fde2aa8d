"""From texts to a small network in front of a given one, sized, trained and written: `train_front`.

On every network measured so far a small network in front saves more than exits of the network's own trunk: it may look
at the image at low resolution, and learns all of its weights.  How large it is follows from the given network's work,
the images' size and the number of classes.  The file is a network like any other, `front=FILE`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch

from cascade_core.nets.devices import resolve_device
from cascade_core.nets.heads.weights import state_digest
from cascade_core.nets.images.datasets import ImageSet
from cascade_core.nets.macs import baseline_macs
from cascade_core.nets.networks.front import NAME, FrontFile, read_front, save_front
from cascade_core.nets.networks.named import NO_WISHES, load_model
from cascade_core.nets.networks.small import SmallSpec, largest
from cascade_core.nets.networks.zoo import Network
from cascade_core.nets.opening import open_data
from cascade_core.nets.progress import above_bars
from cascade_core.nets.recording.runs import RecordOptions, check_networks, precompute_run
from cascade_core.nets.samples import check_answers, check_classes, samples_digest
from cascade_core.nets.staged import StagedModel
from cascade_core.nets.training.checkpoint import check_trained, remove_older, remove_state
from cascade_core.nets.training.distilling import distil
from cascade_core.nets.training.recipe import FRONT_SETTINGS, VIEWS, Distilling
from cascade_core.nets.training.settings import Training
from cascade_core.simulation.stages import Stage
from cascade_core.storage.parts import check_result
from cascade_core.support import checks
from cascade_core.support.files import check_writable
from cascade_core.support.group import Group
from cascade_core.support.remote import Place

SHARE, MOST_SHARE = 0.1, 0.5
"""Of the given network's multiply-accumulates: what a small network takes unless the user says otherwise, and most."""


@dataclass(frozen=True, kw_only=True)
class Front:
    """A small network that was trained.

    Attributes:
        about: What its file says.
        stages: Its exits and what they cost.
        behind_macs: Of the network behind it.
    """

    about: FrontFile
    stages: tuple[Stage, ...]
    behind_macs: int


def train_front(
    network: str,
    *,
    train_data: str,
    out: str | Path,
    share: float = SHARE,
    views: int = VIEWS,
    minutes: float | None = None,
    training: Mapping[str, Any] = NO_WISHES,
    data: str | None = None,
    run: str | Place | None = None,
    **options: Any,
) -> Front:
    """Train a small network to stand in front of a given one, and perhaps record a run of both.

    Args:
        network: `NAME[=WEIGHTS]` of images, which teaches.
        train_data: `KIND` or `KIND:PATH`.
        out: The small network's file, ending in .safetensors.
        share: Of the given network's multiply-accumulates that the small one takes at most, in (0, 0.5].
        views, minutes: As `Distilling` takes them.
        training: Fields of `Training` that replace `FRONT_SETTINGS`.
        data, run: What to record of both, and where; both or neither.
        options: Fields of `RecordOptions`.

    Raises:
        ValueError: An argument is wrong; one line says which.
    """
    chosen, file = RecordOptions(**options), Path(out)
    checks.in_range("share", share, 0.0, MOST_SHARE)
    if (data is None) != (run is None):
        raise ValueError("Expected data to record (--data) and a run to write (--out), or neither, but there was one")
    if run is not None:
        check_result(run)
    check_writable(file, ".safetensors")
    if Group.of_environment().size > 1:
        raise ValueError("Expected one process to train a network but there are several; then share precompute")
    (behind,) = chosen.networks([network])
    check_networks([behind])
    # An eighth of the image is the largest shift.
    settings = {"shift": behind.images.size // 8, **FRONT_SETTINGS, **training, "seed": chosen.seed}
    how = Distilling(training=Training(**settings), views=views, minutes=minutes)
    samples = open_data(train_data, behind.images, split="train", download=chosen.download, classes=chosen.classes)
    if data is not None:
        # Opened before hours of training, not after.
        check_classes(chosen.open(data, behind, "test"), samples.class_names)
    task = _Task.of(behind, samples, share, how, chosen)
    about = task.run(file, resolve_device(chosen.device), chosen.progress)
    if data is not None and run is not None:
        precompute_run([f"{NAME}={file}", network], data=data, out=run, **options)
    return Front(about=about, stages=about.spec.costs(), behind_macs=task.macs)


@dataclass(frozen=True, kw_only=True)
class _Task:
    """A small network that is to be trained.

    Attributes:
        teacher, macs: The given network, and its multiply-accumulates.
        about: What the file will say, but for what training comes to.
    """

    teacher: StagedModel
    macs: int
    data: ImageSet
    how: Distilling
    about: FrontFile

    @classmethod
    def of(cls, behind: Network, data: ImageSet, share: float, how: Distilling, chosen: RecordOptions) -> _Task:
        """A task that was looked at: network and data belong together, and a small network has room."""
        images, classes = behind.images, len(data.class_names)
        teacher = load_model(behind, classes, seed=chosen.seed, download=chosen.download)
        with torch.inference_mode():
            check_answers(data, teacher.plain(images.example(2)).shape[-1])
        macs = baseline_macs(teacher, images.example(1))
        spec = SmallSpec(channels=images.channels, size=images.size, classes=classes, width=1)
        try:
            spec = largest(spec, share * macs)
        except ValueError as error:
            raise ValueError(
                f"Expected a small network of at most {share:.2%} of the {macs:,} MACs of {behind.name} but {error}"
            ) from None
        described = {
            **how.describe(),
            "share": share,
            "data": data.spec,
            "samples": samples_digest(data),
            "teacher": state_digest(teacher),
        }
        about = FrontFile(
            spec=spec, images=images, class_names=data.class_names, behind=behind.name, training=described
        )
        return cls(teacher=teacher, macs=macs, data=data, how=how, about=about)

    def run(self, file: Path, device: str, progress: bool) -> FrontFile:
        """Train and write the network, unless it is there already; what its file says.

        Raises:
            ValueError: Training came to nothing, or its checkpoint is another training's.
        """
        checkpoint = file.with_name(f"{file.name}.checkpoint")
        if (written := self._in(file)) is not None:
            if progress:
                above_bars(f"{file} holds this network already; delete it to train it again")
            remove_older(checkpoint, file)
            return written
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.how.training.seed)
            network = self.about.spec.build()
        came = distil(
            network, self.teacher, self.data, self.how, device=device, progress=progress, checkpoint=checkpoint
        )
        check_trained(network, checkpoint)
        result = {"accuracy": list(came.accuracy), "judged_on": came.held_out, "made": [came.views, came.epochs]}
        about = replace(self.about, training={**self.about.training, **result})
        save_front(file, about, network)
        remove_state(checkpoint)
        return about

    def _in(self, file: Path) -> FrontFile | None:
        """What a file says that holds what the training would give."""
        try:
            written = read_front(file)
        except ValueError:
            return None
        known = {key: written.training.get(key) for key in self.about.training}
        return written if asdict(replace(written, training=known)) == asdict(self.about) else None
