"""Files of small networks that stand in front of larger ones, and such a file as a network by name, `front=FILE`.

A file is safetensors, with a JSON description in its metadata: what the network is as whole numbers (`small`), the
images that it takes, its classes, and how it was trained.  Everything is checked, and nothing in a file is run.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
from torch import nn

from cascade_core.nets.heads.checkpoints import existing, first_line
from cascade_core.nets.heads.weights import METADATA_KEY, read_description
from cascade_core.nets.images.pixels import Preprocessing
from cascade_core.nets.networks.small import SmallSpec
from cascade_core.nets.networks.zoo import Network
from cascade_core.support import checks
from cascade_core.support.files import atomic_write

NAME = "front"
"""What the command line calls such a network."""

SCHEMA_VERSION = 1


@dataclass(frozen=True, kw_only=True)
class FrontFile:
    """What a file of a small network says of it.

    Attributes:
        spec: What it is.
        images: `Preprocessing` of the images that it takes.
        class_names: K texts.
        behind: Name of the network that it learned from; only shown.
        training: How it was trained and what that came to, as JSON data.

    Raises:
        ValueError: Images or classes are not the network's.
    """

    spec: SmallSpec
    images: Preprocessing
    class_names: tuple[str, ...]
    behind: str
    training: Mapping[str, Any]

    def __post_init__(self) -> None:
        checks.names("class_names", self.class_names, self.spec.classes, "class")
        shape = (checks.whole("channels", self.images.channels, 1, 3), self.images.size)
        if shape != (self.spec.channels, self.spec.size):
            raise ValueError(f"its images are {shape} and its network takes {(self.spec.channels, self.spec.size)}")


def save_front(path: Path, about: FrontFile, network: nn.Module) -> Path:
    """Write a trained network, atomically."""
    fields = {**asdict(about), "kind": NAME, "schema_version": SCHEMA_VERSION}
    text = json.dumps(fields, sort_keys=True, allow_nan=False)
    dense = {key: tensor.detach().cpu().contiguous() for key, tensor in network.state_dict().items()}
    with atomic_write(path) as temporary:
        # Written here, because the library's own words on a full disk are no OSError.
        temporary.write_bytes(safetensors.torch.save(dense, metadata={METADATA_KEY: text}))
    return path


def read_front(path: str | Path) -> FrontFile:
    """Description of a file; its weights are not read.

    Raises:
        ValueError: The file is missing or malformed, or of a newer schema.
    """
    file = existing(path)
    try:
        fields = read_description(file)
        if not isinstance(fields, dict) or fields.get("kind") != NAME:
            raise ValueError("it is another kind of file")
        if fields["schema_version"] != SCHEMA_VERSION:
            raise ValueError(f"its schema version is {repr(fields['schema_version'])[:20]}, not {SCHEMA_VERSION}")
        return _front(**{key: value for key, value in fields.items() if key not in ("kind", "schema_version")})
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise ValueError(
            f"Expected {file.name} to be a network that `python -m cascade_core front` wrote but {first_line(error)}"
        ) from None


def _front(*, spec: Any, images: Any, class_names: Any, behind: Any, training: Any) -> FrontFile:
    """A description of JSON data."""
    if not isinstance(behind, str) or not isinstance(training, dict):
        raise ValueError("it does not say how it was trained")
    if not isinstance(class_names, list):
        raise ValueError("its class_names are no list of texts")
    prepared: dict[str, Any] = {key: tuple(v) if isinstance(v, list) else v for key, v in images.items()}
    return FrontFile(
        spec=SmallSpec(**spec),
        images=Preprocessing(**prepared),
        class_names=tuple(class_names),
        behind=behind,
        training=training,
    )


def front_network(file: str | None, wishes: Mapping[str, Any]) -> Network:
    """`front=FILE`; its description is read, its weights are not.

    Args:
        wishes: Fields of `Preprocessing` that replace its own; not its size.

    Raises:
        ValueError: There is no such file, or one of another kind; or images of another size are wished for.
    """
    if file is None:
        raise ValueError(f"Expected a file that the verb front wrote, {NAME}=FILE, but there was none")
    about = read_front(file)
    images = about.images.changed(wishes)
    if images.size != about.spec.size:
        raise ValueError(
            f"Expected images of {about.spec.size} pixels for {Path(file).name}, as it was trained on, "
            f"but --image-size is {images.size}"
        )

    def build(classes: int | None) -> nn.Module:
        if classes not in (None, about.spec.classes):
            raise ValueError(
                f"Expected the {about.spec.classes} classes of {Path(file).name} but there are {classes}; "
                "were network and data made for each other?"
            )
        return about.spec.build()

    return Network(
        name=NAME,
        title=NAME,
        build=build,
        preprocessing=images,
        weights=Path(file),
        class_names=about.class_names,
    )
