"""Networks as people write them, from what they return to recorded softmaxes, exits, a runner and a bundle."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cascade_core.__main__ import main
from cascade_core.nets import attach_exits, precompute
from cascade_core.nets.images.pixels import Preprocessing
from cascade_core.nets.macs import baseline_macs, stage_costs
from cascade_core.nets.networks.named import find, load_model
from cascade_core.nets.opening import open_data
from cascade_core.nets.running.runner import Runner
from cascade_core.nets.staged import StagedModel, softmaxes
from cascade_core.simulation.exits import ExitRule
from tests.nets import brought
from tests.runfiles import load_softmaxes

IMAGES = torch.randn(4, 3, 16, 16, generator=torch.Generator().manual_seed(0))
EXITS = ["Tuple", "List", "Dict", "Stacked", "LastFirst", "Adding", "Sharing", "SoftmaxExits"]


def loaded(name: str, outputs: str | None = None) -> StagedModel:
    return load_model(find(f"tests.nets.brought:{name}", {"size": 16}, outputs=outputs), 10)


def quietly(name: str, outputs: str | None = None) -> StagedModel:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return loaded(name, outputs)


def plain(name: str) -> nn.Module:
    """The network with the weights that `loaded` gives it."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network: nn.Module = getattr(brought, name)(10)
    return network.eval()


def true_softmaxes(name: str) -> Tensor:
    """(batch, K), of the last exit, from its logits."""
    return plain(name).answers(IMAGES)[-1].softmax(1)  # type: ignore[operator]  # of Base


def costs(model: StagedModel) -> list[tuple[int, int]]:
    """MACs of each stage's trunk piece and head."""
    return [(stage.trunk_macs, stage.head_macs) for stage in stage_costs(model, IMAGES[:1])]


@pytest.mark.parametrize("name", ["Softmax", "SoftmaxLayer"])
def test_a_softmax_at_the_end_is_not_taken_again(name: str) -> None:
    with pytest.warns(UserWarning, match=rf"^Answers of {name} are softmaxes \(rows .*\) and are taken as they are$"):
        model = loaded(name)
    with torch.no_grad():
        assert torch.allclose(softmaxes(model, IMAGES)[0], true_softmaxes(name), atol=1e-6)
        assert torch.allclose(model.plain(IMAGES).softmax(1), true_softmaxes(name), atol=1e-6)
    with pytest.warns(UserWarning, match="taken as they are"):
        cut = attach_exits(plain(name), IMAGES, exits="first,second")
    with torch.no_grad():
        assert torch.allclose(softmaxes(cut, IMAGES)[-1], true_softmaxes(name), atol=1e-6)
    # The logarithm is no work.
    assert costs(model) == costs(loaded("Plain"))


def test_stages_of_ones_own_that_answer_with_softmaxes() -> None:
    with pytest.warns(UserWarning, match="^Answers of early are softmaxes"):
        model = loaded("SoftmaxStages")
    with torch.no_grad():
        early, late = softmaxes(model, IMAGES)
        own = brought.SoftmaxStages(10)
        own.load_state_dict({k.removeprefix("model."): v for k, v in model.state_dict().items()})
        assert torch.allclose(early, own(IMAGES)[0], atol=1e-6)
        assert torch.equal(late, own(IMAGES)[1].softmax(1))
    data = open_data("digits", Preprocessing(size=8))
    with pytest.warns(UserWarning, match="^Answers of early are softmaxes"):
        outputs = precompute(own, data.take(torch.arange(20)), device="cpu", progress=False)
    with torch.no_grad():
        expected = own(torch.stack([data[i][0] for i in range(20)]))[0]
    np.testing.assert_allclose(outputs.probs[0], expected, atol=1e-6)


def test_a_runner_takes_softmaxes_as_they_were_recorded() -> None:
    own = brought.SoftmaxStages(10).eval()
    answers = Runner(own, ExitRule(thresholds=np.array([0.0])), "cpu")(IMAGES)
    with torch.no_grad():
        np.testing.assert_allclose(answers.confidence, own(IMAGES)[0].max(1).values, atol=1e-6)


