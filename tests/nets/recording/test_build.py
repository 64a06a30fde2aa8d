"""From texts to a run: digits whole in seconds, heads that survive a kill, the published accuracies."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from cascade_core.nets.heads.weights import read_heads
from cascade_core.nets.networks.named import find, load_model
from cascade_core.nets.recording import build as module
from cascade_core.nets.recording.build import build_run
from cascade_core.nets.recording.runs import precompute_run
from cascade_core.nets.training import settings
from cascade_core.nets.training.settings import Fit, Training
from cascade_core.simulation.outputs import StageOutputs
from tests.runfiles import load_softmaxes
from tests.smallnets import plain

CACHE = Path(__file__).resolve().parents[3] / "cache"
QUIET: dict[str, Any] = {"device": "cpu", "progress": False}


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Training long enough to see that it works."""
    monkeypatch.setitem(settings.SMALL_SETTINGS, "epochs", 8)
    monkeypatch.setitem(settings.SMALL_HEAD_SETTINGS, "epochs", 2)


@pytest.fixture
def untaught(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """No training, and a list that grows by its epochs where there would have been one."""
    asked: list[int] = []

    def fit(_network: object, _data: object, how: Training, *, checkpoint: Path, **_: object) -> Fit:
        asked.append(how.epochs)
        checkpoint.write_text("a state")
        return Fit(loss=(1.0,), accuracy=(0.1,), epoch=(how.epochs,), seconds=0.0)

    monkeypatch.setattr(module, "fit_heads", fit)
    return asked


def weights_file(path: Path, name: str, seed: int) -> str:
    torch.save(plain(name, seed).state_dict(), path)
    return f"{name}={path}"


def built(networks: list[str], out: Path, **options: Any) -> StageOutputs:
    return load_softmaxes(build_run(networks, train_data="digits", data="digits", out=out, **QUIET | options))


def recorded(networks: list[str], out: Path, **options: Any) -> StageOutputs:
    return load_softmaxes(precompute_run(networks, data="digits", out=out, **QUIET | options))


def test_digits_end_to_end(tmp_path: Path) -> None:
    run = built(["small-cnn"], tmp_path / "digits.parquet", heads="paper", title="Digits.")
    accuracy = run.record().stage_accuracy
    assert accuracy[2] > 0.9
    assert 0.3 < accuracy[0] < accuracy[2]
    assert [stage.name for stage in run.stages] == ["stage 1", "stage 2", "stage 3"]
    assert run.source["title"] == "Digits."
    assert str(tmp_path) not in json.dumps(dict(run.source))
    heads = tmp_path / "digits.safetensors"
    assert heads.stat().st_size < 2_000_000
    assert sorted(path.name for path in tmp_path.iterdir()) == ["digits.parquet", "digits.safetensors"]
    again = recorded([f"small-cnn+{heads}"], tmp_path / "again")
    np.testing.assert_array_equal(again.probs, run.probs)
    assert again.stages == run.stages
    assert again.source["networks"][0]["heads"]["file"] == "digits.safetensors"


def test_exits_are_chosen_and_kept(tmp_path: Path, untaught: list[int]) -> None:
    network = weights_file(tmp_path / "w.pt", "small-cnn", 0)
    run = built([network], tmp_path / "run.parquet", exits="stage3.0", heads="linear")
    assert [stage.name for stage in run.stages] == ["stage3.0", "end"]
    about = read_heads(tmp_path / "run.safetensors")
    assert (about.exits, about.images["size"]) == (("stage3.0",), 8)
    again = recorded([f"{network}+{tmp_path / 'run.safetensors'}"], tmp_path / "again.parquet")
    np.testing.assert_array_equal(again.probs, run.probs)
    assert len(untaught) == 1


def test_heads_that_are_there_are_not_fitted_again(
    tmp_path: Path, untaught: list[int], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    out, heads = tmp_path / "run.parquet", tmp_path / "run.safetensors"
    network = weights_file(tmp_path / "w.pt", "small-cnn", 0)

    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as killed:
        killed.setattr(module, "record", stop)
        with pytest.raises(KeyboardInterrupt):
            built([network], out, heads="linear")
    # The heads were written before the recording began, and what training needed is gone.
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run.safetensors", "w.pt"]
    first = heads.read_bytes()
    run = built([network], out, heads="linear", progress=True)
    assert f"{heads} holds these heads already; delete it to fit them again" in capsys.readouterr().err
    assert len(untaught) == 1
    assert heads.read_bytes() == first
    # Anything else is another training.
    others: list[dict[str, Any]] = [
        {"training": {"epochs": 1}},
        {"heads": "paper"},
        {"exits": "stage2"},
        {"seed": 1},
        {"wishes": {"mean": (0.5,)}},
    ]
    for number, other in enumerate(others):
        target = tmp_path / f"other{number}.parquet"
        built([network], target, **{"heads": "linear", "heads_out": heads} | other)
        assert len(untaught) == 2 + number
    built([weights_file(tmp_path / "v.pt", "small-cnn", 1)], tmp_path / "v.parquet", heads="linear", heads_out=heads)
    assert len(untaught) == 2 + len(others)
    assert run.probs.shape == (3, 900, 10)


def test_a_whole_small_network_is_not_trained_again_either(tmp_path: Path, untaught: list[int]) -> None:
    options: dict[str, Any] = {"heads": "linear", "heads_out": tmp_path / "h.safetensors"}
    first = built(["small-cnn"], tmp_path / "a.parquet", **options)
    second = built(["small-cnn"], tmp_path / "b.parquet", **options)
    np.testing.assert_array_equal(first.probs, second.probs)
    assert len(untaught) == 1


def test_heads_find_their_trunk_and_no_other(tmp_path: Path, untaught: list[int]) -> None:
    right, wrong = (weights_file(tmp_path / f"{seed}.pt", "small-cnn", seed) for seed in (0, 1))
    path = tmp_path / "heads.safetensors"
    built([right], tmp_path / "run.parquet", heads_out=path, heads="linear")
    assert recorded([f"{right}+{path}"], tmp_path / "again.parquet").probs.shape == (3, 900, 10)
    with pytest.raises(ValueError, match=r"the trunk that heads.safetensors was fitted to \(SHA-256 [0-9a-f]{12}\)"):
        recorded([f"{wrong}+{path}"], tmp_path / "wrong.parquet")
    with pytest.raises(ValueError, match=r"the weights that heads.safetensors was fitted to, small-cnn=WEIGHTS"):
        recorded([f"small-cnn+{path}"], tmp_path / "wrong.parquet")
    assert len(untaught) == 1


def test_a_cascade_of_networks_each_with_exits(tmp_path: Path, untaught: list[int]) -> None:
    small, large = (weights_file(tmp_path / f"{seed}.pt", "small-cnn", seed) for seed in (0, 1))
    heads = [tmp_path / "0.safetensors", tmp_path / "1.safetensors"]
    first = built([small], tmp_path / "0.parquet", heads="linear")
    # Heads are fitted to the first; the other comes with its own.
    second = built([large, f"{small}+{heads[0]}"], tmp_path / "1.parquet", heads="linear", exits="stage2")
    names = ["(1), stage2", "(1), end", *(f"(2), stage {i}" for i in (1, 2, 3))]
    assert [stage.name for stage in second.stages] == [f"Small CNN {name}" for name in names]
    np.testing.assert_array_equal(second.probs[2:], first.probs)
    assert second.baseline_macs == first.baseline_macs == 171_146
    joined = recorded([f"{large}+{heads[1]}", f"{small}+{heads[0]}"], tmp_path / "j.parquet")
    np.testing.assert_array_equal(joined.probs, second.probs)
    assert [network["heads"]["exits"] for network in joined.source["networks"]] == [["stage2"], ["stage1", "stage2"]]
    assert len(untaught) == 2


@pytest.mark.parametrize(
    ("networks", "message"),
    [
        ([], "at least one network"),
        (["cifar-resnet56"], "weights for cifar-resnet56, cifar-resnet56=WEIGHTS, but there were none"),
        (["small-cnn"], "weights for small-cnn, small-cnn=WEIGHTS, but there were none"),
        (
            ["small-cnn=a.pt", "cifar-resnet20=b.pt"],
            "networks to take the same images, or texts of the same tokens, but cifar-resnet20",
        ),
        (["small-cnn=none.pt"], "Expected a file at none.pt but there is none"),
        (["small-cnn+none.safetensors"], "Expected a file at none.safetensors but there is none"),
    ],
)
def test_bad_networks(networks: list[str], message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=message):
        recorded(networks, tmp_path / "run.parquet")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"heads": "none"}, "Expected heads to be one of auto, linear, paper, fine, conv, ladder but it was 'none'"),
        ({"exits": "stage9"}, "exits among stage1, stage2, .* but there is no 'stage9'"),
        ({"seed": -1}, "seed to be a whole number from 0 to 4294967295"),
        ({"seed": 2**32}, "seed to be a whole number from 0 to 4294967295"),
        ({"heads_out": "heads.pt"}, "to end in .safetensors but it was 'heads.pt'"),
        ({"networks": ["small-cnn+h.safetensors"]}, "no heads file with small-cnn, as heads are fitted to it"),
    ],
)
def test_bad_arguments_of_a_build(options: dict[str, Any], message: str, tmp_path: Path) -> None:
    networks = options.pop("networks", ["small-cnn"])
    with pytest.raises(ValueError, match=message):
        built(networks, tmp_path / "run.parquet", **options)


