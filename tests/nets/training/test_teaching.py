"""Views of images, and what a given network answers to them: each follows from the seed and its number, by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from cascade_core.nets.images.datasets import ImageSet
from cascade_core.nets.networks.zoo import ZOO
from cascade_core.nets.opening import open_data
from cascade_core.nets.training.teaching import Teacher, Views
from tests.smallnets import in_one_piece


@pytest.fixture(scope="module")
def digits() -> ImageSet:
    return open_data("digits", ZOO["small-cnn"].images, split="train")


def views(data: ImageSet, count: int = 4, seed: int = 3) -> Views:
    return Views(data, count, 2, seed)


def test_views_are_crops_and_every_second_a_mixture(digits: ImageSet) -> None:
    made, index = views(replace(digits, flip=True)), torch.arange(40)
    assert made.mixed.tolist() == [False, True, False, True]
    plain = digits.pixels(index)
    padded = torch.nn.functional.pad(plain, (2, 2, 2, 2))
    for view in (0, 1):
        shown = made.batch(index, torch.full_like(index, view))
        for i in range(40):
            wanted = naive_view(made, digits, i, view)
            torch.testing.assert_close(shown[i], digits.normalise(wanted[None])[0])
    assert padded.shape[-1] == 12
    some = torch.tensor([3, 1, 2, 0])
    together = made.batch(torch.tensor([5, 6, 7, 8]), some)
    for place, (i, view) in enumerate(zip([5, 6, 7, 8], some.tolist(), strict=True)):
        assert torch.equal(together[place], made.batch(torch.tensor([i]), torch.tensor([view]))[0])


def naive_view(made: Views, data: ImageSet, i: int, view: int) -> Tensor:
    """Pixels of one image in a view, pixel by pixel of a padded image."""
    image = naive_crop(made, data, i, view).float()
    if view % 2:
        share, other = float(made.share[view, i]), naive_crop(made, data, int(made.other[view, i]), view).float()
        assert 0 <= share <= 0.5
        image = (image * (1 - share) + other * share).round()
    return image.to(torch.uint8)


def naive_crop(made: Views, data: ImageSet, i: int, view: int) -> Tensor:
    padded = torch.nn.functional.pad(data.pixels(torch.tensor([i]))[0], (2, 2, 2, 2))
    top, left = int(made.top[view, i]), int(made.left[view, i])
    crop = padded[:, top : top + 8, left : left + 8]
    return crop.flip(2) if made.mirrored[view, i] else crop


def test_views_follow_from_the_seed_and_their_number(digits: ImageSet) -> None:
    index, view = torch.arange(100), torch.arange(100) % 2
    first = views(digits).batch(index, view)
    assert torch.equal(first, views(digits, count=2).batch(index, view))
    assert not torch.equal(first, views(digits, seed=4).batch(index, view))
    assert not torch.equal(first, views(digits).batch(index, view + 2))
    assert not views(digits).mirrored.any()  # digits mirrored are none


def test_the_teacher_answers_as_the_network_does(digits: ImageSet) -> None:
    teacher, made = in_one_piece(), views(digits)
    answers = torch.cat(list(Teacher(teacher, "cpu", "float32").answers(made, 1)))
    index = torch.arange(len(digits))
    with torch.no_grad():
        wanted = teacher.plain(made.batch(index, torch.ones_like(index)))
    assert answers.dtype == torch.float16
    torch.testing.assert_close(answers.float(), wanted, rtol=1e-2, atol=1e-2)
