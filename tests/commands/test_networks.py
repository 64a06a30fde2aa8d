"""Networks on the command line, as a user meets them: exits, ImageNet-style use, code of one's own."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from cascade_core import load_choice
from cascade_core.__main__ import main
from cascade_core.nets import staged
from cascade_core.nets._torchvision import torchvision
from cascade_core.nets.images.pixels import open_image
from cascade_core.nets.networks.outside import torchvision_network
from cascade_core.storage.exit_logs import parse
from tests.runfiles import load_softmaxes


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A current folder for code of a user's, which is forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    path, modules = [*sys.path], {*sys.modules}
    yield
    sys.path[:] = path
    for name in ("documented", "deciding"):
        if name not in modules:
            sys.modules.pop(name, None)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Six classes of three pictures of noise, of mixed shapes and kinds."""
    generator = np.random.default_rng(0)
    for number in range(6):
        (tmp_path / "val" / f"n{number:08d}").mkdir(parents=True)
        for i, kind in enumerate(("jpg", "png", "png")):
            height, width = generator.integers(40, 90, 2)
            pixels = generator.integers(0, 256, (height, width, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "val" / f"n{number:08d}" / f"{i}.{kind}")
    return tmp_path / "val"


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """A file of random weights for six classes."""
    torch.manual_seed(0)
    torch.save(torchvision.models.resnet18(num_classes=6).state_dict(), tmp_path / "r18.pth")
    return tmp_path / "r18.pth"


def test_exits_are_listed_with_their_costs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["exits", "cifar-resnet20"]) == 0
    text = capsys.readouterr().out
    assert re.findall(r"^\* (\S+)", text, re.MULTILINE) == ["layer1.2", "layer2.2"]
    # Three blocks of two 3x3 convolutions of 16 channels at 32x32, and the stem of 3 channels before them
    assert re.search(rf"^\* layer1.2 +36.00% +{(6 * 16 + 3) * 16 * 9 * 1024:,} 16 x 32 x 32$", text, re.MULTILINE)
    assert "40,551,050 MACs in all" in text
    assert main(["exits", "resnet18", "--image-size", "64", "--exits", "auto:4"]) == 0
    text = capsys.readouterr().out
    assert "64 x 16 x 16" in text
    assert len(re.findall(r"^\* ", text, re.MULTILINE)) == 4


def test_imagenet_style(folder: Path, weights: Path, capsys: pytest.CaptureFixture[str]) -> None:
    network = ["--network", f"resnet18={weights}"]
    assert main(["precompute", *network, "--data", f"imagefolder:{folder}", "--out", "r18.parquet"]) == 0
    assert main(["show", "r18.parquet", "--top-k", "5"]) == 0
    outputs = load_softmaxes("r18.parquet")
    # The same by hand, through torchvision's own transform.
    plain = torchvision.models.resnet18(num_classes=6).eval()
    plain.load_state_dict(torch.load(weights, weights_only=True))
    transform = torchvision.models.ResNet18_Weights.DEFAULT.transforms()
    images = [transform(Image.fromarray(open_image(folder / name))) for name in outputs.sample_ids]
    with torch.no_grad():
        expected = plain(torch.stack(images)).softmax(1).numpy()
    np.testing.assert_allclose(outputs.probs[0], expected, atol=1e-5)
    ranks = (expected > expected[np.arange(18), outputs.labels][:, None]).sum(axis=1)
    row = next(line for line in capsys.readouterr().out.split("top-5 accuracy")[1].splitlines() if line)
    assert row.split()[-2:] == [f"{(ranks < 1).mean():.2%}", f"{(ranks < 5).mean():.2%}"]
    assert outputs.source["transform"] == torchvision_network("resnet18", None, {}).preprocessing.describe()


def test_exits_of_an_imagenet_network(folder: Path, weights: Path) -> None:
    data = f"imagefolder:{folder}"
    common = ["--network", f"resnet18={weights}", "--image-size", "32", "--image-resize", "36", "--data", data]
    build = ["--train-data", data, "--heads", "linear", "--epochs", "1", "--exits", "layer1,layer3"]
    assert main(["build", *common, *build, "--out", "r18.parquet"]) == 0
    assert [stage.name for stage in load_softmaxes("r18.parquet").stages] == ["layer1.1", "layer3.1", "end"]
    assert load_softmaxes("r18.parquet").source["transform"]["resize"] == 36
    assert main(["choose", "r18.parquet", "--top-k", "5", "--max-drop", "0.2", "--out", "choice.json"]) == 0
    assert load_choice("choice.json").rule.top_k == 5