@pytest.mark.parametrize("name", EXITS)
def test_own_exits_become_stages(name: str) -> None:
    with pytest.raises(ValueError, match=rf"^Expected {name} to return one answer but it returned .* --outputs all"):
        loaded(name)
    model, network = quietly(name, "all"), plain(name)
    expected = network(IMAGES)
    rows = list(expected.values()) if isinstance(expected, dict) else list(expected)
    rows = rows[::-1] if name == "LastFirst" else rows
    with torch.no_grad():
        made = softmaxes(model, IMAGES)
        for stage, row in enumerate(rows):
            is_softmax = name == "SoftmaxExits" and stage < 2
            assert torch.allclose(made[stage], row if is_softmax else row.softmax(1), atol=1e-6)
        assert torch.allclose(model.plain(IMAGES).softmax(1), made[-1], atol=1e-6)


@pytest.mark.parametrize(
    ("name", "names"),
    [
        ("Tuple", ("exit 1", "exit 2", "exit 3")),
        ("Dict", ("early", "middle", "late")),
        ("LastFirst", ("exit 3", "exit 2", "exit 1")),
    ],
)
def test_stages_are_named_after_their_places(name: str, names: tuple[str, ...]) -> None:
    assert quietly(name, "all").stage_names == names


def test_answers_are_taken_in_the_order_of_their_work() -> None:
    with pytest.warns(UserWarning, match="LastFirst are taken in the order of their work: exit 3, exit 2, exit 1"):
        loaded("LastFirst", "all")


def test_a_stage_costs_what_it_adds() -> None:
    stages = costs(quietly("Tuple", "all"))
    # 8 outputs x 3 inputs x 9 and a bias at 16x16 places; 16 x 8 x 9 at 8x8; 32 x 16 x 9 at 4x4
    trunk = [(8 * 27 + 8) * 256, (16 * 72 + 16) * 64, (32 * 144 + 32) * 16 + 32 * 10 + 10]
    assert stages == [(trunk[0], 8 * 10 + 10), (trunk[1], 16 * 10 + 10), (trunk[2], 0)]
    # The plain network computes no early exit, nor what only those share.
    for name in ("Tuple", "Sharing"):
        assert baseline_macs(quietly(name, "all"), IMAGES[:1]) == sum(trunk)
    # What the first two exits share is computed once, with the first.
    shared = 8 * 8 + 8
    assert costs(quietly("Sharing", "all"))[:2] == [(trunk[0] + shared, 8 * 10 + 10), (0, 8 * 10 + 10)]


@pytest.mark.parametrize("name", EXITS)
def test_own_exits_stop_where_they_are_told(name: str) -> None:
    model = quietly(name, "all")
    with torch.no_grad():
        confidence = softmaxes(model, IMAGES).max(2).values.numpy()
    threshold = float(np.sort(confidence[0])[1:3].mean())
    answers = Runner(model, ExitRule(thresholds=np.array([threshold, np.inf])), "cpu")(IMAGES)
    assert answers.stages.tolist() == [0 if c >= threshold else 2 for c in confidence[0].tolist()]
    np.testing.assert_allclose(answers.confidence, confidence[answers.stages, np.arange(4)], atol=1e-6)


@pytest.mark.parametrize(
    ("name", "outputs"), [("WithFeatures", "first"), ("LogitsDict", None), ("LogitsObject", None), ("List", "last")]
)
def test_the_answer_among_other_things_is_taken(name: str, outputs: str | None) -> None:
    with pytest.warns(UserWarning, match=rf"^{name} returns an? .* of .* is taken$"):
        model = loaded(name, outputs)
    with torch.no_grad():
        assert torch.allclose(softmaxes(model, IMAGES)[0], true_softmaxes(name), atol=1e-6)
    with pytest.warns(UserWarning, match="is taken"):
        cut = attach_exits(plain(name), IMAGES, exits="first", outputs=outputs)
    assert cut.stage_names == ("first", "end")
    with torch.no_grad():
        assert torch.allclose(softmaxes(cut, IMAGES)[-1], true_softmaxes(name), atol=1e-6)


def test_the_classes_of_the_data_tell_logits_from_features() -> None:
    with pytest.warns(UserWarning, match=r"a tuple of 2: \(batch, 10\), \(batch, 32\); that number 1"):
        loaded("WithFeatures")


