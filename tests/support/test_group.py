"""Which of several processes this one is, by the environment."""

from __future__ import annotations

import pytest

from cascade_core.support.group import Group, is_first


def test_without_variables_a_process_is_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK"):
        monkeypatch.delenv(name, raising=False)
    assert Group.of_environment() == Group(0, 1, 0)
    assert is_first()


def test_a_process_of_three(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("RANK", "2"), ("WORLD_SIZE", "3"), ("LOCAL_RANK", "0")):
        monkeypatch.setenv(name, value)
    assert Group.of_environment() == Group(2, 3, 0)
    assert not is_first()


@pytest.mark.parametrize(
    ("name", "value"), [("WORLD_SIZE", "x"), ("WORLD_SIZE", ""), ("RANK", "1"), ("LOCAL_RANK", "-1")]
)
def test_variables_that_make_no_sense(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ValueError, match=f"^Expected the variable {name} to be a whole number"):
        Group.of_environment()
