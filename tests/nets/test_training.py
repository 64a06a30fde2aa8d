"""Backtrack training: the trunk stays bit for bit, seeds decide, and what is folded is the same function."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cascade_core.nets import heads, training, zoo
from cascade_core.nets.datasets import ImageSet, open_data
from cascade_core.nets.devices import resolve_device, resolve_precision
from cascade_core.nets.precompute import precompute
from cascade_core.nets.staged import CascadedNetwork
from cascade_core.nets.standardise import fold, standardise
from cascade_core.nets.training import Training, fit_heads, fit_network
from cascade_core.nets.weights import state_digest

SPEC = zoo.parse("small-cnn")
SHORT = Training(epochs=1, reuse=2, batch_size=64, precision="float32")


@pytest.fixture(scope="module")
def digits() -> ImageSet:
    return open_data("digits", SPEC.entry.preprocessing, split="train")


def cascade(seed: int = 0) -> CascadedNetwork:
    plain = zoo.build_plain(SPEC, 10, seed)
    specs = heads.preset("paper", zoo.feature_shapes(SPEC, plain)[:-1])
    return zoo.cascade(SPEC, plain, heads.build(specs, 10, seed))


def head_digests(network: CascadedNetwork) -> list[str]:
    return [state_digest(head) for head in network.heads]


def test_only_the_early_heads_change(digits: ImageSet) -> None:
    network = cascade().train()  # as somebody might hand it over
    trunk, before = state_digest(network.trunk), head_digests(network)
    fit = fit_heads(network, digits, SHORT, progress=False)
    assert state_digest(network.trunk) == trunk
    changed = [old != new for old, new in zip(before, head_digests(network), strict=True)]
    assert changed == [True, True, False]
    assert len(fit.loss) == len(fit.accuracy) == 2
    assert all(0.1 < share < 1 for share in fit.accuracy)


def test_a_trunk_that_changes_is_noticed(digits: ImageSet, monkeypatch: pytest.MonkeyPatch) -> None:
    network = cascade()

    def careless(*_: object) -> None:
        norm = network.get_submodule("trunk.0.1")
        assert isinstance(norm, nn.BatchNorm2d)
        assert norm.running_mean is not None
        norm.running_mean += 1e-6  # a buffer, by as little as float32 holds

    monkeypatch.setattr(training, "fold", careless)
    with pytest.raises(RuntimeError, match="trunk and last head of Small CNN to stay as they were but they changed"):
        fit_heads(network, digits, SHORT, progress=False)


def test_the_last_trunk_piece_is_not_run(digits: ImageSet) -> None:
    network = cascade()

    class Refusing(nn.Module):
        def forward(self, _: Tensor) -> Tensor:
            raise AssertionError

    network.trunk[-1] = Refusing()
    fit_heads(network, digits, SHORT, progress=False)


def test_equal_seeds_give_equal_heads(digits: ImageSet) -> None:
    first, again, other = cascade(), cascade(), cascade()
    fit_heads(first, digits, SHORT, progress=False)
    fit_heads(again, digits, SHORT, progress=False)
    fit_heads(other, digits, Training(epochs=1, reuse=2, batch_size=64, seed=1), progress=False)
    assert head_digests(first) == head_digests(again)
    assert head_digests(first)[:2] != head_digests(other)[:2]


def test_small_chunks_train_as_well(digits: ImageSet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "CHUNK_BYTES", 64 * (8 + 16) * 4 * 3)  # three batches of 8 and 16 features
    fit = fit_heads(cascade(), digits, SHORT, progress=False)
    assert min(fit.accuracy) > 0.1


def test_folding_the_standardisation_leaves_the_function() -> None:
    generator = torch.Generator().manual_seed(0)
    head = heads.enhanced((4, 8, 8), 10, height=2, width=2, hidden=8)
    maps = torch.rand(32, 4, 8, 8, generator=generator) * 50 + 100
    features = head[:2](maps)
    trained = heads.enhanced((4, 8, 8), 10, height=2, width=2, hidden=8)[2:]
    tail = nn.Sequential(standardise(features), *trained.children())
    wanted = tail(features)
    fold(tail, head)
    torch.testing.assert_close(head(maps), wanted, rtol=1e-3, atol=1e-4)


def test_standardised_features_are_standard() -> None:
    x = torch.randn(500, 3, generator=torch.Generator().manual_seed(0)) * torch.tensor([1.0, 10.0, 0.0]) + 5
    made = standardise(x)(x)
    torch.testing.assert_close(made.mean(0), torch.zeros(3), rtol=0, atol=1e-3)
    torch.testing.assert_close(made.std(0)[:2], torch.ones(2), rtol=0, atol=1e-2)
    assert made[:, 2].abs().max() < 1  # a constant feature stays quiet


def test_a_plain_network_learns_digits_in_seconds(digits: ImageSet) -> None:
    plain = zoo.build_plain(SPEC, 10)
    fit = fit_network(plain, digits, Training(epochs=12, batch_size=64), progress=False)
    assert fit.accuracy[0] > 0.9
    assert not plain.training
    test = open_data("digits", SPEC.entry.preprocessing)
    outputs = precompute(zoo.uncut(SPEC, plain), test, device="cpu", progress=False)
    assert outputs.record().stage_accuracy[0] > 0.9


def test_precompute_records_every_stage_in_order() -> None:
    network, test = cascade().train(), open_data("digits", SPEC.entry.preprocessing)
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
    plain = zoo.build_plain(SPEC, 7)
    with pytest.raises(ValueError, match="to answer with the 10 classes of digits but it answers with 7"):
        precompute(zoo.uncut(SPEC, plain), open_data("digits", SPEC.entry.preprocessing), progress=False)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"epochs": 0}, "epochs to be at least 1 but it was 0"),
        ({"epochs": 1, "batch_size": 1}, "batch_size to be at least 2 but it was 1"),
        ({"epochs": 1, "learning_rate": float("nan")}, "learning_rate to be a number > 0 but it was nan"),
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


def test_a_network_without_early_stages_has_nothing_to_fit(digits: ImageSet) -> None:
    with pytest.raises(ValueError, match="a stage before its last"):
        fit_heads(zoo.uncut(SPEC, zoo.build_plain(SPEC, 10)), digits, SHORT, progress=False)
