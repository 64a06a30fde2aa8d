"""Networks in stages: building, training their heads, counting their cost, recording what each stage says.

This is the only package that imports torch; nothing of `cascade_core` outside it does.
"""

from cascade_core.support.extras import require

require("nets")

# Before anything else: ptflops imports torchvision too, which `_torchvision` makes importable.
from cascade_core.nets import _torchvision as _torchvision  # isort: skip

from cascade_core.nets.cutting.attach import attach_exits
from cascade_core.nets.cutting.splitting import choose_points, exit_points, split
from cascade_core.nets.cutting.tracing import trace
from cascade_core.nets.heads.weights import load_weights
from cascade_core.nets.images.datasets import ImageSet
from cascade_core.nets.images.pixels import Preprocessing
from cascade_core.nets.macs import count_macs, stage_costs
from cascade_core.nets.networks.named import find, load_model
from cascade_core.nets.networks.zoo import Network
from cascade_core.nets.opening import open_data
from cascade_core.nets.recording.build import build_run
from cascade_core.nets.recording.front import train_front
from cascade_core.nets.recording.precompute import precompute, precompute_to
from cascade_core.nets.recording.runs import precompute_run
from cascade_core.nets.running.classify import Answer, Failure, classify_files, image_files, load_cascade
from cascade_core.nets.running.gathering import gathered
from cascade_core.nets.running.runner import Answers, Runner
from cascade_core.nets.staged import CascadedNetwork, ModelCascade, StagedModel, softmaxes
from cascade_core.nets.training.fitting import fit_heads
from cascade_core.nets.training.settings import Training, fit_network

__all__ = [
    "Answer",
    "Answers",
    "CascadedNetwork",
    "Failure",
    "ImageSet",
    "ModelCascade",
    "Network",
    "Preprocessing",
    "Runner",
    "StagedModel",
    "Training",
    "attach_exits",
    "build_run",
    "choose_points",
    "classify_files",
    "count_macs",
    "exit_points",
    "find",
    "fit_heads",
    "fit_network",
    "gathered",
    "image_files",
    "load_cascade",
    "load_model",
    "load_weights",
    "open_data",
    "precompute",
    "precompute_run",
    "precompute_to",
    "softmaxes",
    "split",
    "stage_costs",
    "trace",
    "train_front",
]
