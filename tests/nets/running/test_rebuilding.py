"""A run's networks from its metadata: files are known by their bytes, and nothing in a run is run or opened."""

from __future__ import annotations

import copy
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from numpy.testing import assert_allclose

from cascade_core import load_run
from cascade_core.nets.heads.weights import digest
from cascade_core.nets.networks.front import FrontFile, save_front
from cascade_core.nets.networks.small import SmallSpec
from cascade_core.nets.networks.zoo import ZOO
from cascade_core.nets.opening import open_data
from cascade_core.nets.recording.runs import precompute_run
from cascade_core.nets.running.rebuilding import Located, MissingFiles, locate, preprocessing, rebuild
from cascade_core.nets.staged import softmaxes
from cascade_core.storage.origin import Origin
from tests.runfiles import load_softmaxes
from tests.smallnets import plain

CACHE = Path(__file__).resolve().parents[3] / "cache"
DIGITS = load_run(CACHE / "digits.parquet")
NAMES = [stage.name for stage in DIGITS.stages]
MISSING = "0" * 64


def source(**network: Any) -> dict[str, Any]:
    return {"networks": [{"name": "small-cnn", "weights": None, "sha256": None, **network}]}


def test_the_shipped_digits_need_the_cache_folder_alone() -> None:
    located = locate(Origin.of(DIGITS.source), [CACHE])
    assert [one.heads and one.heads.name for one in located] == ["digits.safetensors"]
    model, images = rebuild(located, Origin.of(DIGITS.source), DIGITS.class_names, NAMES)
    assert model.stage_names == tuple(NAMES)
    assert images == ZOO["small-cnn"].preprocessing


def test_files_are_known_by_their_bytes_whatever_they_are_called(tmp_path: Path) -> None:
    torch.save(plain().state_dict(), tmp_path / "w.pt")
    networks = [f"small-cnn={tmp_path / 'w.pt'}"]
    run = load_run(precompute_run(networks, data="digits", out=tmp_path / "r.parquet", progress=False))
    folder = tmp_path / "elsewhere" / "deep"
    folder.mkdir(parents=True)
    # The recorded name now belongs to another file.
    shutil.move(tmp_path / "w.pt", folder / "renamed.pth")
    torch.save(plain(seed=1).state_dict(), tmp_path / "w.pt")
    (found,) = locate(Origin.of(run.source), [tmp_path])
    assert found.weights == folder / "renamed.pth"
    assert found.key == ("small-cnn", digest(folder / "renamed.pth"), None)
    model, _ = rebuild([found], Origin.of(run.source), run.class_names, ["Small CNN"])
    assert torch.equal(next(iter(model.parameters())), next(iter(plain().parameters())))


def test_a_small_network_in_front_is_found_and_gives_what_was_recorded(tmp_path: Path) -> None:
    torch.save(plain().state_dict(), tmp_path / "w.pt")
    spec, images = SmallSpec(channels=1, size=8, classes=10, width=1), ZOO["small-cnn"].images
    names = tuple(map(str, range(10)))
    about = FrontFile(spec=spec, images=images, class_names=names, behind="small-cnn", training={"accuracy": [0.1] * 3})
    networks = [
        f"front={save_front(tmp_path / 'f.safetensors', about, spec.build())}",
        f"small-cnn={tmp_path / 'w.pt'}",
    ]
    run = load_softmaxes(precompute_run(networks, data="digits", out=tmp_path / "r.parquet", progress=False))
    found = locate(Origin.of(run.source), [tmp_path])
    assert [one.weights and one.weights.name for one in found] == ["f.safetensors", "w.pt"]
    model, expected = rebuild(found, Origin.of(run.source), run.class_names, [stage.name for stage in run.stages])
    assert expected == images
    data = open_data("digits", images)
    with torch.no_grad():
        probs = softmaxes(model.eval(), data.normalise(data.pixels(torch.arange(20)))).numpy()
    assert_allclose(probs, run.probs[:, :20], atol=1e-5)


def test_a_changed_file_is_hashed_again(tmp_path: Path) -> None:
    file = tmp_path / "w.pt"
    file.write_bytes(b"one")
    before = digest(file)
    assert locate(Origin.of(source(weights="w.pt", sha256=before)), [tmp_path])[0].weights == file
    file.write_bytes(b"two")
    os.utime(file, ns=(1, 1))
    with pytest.raises(MissingFiles):
        locate(Origin.of(source(weights="w.pt", sha256=before)), [tmp_path])


