"""What the verbs on networks share: how a network and its images are given."""

from __future__ import annotations

import argparse
from typing import Any

from cascade_core.support.checks import numbers

NETWORK = "NAME[=WEIGHTS][+HEADS]"

NETWORKS = """NETWORK is NAME[=WEIGHTS][+HEADS].
  NAME     cifar-resnet20, -32, -44, -56 or -110; small-cnn; one of torchvision's classifiers, such as resnet50;
           timm:NAME, where timm is installed; package.module:factory, a function of your own
  WEIGHTS  a file, or published ones: IMAGENET1K_V2, DEFAULT (torchvision), pretrained (timm)
  HEADS    a .safetensors file of heads that build wrote"""


def images(args: argparse.Namespace) -> dict[str, Any]:
    """What the user wants of the images that networks are given."""
    options = {"size": args.image_size, "resize": args.image_resize, "mean": args.image_mean, "std": args.image_std}
    return {key: tuple(v) if isinstance(v, list) else v for key, v in options.items() if v is not None}


def add_image_flags(parser: argparse.ArgumentParser) -> None:
    """Flags of the images that networks are given."""
    parser.add_argument("--image-size", type=int, help="pixels cropped from the middle (default: the network's own)")
    parser.add_argument("--image-resize", type=int, help="shorter side before cropping (default: the network's own)")
    parser.add_argument("--image-mean", type=numbers(float), help="r,g,b of pixels in [0, 1] (default: likewise)")
    parser.add_argument("--image-std", type=numbers(float), help="r,g,b (default: likewise)")
