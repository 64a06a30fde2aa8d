"""Small networks that learn from large ones: above chance, the same from one seed, however often they are stopped."""

from __future__ import annotations

import math
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
from cascade_core.nets.training.checkpoint import remove_state, write_part
from cascade_core.nets.training.distilling import Distilled, distil
from cascade_core.nets.training.recipe import Distilling
from cascade_core.nets.training.settings import Training, fit_network
from cascade_core.nets.training.teaching import Teacher, Views, room
from tests.smallnets import in_one_piece

SPEC = SmallSpec(channels=1, size=8, classes=10, width=1)
TRAINING = Training(
    epochs=3, batch_size=32, learning_rate=0.2, weight_decay=5e-4, shift=1, distil=0.9, temperature=4.0, held_out=0.2
)
SHORT = Distilling(training=TRAINING, views=3)


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
    how = replace(SHORT, training=replace(TRAINING, epochs=20))
    came = distil(network, teacher, digits, how, progress=False)
    assert state_digest(teacher) == before
    assert not network.training
    test = open_data("digits", ZOO["small-cnn"].images)
    with torch.no_grad():
        answers = network(test.batch(torch.arange(len(test)))).argmax(-1)
    right = (answers == test.labels).float().mean(1)
    assert right.min() > 0.5  # chance is 0.1
    assert right[1:].min() > 0.75
    assert (came.views, came.epochs) == (3, 20)
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
    real, file, batches, kills = Views.batch, tmp_path / "f.checkpoint", 0, 0

    def killed(self: Views, index: Tensor, view: Tensor) -> Tensor:
        # Three batches for the teacher are a view, and 26 are an epoch.
        nonlocal batches
        batches += 1
        if batches % 29 in (2, 28):
            raise Kill
        return real(self, index, view)

    monkeypatch.setattr(Views, "batch", killed)
    while True:
        try:
            found, again = trained(teacher, digits, SHORT, checkpoint=file)
            break
        except Kill:
            kills += 1
    assert kills >= 4
    assert found == expected
    assert again == came


