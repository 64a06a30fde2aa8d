"""Checkpoints as people keep them: wherever the network's tensors lie and whatever stands before their names."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cascade_core.nets.heads.checkpoints import read_tensors
from cascade_core.nets.heads.weights import load_weights, state_digest
from tests.names import hostile_names, is_clean
from tests.oracle import assert_one_line
from tests.smallnets import plain

State = dict[str, Tensor]

STATE: State = dict(plain(seed=1).state_dict())

OTHER: State = dict(plain(seed=2).state_dict())

EPOCH = {
    "epoch": 7,
    "best": 91.3,
    "optimizer": {"state": {0: {"step": torch.tensor(3.0)}}, "param_groups": [{"lr": 0.1}]},
}


def prefixed(prefix: str, state: State = STATE) -> State:
    return {prefix + key: value for key, value in state.items()}


def loads(content: Any, path: Path) -> bool:
    """Whether a file with this content fills a network with `STATE`."""
    torch.save(content, path)
    network: nn.Module = plain(seed=0)
    load_weights(network, path)
    return state_digest(network) == state_digest(plain(seed=1))


@pytest.mark.parametrize(
    "place", ["state_dict", "model_state_dict", "model", "net", "network", "weights", "params", "ema"]
)
def test_tensors_lie_under_a_usual_name(place: str, tmp_path: Path) -> None:
    assert loads({**EPOCH, place: STATE}, tmp_path / "w.pt")
    assert loads({**EPOCH, place: prefixed("module.")}, tmp_path / "w.ckpt")


@pytest.mark.parametrize("ending", [".ckpt", ".bin", ".pth.tar"])
def test_endings(ending: str, tmp_path: Path) -> None:
    assert loads(STATE, tmp_path / f"w{ending}")


@pytest.mark.parametrize(
    "prefix",
    [
        "module.",
        "_orig_mod.",
        "model.",
        "net.",
        "network.",
        "_orig_mod.module.",
        "module._orig_mod.",
        "model.module.",
        "my.",
    ],
)
def test_names_stand_behind_a_prefix(prefix: str, tmp_path: Path) -> None:
    assert loads(prefixed(prefix), tmp_path / "w.pt")
    assert loads({"state_dict": prefixed(prefix), **EPOCH}, tmp_path / "w.pt")


def test_a_part_of_the_network_was_compiled(tmp_path: Path) -> None:
    state = {key.replace("stage3.", "stage3._orig_mod."): value for key, value in STATE.items()}
    assert state.keys() != STATE.keys()
    assert loads(state, tmp_path / "w.pt")


def test_counters_may_be_absent_behind_a_prefix(tmp_path: Path) -> None:
    state = {key: value for key, value in prefixed("module.").items() if not key.endswith("num_batches_tracked")}
    torch.save(state, tmp_path / "w.pt")
    load_weights(plain(), tmp_path / "w.pt")


def test_of_several_state_dicts_one_is_taken_and_said(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="^Weights of w.pt are those under model, and not those under ema$"):
        assert loads({"model": STATE, "ema": OTHER, **EPOCH}, tmp_path / "w.pt")
    with pytest.warns(UserWarning, match="^Weights of w.pt are those under generator$"):
        assert loads({"generator": STATE, **EPOCH}, tmp_path / "w.pt")
    with pytest.warns(UserWarning, match="those under ema.module, and not those under zebra"):
        assert loads({"zebra": OTHER, "ema": {"module": STATE, "decay": 0.99}}, tmp_path / "w.pt")


def test_what_training_kept_beside_the_network_is_left_out_and_said(tmp_path: Path) -> None:
    more = {"criterion.weight": torch.ones(3), "metric.count": torch.ones(1)}
    with pytest.warns(UserWarning, match="^Of w.ckpt, criterion.weight .and 1 more. is not behind 'model.'"):
        assert loads({"state_dict": more | prefixed("model.")}, tmp_path / "w.ckpt")
    with pytest.warns(UserWarning, match="not behind 'model.' and left out"):
        assert loads(prefixed("model.") | prefixed("ema_model.", OTHER), tmp_path / "w.ckpt")
    # An average of weights counts how many there were.
    assert loads(prefixed("module.") | {"n_averaged": torch.tensor(4)}, tmp_path / "w.pt")
    # Without a prefix what is too much is another network's.
    with pytest.raises(ValueError, match=r"criterion.weight is unexpected"):
        loads(STATE | {"criterion.weight": torch.ones(3)}, tmp_path / "w.pt")


def test_harmless_objects_are_no_hindrance(tmp_path: Path) -> None:
    beside = {"args": argparse.Namespace(lr=0.1), "best": np.float64(0.93), "step": np.int64(3)}
    assert loads({"state_dict": STATE, **beside}, tmp_path / "w.pt")


@pytest.mark.parametrize(
    ("content", "held"),
    [
        (EPOCH, r"'epoch' \(int\), 'best' \(float\), 'optimizer' \(dict\)"),
        ({}, "nothing"),
        ([torch.ones(2)], "one list"),
        (torch.ones(2), "one Tensor"),
        ({str(i): i for i in range(20)}, "12 more"),
    ],
)
def test_what_a_file_holds_instead_is_listed(content: Any, held: str, tmp_path: Path) -> None:
    torch.save(content, tmp_path / "w.pt")
    with pytest.raises(ValueError, match=rf"w.pt to hold a dict of tensors, .* but it holds .*{held}") as error:
        read_tensors(tmp_path / "w.pt")
    assert "\n" not in str(error.value)


def test_a_whole_network_is_no_state_dict(tmp_path: Path) -> None:
    torch.save(plain(), tmp_path / "w.pt")
    with pytest.raises(ValueError, match=r"holds cascade_core[\w.]+SmallCNN, which is not read; save"):
        read_tensors(tmp_path / "w.pt")


def test_another_networks_prefixed_weights_are_told_without_the_prefix(tmp_path: Path) -> None:
    torch.save(prefixed("module.", dict(plain("cifar-resnet20").state_dict())), tmp_path / "w.pt")
    with pytest.raises(ValueError, match=r"but stage1.0.weight is missing .* and conv1.weight is unexpected"):
        load_weights(plain(), tmp_path / "w.pt")


@pytest.mark.parametrize(
    ("content", "odd"),
    [
        ({1: torch.ones(2)}, "1"),
        (STATE | {7: torch.ones(2)}, "7"),
        ({None: torch.ones(2)}, "None"),
        ({("a", 1): torch.ones(2), "epoch": 3}, "('a', 1)"),
        ({"state_dict": {1: torch.ones(2)}, "epoch": 3}, "1"),
        ({"model": STATE | {True: torch.ones(2)}}, "True"),
    ],
)
def test_names_that_are_no_texts_are_one_line(content: Any, odd: str, tmp_path: Path) -> None:
    torch.save(content, tmp_path / "w.pt")
    with pytest.raises(ValueError, match="names of tensors in") as error:
        read_tensors(tmp_path / "w.pt")
    assert_one_line(error.value, f"but one is {odd}")


ODD_TENSORS: dict[str, Callable[[Tensor], Tensor]] = {
    "without values (on the meta device)": lambda tensor: tensor.to("meta"),
    "sparse; save tensor.to_dense() instead": lambda tensor: tensor.flatten(1).to_sparse(),
    "sparse; save": lambda tensor: tensor.flatten(1).to_sparse_csr(),
    "quantised; save tensor.dequantize() instead": lambda tensor: torch.quantize_per_tensor(
        tensor, 0.1, 0, torch.qint8
    ),
    "nested; save its parts": lambda tensor: torch.nested.nested_tensor([tensor[0], tensor[0][:, :1]]),
    "of complex numbers": lambda tensor: tensor.to(torch.complex64),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("words", ODD_TENSORS)
def test_tensors_without_plain_numbers_are_one_line(words: str, tmp_path: Path) -> None:
    name = next(iter(STATE))
    torch.save(STATE | {name: ODD_TENSORS[words](STATE[name])}, tmp_path / "w.pt")
    network = plain()
    before = state_digest(network)
    with pytest.raises(ValueError, match=name) as error:
        load_weights(network, tmp_path / "w.pt")
    assert_one_line(error.value, f"Expected {name} in w.pt to be a plain tensor of numbers but it is {words}")
    assert state_digest(network) == before


def test_any_name_of_a_tensor_is_one_clean_line(tmp_path: Path) -> None:
    for number, name in enumerate(hostile_names(6, 60)):
        torch.save(STATE | {name: torch.ones(1)}, tmp_path / f"{number}.pt")
        with pytest.raises(ValueError, match="is unexpected") as error:
            load_weights(plain(), tmp_path / f"{number}.pt")
        assert is_clean(str(error.value))
