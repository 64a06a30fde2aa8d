"""Small networks that learn from large ones: above chance, the same from one seed, however often they are stopped."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from cascade_core.nets.heads.weights import state_digest
from cascade_core.nets.images.datasets import ImageSet
from cascade_core.nets.networks.small import SmallSpec
from cascade_core.nets.networks.zoo import ZOO
from cascade_core.nets.opening import open_data
from cascade_core.nets.staged import CascadedNetwork
from cascade_core.nets.training import distilling, teaching
from cascade_core.nets.training.distilling import Distilled, Distilling, distil
from cascade_core.nets.training.settings import Training, fit_network
from cascade_core.nets.training.teaching import Teacher
from tests.smallnets import in_one_piece

SPEC = SmallSpec(channels=1, size=8, classes=10, width=8, depth=1)
TRAINING = Training(
    epochs=3, batch_size=32, learning_rate=0.1, weight_decay=5e-4, shift=1, distil=0.9, temperature=4.0, held_out=0.2
)
SHORT = Distilling(training=TRAINING, views=2)


@pytest.fixture(scope="module")
def digits() -> ImageSet:
    return open_data("digits", ZOO["small-cnn"].images, split="train")


@pytest.fixture(scope="module")
def teacher(digits: ImageSet) -> CascadedNetwork:
    model = in_one_piece()
    fit_network(model.trunk[0], digits, Training(epochs=8, batch_size=64), progress=False)
    return model


def fresh(seed: int = 0) -> CascadedNetwork:
    torch.manual_seed(seed)
    return SPEC.build()


def trained(teacher: CascadedNetwork, digits: ImageSet, how: Distilling, **options: Any) -> tuple[str, Distilled]:
    network = fresh()
    came = distil(network, teacher, digits, how, progress=False, **options)
    return state_digest(network), came


def test_all_exits_learn_and_the_teacher_stays(teacher: CascadedNetwork, digits: ImageSet) -> None:
    before, network = state_digest(teacher), fresh()
    how = replace(SHORT, training=replace(TRAINING, epochs=12))
    came = distil(network, teacher, digits, how, progress=False)
    assert state_digest(teacher) == before
    assert not network.training
    test = open_data("digits", ZOO["small-cnn"].images)
    with torch.no_grad():
        answers = network(test.batch(torch.arange(len(test)))).argmax(-1)
    right = (answers == test.labels).float().mean(1)
    assert right.min() > 0.5  # chance is 0.1
    assert right[2] > 0.8
    assert came.epochs == 12
    assert came.held_out == round(0.2 * len(digits))
    # Shares of whole samples, and what other samples say too.
    assert [share * came.held_out for share in came.accuracy] == pytest.approx(
        [round(share * came.held_out) for share in came.accuracy]
    )
    torch.testing.assert_close(torch.tensor(came.accuracy), right, rtol=0, atol=0.15)


def test_one_seed_is_one_network(teacher: CascadedNetwork, digits: ImageSet) -> None:
    first, again = (trained(teacher, digits, SHORT)[0] for _ in range(2))
    other, _ = trained(teacher, digits, replace(SHORT, training=replace(TRAINING, seed=1)))
    assert first == again != other


class Kill(Exception):
    """Stands for a kill at some moment."""


def test_a_stopped_training_goes_on_to_the_same_weights(
    teacher: CascadedNetwork, digits: ImageSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected, came = trained(teacher, digits, SHORT)
    real, file, kills = Teacher.epoch, tmp_path / "f.checkpoint", 0

    def killed(self: Teacher, number: int) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        # Every second time, in the middle of the epoch.
        nonlocal kills
        for place, made in enumerate(real(self, number)):
            if place == 3 and (kills := kills + 1) % 2:
                raise Kill
            yield made

    monkeypatch.setattr(Teacher, "epoch", killed)
    while True:
        try:
            found, again = trained(teacher, digits, SHORT, checkpoint=file)
            break
        except Kill:
            pass
    assert kills > 3
    assert found == expected
    assert replace(again, seconds=0) == replace(came, seconds=0)


def test_a_checkpoint_of_another_training_is_refused(
    teacher: CascadedNetwork, digits: ImageSet, tmp_path: Path
) -> None:
    file, one = tmp_path / "f.checkpoint", replace(SHORT, training=replace(TRAINING, epochs=1))
    first, _ = trained(teacher, digits, one, checkpoint=file)
    # With more time it is the same training.
    assert trained(teacher, digits, replace(one, minutes=9.0), checkpoint=file)[0] == first
    for other in (replace(one, views=1), replace(one, training=replace(TRAINING, epochs=2))):
        with pytest.raises(ValueError, match=r"f.checkpoint to be of this training but .* differ; delete"):
            trained(teacher, digits, other, checkpoint=file)
    with pytest.raises(ValueError, match="to be of this training"):
        trained(in_one_piece(), digits, one, checkpoint=file)


def test_the_teacher_is_asked_once_about_each_view(teacher: CascadedNetwork, digits: ImageSet) -> None:
    made = Teacher(teacher, digits, batch_size=64, shift=2, views=2, seed=3, device="cpu", precision="float32")
    asked: list[int] = []
    real = made.features

    def count(samples: Tensor, labels: Tensor) -> Any:
        asked.append(len(labels))
        return real(samples, labels)

    made.features = count  # type: ignore[assignment]
    epochs = [list(made.epoch(number)) for number in range(4)]
    batches = len(digits) // 64
    assert asked == [64] * (2 * batches)
    for first, again in ((0, 2), (1, 3)):
        for one, other in zip(epochs[first], epochs[again], strict=True):
            assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))
    assert not torch.equal(epochs[0][0][0], epochs[1][0][0])
    with torch.no_grad():
        wanted = teacher.plain(epochs[1][2][0])
    torch.testing.assert_close(epochs[1][2][2], wanted, rtol=1e-2, atol=1e-2)


def test_views_are_as_many_as_there_is_room_for(
    teacher: CascadedNetwork, digits: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    options: dict[str, Any] = {"batch_size": 64, "shift": 0, "seed": 0, "device": "cpu", "precision": "float32"}
    monkeypatch.setattr(teaching, "KEPT_BYTES", 3 * 2 * 10 * len(digits) + 1)  # float16 of ten classes, three times
    assert Teacher(teacher, digits, views=8, **options).views == 3
    monkeypatch.setattr(teaching, "KEPT_BYTES", 1)
    assert Teacher(teacher, digits, views=8, **options).views == 1


def test_the_rate_rises_for_an_epoch_and_falls_to_nothing(
    teacher: CascadedNetwork, digits: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    rates: list[float] = []
    real = torch.optim.SGD.step

    def step(self: torch.optim.SGD, *rest: Any) -> Any:
        rates.append(self.param_groups[0]["lr"])
        return real(self, *rest)

    monkeypatch.setattr(torch.optim.SGD, "step", step)
    trained(teacher, digits, SHORT)
    steps = len(rates) // 3
    assert rates[: steps + 1] == pytest.approx([0.1 * min(1, (i + 1) / steps) for i in range(steps + 1)])
    # Two epochs of a cosine.
    assert rates[steps:] == pytest.approx([0.05 * (1 + math.cos(math.pi * i / (2 * steps))) for i in range(2 * steps)])


@pytest.mark.parametrize(
    ("minutes", "epochs"),
    [
        # Epochs take 60 s, and the teacher 30 s for each of the first two: 90, 90, 60, 60, ...
        (1.0, 1),
        (2.9, 1),
        (3.0, 2),
        (3.9, 2),
        (4.0, 3),
        (100.0, 6),
        (None, 6),
    ],
)
def test_as_many_epochs_as_fit_in_the_time(
    teacher: CascadedNetwork,
    digits: ImageSet,
    minutes: float | None,
    epochs: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = 0.0

    def epoch(self: Teacher, number: int) -> Iterator[Any]:
        nonlocal clock
        clock += 60
        if number % self.views not in self.kept:
            clock, self.seconds = clock + 30, self.seconds + 30
            self.kept[number % self.views] = []
        yield from ()

    monkeypatch.setattr(Teacher, "epoch", epoch)
    monkeypatch.setattr(distilling.time, "monotonic", lambda: clock)
    how = replace(SHORT, training=replace(TRAINING, epochs=6), minutes=minutes)
    assert trained(teacher, digits, how)[1].epochs == epochs


def test_too_few_samples_and_bad_settings(teacher: CascadedNetwork, digits: ImageSet) -> None:
    with pytest.raises(ValueError, match="Expected digits to hold 10 images and more beside the 20% held out"):
        trained(teacher, digits.take(torch.arange(9)), SHORT)
    with pytest.raises(ValueError, match="held_out to be above 0"):
        Distilling(training=replace(TRAINING, held_out=0.0))
    with pytest.raises(ValueError, match="minutes to be from 0"):
        Distilling(training=TRAINING, minutes=-1.0)
    with pytest.raises(ValueError, match="views to be a whole number from 1"):
        Distilling(training=TRAINING, views=0)
