"""Reading weights of others and heads of ours: what fits is loaded, what does not is named in one line."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
import safetensors.torch
import torch
from torch import nn

from cascade_core.nets.heads import families
from cascade_core.nets.heads.weights import (
    HeadsFile,
    digest,
    fill_heads,
    load_weights,
    read_heads,
    save_heads,
    state_digest,
)
from tests.oddvalues import with_odd_values
from tests.oracle import assert_one_line
from tests.smallnets import plain

ABOUT = HeadsFile(
    network="small-cnn",
    exits=("stage1",),
    images={"channels": 1, "mean": [0.5]},
    stage_names=("a", "b"),
    class_names=("x", "y", "z"),
    trunk="0" * 64,
    preset="paper",
    specs=families.preset("paper", [(2, 4, 4)], 10**6),
    whole=False,
    training={"epochs": 1},
)


def net(seed: int = 0, classes: int = 10) -> nn.Module:
    return plain("cifar-resnet20", seed, classes)


class Harmful:
    """An object whose unpickling would make a folder."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, ("harm",)


@pytest.mark.parametrize("suffix", [".th", ".pt", ".pth", ".safetensors"])
@pytest.mark.parametrize("prefix", ["", "module."])
def test_every_kind_of_file_fills_the_network(tmp_path: Path, suffix: str, prefix: str) -> None:
    state = {prefix + k: v for k, v in net(1).state_dict().items()}
    path = tmp_path / f"weights{suffix}"
    if suffix == ".safetensors":
        safetensors.torch.save_file(state, path)
    else:
        torch.save({"state_dict": state, "best": 1.0}, path)
    filled = net(0)
    load_weights(filled, path)
    assert state_digest(filled) == state_digest(net(1)) != state_digest(net(0))


def test_missing_unexpected_and_misshapen_weights_are_named(tmp_path: Path) -> None:
    state = net().state_dict()
    del state["linear.bias"]
    torch.save(state | {"extra": torch.zeros(1), "more": torch.zeros(1)}, tmp_path / "odd.pt")
    wrong = r"odd.pt to hold .* but linear.bias is missing and extra is unexpected \(and 1 more\)"
    with pytest.raises(ValueError, match=wrong):
        load_weights(net(), tmp_path / "odd.pt")
    torch.save(net(classes=100).state_dict(), tmp_path / "hundred.pt")
    with pytest.raises(ValueError, match=r"linear.weight in hundred.pt to have shape \(10, 64\) but .* \(100, 64\)"):
        load_weights(net(), tmp_path / "hundred.pt")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.pt", b"nonsense", "a.pt to hold"),
        ("a.th", b"", "a.th to hold weights but it cannot be read"),
        ("a.safetensors", b"nonsense", "a.safetensors to hold weights but it cannot be read"),
        ("a.txt", b"", "to be a .th, .pt, .pth, .* or .safetensors file but it was 'a.txt'"),
    ],
)
def test_malformed_files_are_refused_in_one_line(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=message) as error:
        load_weights(net(), tmp_path / name)
    assert "\n" not in str(error.value)


def test_a_file_that_is_not_there() -> None:
    with pytest.raises(ValueError, match=r"Expected a file at none.pt but there is none"):
        load_weights(net(), "none.pt")


def test_a_pickle_runs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"state_dict": Harmful()}, tmp_path / "evil.pt")
    with pytest.raises(
        ValueError,
        match=r"evil.pt to hold plain tensors but it holds posix.mkdir, which is not read; save network.state_dict",
    ):
        load_weights(net(), tmp_path / "evil.pt")
    assert not (tmp_path / "harm").exists()


def test_digests_follow_the_bytes_and_the_buffers(tmp_path: Path) -> None:
    (tmp_path / "empty").write_bytes(b"")
    assert digest(tmp_path / "empty").startswith("e3b0c44298fc1c14")  # SHA-256 of nothing
    layer = nn.BatchNorm1d(2)
    before = state_digest(layer)
    layer(torch.randn(4, 2))  # in training mode: only the running statistics change
    assert state_digest(layer) != before


def test_heads_come_back_as_they_were(tmp_path: Path) -> None:
    made = families.build(ABOUT.specs, 3, 5)
    path = save_heads(tmp_path / "heads.safetensors", ABOUT, made)
    assert read_heads(path) == ABOUT
    again = families.build(read_heads(path).specs, 3, 0)
    fill_heads(path, again)
    assert state_digest(again[0]) == state_digest(made[0])
    assert save_heads(tmp_path / "twice.safetensors", ABOUT, made).read_bytes() == path.read_bytes()


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        (None, "written by `python -m cascade_core build` but it has no description"),
        ({"schema_version": 3}, "its schema version is 3, not 2"),
        ({"schema_version": 1, "specs": [], "stage_names": [], "class_names": []}, "missing .* arguments"),
        (
            {"schema_version": 1, "specs": [{"family": "os.system", "shape": [1, 1, 1], "parameters": {}}]},
            "a head's family",
        ),
    ],
)
def test_other_safetensors_are_no_heads(tmp_path: Path, metadata: dict[str, object] | None, message: str) -> None:
    path = tmp_path / "heads.safetensors"
    described = None if metadata is None else {"cascade_core": json.dumps(metadata)}
    safetensors.torch.save_file({"a": torch.zeros(1)}, path, metadata=described)
    with pytest.raises(ValueError, match=message):
        read_heads(path)


def test_a_description_nested_too_deeply_is_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "deep.safetensors"
    safetensors.torch.save_file({"a": torch.zeros(1)}, path, metadata={"cascade_core": "[" * 50_000})
    with pytest.raises(ValueError, match=r"^Expected deep.safetensors to be a heads file .* nested too deeply$"):
        read_heads(path)


def test_heads_of_another_shape_are_refused(tmp_path: Path) -> None:
    path = save_heads(tmp_path / "heads.safetensors", ABOUT, families.build(ABOUT.specs, 3, 0))
    other = replace(ABOUT, specs=families.preset("fine", [(2, 4, 4)], 10**6))
    with pytest.raises(ValueError, match=r"0.2.bias in heads.safetensors to have shape"):
        fill_heads(path, families.build(other.specs, 3, 0))


def test_any_odd_value_in_a_description_is_heads_or_one_line(tmp_path: Path) -> None:
    """Nothing else than texts as names of classes, stages and exits is among what is taken."""
    heads, path = [spec.build(3) for spec in ABOUT.specs], tmp_path / "h.safetensors"
    save_heads(path, ABOUT, heads)
    description = json.loads(header(path)["__metadata__"]["cascade_core"])
    for spoiled in with_odd_values(description):
        text = json.dumps(spoiled, ensure_ascii=False).encode(errors="surrogatepass").decode(errors="replace")
        safetensors.torch.save_file({"x": torch.ones(1)}, path, metadata={"cascade_core": text})
        try:
            about = read_heads(path)
        except ValueError as error:
            assert_one_line(error, "Expected h.safetensors to be a heads file")
            continue
        names = (*about.exits, *about.stage_names, *about.class_names, about.network, about.trunk, about.preset)
        assert all(isinstance(name, str) for name in names)
        assert all(isinstance(spec.family, str) for spec in about.specs)


def header(path: Path) -> dict[str, dict[str, str]]:
    """What a file of tensors says of them."""
    raw = path.read_bytes()
    found: dict[str, dict[str, str]] = json.loads(raw[8 : 8 + int.from_bytes(raw[:8], "little")])
    return found