def test_answers_are_kept_once_each_and_asked_for_again_where_they_are_lost(
    teacher: CascadedNetwork, digits: ImageSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected, _ = trained(teacher, digits, SHORT)
    file, written, epochs = tmp_path / "f.checkpoint", list[int](), 0

    def write(path: Path, number: int, *rest: Any) -> None:
        written.append(number)
        write_part(path, number, *rest)

    def judge(course: Any) -> tuple[float, ...]:
        nonlocal epochs
        epochs += 1
        if epochs == 3:
            raise Kill
        return (0.1, 0.2, 0.3)

    monkeypatch.setattr("cascade_core.nets.training.distilling.write_part", write)
    monkeypatch.setattr(distilling._Course, "_judge", judge)
    with pytest.raises(Kill):
        trained(teacher, digits, SHORT, checkpoint=file)
    assert written == [0, 1, 2]
    state = torch.load(file, weights_only=True)
    assert state["progress"][:2] == [2, 3]  # epochs that are whole, and views
    assert "answers" not in state
    (tmp_path / "f.checkpoint-parts" / "1").unlink()
    assert trained(teacher, digits, SHORT, checkpoint=file)[0] == expected
    assert written == [0, 1, 2, 1, 2]
    remove_state(file)
    assert list(tmp_path.iterdir()) == []


def test_a_checkpoint_of_another_training_is_refused(
    teacher: CascadedNetwork, digits: ImageSet, tmp_path: Path
) -> None:
    file, one = tmp_path / "f.checkpoint", replace(SHORT, training=replace(TRAINING, epochs=1))
    first, _ = trained(teacher, digits, one, checkpoint=file)
    # With more time it is the same training.
    assert trained(teacher, digits, replace(one, minutes=9.0), checkpoint=file)[0] == first
    for other in (replace(one, views=1), replace(one, training=replace(TRAINING, epochs=2))):
        with pytest.raises(ValueError, match=r"to be of this training but .* differ; delete .*f.checkpoint-parts to"):
            trained(teacher, digits, other, checkpoint=file)
    with pytest.raises(ValueError, match="to be of this training"):
        trained(in_one_piece(), digits, one, checkpoint=file)


def test_the_teacher_is_asked_once_about_each_view(
    teacher: CascadedNetwork, digits: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    real = Teacher.answers

    def answers(self: Teacher, made: Views, view: int) -> Any:
        asked.append(view)
        return real(self, made, view)

    monkeypatch.setattr(Teacher, "answers", answers)
    trained(teacher, digits, SHORT)
    assert asked == [0, 1, 2]


def test_views_are_as_many_as_there_is_room_for(
    teacher: CascadedNetwork, digits: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(teaching, "KEPT_BYTES", 3 * 2 * 10 * len(digits) + 1)  # float16 of ten classes, three times
    assert room(digits) == 3
    monkeypatch.setattr(teaching, "KEPT_BYTES", 1)
    assert room(digits) == 1
    how = replace(SHORT, training=replace(TRAINING, epochs=1))
    assert trained(teacher, digits, how)[1].views == 1


def test_the_rate_rises_at_first_and_falls_to_nothing(
    teacher: CascadedNetwork, digits: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    rates: list[float] = []
    real = torch.optim.SGD.step

    def step(self: torch.optim.SGD, *rest: Any) -> Any:
        rates.append(self.param_groups[0]["lr"])
        return real(self, *rest)

    monkeypatch.setattr(torch.optim.SGD, "step", step)
    trained(teacher, digits, SHORT)
    done = [i / len(rates) for i in range(len(rates))]
    assert rates == pytest.approx([0.1 * min(1, 20 * share) * (1 + math.cos(math.pi * share)) for share in done])


def test_labels_teach_only_what_is_no_mixture(
    teacher: CascadedNetwork, digits: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without distillation, a training on mixtures alone changes nothing but by the decay of weights."""
    monkeypatch.setattr(teaching, "MOST_MIXED", 0.0)
    how = replace(SHORT, views=1, training=replace(TRAINING, epochs=1, distil=0.0, weight_decay=0.0))
    real = Views.__init__

    def init(self: Views, *rest: Any) -> None:
        real(self, *rest)
        self.mixed = torch.ones(1, dtype=torch.bool)

    network = fresh()
    weights = {name: value.clone() for name, value in network.named_parameters()}
    distil(network, teacher, digits, how, progress=False)
    assert not all(torch.equal(value, weights[name]) for name, value in network.named_parameters())
    monkeypatch.setattr(Views, "__init__", init)
    network = fresh()
    distil(network, teacher, digits, how, progress=False)
    assert all(torch.equal(value, weights[name]) for name, value in network.named_parameters())


@pytest.mark.parametrize(
    ("minutes", "made"),
    [
        # A view takes 30 s, an epoch 60 s; a fifth of the time is for views, but for the first.
        (1.0, (1, 1)),
        (2.9, (1, 2)),
        (5.0, (2, 4)),
        (9.9, (3, 8)),
        (10.0, (4, 8)),
        (100.0, (5, 9)),
        (None, (5, 9)),
    ],
)
def test_as_many_views_and_epochs_as_fit_in_the_time(
    teacher: CascadedNetwork,
    digits: ImageSet,
    minutes: float | None,
    made: tuple[int, int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = 0.0

    def answers(_: Teacher, views: Views, __: int) -> Any:
        nonlocal clock
        clock += 30
        yield torch.zeros(len(views.data), 10)

    def judge(_: object) -> tuple[float, ...]:
        nonlocal clock
        clock += 60
        return (0.1, 0.2, 0.3)

    monkeypatch.setattr(Teacher, "answers", answers)
    monkeypatch.setattr(distilling._Course, "_step", lambda *_: None)
    monkeypatch.setattr(distilling._Course, "_judge", judge)
    monkeypatch.setattr("cascade_core.nets.training.distilling.time.monotonic", lambda: clock)
    how = replace(SHORT, training=replace(TRAINING, epochs=9), minutes=minutes, views=5)
    _, came = trained(teacher, digits, how)
    assert (came.views, came.epochs) == made


def test_too_few_samples_and_bad_settings(teacher: CascadedNetwork, digits: ImageSet) -> None:
    with pytest.raises(ValueError, match="Expected digits to hold 10 images and more beside the 20% held out"):
        trained(teacher, digits.take(torch.arange(9)), SHORT)
    with pytest.raises(ValueError, match="held_out to be above 0"):
        Distilling(training=replace(TRAINING, held_out=0.0))
    with pytest.raises(ValueError, match="minutes to be from 0"):
        Distilling(training=TRAINING, minutes=-1.0)
    with pytest.raises(ValueError, match="views to be a whole number from 1"):
        Distilling(training=TRAINING, views=0)
