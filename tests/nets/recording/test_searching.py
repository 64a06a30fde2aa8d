"""A search for exits, from texts to a run: found, told, refused where nothing pays, and gone on with after a kill."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
import torch

from cascade_core.nets.heads.families import HeadSpec
from cascade_core.nets.heads.weights import read_heads
from cascade_core.nets.recording import build, searching
from cascade_core.nets.recording.build import build_run
from cascade_core.nets.recording.chosen import Chosen
from cascade_core.nets.recording.searching import Candidate, Found
from cascade_core.nets.training import settings
from cascade_core.nets.training.exits import ChosenExits, Gain
from tests.runfiles import load_softmaxes

QUIET: dict[str, Any] = {"train_data": "digits", "data": "digits", "device": "cpu", "progress": False}

LINEAR = HeadSpec(family="linear", shape=(8, 8, 8), parameters={})
HIDDEN = HeadSpec(family="enhanced", shape=(16, 4, 4), parameters={"height": 4, "width": 4, "hidden": 16})


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Training long enough to see that it works."""
    monkeypatch.setitem(settings.SMALL_SETTINGS, "epochs", 8)
    monkeypatch.setitem(settings.SMALL_HEAD_SETTINGS, "epochs", 2)
    monkeypatch.setattr(searching, "FIRST_STEPS", 20)
    monkeypatch.setattr(searching, "STEPS", 60)
    monkeypatch.setattr(searching, "LADDER_EPOCHS", 1)


def found(*heads: Candidate) -> Found:
    gain = Gain(mean=0.123, error=0.01)
    chosen = ChosenExits(
        kept=tuple(range(len(heads))),
        saving=gain,
        brings=(gain,) * len(heads),
        following=(9, Gain(mean=0.001, error=0.002)),
    )
    following = Candidate(exit="stage3.0", spec=LINEAR, macs=0.0012)
    return Found(heads=heads, chosen=chosen, following=following, tried=(12, 1179))


def test_a_search_from_texts_to_a_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "run.parquet"
    run = load_softmaxes(build_run(["small-cnn"], out=out, **QUIET | {"progress": True}))
    about = read_heads(tmp_path / "run.safetensors")
    assert about.preset == "auto"
    assert 1 <= len(about.exits) == len(about.specs) == len(run.stages) - 1
    assert about.training["search"] == {"exits": "auto", "heads": "auto", "drop": 0.01}
    # The middle of this network tells digits apart: its exits are nearly as good as the end, for much less.
    assert run.record().stage_accuracy[:-1].max() > 0.8
    said = capsys.readouterr().err
    assert "heads were tried, and judged on 179 training samples that none of them saw" in said
    assert "% of the MACs at a drop of 1.00 points" in said
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run.parquet", "run.safetensors"]
    # The same again finds its heads; another drop is another search.
    before = (tmp_path / "run.safetensors").read_bytes()
    again = load_softmaxes(
        build_run(["small-cnn"], out=tmp_path / "b.parquet", heads_out=tmp_path / "run.safetensors", **QUIET)
    )
    np.testing.assert_array_equal(again.probs, run.probs)
    assert (tmp_path / "run.safetensors").read_bytes() == before


def test_exits_or_heads_may_be_given(tmp_path: Path) -> None:
    build_run(["small-cnn"], out=tmp_path / "a.parquet", exits="stage2", **QUIET)
    assert read_heads(tmp_path / "a.safetensors").exits == ("stage2",)
    build_run(["small-cnn"], out=tmp_path / "b.parquet", exits="auto", heads="linear", **QUIET)
    assert {spec.family for spec in read_heads(tmp_path / "b.safetensors").specs} == {"linear"}


def test_where_nothing_pays_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching.Search, "run", lambda *_: found())
    with pytest.raises(ValueError, match=r"an exit of small-cnn that pays at a drop of 2\.00 points but none of") as e:
        build_run(["small-cnn"], out=tmp_path / "run.parquet", for_drop=0.02, **QUIET)
    assert "a small network in front that learns from this one (front --network small-cnn)" in str(e.value)
    assert list(tmp_path.iterdir()) == []