def test_the_documented_way_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "deciding.py").write_text(
        "from torch import nn\n"
        "class Net(nn.Module):\n"
        "    def __init__(self, num_classes=10):\n"
        "        super().__init__()\n"
        "        self.last = nn.Linear(3 * 64, num_classes)\n"
        "    def forward(self, x):\n"
        "        return self.last((x if x.sum() > 0 else -x).flatten(1))\n"
    )
    run = ["--image-size", "8", "--data", "digits", "--out"]
    # Not to be cut ...
    assert main(["exits", "deciding:Net", "--image-size", "8"]) == 2
    error = capsys.readouterr().err
    assert "deciding.py line 7: return self.last(" in error
    assert "write it as a StagedModel (cascade_core/nets/staged.py" in error
    # ... but to be run in one piece;
    assert main(["precompute", "--network", "deciding:Net", *run, "one.parquet"]) == 0
    assert load_softmaxes("one.parquet").baseline_macs == 3 * 64 * 10 + 10
    # and the example that the error names is a network with exits.
    lines = (staged.__doc__ or "").splitlines()
    example = [line.removeprefix("    ") for line in lines if line.startswith("    ") or not line]
    (tmp_path / "documented.py").write_text("\n".join(example))
    assert main(["precompute", "--network", "documented:Early", *run, "early.parquet"]) == 0
    stages = load_softmaxes("early.parquet").stages
    # 8 outputs x 3 inputs x 9 at 8x8 places, then 32 x 8 x 9 at 3x3, with biases; heads of 8 and 32 features
    assert [s.trunk_macs for s in stages] == [(8 * 27 + 8) * 64, (32 * 72 + 32) * 9]
    assert [s.head_macs for s in stages] == [8 * 10 + 10, 32 * 10 + 10]
    assert main(["choose", "early.parquet", "--max-drop", "0.05", "--out", "choice.json"]) == 0
    assert main(["exits", "documented:Early", "--image-size", "8"]) == 2
    assert "documented:Early has stages of its own" in capsys.readouterr().err


