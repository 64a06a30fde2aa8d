"""Staged models: one forward equals stage by stage, survivors equal the whole batch, shapes of heads."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from cascade_core.nets.heads import families
from cascade_core.nets.networks.resnet import resnet
from cascade_core.nets.staged import CascadedNetwork, ModelCascade, StagedModel, softmaxes
from tests.smallnets import in_one_piece, plain, with_exits


def hybrid() -> ModelCascade:
    return ModelCascade([("first", with_exits()), ("last", in_one_piece(seed=1))])


MODELS: dict[str, Callable[[], StagedModel]] = {
    "exits": with_exits,
    "ladder": lambda: with_exits(preset="ladder"),
    "models": hybrid,
    "models with a ladder": lambda: ModelCascade(
        [("first", with_exits(preset="ladder")), ("last", with_exits(preset="ladder", seed=1))]
    ),
}


@pytest.fixture(params=MODELS)
def model(request: pytest.FixtureRequest) -> StagedModel:
    return MODELS[request.param]().eval()


@pytest.fixture
def images() -> Tensor:
    return torch.randn(7, 1, 8, 8, generator=torch.Generator().manual_seed(0))


@torch.no_grad()
def test_one_forward_equals_stage_by_stage(model: StagedModel, images: Tensor) -> None:
    together = softmaxes(model, images)
    assert together.shape == (len(model.stage_names), 7, 10)
    assert together.dtype == torch.float32
    state = model.begin(images)
    for stage in range(len(model.stage_names)):
        logits, state = model.advance(state, stage)
        torch.testing.assert_close(together[stage], logits.softmax(1), rtol=0, atol=0)


@torch.no_grad()
@pytest.mark.parametrize("as_mask", [False, True])
def test_survivors_get_the_logits_that_they_would_get_in_the_whole_batch(
    model: StagedModel, images: Tensor, as_mask: bool
) -> None:
    whole, state, left = model(images), model.begin(images), torch.arange(7)
    for stage in range(len(model.stage_names)):
        logits, state = model.advance(state, stage)
        torch.testing.assert_close(logits, whole[stage, left], rtol=1e-5, atol=1e-5)
        stay = torch.ones(len(left), dtype=torch.bool)
        stay[stage % len(left)] = False
        state = model.keep(state, stay if as_mask else stay.nonzero().flatten())
        left = left[stay]


@torch.no_grad()
def test_the_last_stage_is_the_plain_network() -> None:
    image = torch.randn(2, 3, 32, 32)
    expected = plain("cifar-resnet20")(image)
    assert torch.equal(in_one_piece("cifar-resnet20")(image)[0], expected)
    assert torch.equal(with_exits("cifar-resnet20")(image)[-1], expected)
    assert torch.equal(with_exits("cifar-resnet20", preset="ladder")(image)[-1], expected)


@torch.no_grad()
def test_the_plain_network_is_run_without_what_was_added(model: StagedModel, images: Tensor) -> None:
    last = model.members[-1] if isinstance(model, ModelCascade) else model
    assert isinstance(last, CascadedNetwork)
    for added in (*last.rungs, *list(last.heads)[:-1]):
        added.register_forward_pre_hook(lambda *_: pytest.fail("the plain network has no such part"))
    assert model.plain(images).shape == (7, 10)


@torch.no_grad()
def test_a_trunk_piece_may_hand_on_several_tensors(images: Tensor) -> None:
    class Fork(nn.Module):
        def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
            return x * 2, x

    class Join(nn.Module):
        def forward(self, doubled: Tensor, skipped: Tensor) -> Tensor:
            return doubled + skipped

    net = CascadedNetwork("fork", ("a", "b"), [Fork(), Join()], [nn.Flatten(), nn.Flatten()])
    torch.testing.assert_close(net(images), torch.stack([images * 2, images * 3]).flatten(2))
    _, state = net.advance(net.begin(images), 0)
    assert [len(part) for part in net.keep(state, torch.tensor([1, 3]))] == [2, 2]


def test_names_say_which_model_and_which_stage() -> None:
    assert hybrid().stage_names == ("first, stage 1", "first, stage 2", "first, stage 3", "last")
    with pytest.raises(ValueError, match="'first' repeats"):
        ModelCascade([("first", with_exits()), ("first", with_exits())])
    with pytest.raises(ValueError, match="but it had 1, 2 and 2"):
        CascadedNetwork("net", ("a",), [nn.Identity()] * 2, [nn.Identity()] * 2)


@pytest.mark.parametrize(("preset", "features", "hidden"), [("paper", (256, 128), 64), ("fine", (1024, 512), 256)])
def test_presets_read_as_many_features_as_the_paper_says(preset: str, features: tuple[int, ...], hidden: int) -> None:
    made = families.preset(preset, [(16, 32, 32), (32, 16, 16)], 10**6)
    for spec, width in zip(made, features, strict=True):
        layers = [layer for layer in spec.build(10).modules() if isinstance(layer, nn.Linear)]
        assert [(layer.in_features, layer.out_features) for layer in layers] == [(width, hidden), (hidden, 10)]


def test_heads_refuse_what_they_do_not_know() -> None:
    with pytest.raises(
        ValueError, match="Expected heads to be one of linear, paper, fine, conv, ladder but it was 'big'"
    ):
        families.preset("big", [], 10**6)
    with pytest.raises(ValueError, match="a head's hidden to be a whole number to 65536 but it was -1"):
        families.HeadSpec(family="enhanced", shape=(1, 1, 1), parameters={"hidden": -1})
    with pytest.raises(ValueError, match="parameters of a head of family 'linear' but they were \\['hidden'\\]"):
        families.HeadSpec(family="linear", shape=(1, 1, 1), parameters={"hidden": 1}).build(10)


def test_heads_depend_on_their_seed_alone() -> None:
    specs = families.preset("paper", [(16, 32, 32)], 10**6)
    before = torch.random.get_rng_state()
    first, again, other = (families.build(specs, 10, seed)[0].state_dict()["2.weight"] for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_depth_and_classes_of_a_resnet() -> None:
    with pytest.raises(ValueError, match=r"6n \+ 2 .* but it was 21"):
        resnet(21, 10)
    with pytest.raises(ValueError, match="at least 2 but it was 1"):
        resnet(20, 1)
