"""A small plain network from nothing, settings of training and of devices, and what is recorded of the result."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from cascade_core.nets.devices import resolve_device, resolve_precision
from cascade_core.nets.images.datasets import ImageSet
from cascade_core.nets.networks.named import whole
from cascade_core.nets.networks.zoo import ZOO
from cascade_core.nets.opening import open_data
from cascade_core.nets.recording.precompute import precompute
from cascade_core.nets.staged import CascadedNetwork
from cascade_core.nets.training.settings import Training, fit_network
from tests import smallnets
from tests.smallnets import with_exits

IMAGES = ZOO["small-cnn"].images


@pytest.fixture(scope="module")
def digits() -> ImageSet:
    return open_data("digits", IMAGES, split="train")


def cascade(seed: int = 0, preset: str = "paper") -> CascadedNetwork:
    return with_exits(preset=preset, seed=seed)


def test_a_plain_network_learns_digits_in_seconds(digits: ImageSet) -> None:
    plain = smallnets.plain()
    fit = fit_network(plain, digits, Training(epochs=12, batch_size=64), progress=False)
    assert fit.accuracy[0] > 0.9
    assert not plain.training
    test = open_data("digits", IMAGES)
    outputs = precompute(whole(ZOO["small-cnn"], plain), test, device="cpu", progress=False)
    assert outputs.record().stage_accuracy[0] > 0.9


def test_precompute_records_every_stage_in_order() -> None:
    network, test = cascade().train(), open_data("digits", IMAGES)
    outputs = precompute(network, test, batch_size=128, device="cpu", progress=False, source={"seed": 3})
    again = precompute(network, test, batch_size=900, device="cpu", progress=False)
    np.testing.assert_allclose(outputs.probs, again.probs, rtol=0, atol=1e-5)
    assert outputs.probs.shape == (3, 900, 10)
    assert outputs.probs.dtype == np.float32
    assert outputs.sample_ids.tolist() == list(test.sample_ids)
    assert outputs.source["seed"] == 3
    assert outputs.source["dataset"] == "digits"
    assert outputs.baseline_macs == 171_146


def test_a_network_of_other_classes_is_refused() -> None:
    plain = smallnets.plain(classes=7)
    with pytest.raises(ValueError, match="to answer with the 10 classes of digits but it answers with 7"):
        precompute(whole(ZOO["small-cnn"], plain), open_data("digits", IMAGES), progress=False)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"epochs": 0}, "epochs to be at least 1 but it was 0"),
        ({"epochs": 1, "batch_size": 1}, "batch_size to be at least 2 but it was 1"),
        ({"epochs": 1, "learning_rate": float("nan")}, "learning_rate to be a number > 0 but it was nan"),
        ({"epochs": 1, "temperature": 0.0}, "temperature to be a number > 0 but it was 0.0"),
        ({"epochs": 1, "distil": 1.5}, r"distil .* but it was 1.5"),
        ({"epochs": 1, "held_out": 0.6}, r"held_out .* but it was 0.6"),
    ],
)
def test_bad_settings(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Training(**wrong)


def test_devices_and_precisions() -> None:
    assert resolve_device("cpu") == "cpu"
    with pytest.raises(ValueError, match="Expected device to be auto or one of this machine's"):
        resolve_device("tpu")
    assert resolve_precision("float32", "cpu") == "float32"
    with pytest.raises(ValueError, match="Expected precision to be one of auto, float32, bfloat16"):
        resolve_precision("float16", "cpu")