def test_a_search_that_was_done_is_not_done_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[float] = []

    def search(_self: object, wish: searching.Wish, _checkpoint: Path) -> Found:
        asked.append(wish.drop)
        return found(Candidate(exit="stage1", spec=LINEAR, macs=0.1))

    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(searching.Search, "run", search)
    out = tmp_path / "run.parquet"
    with monkeypatch.context() as killed:
        killed.setattr(build, "fit_heads", stop)
        for drop in (0.01, 0.01, 0.03):
            with pytest.raises(KeyboardInterrupt):
                build_run(["small-cnn"], out=out, for_drop=drop, **QUIET)
    assert asked == [0.01, 0.03]
    assert [path.name for path in tmp_path.iterdir()] == ["run.safetensors.search"]
    (tmp_path / "run.safetensors.search").write_text("no JSON")
    build_run(["small-cnn"], out=out, for_drop=0.03, **QUIET)
    assert asked == [0.01, 0.03, 0.03]
    assert read_heads(tmp_path / "run.safetensors").exits == ("stage1",)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run.parquet", "run.safetensors"]


def test_what_was_found_in_words() -> None:
    told = Chosen.of(
        found(Candidate(exit="stage1", spec=LINEAR, macs=0.0005), Candidate(exit="stage2", spec=HIDDEN, macs=0.025)),
        0.01,
    )
    assert told.exits == ("stage1", "stage2")
    assert told.says == (
        "12 heads were tried, and judged on 1,179 training samples that none of them saw",
        "stage1: a linear head (0.1 % of the network's MACs), brings 12.3 ± 1.0 %",
        "stage2: a hidden layer of 16 on 4 x 4 places (2.5 % of the network's MACs), brings 12.3 ± 1.0 %",
        "together they save 12.3 ± 1.0 % of the MACs at a drop of 1.00 points",
        "the next would be stage3.0: a linear head (0.1 % of the network's MACs), would bring 0.1 ± 0.2 %",
    )


def test_what_was_found_is_kept_for_the_same_question_alone(tmp_path: Path) -> None:
    told, file = Chosen.of(found(Candidate(exit="stage2", spec=HIDDEN, macs=0.01)), 0.01), tmp_path / "f.search"
    assert Chosen.kept(file, "one") is None
    told.save(file, "one")
    assert Chosen.kept(file, "one") == told
    assert Chosen.kept(file, "another") is None
    for broken in ("", "[]", "{}", '{"identity": "one", "exits": 1, "specs": [], "says": []}', '{"identity": "one"}'):
        file.write_text(broken)
        assert Chosen.kept(file, "one") is None


def test_epochs_of_a_trial_follow_the_number_of_samples() -> None:
    search = searching.Search(
        network=cast(Any, None),
        plain=torch.nn.Identity(),
        data=cast(Any, None),
        settings={"seed": 3, "epochs": 2},
        device="cpu",
        progress=False,
    )
    training = search._training({"epochs": 6, "batch_size": 128}, 1280, 60)
    # Two epochs of 10 batches each are 20 steps; 60 are wanted.
    assert (training.epochs, training.reuse, training.seed) == (2, 3, 3)
    assert search._training({"epochs": 6, "batch_size": 128}, 10**6, 60).reuse == 1


def test_the_first_round_keeps_the_best_of_each_family_and_the_presets() -> None:
    def hidden(size: int) -> HeadSpec:
        return HeadSpec(family="enhanced", shape=(16, 4, 4), parameters={"height": 4, "width": 4, "hidden": size})

    specs = [(LINEAR, hidden(16), hidden(32), hidden(64)), (hidden(16), hidden(32), LINEAR)]
    goodness = [0.1, 0.5, 0.7, 0.6, 0.9, 0.8, 0.2]  # of each stage, and so of each head in turn
    kept = searching._best_sizes(
        cast(Any, SimpleNamespace(exits=("a", "b"))),
        specs,
        [{"a": hidden(64)}, {"b": LINEAR}],
        cast(Any, SimpleNamespace(alone=goodness.__getitem__)),
    )
    assert kept == [(LINEAR, hidden(32), hidden(64)), (hidden(16), LINEAR)]
