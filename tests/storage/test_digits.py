"""scikit-learn's digits by number and by id."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_digits

from cascade_core.storage.digits import digit_id, digit_pixels, digits


def test_all_digits_are_there() -> None:
    pixels, labels = digits()
    assert pixels.shape == (1797, 8, 8)
    assert pixels.dtype == np.uint8
    assert (pixels.min(), pixels.max()) == (0, 255)
    loaded = load_digits()
    np.testing.assert_array_equal(labels, loaded.target)
    np.testing.assert_array_equal(pixels, np.round(loaded.images * (255 / 16)))


def test_they_are_read_without_the_library_and_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    pixels, labels = digits.__wrapped__()
    monkeypatch.setattr("cascade_core.storage.digits.find_spec", lambda name: None)
    again = digits.__wrapped__()
    np.testing.assert_array_equal(again[0], pixels)
    np.testing.assert_array_equal(again[1], labels)


def test_a_digit_is_found_by_its_id() -> None:
    np.testing.assert_array_equal(digit_pixels(digit_id(42)), digits()[0][42])


@pytest.mark.parametrize("sample_id", ["digits/1797", "digits/42", "digits/00042", "cat/0042", "", "digits/-001"])
def test_other_ids_name_none(sample_id: str) -> None:
    assert digit_pixels(sample_id) is None
