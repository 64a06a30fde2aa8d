"""Backtrack training: the trunk stays bit for bit, seeds decide, and what is folded is the same function."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from cascade_core.nets.heads import families
from cascade_core.nets.heads.weights import state_digest
from cascade_core.nets.images.datasets import ImageSet
from cascade_core.nets.networks.zoo import ZOO
from cascade_core.nets.opening import open_data
from cascade_core.nets.staged import CascadedNetwork
from cascade_core.nets.training import features, fitting
from cascade_core.nets.training.fitting import fit_heads
from cascade_core.nets.training.learner import Learner
from cascade_core.nets.training.settings import Training
from cascade_core.nets.training.standardise import fold, standardise, tail
from tests.smallnets import in_one_piece, with_exits

IMAGES = ZOO["small-cnn"].images
SHORT = Training(epochs=1, reuse=2, batch_size=64, precision="float32")
LONGER = Training(epochs=3, batch_size=64, distil=0.5, held_out=0.2, precision="float32")


@pytest.fixture(scope="module")
def digits() -> ImageSet:
    return open_data("digits", IMAGES, split="train")


def cascade(seed: int = 0, preset: str = "paper") -> CascadedNetwork:
    return with_exits(preset=preset, seed=seed)


def head_digests(network: CascadedNetwork) -> list[str]:
    return [state_digest(head) for head in (*network.early_heads(), network.heads[-1])]


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
        norm = network.get_submodule("trunk.0.stage1.1")
        assert isinstance(norm, nn.BatchNorm2d)
        assert norm.running_mean is not None
        norm.running_mean += 1e-6  # a buffer, by as little as float32 holds

    monkeypatch.setattr(fitting, "fold", careless)
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
    monkeypatch.setattr(features, "CHUNK_BYTES", 64 * (8 + 16) * 4 * 3)  # three batches of 8 and 16 features
    fit = fit_heads(cascade(), digits, SHORT, progress=False)
    assert min(fit.accuracy) > 0.1


def test_folding_the_standardisation_leaves_the_function() -> None:
    generator = torch.Generator().manual_seed(0)
    head = families.enhanced((4, 8, 8), 10, height=2, width=2, hidden=8)
    maps = torch.rand(32, 4, 8, 8, generator=generator) * 50 + 100
    features = head[:2](maps)
    trained = tail(families.enhanced((4, 8, 8), 10, height=2, width=2, hidden=8), features)
    assert len(trained) == 4  # the standardisation, two linear layers and a ReLU
    wanted = trained(features)
    fold(trained, head)
    torch.testing.assert_close(head(maps), wanted, rtol=1e-3, atol=1e-4)


def test_a_convolutional_head_is_trained_whole_and_needs_no_standardisation() -> None:
    head = families.preset("conv", [(4, 8, 8)], 10**6)[0].build(10)
    maps = torch.rand(8, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    trained = tail(families.preset("conv", [(4, 8, 8)], 10**6)[0].build(10), maps)
    trained(maps)  # moves the running averages of its norms, which belong to the head too
    assert len(trained) == len(head)
    fold(trained, head)
    assert torch.equal(head.eval()(maps), trained.eval()(maps))


def test_standardised_features_are_standard() -> None:
    x = torch.randn(500, 3, generator=torch.Generator().manual_seed(0)) * torch.tensor([1.0, 10.0, 0.0]) + 5
    made = standardise(x)(x)
    torch.testing.assert_close(made.mean(0), torch.zeros(3), rtol=0, atol=1e-3)
    torch.testing.assert_close(made.std(0)[:2], torch.ones(2), rtol=0, atol=1e-2)
    assert made[:, 2].abs().max() < 1  # a constant feature stays quiet


def test_a_network_without_early_stages_has_nothing_to_fit(digits: ImageSet) -> None:
    with pytest.raises(ValueError, match="a stage before its last"):
        fit_heads(in_one_piece(), digits, SHORT, progress=False)


class Kill(Exception):
    """Stands for a kill at some moment."""


@pytest.mark.parametrize("preset", ["paper", "conv", "ladder"])
def test_a_stopped_training_goes_on_to_the_same_weights(
    digits: ImageSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, preset: str
) -> None:
    monkeypatch.setattr(features, "CHUNK_BYTES", 3 * 64 * 4 * 24)  # several chunks an epoch
    monkeypatch.setattr(fitting, "CHECKPOINT_SECONDS", -1.0)  # a checkpoint after each
    whole, stopped, file = cascade(preset=preset), cascade(preset=preset), tmp_path / "heads.checkpoint"
    expected = fit_heads(whole, digits, LONGER, progress=False)
    steps, kills = 0, 0
    real = Learner.step

    def step(self: Learner, *args: Any) -> None:
        nonlocal steps
        steps += 1
        if steps % 8 == 0:
            raise Kill
        real(self, *args)

    monkeypatch.setattr(Learner, "step", step)
    while True:
        try:
            found = fit_heads(stopped, digits, LONGER, progress=False, checkpoint=file)
            break
        except Kill:
            kills += 1
    assert kills >= 3
    assert head_digests(stopped) == head_digests(whole)
    assert replace(found, seconds=0) == replace(expected, seconds=0)


def test_a_checkpoint_of_another_training_is_refused_and_kept(digits: ImageSet, tmp_path: Path) -> None:
    file = tmp_path / "heads.checkpoint"
    fit_heads(cascade(), digits, SHORT, progress=False, checkpoint=file)
    before = file.read_bytes()
    with pytest.raises(ValueError, match=r"heads.checkpoint to be of this training but .* differ; delete"):
        fit_heads(cascade(), digits, replace(SHORT, seed=1), progress=False, checkpoint=file)
    assert file.read_bytes() == before
    file.write_bytes(b"PK no")
    with pytest.raises(ValueError, match=r"a checkpoint of training in .*heads.checkpoint but it cannot be read"):
        fit_heads(cascade(), digits, SHORT, progress=False, checkpoint=file)


def test_samples_held_out_judge_but_do_not_teach(digits: ImageSet, monkeypatch: pytest.MonkeyPatch) -> None:
    taught: list[Tensor] = []
    real = Learner.step

    def step(self: Learner, inputs: Any, target: Tensor, *rest: Any) -> None:
        taught.append(target)
        real(self, inputs, target, *rest)

    monkeypatch.setattr(Learner, "step", step)
    fit = fit_heads(cascade(), digits, replace(LONGER, batch_size=32), progress=False)
    held = round(0.2 * len(digits))
    assert sum(len(t) for t in taught) == 3 * ((len(digits) - held) // 32 * 32)
    assert all(1 <= epoch <= 3 for epoch in fit.epoch)
    # A share of whole samples out of those held out.
    assert [share * held for share in fit.accuracy] == pytest.approx([round(share * held) for share in fit.accuracy])


def test_each_head_is_kept_at_its_best_epoch(digits: ImageSet, monkeypatch: pytest.MonkeyPatch) -> None:
    """Epochs are judged by hand: the first head is best after the second of three, the second after the first."""
    losses = iter([torch.tensor([5.0, 1.0]), torch.tensor([2.0, 3.0]), torch.tensor([3.0, 2.0])])
    states: list[list[str]] = []

    def judge(self: Learner, *_: Any) -> tuple[Tensor, Tensor]:
        states.append([state_digest(classifier[-1]) for classifier in self.classifiers])
        return next(losses), torch.zeros(2)

    monkeypatch.setattr(Learner, "judge", judge)
    network = cascade()
    fit = fit_heads(network, digits, replace(LONGER, batch_size=256), progress=False)
    assert fit.epoch == (2, 1)
    last_layers = [list(head.children())[-1] for head in list(network.heads)[:2]]
    assert [state_digest(layer) for layer in last_layers] == [states[1][0], states[0][1]]


def test_rungs_of_a_ladder_are_kept_of_one_epoch(digits: ImageSet, monkeypatch: pytest.MonkeyPatch) -> None:
    """Means of the losses are 3, 2.5 and 2.6: the second epoch, though the first suits the second head better."""
    losses = iter([torch.tensor([5.0, 1.0]), torch.tensor([2.0, 3.0]), torch.tensor([3.2, 2.0])])
    monkeypatch.setattr(Learner, "judge", lambda *_: (next(losses) * 179, torch.zeros(2)))
    fit = fit_heads(cascade(preset="ladder"), digits, replace(LONGER, batch_size=256), progress=False)
    assert fit.epoch == (2, 2)


def test_distillation_alone_follows_the_teacher_and_not_the_labels() -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(64, 5, generator=generator)
    teacher = torch.nn.functional.one_hot((x[:, 0] > 0).long(), 2) * 8.0
    labels = (x[:, 0] <= 0).long()  # always the other class
    learner = Learner(
        [nn.Sequential(nn.Linear(5, 2))], 200, learning_rate=0.1, weight_decay=0.0, distil=1.0, temperature=3.0
    )
    for _ in range(200):
        learner.step([x], labels, teacher)
    assert (learner.classifiers[0](x).argmax(1) == teacher.argmax(1)).float().mean() > 0.95


def test_the_distilled_loss_by_hand() -> None:
    """One step of plain gradient by AdamW shows only signs, so the gradient itself is read."""
    layer = nn.Linear(1, 2, bias=False)
    with torch.no_grad():
        layer.weight.zero_()
    learner = Learner([nn.Sequential(layer)], 2, learning_rate=1e-9, weight_decay=0.0, distil=0.5, temperature=2.0)
    learner.step([torch.ones(1, 1)], torch.tensor([0]), torch.tensor([[0.0, 2.0]]))
    # Softmax (1/2, 1/2); label 0 gives gradient (-1/2, 1/2).  The teacher's at temperature 2 is (1/(1+e), e/(1+e))
    # = (0.26894, 0.73106): gradient (1/2 - 0.26894) / 2 * 2^2 = 0.46212 at the first.  Half of each: -0.01894.
    assert layer.weight.grad is not None
    torch.testing.assert_close(layer.weight.grad[:, 0], torch.tensor([-0.01894, 0.01894]), rtol=0, atol=1e-5)


def test_memory_is_bounded_by_the_chunk(digits: ImageSet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features, "CHUNK_BYTES", 10_000)
    sizes: list[int] = []
    real = features.joined

    def joined(parts: Any) -> Any:
        result = real(parts)
        sizes.append(result.nbytes())
        return result

    monkeypatch.setattr(features, "joined", joined)
    fit_heads(cascade(), digits, replace(SHORT, batch_size=16), progress=False)
    assert 5_000 < max(sizes) <= 10_000


def test_folded_norms_leave_features_as_they_were(digits: ImageSet) -> None:
    network = cascade().eval()
    norm = network.get_submodule("trunk.0.stage1.1")
    assert isinstance(norm, nn.BatchNorm2d)
    assert norm.running_var is not None
    norm.running_var *= 3
    early = [head for head in list(network.heads)[:-1] if isinstance(head, nn.Sequential)]
    made = features.Features(network, early, "cpu", "float32", teach=True)
    images, labels = digits.normalise(digits.pixels(torch.arange(100))), digits.labels[:100]
    batch = made(images, labels)
    with torch.no_grad():
        state = network.begin(images)
        for stage, pooled in enumerate(batch.inputs):
            state = network.extend(state, stage)
            torch.testing.assert_close(pooled, early[stage][:2](state[0]), rtol=1e-4, atol=1e-5)
        assert batch.teacher is not None
        torch.testing.assert_close(batch.teacher, network(images)[-1], rtol=1e-4, atol=1e-4)
