"""Expected milliseconds by hand and against drawing batches, and profiles to a file and back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cascade_core import ExitRule, Pool, evaluate
from cascade_core.simulation.evaluation import Evaluation
from cascade_core.simulation.paths import RulePath, evaluate_path
from cascade_core.simulation.timing import Profile, load_profile, profile_path, save_profile
from cascade_core.support.files import BadFile
from tests.oracle import f32, make_record, random_outputs


def profile(**changes: Any) -> Profile:
    values: dict[str, Any] = {
        "stage_names": ("a", "b"),
        "batch_sizes": (1, 2, 4),
        "trunk": [[1.0, 1.5, 2.0], [4.0, 6.0, 10.0]],
        "head": [[0.1, 0.1, 0.2], [0.2, 0.2, 0.4]],
        "plain": [5.0, 8.0, 12.0],
        "trunk_p95": np.ones((2, 3)),
        "head_p95": np.ones((2, 3)),
        "plain_p95": np.ones(3),
        "circumstances": {"device": "cpu", "threads": 1},
    }
    return Profile(**(values | changes))


def half_leave() -> Evaluation:
    record = make_record([[0.9, 0.1, 0.9, 0.1], [1] * 4], np.ones((2, 4)))
    return evaluate(record, ExitRule(thresholds=f32(0.5)))


def test_single_samples_by_hand() -> None:
    # 1.0 + 0.1 for all, and 4.0 + 0.2 for half of them.
    for compaction in (True, False):
        assert profile().expected_seconds(half_leave(), 1, compaction=compaction) == pytest.approx(1.1 + 2.1)
    assert profile().plain_seconds(1) == 5


def test_batches_by_hand() -> None:
    # Two samples: 1.6 for stage a; of stage b one survives half the time (4.2) and both a quarter (6.2).
    assert profile().expected_seconds(half_leave(), 2) == pytest.approx((1.6 + 4.2 / 2 + 6.2 / 4) / 2)
    # Without compaction the whole batch is computed in three of four cases.
    assert profile().expected_seconds(half_leave(), 2, compaction=False) == pytest.approx((1.6 + 6.2 * 3 / 4) / 2)


def test_sizes_between_are_on_a_straight_line_and_equal_drawing_batches() -> None:
    """Three of a batch take the mean of two and four."""
    draws = np.random.default_rng(0).binomial(4, 0.5, 200_000)
    seconds = np.array([0, 4.2, 6.2, (6.2 + 10.4) / 2, 10.4])
    wanted = (2.2 + seconds[draws].mean()) / 4
    assert profile().expected_seconds(half_leave(), 4) == pytest.approx(wanted, rel=0.01)


def test_a_head_that_is_off_takes_no_time_and_without_exits_the_plain_network_runs() -> None:
    record = make_record([[0.9, 0.1], [0.5, 0.5], [1, 1]], np.ones((3, 2)))
    three = profile(
        stage_names=("a", "b", "c"),
        **{name: [[1.0, 1.5, 2.0]] * 3 for name in ("trunk", "head", "trunk_p95", "head_p95")},
    )
    off = evaluate(record, ExitRule(thresholds=f32(0.5, np.inf)))
    # a: 1 + 1 for all; b without its head and c with: half of 1 + 1 + 1.
    assert three.expected_seconds(off, 1) == pytest.approx(2 + 3 / 2)
    never = evaluate(record, ExitRule(thresholds=f32(np.inf, np.inf)))
    assert three.expected_seconds(never, 2) == 4


def test_a_pooled_rule_takes_the_pool_s_time_where_samples_may_leave_and_the_time_of_heads_pooled_later() -> None:
    outputs = random_outputs(1)
    pool = Pool(weights=((1.0,), (0.5, 1.0), (0.5, 0.0, 1.0)))
    three = profile(
        stage_names=("a", "b", "c"),
        **{name: [[1.0, 1.5, 2.0], [1.0] * 3, [1.0] * 3] for name in ("trunk", "head", "trunk_p95", "head_p95")},
        pool=[[0.0] * 3, [0.25] * 3, [0.5] * 3],
    )
    record = outputs.record(pool=pool)
    # Three trunk pieces, the heads of a and c, and what pools at c; b is neither run nor pooled.
    never = evaluate(record, ExitRule(thresholds=f32(np.inf, np.inf), pool=pool))
    assert three.expected_seconds(never, 1) == pytest.approx(3 + 2 + 0.5)
    assert three.expected_seconds(evaluate(record, ExitRule(thresholds=f32(np.inf, np.inf))), 1) == 5
    # All leave at b: two trunk pieces, two heads, and what pools there.
    here = evaluate(record, ExitRule(thresholds=f32(np.inf, 0), pool=pool))
    assert three.expected_seconds(here, 1) == pytest.approx(2 + 2 + 0.25)
    above = np.nextafter(np.float32(1), np.float32(2))  # as far as rounding may take a softmax, and no further
    own = evaluate(outputs.record(), ExitRule(thresholds=f32(above, 0)))
    assert three.expected_seconds(own, 1) == pytest.approx(2 + 2)


def test_a_path_s_rules_take_what_they_take_alone() -> None:
    """One of them pooled, one the plain network."""
    pool = Pool(weights=((1.0,), (0.5, 1.0)))
    record = random_outputs(1, stages=2).record(pool=pool)
    path = RulePath(
        positions=np.arange(3.0),
        thresholds=f32(np.inf, np.inf, 0.5)[:, None],
        score="max_probability",
        top_k=1,
        stage_names=("a", "b"),
        pool=pool,
        plain=np.array([True, False, False]),
    )
    timed, whole = profile(pool=[[0.0] * 3, [0.5] * 3]), evaluate_path(record, path)
    for position in range(3):
        alone = timed.expected_seconds(evaluate(record, path.rule(position)), 2)
        assert timed.expected_seconds(whole[position], 2) == alone
    # Of single samples: the plain network 5; both trunk pieces, both heads and the pool 5.8.
    assert [timed.expected_seconds(whole[position], 1) for position in (0, 1)] == pytest.approx([5, 5.8])


def test_refusals() -> None:
    with pytest.raises(ValueError, match="batch to be a whole number from 1 to 4 but it was 5"):
        profile().expected_seconds(half_leave(), 5)
    other = evaluate(make_record([[1], [1], [1]], [[1], [1], [1]]), ExitRule(thresholds=f32(0, 0)))
    with pytest.raises(ValueError, match="evaluation of the stages a, b but it is of a, b, c"):
        profile().expected_seconds(other, 1)
    for changes, words in (
        ({"batch_sizes": (2, 4, 8)}, "batch_sizes to rise from 1"),
        ({"batch_sizes": (1, 4, 4)}, "batch_sizes to rise from 1"),
        ({"plain": [1.0, 2.0]}, r"plain to have shape \(3,\)"),
        ({"head": [[1.0, -1.0, 1.0]] * 2}, "head to be seconds from 0 to 1,000,000 but one is -1"),
        ({"pool": [[1.0, np.nan, 1.0]] * 2}, "pool to be seconds from 0 to 1,000,000 but one is nan"),
        ({"pool_p95": [1.0]}, r"pool_p95 to have shape \(2, 3\)"),
        ({"plain": [0.0] * 3}, "at most 1,000,000 times as long as the plain network but in batches of 1"),
        ({"plain": [1.0, 5e-324, 1.0]}, "at most 1,000,000 times as long as the plain network but in batches of 2"),
        ({"trunk": [[1e308] * 3] * 2}, "trunk to be seconds from 0 to 1,000,000 but one is 1e\\+308"),
        ({"plain_p95": [1e308] * 3}, "plain_p95 to be seconds from 0 to 1,000,000 but one is 1e\\+308"),
        ({"plain": [np.inf] * 3}, "plain to be seconds from 0 to 1,000,000 but one is inf"),
        ({part: [[0.0] * 3] * 2 for part in ("trunk", "head")}, "stage 'a' takes none in batches of 1"),
        ({"circumstances": ["cpu"]}, r"circumstances to have names but they were \['cpu'\]"),
    ):
        with pytest.raises(ValueError, match=words):
            profile(**changes)


def test_a_profile_comes_back_from_its_file(tmp_path: Path) -> None:
    given = profile(pool=[[0.0, 0.0, 0.0], [0.1, 0.2, 0.3]])
    path = save_profile(given, profile_path(tmp_path / "run.parquet"))
    assert path.name == "run.profile.json"
    found = load_profile(path)
    assert found.trunk.tolist() == given.trunk.tolist()
    assert found.pool.tolist() == given.pool.tolist()
    assert (found.stage_names, found.batch_sizes, found.circumstances) == (
        ("a", "b"),
        (1, 2, 4),
        {"device": "cpu", "threads": 1},
    )
    assert profile_path("cache/folder").name == "folder.profile.json"


@pytest.mark.parametrize("said", [{"notes": "x" * (1 << 20)}, {"device": object()}, {"seconds": float("nan")}])
def test_what_would_not_be_read_is_not_written(said: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(BadFile, match=r"Cannot write .*x\.profile\.json: "):
        save_profile(profile(circumstances=said), tmp_path / "x.profile.json")
    assert list(tmp_path.iterdir()) == []


def test_profiles_of_version_1_say_nothing_of_pools(tmp_path: Path) -> None:
    path = save_profile(profile(), tmp_path / "old.profile.json")
    data = json.loads(path.read_text())
    assert data.pop("schema_version") == 2
    old = {key: value for key, value in data.items() if not key.startswith("pool")}
    path.write_text(json.dumps({"schema_version": 1, **old}))
    found = load_profile(path)
    assert found.head.tolist() == profile().head.tolist()
    assert not found.pool.any()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"{", "expected JSON"),
        (b"[]", "schema_version 1 to 2"),
        (b'{"schema_version": 3}', "schema_version 1 to 2"),
        (b'{"schema_version": 2}', "the parts of a profile"),
        (b'{"schema_version": 1, "x": 0}', "the parts of a profile"),
        (json.dumps({"schema_version": 1, **{k: [] for k in Profile.__dataclass_fields__}}).encode(), "batch_sizes"),
        (b" " * (1 << 21), "at most"),
    ],
)
def test_malformed_files_are_named(content: bytes, words: str, tmp_path: Path) -> None:
    path = tmp_path / "x.profile.json"
    path.write_bytes(content)
    with pytest.raises(BadFile, match=words):
        load_profile(path)