def test_a_file_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, read = tmp_path / "w.pt", []

    def reading(path: Path) -> str:
        read.append(path)
        return digest(path)

    file.write_bytes(b"weights")
    wanted = source(weights="w.pt", sha256=digest(file))
    monkeypatch.setattr("cascade_core.nets.heads.weights.digest", reading)
    for _ in range(3):
        locate(Origin.of(wanted), [tmp_path])
    assert read == [file]


def test_all_missing_files_are_named(tmp_path: Path) -> None:
    heads = {"file": "h.safetensors", "sha256": "1" * 64}
    wanted = source(weights="../../etc/w.pt", sha256=MISSING, heads=heads)
    with pytest.raises(MissingFiles) as caught:
        locate(Origin.of(wanted), [tmp_path, tmp_path / "nowhere"])
    assert [str(file) for file in caught.value.files] == [
        "weights ../../etc/w.pt (SHA-256 000000000000...)",
        "heads h.safetensors (SHA-256 111111111111...)",
    ]
    with pytest.raises(MissingFiles, match=r"heads \(paper, fitted to small-cnn\) \(SHA-256 283486181"):
        locate(Origin.of(DIGITS.source), [tmp_path])


def test_heads_of_an_earlier_form_are_those_of_the_same_training() -> None:
    other = copy.deepcopy(dict(DIGITS.source))
    other["heads"]["training"]["epochs"] += 1
    with pytest.raises(MissingFiles):
        locate(Origin.of(other), [CACHE])


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"imported_from": "mine.npz"}, "was imported as softmaxes"),
        ({"joined": []}, "was joined from others"),
        ({}, "does not say which networks"),
        ({"networks": "small-cnn"}, "does not say which networks"),
        ({"networks": [{"title": "no name"}]}, "one has no name"),
        (source(name="os:system"), "never run because a file names it"),
        (source(name="timm:hf-hub:someone/else"), "never run because a file names it"),
        (source(weights="w.pt"), "Expected the run to give the SHA-256 of its file of weights but it was 'None'"),
        (source(sha256=["a"]), "Expected the run to give the SHA-256 of its file of weights"),
        (source(heads={"file": "h", "sha256": None}), "the SHA-256 of its file of heads"),
    ],
)
def test_runs_that_cannot_be_rebuilt_say_why(given: dict[str, Any], words: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=words):
        locate(Origin.of(given), [tmp_path])


def test_only_networks_of_the_zoo_and_of_torchvision_are_rebuilt() -> None:
    one = Located(name="../zoo", weights=None, weights_digest=None, heads=None, heads_digest=None)
    with pytest.raises(ValueError, match=r"torchvision knows but the run names '\.\./zoo'"):
        rebuild([one], Origin.of(DIGITS.source), DIGITS.class_names, NAMES)


def test_other_stages_than_the_runs_are_refused() -> None:
    located = locate(Origin.of(DIGITS.source), [CACHE])
    with pytest.raises(ValueError, match="Expected the stages of the run, a, b, c, but its networks are cut into"):
        rebuild(located, Origin.of(DIGITS.source), DIGITS.class_names, ["a", "b", "c"])


@pytest.mark.parametrize(
    ("transform", "words"),
    [
        (None, "but it does not"),
        ({"size": 8, "code": "x"}, "unexpected keyword"),
        ({"size": 0}, "image size"),
        ({"size": "8"}, "image size"),
        ({"size": 8, "mean": [1]}, "image mean"),
        ({"size": 8, "mean": 3}, "how its pictures were prepared"),
        ({"size": 8, "mean": ["a", "b", "c"]}, "how its pictures were prepared"),
    ],
)
def test_a_transform_that_is_none_is_refused(transform: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        preprocessing(Origin.of({} if transform is None else {"transform": transform}))


def test_hidden_and_foreign_files_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / ".w.pt").write_bytes(b"x")
    (tmp_path / "w.txt").write_bytes(b"x")
    (tmp_path / "folder.pt").mkdir()
    with pytest.raises(MissingFiles):
        locate(Origin.of(source(weights="w.pt", sha256=digest(tmp_path / "w.txt"))), [tmp_path])


def test_shipped_cifar_runs_are_rebuilt(weights: Path) -> None:
    for name, stages in (("cifar10-hybrid", 5), ("cifar10-resnet56-fine-heads", 3), ("cifar10-resnet56-ladder", 7)):
        run = load_run(CACHE / f"{name}.parquet")
        with pytest.raises(MissingFiles, match=r"weights resnet56-4bfd9763\.th"):
            locate(Origin.of(run.source), [CACHE])
        located = locate(Origin.of(run.source), [weights, CACHE])
        model, _ = rebuild(located, Origin.of(run.source), run.class_names, [stage.name for stage in run.stages])
        assert len(model.stage_names) == stages