def test_a_process_that_is_not_the_first_says_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    monkeypatch.setattr("cascade_core.nets.recording.runs.precompute_run", lambda *args, **_: asked.append(args))
    monkeypatch.setenv("RANK", "1")
    assert main(["precompute", "--network", "small-cnn=w.pt", "--data", "digits", "--out", "run"]) == 0
    assert asked
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("value", ["x", "0", "1.5"])
def test_a_group_that_makes_no_sense_is_one_line(
    value: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORLD_SIZE", value)
    data = ["--train-data", "digits", "--data", "digits", "--out", "run.parquet"]
    assert main(["build", "--network", "small-cnn", *data]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: Expected the variable WORLD_SIZE to be a whole number from 1 to 1048576 but it was")


def test_a_data_set_has_a_name_of_its_own(folder: Path, weights: Path) -> None:
    run = ["precompute", "--network", f"resnet18={weights}", "--data", f"imagefolder:{folder}", "--image-size", "32"]
    assert main([*run, "--out", "r18.parquet", "--title", "Mine.", "--dataset-name", "CIFAR-10"]) == 0
    source = load_softmaxes("r18.parquet").source
    assert source["title"] == "Mine."
    assert source["dataset_name"] == "CIFAR-10"
    assert main([*run, "--out", "other.parquet", "--title", "CIFAR-10, mine.", "--dataset-name", "CIFAR-10"]) == 0
    assert "dataset_name" not in load_softmaxes("other.parquet").source


@pytest.mark.filterwarnings("default")
def test_what_is_odd_about_a_recorded_run_is_said(
    folder: Path, weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = ["precompute", "--network", f"resnet18={weights}", "--image-size", "32", "--data", f"imagefolder:{folder}"]
    assert main([*run, "--out", "random.parquet"]) == 0
    # Random weights know nothing of six classes.
    assert load_softmaxes("random.parquet").record().correct.mean() < 0.3
    (note,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("note: ")]
    assert "chance" in note
    # Folders may be fewer than the classes, where those are named.
    (folder / "n00000002").rename(tmp_path / "elsewhere")
    assert main([*run, "--out", "fewer.parquet"]) == 2
    assert "--classes names all classes, where the data have fewer" in capsys.readouterr().err
    names = ",".join(f"n{number:08d}" for number in range(6))
    assert main([*run, "--classes", names, "--out", "fewer.parquet"]) == 0
    kept = load_softmaxes("random.parquet").labels != 2
    assert load_softmaxes("fewer.parquet").labels.tolist() == load_softmaxes("random.parquet").labels[kept].tolist()


def two_models(tmp_path: Path) -> list[str]:
    torch.manual_seed(1)
    torch.save(torchvision.models.resnet18(num_classes=6).state_dict(), tmp_path / "other.pth")
    small = ["--image-size", "48", "--image-resize", "52"]
    return ["--network", "resnet18=r18.pth", "--network", "resnet18=other.pth", *small]


def test_classifying_pictures_does_what_the_simulation_said(
    folder: Path, weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    networks = two_models(tmp_path)
    assert main(["precompute", *networks, "--data", "imagefolder:val", "--out", "run.parquet"]) == 0
    record = load_softmaxes("run.parquet").record()
    threshold = f"{float(np.median(record.confidence[0])) + 1e-4:.6f}"
    assert main(["choose", "run.parquet", "--policy", "fixed", "--thresholds", threshold, "--out", "c.json"]) == 0
    capsys.readouterr()
    names = ",".join("abcdef")
    assert main(["classify", "c.json", "val", *networks, "--class-names", names, "--json", "--batch-size", "5"]) == 0
    told = capsys.readouterr()
    rows = [json.loads(line) for line in told.out.splitlines()]
    stages = load_choice("c.json").rule.exit_stages(record)
    assert 0 < stages.sum() < len(stages)
    ids = load_softmaxes("run.parquet").sample_ids.tolist()
    assert [Path(row["file"]).relative_to("val").as_posix() for row in rows] == ids
    assert [row["stage"] for row in rows] == [record.stage_names[stage] for stage in stages]
    own = np.arange(record.n)
    assert [row["label"] for row in rows] == ["abcdef"[k] for k in record.predictions[stages, own]]
    costs = load_choice("c.json").costs
    assert [row["macs"] for row in rows] == [costs[stage] for stage in stages]
    assert "18 of 18 pictures classified" in told.err


def test_what_classify_logs_is_what_watch_reads(
    folder: Path, weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    networks = [*two_models(tmp_path), "--class-names", ",".join("abcdef")]
    assert main(["precompute", *networks[:-2], "--data", "imagefolder:val", "--out", "run.parquet"]) == 0
    record = load_softmaxes("run.parquet").record()
    threshold = f"{float(np.median(record.confidence[0])) + 1e-4:.6f}"
    assert main(["choose", "run.parquet", "--policy", "fixed", "--thresholds", threshold, "--out", "c.json"]) == 0
    call = ["classify", "c.json", "val", *networks, "--batch-size", "5", "--log", "exits.jsonl"]
    assert main(call) == 0
    assert main([*call, "--audit", "100%"]) == 0
    entries, faults = parse(Path("exits.jsonl").read_bytes(), record.stage_names)
    assert (len(entries), dict(faults)) == (36, {})
    stages, own = load_choice("c.json").rule.exit_stages(record), np.arange(18)
    for part, audited in ((entries.take(slice(18)), False), (entries.take(slice(18, None)), True)):
        assert part.stage.tolist() == stages.tolist()
        assert part.answer.tolist() == record.predictions[stages, own].tolist()
        assert part.audited.tolist() == [audited] * 18
        known = np.ones((18, 2), bool) if audited else np.arange(2) <= stages[:, None]
        sure = np.where(known, record.confidence.T, np.nan)
        np.testing.assert_allclose(part.confidence, sure, rtol=1e-5, atol=1e-6)
    assert entries.answers[18:].tolist() == record.predictions.T.tolist()
    assert main(["watch", "c.json", "exits.jsonl"]) == 0
    assert "36 samples in 1 log" in capsys.readouterr().out


def test_a_picture_that_cannot_be_read_stops_nothing_but_itself(
    folder: Path, weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    networks = two_models(tmp_path)
    assert main(["precompute", *networks, "--data", "imagefolder:val", "--out", "run.parquet"]) == 0
    main(["choose", "run.parquet", "--policy", "fixed", "--thresholds", "0.5", "--out", "c.json"])
    (folder / "n00000001" / "1.png").write_bytes(b"no picture")
    capsys.readouterr()
    networks += ["--class-names", ",".join("abcdef")]
    assert main(["classify", "c.json", "val", *networks]) == 1
    told = capsys.readouterr()
    assert len(told.out.splitlines()) == 17
    assert "17 of 18 pictures classified" in told.err
    assert "not classified: Expected an image in val/n00000001/1.png but it cannot be read" in told.err
    assert told.err.endswith("error: 1 of 18 pictures were not classified; the lines above say why\n")
    assert main(["classify", "c.json", "val/n00000001/1.png", *networks]) == 2
    capsys.readouterr()
    assert main(["classify", "c.json", "nowhere.png", *networks]) == 2
    assert "Expected a picture or a folder of them at nowhere.png" in capsys.readouterr().err
    assert main(["classify", "c.json", "val", *networks[2:]]) == 2
    assert "a rule for 1 stages (0 thresholds) but it is for 2" in capsys.readouterr().err
