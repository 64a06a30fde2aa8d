"""Text classifiers of Hugging Face: exits behind encoder layers, padding that changes nothing, and all verbs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from cascade_core.__main__ import main
from cascade_core.nets.cutting.attach import attach_exits
from cascade_core.nets.heads.weights import digest
from cascade_core.nets.networks.named import build_plain, example, find, load_model
from cascade_core.nets.opening import open_data
from cascade_core.nets.texts.tokens import Tokens
from tests.nets.networks.texts import CLASSES, HIDDEN, LAYERS, TEXTS, WIDTH, made, table
from tests.runfiles import load_softmaxes

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore:The longest text of:UserWarning")


@pytest.fixture
def transformers() -> Any:
    return pytest.importorskip("transformers", reason="transformers is not installed: requirements-transformers.txt")


def tokens_of(folder: Path, length: int = 20) -> Tokens:
    found = find(f"hf:{folder}", {"length": length}).preprocessing
    assert isinstance(found, Tokens)
    return found


@pytest.mark.parametrize("kind", ["Bert", "DistilBert", "Roberta"])
def test_exits_lie_behind_encoder_layers(kind: str, tmp_path: Path, transformers: Any) -> None:
    """The last stage answers as transformers does, and a text alone as one among others, at any length."""
    network = made(transformers, tmp_path / "net", kind)
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path / "net")
    found = find(f"hf:{tmp_path / 'net'}", {"length": 20})
    data = open_data(f"texts:{table(tmp_path)}", tokens_of(tmp_path / "net"))
    batch = data.batch(torch.arange(len(data)))
    cut = attach_exits(build_plain(found, None), example(found, 4), exits="auto:2", heads="linear")
    assert [name.rpartition(".")[2] for name in cut.stage_names] == ["0", "1", "end"]
    longer = open_data(f"texts:{table(tmp_path)}", tokens_of(tmp_path / "net", 33))
    with torch.no_grad():
        expected = torch.cat([network(**tokenizer(text, return_tensors="pt")).logits for text, _ in TEXTS])
        assert float(expected.std(0).min()) > 0.01
        together = cut(batch)
        torch.testing.assert_close(together[-1], expected, atol=1e-5, rtol=0)
        torch.testing.assert_close(load_model(found, None)(batch)[0], expected, atol=1e-5, rtol=0)
        for i in range(len(data)):
            torch.testing.assert_close(cut(data[i][0][None])[:, 0], together[:, i], atol=1e-5, rtol=0)
            torch.testing.assert_close(cut(longer[i][0][None])[:, 0], together[:, i], atol=1e-5, rtol=0)


@pytest.mark.filterwarnings("ignore")
def test_on_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, transformers: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    made(transformers, tmp_path / "net")
    table(tmp_path)
    data = ["--text-length", "12", "--data", "texts:texts.csv"]
    assert main(["exits", "hf:net", "--text-length", "12", "--exits", "auto:2"]) == 0
    assert "MACs in all of a text of 12 tokens" in capsys.readouterr().out
    assert main(["precompute", "--network", "hf:net", *data, "--out", "whole.parquet"]) == 0
    build = ["--train-data", "texts:texts.csv", "--epochs", "1", "--batch-size", "2", "--exits", "auto:2"]
    assert main(["build", "--network", "hf:net", *data, *build, "--out", "run.parquet"]) == 0
    run = load_softmaxes("run.parquet")
    assert run.class_names == tuple(CLASSES.values())
    assert run.labels.tolist() == [2, 0, 1, 0]
    np.testing.assert_allclose(run.probs[-1], load_softmaxes("whole.parquet").probs[0], atol=1e-5)
    # Four matrices of the attention with their biases, the attention itself, and two of what follows.
    layer = 4 * 12 * (WIDTH * WIDTH + WIDTH) + 2 * 12 * 12 * WIDTH + 12 * (2 * WIDTH * HIDDEN + HIDDEN + WIDTH)
    assert [stage.trunk_macs for stage in run.stages[:-1]] == [layer] * (LAYERS - 1)
    assert run.source["transform"]["tokens"] == 12
    assert run.source["networks"][0]["sha256"] == digest("net/model.safetensors")
    assert str(tmp_path) not in json.dumps(dict(run.source))
    choose = ["choose", "run.parquet", "--policy", "fixed", "--thresholds", "0,0", "--out", "choice.json"]
    assert main(choose) == 0
    capsys.readouterr()
    classify = ["classify", "choice.json", "texts.csv", "--json", "--network", "hf:net+run.safetensors"]
    assert main([*classify, "--text-length", "12"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["row"] for row in rows] == [2, 3, 4, 5]
    assert [row["label"] for row in rows] == [run.class_names[k] for k in run.probs[0].argmax(1)]


def test_networks_that_are_built_otherwise_run_in_one_piece(tmp_path: Path, transformers: Any) -> None:
    made(transformers, tmp_path / "net", "Albert", embedding_size=8)
    found = find(f"hf:{tmp_path / 'net'}", {"length": 8})
    assert load_model(found, None)(example(found, 2)).shape == (1, 2, 3)
    with pytest.raises(ValueError, match=r"to be embeddings and then encoder layers, .*; run it in one piece"):
        attach_exits(build_plain(found, None), example(found, 4), exits="auto:2")


def test_layers_that_are_not_the_network_are_refused(tmp_path: Path, transformers: Any) -> None:
    """MPNet adds a bias of its own to attention, outside of its layers."""
    made(transformers, tmp_path / "net", "MPNet")
    found = find(f"hf:{tmp_path / 'net'}", {"length": 8})
    with pytest.raises(ValueError, match="but they give other answers; run it in one piece"):
        attach_exits(build_plain(found, None), example(found, 4), exits="auto:2")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"architectures": ["BertForMaskedLM"]},
            "of images or texts but it is a BertForMaskedLM; what is no",
        ),
        ({"problem_type": "multi_label_classification"}, "one of several classes but it gives several labels a text"),
        ({"problem_type": "regression"}, "one of several classes but it gives a number"),
    ],
)
def test_what_gives_no_single_class_is_refused(
    tmp_path: Path, transformers: Any, changes: dict[str, Any], words: str
) -> None:
    made(transformers, tmp_path / "net")
    config = tmp_path / "net" / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | changes))
    with pytest.raises(ValueError, match=words):
        find(f"hf:{tmp_path / 'net'}")


def test_wishes_for_images_are_refused(tmp_path: Path, transformers: Any) -> None:
    made(transformers, tmp_path / "net")
    with pytest.raises(ValueError, match="no --image-size for a network of texts; --text-length"):
        find(f"hf:{tmp_path / 'net'}", {"size": 32})
    with pytest.raises(ValueError, match=r"text length to be .* 40 but it was 41"):
        find(f"hf:{tmp_path / 'net'}", {"length": 41})
    with pytest.raises(ValueError, match="no --text-length for a network of images"):
        find("small-cnn", {"length": 8})