def test_one_process_fits_heads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ValueError, match="one process to fit heads but there are several; build first"):
        built(["small-cnn"], tmp_path / "run.parquet")


def test_pretrained_networks_say_what_the_shipped_run_says(cifar10: Path, weights: Path, tmp_path: Path) -> None:
    """On a tenth of the images; on all of them the shipped run has the published accuracies (`test_shipped_runs`)."""
    for folder in (cifar10 / "test").iterdir():
        (tmp_path / "some" / folder.name).mkdir(parents=True)
        for picture in sorted(folder.iterdir())[::10]:
            (tmp_path / "some" / folder.name / picture.name).symlink_to(picture)
    networks = [
        f"cifar-resnet20={weights / 'resnet20-12fca82f.th'}",
        f"cifar-resnet56={weights / 'resnet56-4bfd9763.th'}",
    ]
    out = tmp_path / "run.parquet"
    outputs = load_softmaxes(precompute_run(networks, data=f"imagefolder:{tmp_path / 'some'}", out=out, **QUIET))
    shipped = load_softmaxes(CACHE / "cifar10-resnet20-resnet56.parquet")
    at = np.flatnonzero(np.isin(shipped.sample_ids, outputs.sample_ids))
    assert len(outputs.sample_ids) == len(at) == 1_000
    assert outputs.sample_ids.tolist() == shipped.sample_ids[at].tolist()
    assert outputs.labels.tolist() == shipped.labels[at].tolist()
    np.testing.assert_allclose(outputs.probs, shipped.probs[:, at], atol=1e-4)
    assert [s.trunk_macs + s.head_macs for s in outputs.stages] == [40_551_050, 125_485_706]
    assert outputs.sample_ids[0] == "airplane/aeroplane_s_000002.png"


def test_shipped_heads_still_fit(weights: Path) -> None:
    network = f"cifar-resnet56={weights / 'resnet56-4bfd9763.th'}+{CACHE / 'cifar10-resnet56-fine-heads.safetensors'}"
    assert load_model(find(network), None).stage_names == ("module 1", "module 2", "module 3")


def test_shipped_digits_come_out_as_they_were(tmp_path: Path) -> None:
    run, shipped = (
        recorded([f"small-cnn+{CACHE / 'digits.safetensors'}"], tmp_path / "d.parquet"),
        CACHE / "digits.parquet",
    )
    np.testing.assert_allclose(run.probs, load_softmaxes(shipped).probs, atol=1e-5)


def test_heads_of_a_training_that_went_wrong_replace_nothing(tmp_path: Path) -> None:
    out = tmp_path / "heads.safetensors"
    out.write_text("good heads")
    with pytest.raises(ValueError, match="training to come to numbers but it overflowed; lower the learning rate"):
        built(["small-cnn"], tmp_path / "run.parquet", heads_out=out, training={"epochs": 1, "learning_rate": 1e30})
    assert out.read_text() == "good heads"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["heads.safetensors"]