@pytest.mark.parametrize("name", ["Squeeze", "SqueezeFunction", "Length"])
def test_one_image_is_a_batch(name: str) -> None:
    model = loaded(name)
    with torch.no_grad():
        expected = plain(name)(IMAGES).softmax(1)
        assert torch.allclose(softmaxes(model, IMAGES)[0], expected, atol=1e-6)
        assert torch.allclose(softmaxes(model, IMAGES[:1])[0], expected[:1], atol=1e-6)
    assert costs(model) == costs(loaded("Deciding"))
    answers = Runner(model, ExitRule(thresholds=np.array([])), "cpu")(IMAGES[:1])
    np.testing.assert_allclose(answers.confidence, expected[:1].max(1).values, atol=1e-6)


def test_what_squeezes_the_batch_and_cannot_be_traced_is_refused_with_its_line() -> None:
    with pytest.raises(ValueError, match=r"one image as .*, at brought.py line \d+: return.*squeeze"):
        loaded("SqueezeDeciding")
    # What depends on values runs in one piece.
    loaded("Deciding")


def test_own_exits_of_a_network_that_reads_sizes() -> None:
    model, network = quietly("SizedExits", "all"), plain("SizedExits")
    for count in (1, 4):
        with torch.no_grad():
            assert torch.allclose(model(IMAGES[:count]), torch.stack(network(IMAGES[:count])), atol=1e-6)


def test_heads_are_fitted_to_one_answer() -> None:
    with pytest.raises(ValueError, match="one answer of Tuple to put exits before but it returns 3; --outputs last"):
        attach_exits(plain("Tuple"), IMAGES, outputs="all")


def test_a_network_that_fails_or_answers_nothing() -> None:
    with pytest.raises(ValueError, match=r"logits \(batch, 10\) but it returned \(batch, 8, 16, 16\)"):
        loaded("Features")
    with pytest.raises(ValueError, match=r"Broken to take images of shape .* but .*, at brought.py line \d+: return"):
        loaded("Broken")


@pytest.mark.filterwarnings("default")
def test_on_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    images, data = ["--image-size", "8"], ["--data", "digits"]
    record = ["precompute", *images, *data, "--network"]
    assert main([*record, "tests.nets.brought:List", "--out", "run.parquet"]) == 2
    assert capsys.readouterr().err.startswith("error: Expected List to return one answer but it returned a list of 3: ")
    assert main([*record, "tests.nets.brought:List", "--outputs", "all", "--out", "run.parquet"]) == 0
    assert [stage.name for stage in load_softmaxes("run.parquet").stages] == ["exit 1", "exit 2", "exit 3"]
    assert load_softmaxes("run.parquet").source["outputs"] == "all"
    assert main(["choose", "run.parquet", "--policy", "fixed", "--thresholds", "0.1,0.1", "--out", "c.json"]) == 0
    own = ["--network", "tests.nets.brought:List", "--outputs", "all", *images]
    names = ["--class-names", ",".join("0123456789")]
    assert main(["bundle", "c.json", *own, *names, "--out", "deploy"]) == 0
    assert main([*record, "tests.nets.brought:Softmax", "--out", "soft.parquet"]) == 0
    assert "note: Answers of Softmax are softmaxes" in capsys.readouterr().err
    assert main([*record, "tests.nets.brought:Plain", "--out", "plain.parquet"]) == 0
    np.testing.assert_allclose(load_softmaxes("soft.parquet").probs, load_softmaxes("plain.parquet").probs, atol=1e-6)
    assert main(["exits", "tests.nets.brought:LogitsDict", *images]) == 0
    train = ["--train-data", "digits", "--epochs", "1", "--heads", "linear", "--exits", "first"]
    build = ["build", *images, *data, *train, "--out", "built.parquet", "--network"]
    capsys.readouterr()
    assert main([*build, "tests.nets.brought:Tuple", "--outputs", "all"]) == 2
    assert "--outputs last takes the last, and precompute --outputs all" in capsys.readouterr().err
    assert main([*build, "tests.nets.brought:Tuple", "--outputs", "last"]) == 0
    np.testing.assert_allclose(
        load_softmaxes("built.parquet").probs[1], load_softmaxes("run.parquet").probs[2], atol=1e-5
    )
