"""What the verbs on networks share: how a network and its images are given, and what is taken of what it returns."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from cascade_core.support.checks import numbers

if TYPE_CHECKING:
    from cascade_core.nets.networks.zoo import Network

NETWORK = "NAME[=WEIGHTS][+HEADS]"

NETWORKS = """NETWORK is NAME[=WEIGHTS][+HEADS].
  NAME     cifar-resnet20, -32, -44, -56 or -110; small-cnn; one of torchvision's classifiers, such as resnet50;
           front, whose WEIGHTS are a file that the verb front wrote;
           timm:NAME, where timm is installed; hf:FOLDER or hf:NAME, a classifier of images or texts of Hugging
           Face, where transformers is installed; package.module:factory, a function of your own
  WEIGHTS  a file, or published ones: IMAGENET1K_V2, DEFAULT (torchvision), pretrained (timm)
  HEADS    a .safetensors file of heads that build wrote"""


def images(args: argparse.Namespace) -> dict[str, Any]:
    """What the user wants of the images or texts that networks are given."""
    options = {
        "size": args.image_size,
        "resize": args.image_resize,
        "mean": args.image_mean,
        "std": args.image_std,
        "length": args.text_length,
    }
    return {key: tuple(v) if isinstance(v, list) else v for key, v in options.items() if v is not None}


def networks(args: argparse.Namespace) -> list[Network]:
    """The networks that were named."""
    from cascade_core.nets.networks.named import find

    return [find(name, images(args), outputs=args.outputs) for name in args.network]


def add_network_flags(parser: argparse.ArgumentParser) -> None:
    """Flags of what networks are given, and of what they return."""
    parser.add_argument("--image-size", type=int, help="pixels cropped from the middle (default: the network's own)")
    parser.add_argument("--image-resize", type=int, help="shorter side before cropping (default: the network's own)")
    parser.add_argument("--image-mean", type=numbers(float), help="r,g,b of pixels in [0, 1] (default: likewise)")
    parser.add_argument("--image-std", type=numbers(float), help="r,g,b (default: likewise)")
    parser.add_argument(
        "--text-length",
        type=int,
        help="tokens that texts are cut or padded to (default: 128, or the network's most)",
    )
    parser.add_argument(
        "--outputs",
        metavar="WHICH",
        help="of a network that returns several answers: all (each is a stage), first, last or a name",
    )
