"""Columns write numbers alike: as many decimals all the way down, words where there is no number, one minus sign."""

from __future__ import annotations

import numpy as np
from streamlit.testing.v1 import AppTest

from cascade_core.panels.columns import Column, number, share, thresholds


def written(column: Column, *values: float) -> list[str]:
    return [column.write(value) for value in values]


def test_numbers_have_the_decimals_that_are_asked_for() -> None:
    assert written(number("MACs"), 43174666, 1.5e9, 0) == ["43,174,666", "1,500,000,000", "0"]
    assert written(number("points", 2), 1.2, -0.325, -0.001) == ["1.20", "−0.33", "0.00"]
    assert written(number("moves by", 2, before="± "), 0.4) == ["± 0.40"]


def test_shares_are_percent_with_one_decimal() -> None:
    assert written(share("share"), 0.233, 0.5458, 1.0, -0.031) == ["23.3 %", "54.6 %", "100.0 %", "−3.1 %"]


def test_thresholds_have_the_decimals_that_give_each_of_them_back() -> None:
    values = np.array([0.5, 0.94346255, np.inf, -np.inf], dtype=np.float32)
    texts = written(thresholds("at", values), *values.tolist())
    assert texts == ["0.50000000", "0.94346255", "never", "always answers"]
    assert np.float32(texts[1]) == values[1]


def test_a_threshold_a_hair_below_one_is_not_one() -> None:
    value = np.nextafter(np.float32(1), np.float32(0))
    (text,) = written(thresholds("at", [value]), float(value))
    assert text == "0.99999994"


def test_thresholds_without_a_number_need_no_decimals() -> None:
    assert written(thresholds("at", [np.inf]), np.inf) == ["never"]


def shown() -> None:
    import numpy as np
    import pandas as pd

    from cascade_core.panels import columns

    frame = pd.DataFrame({"name": ["a"], "x": [-0.5], "gone": [np.nan]})
    columns.table(frame, {"name": "Name", "x": columns.number("X", 1), "gone": columns.share("Gone")}, "A table.")


def test_a_table_keeps_its_numbers_and_says_what_it_is() -> None:
    app = AppTest.from_function(shown, default_timeout=120).run()
    assert not app.exception
    (table,) = app.dataframe
    assert table.value["x"].tolist() == [-0.5]
    assert table.proto.placeholder == "–"
    assert table.proto.alt == "A table."


def with_formulas() -> None:
    import pandas as pd

    from cascade_core.panels.columns import number, table

    frame = pd.DataFrame({"class": ["=1+1", "cat", "-1"], "x": [-1.0, 2.0, 3.0]}, index=["@a", "b", "c"])
    table(frame, {"x": number("x")}, "Classes.")


def test_what_the_browser_saves_of_a_table_is_no_formula() -> None:
    (frame,) = AppTest.from_function(with_formulas).run().dataframe
    assert frame.value["class"].tolist() == ["'=1+1", "cat", "-1"]
    assert frame.value["x"].tolist() == [-1.0, 2.0, 3.0]
    assert frame.value.index.tolist() == ["'@a", "b", "c"]
