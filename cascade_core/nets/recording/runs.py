"""From texts to a recorded run: `precompute_run`, which the command line calls, and what it shares with `build`.

Networks are named as in `networks`, data as in `datasets`.  One network with heads is a network with early exits;
several networks are a cascade of models, each in one piece or with heads of its own.  All must expect the same images.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from cascade_core.nets.cutting.attach import exit_costs
from cascade_core.nets.cutting.splitting import ExitPoint, choose_points
from cascade_core.nets.heads import weights
from cascade_core.nets.images.corruptions import Corruption
from cascade_core.nets.images.datasets import ImageSet
from cascade_core.nets.networks.named import EXAMPLES, NO_WISHES, build_plain, example, find, in_a_row, load_model
from cascade_core.nets.networks.outside import Wishes
from cascade_core.nets.networks.zoo import Network
from cascade_core.nets.opening import open_data
from cascade_core.nets.recording.precompute import precompute_to
from cascade_core.nets.recording.workers import Workers
from cascade_core.nets.samples import SampleSet, check_classes
from cascade_core.nets.staged import StagedModel
from cascade_core.nets.texts.tokens import Tokens
from cascade_core.storage.origin import HeadsOrigin, NetworkOrigin, Origin, RecordedFile
from cascade_core.support import checks
from cascade_core.support.cluster import address_of
from cascade_core.support.remote import Somewhere

MAX_SEED = 2**32 - 1
"""Largest seed that every generator takes."""


@dataclass(frozen=True, kw_only=True)
class RecordOptions:
    """How a run is recorded.

    Attributes:
        title: One sentence on the run.
        dataset_name: What papers call the data set; without it, what the kind of the data says, or the title.
        kind: What lists file the run under; without it, its data set.
        wishes: Fields of `Preprocessing` or `Tokens` that replace the networks' own.
        classes: Names of the networks' classes in their order, where folders of images do not say it; as `open_data`
            takes them.
        outputs: Which answers to take of a network that returns several, as `find` takes it.
        corrupt: What is done to pictures before, in this order: `KIND:SEVERITY` of `corruptions`.
        batch_size, chunk_size: Samples at a time, and in each part that is finished before the next.
        seed: Of everything random; only noted, where all networks have their weights and no picture is corrupted.
        device: "auto", or a device's name.
        download: Whether absent data sets and weights may be fetched.
        progress: Whether a bar shows how far it is.
        on: Who computes: None = this process, and those that torchrun started with it; or "ray[:ADDRESS]".
        gpus_per_worker, workers: As `on_ray.Cluster` takes them; None = as many as it has by itself.

    Raises:
        ValueError: The seed is out of range.
    """

    title: str = ""
    dataset_name: str | None = None
    kind: str | None = None
    wishes: Wishes = field(default_factory=dict)
    classes: str | None = None
    outputs: str | None = None
    corrupt: Sequence[str] = ()
    batch_size: int = 256
    chunk_size: int = 1024
    seed: int = 0
    device: str = "auto"
    download: bool = False
    progress: bool = True
    on: str | None = None
    gpus_per_worker: float | None = None
    workers: int | None = None

    def __post_init__(self) -> None:
        checks.whole("seed", self.seed, 0, MAX_SEED)
        if self.on is None and (self.gpus_per_worker is not None or self.workers is not None):
            raise ValueError("Expected --gpus-per-worker and --workers with --on ray, which places workers")

    def open(self, data: str, network: Network, split: str) -> SampleSet:
        """Data for a network: `KIND` or `KIND:PATH`."""
        inputs = network.preprocessing
        return open_data(data, inputs, split=split, download=self.download, classes=self.classes)

    def corrupted(self, samples: SampleSet) -> SampleSet:
        """The same samples, their pictures corrupted as is wished."""
        corruptions = tuple(map(Corruption.of, self.corrupt))
        if not corruptions:
            return samples
        if not isinstance(samples, ImageSet):
            raise ValueError(
                f"Expected pictures to corrupt but {samples.spec} holds {samples.unit}; leave out --corrupt"
            )
        return replace(samples, corruptions=corruptions, seed=self.seed)

    def computing(self) -> Workers | None:
        """Who computes, as `precompute_to` takes it.

        Raises:
            ValueError: It is of another kind, or a number is out of range.
            MissingExtra: Ray is not installed.
        """
        if self.on is None:
            return None
        address = address_of(self.on)
        from cascade_core.nets.recording.on_ray import Cluster

        given = {} if self.gpus_per_worker is None else {"gpus_per_worker": self.gpus_per_worker}
        return Cluster(address=address, most=self.workers, **given)

    def networks(self, texts: Sequence[str]) -> list[Network]:
        """The networks that `NAME[=WEIGHTS][+HEADS]` name."""
        return [find(text, self.wishes, outputs=self.outputs) for text in texts]


def precompute_run(
    networks: Sequence[str], *, data: str, out: str | Somewhere, split: str = "test", **options: Any
) -> Path | Somewhere:
    """Record a run of networks that need no training, and return its path.

    Args:
        networks: `NAME[=WEIGHTS][+HEADS]`, in the order in which they run.
        data: `KIND` or `KIND:PATH`.
        out: A file ending in .parquet, or a folder without ending.
        split: "test" or "train", of a data set that has both.
        options: Fields of `RecordOptions`.

    Raises:
        ValueError: An argument is wrong, or heads belong to another network; one line says which.
    """
    chosen = RecordOptions(**options)
    chosen.computing()
    cascade = chosen.networks(networks)
    check_networks(cascade)
    samples = chosen.corrupted(chosen.open(data, cascade[0], split))
    return record(cascade, samples, out, chosen)


def exits_of(
    text: str, *, exits: str | None = None, wishes: Wishes = NO_WISHES, outputs: str | None = None
) -> tuple[tuple[tuple[ExitPoint, int], ...], tuple[str, ...], int, int | None]:
    """Every exit point of a network with the MACs up to there, the names of the chosen ones, and the MACs of it all.

    Last, of a network of texts, how many tokens those are of.

    Args:
        text: `NAME[=WEIGHTS]`; weights are not read.
        exits: "auto:5", or names, a,b; without it, the network's own default.
        outputs: As `find` takes it.

    Raises:
        ValueError: The network cannot be traced, or has stages of its own; one line says so.
    """
    # Weights that would have to be fetched are not needed to see the network's shape.
    network = find(text.removesuffix("=pretrained"), wishes, outputs=outputs)
    plain = build_plain(replace(network, weights=None), None)
    if isinstance(plain, StagedModel):
        raise ValueError(f"Expected a plain network to look for exits in but {network.name} has stages of its own")
    points, total = exit_costs(plain, example(network, EXAMPLES), outputs=outputs)
    inputs, chosen = network.preprocessing, choose_points([point for point, _ in points], exits or network.exits)
    return points, chosen, total, inputs.length if isinstance(inputs, Tokens) else None


def check_networks(networks: Sequence[Network], *, trained_here: bool = False) -> None:
    """Raise ValueError unless there is a network, all have weights, and all take the same samples.

    Args:
        trained_here: Whether the first may be trained from nothing.
    """
    if not networks:
        raise ValueError("Expected at least one network, NAME=WEIGHTS, but there was none")
    for number, network in enumerate(networks):
        # A file of heads may hold a small network whole.
        excused = network.brings_weights or network.heads or (trained_here and number == 0 and network.trained_here)
        if network.weights is None and not excused:
            raise ValueError(f"Expected weights for {network.name}, {network.name}=WEIGHTS, but there were none")
        if network.preprocessing != networks[0].preprocessing:
            raise ValueError(
                f"Expected networks to take the same images, or texts of the same tokens, but {network.name} and "
                f"{networks[0].name} differ; --image-size, -resize, -mean and -std and --text-length are for all of "
                "them, and runs of networks apart can be joined"
            )


def record(
    networks: Sequence[Network], data: SampleSet, out: str | Somewhere, options: RecordOptions
) -> Path | Somewhere:
    """Record what every stage of the networks in a row says of `data`, as `precompute_run` does."""
    for network in networks:
        if names := network.class_names if network.heads is None else weights.read_heads(network.heads).class_names:
            check_classes(data, names)
    seed, classes = options.seed, len(data.class_names)
    models = [load_model(network, classes, seed=seed, download=options.download) for network in networks]
    origin = Origin(
        networks=tuple(map(_origin, networks)),
        title=options.title or None,
        data=data.spec,
        dataset=options.dataset_name,
        kind=options.kind,
        rest={"seed": seed} | ({"outputs": options.outputs} if options.outputs else {}),
    )
    return precompute_to(
        out,
        in_a_row(networks, models),
        data,
        batch_size=options.batch_size,
        chunk_size=options.chunk_size,
        device=options.device,
        progress=options.progress,
        source=origin.as_json(),
        workers=options.computing(),
    )


def _origin(network: Network) -> NetworkOrigin:
    """Where a network came from, without paths of this machine."""
    return NetworkOrigin(
        name=network.name,
        weights=_weights(network),
        heads=None if network.heads is None else _heads_origin(network.heads),
    )


def _weights(network: Network) -> RecordedFile | None:
    """The file of its weights; of several, their index and the digest of all digests."""
    files = network.own_weights if network.weights is None else (network.weights,)
    if len(files) < 2:
        return _recorded(files[0]) if files else None
    digests = "\n".join(map(weights.digest, files))
    return RecordedFile(name=files[0].name, sha256=hashlib.sha256(digests.encode()).hexdigest())


def _heads_origin(file: Path) -> HeadsOrigin:
    about = weights.read_heads(file)
    return HeadsOrigin(
        file=_recorded(file), preset=about.preset, exits=about.exits, trunk=about.trunk, training=about.training
    )


def _recorded(file: Path) -> RecordedFile:
    return RecordedFile(name=file.name, sha256=weights.digest(file))
