"""What networks return, of every shape that people write, and which of it is taken."""

from __future__ import annotations

from collections import OrderedDict, namedtuple
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor

from cascade_core.nets.returned import WHOLE, Attribute, Place, describe, find_answers

A, B, C = torch.randn(3, 3, 10).unbind()
FEATURES = torch.randn(3, 64)
Pair = namedtuple("Pair", ["logits", "aux"])


@dataclass
class Output:
    """As Hugging Face's: some of its fields are None."""

    logits: Any
    loss: Tensor | None = None
    hidden_states: tuple[Tensor, ...] | None = None


class Ordered(OrderedDict[str, Tensor]):
    """A dict whose items are attributes too."""

    def __getattr__(self, name: str) -> Tensor:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


def found(returned: Any, wish: str | None = None, classes: int | None = 10) -> list[Tensor]:
    places = find_answers(returned, "Net", batch=3, classes=classes, wish=wish)
    return [place.of(returned) for place in places]


def same(some: list[Tensor], *expected: Tensor) -> bool:
    return len(some) == len(expected) and all(map(torch.equal, some, expected))


@pytest.mark.parametrize("wish", [None, "all", "first", "last", "logits"])
def test_logits_alone_are_taken_without_a_word(wish: str | None) -> None:
    assert find_answers(A, "Net", batch=3, classes=10, wish=wish) == (WHOLE,)
    # Another number of classes than the data's is told where the data are opened.
    assert same(found(FEATURES), FEATURES)


@pytest.mark.parametrize(
    ("returned", "what"),
    [
        (Output(A), r"Net returns an Output of 1: logits \(batch, 10\); that called logits is taken"),
        (Output(A, loss=torch.tensor(1.0), hidden_states=(FEATURES,)), "that called logits is taken"),
        (SimpleNamespace(logits=A, aux=B), "a SimpleNamespace of 2: logits"),
        (
            {"logits": A, "features": FEATURES},
            r"of 2: logits \(batch, 10\), features \(batch, 64\); that called",
        ),
        ({"aux": B, "logits": A}, "that called logits is taken"),
        (Ordered(logits=A, aux=B), "an Ordered of 2"),
        (Pair(A, B), "a Pair of 2"),
        ((A, FEATURES), r"a tuple of 2: \(batch, 10\), \(batch, 64\); that number 1 is taken"),
        ((FEATURES, A), "that number 2 is taken"),
        ([A], r"a list of 1: \(batch, 10\)"),
        ((A, None), r"a tuple of 2: \(batch, 10\), nothing"),
        ({"out": A}, "that called out is taken"),
        ((A, (FEATURES, FEATURES)), r"\(batch, 10\), a tuple of 2"),
        ((A, torch.zeros(3, dtype=torch.int64)), r"\(batch,\) int64"),
        ((A, {"features": FEATURES}), "a dict of 1"),
        (A[None], r"returns \(1, batch, 10\); that number 1"),
    ],
)
def test_the_only_answer_is_taken_and_said(returned: Any, what: str) -> None:
    with pytest.warns(UserWarning, match=what):
        assert same(found(returned), A)


@pytest.mark.parametrize(
    "returned",
    [
        (A, B, C),
        [A, B, C],
        {"first": A, "second": B, "third": C},
        SimpleNamespace(a=A, b=B, c=C),
        {"logits": [A, B, C]},
        Output((A, B, C)),
        ((A, B), C),
    ],
)
def test_several_answers_are_refused_unless_asked_for(returned: Any) -> None:
    with pytest.raises(ValueError, match=r"^Expected Net to return one answer but it returned .*--outputs all makes"):
        found(returned)
    assert same(found(returned, "all"), A, B, C)
    for wish, expected in (("first", A), ("last", C)):
        with pytest.warns(UserWarning, match="is taken"):
            assert same(found(returned, wish), expected)


@pytest.mark.parametrize("axis", [0, 1])
def test_answers_in_one_tensor(axis: int) -> None:
    stacked = torch.stack([A, B, C, A], dim=axis)
    with pytest.raises(ValueError, match="Expected Net to return one answer but it returned "):
        found(stacked)
    assert same(found(stacked, "all"), A, B, C, A)
    with pytest.warns(UserWarning, match="number 2 is taken"):
        assert same(found(stacked, "2"), B)


def test_an_answer_is_taken_by_its_name() -> None:
    with pytest.warns(UserWarning, match="called aux is taken"):
        assert same(found({"logits": A, "aux": B}, "aux"), B)
    with pytest.warns(UserWarning, match="number 2 is taken"):
        assert same(found((A, B), "2"), B)
    with pytest.raises(ValueError, match="Expected --outputs to be all, first, last or one of a, b of Net but it was"):
        found({"a": A, "b": B}, "c")


def test_what_is_no_answer_is_left_out_and_said() -> None:
    with pytest.warns(UserWarning, match="Of what Net returns, 2 is no answer and left out"):
        assert same(found(([A, B], FEATURES), "all"), A, B)
    assert same(found((A, B), "all", classes=None), A, B)


def test_of_an_unknown_number_of_classes_features_may_be_answers() -> None:
    with pytest.raises(ValueError, match="Expected Net to return one answer but it returned a tuple of 2"):
        found((A, FEATURES), classes=None)
    with pytest.warns(UserWarning, match="number 1 is taken"):
        assert same(found((A, FEATURES), "first", classes=None), A)


@pytest.mark.parametrize(
    ("returned", "came"),
    [
        (None, "nothing"),
        ("cat", "a str"),
        (torch.zeros(3, dtype=torch.int64), r"\(batch,\) int64"),
        (torch.randn(3, 10, 4, 4), r"\(batch, 10, 4, 4\)"),
        (torch.randn(10), r"\(10,\)"),
        ((FEATURES, FEATURES[:, :5]), r"a tuple of 2: \(batch, 64\), \(batch, 5\)"),
        ({"predictions": torch.zeros(3, dtype=torch.int64)}, r"a dict of 1: predictions \(batch,\) int64"),
        ({}, "a dict"),
        ((), "a tuple"),
        (tuple(FEATURES for _ in range(20)), "12 more"),
    ],
)
def test_what_holds_no_answer_is_refused_with_what_came(returned: Any, came: str) -> None:
    with pytest.raises(ValueError, match=rf"^Expected Net to return logits \(batch, 10\) but it returned .*{came}"):
        found(returned)


def test_places_have_names_for_people() -> None:
    assert Place((1,)).name == "2"
    assert Place((Attribute("logits"), 0)).name == "logits 1"
    assert Place(((slice(None), 2),)).name == "3"
    assert describe(torch.zeros(3, 3), 3) == "(batch, batch)"
