"""Metadata in words: of the shipped runs all of it, of strange shapes nothing is lost and nothing breaks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cascade_core.rendering.provenance import provenance
from cascade_core.storage.reading import read_metadata

CACHE = Path(__file__).resolve().parents[2] / "cache"

SOURCE: dict[str, Any] = {
    "title": "A run.",
    "networks": [
        {"name": "small", "weights": "small.th", "sha256": "0123456789abcdef" * 4},
        {
            "name": "large",
            "weights": None,
            "sha256": None,
            "heads": {"preset": "ladder", "exits": ["layer1", "layer2"], "file": "h.safetensors", "sha256": "f" * 64},
        },
    ],
    "dataset": "imagefolder:test",
    "transform": {
        "channels": 3,
        "size": 224,
        "resize": 256,
        "interpolation": "bicubic",
        "mean": [0.5, 0.25],
        "std": [1.0, 2.0],
    },
    "date": "2026-11-23T21:52:13+00:00",
    "versions": {"torch": "2.13.0", "numpy": "2.4.6"},
    "threads": 2,
}


def test_known_metadata_is_put_in_words() -> None:
    facts, rest = provenance(SOURCE)
    assert dict(facts) == {
        "Run": "A run.",
        "Network 1": "small, weights small.th (SHA-256 0123456789ab…)",
        "Network 2": "large, weights not from a file",
        "Network 2, exits": "ladder heads behind layer1, layer2, from h.safetensors (SHA-256 ffffffffffff…); "
        "the trunk was not changed",
        "Data": "imagefolder:test",
        "Pictures": "colour, scaled to 256 pixels (bicubic), then 224 x 224 pixels, less mean 0.5, 0.25, "
        "over deviation 1.0, 2.0",
        "Recorded": "2026-11-23 21:52 UTC",
        "Versions": "torch 2.13.0, numpy 2.4.6",
        "Threads": "2",
    }
    assert rest == {}


@pytest.mark.parametrize("path", sorted(CACHE.glob("*.parquet")), ids=lambda p: p.stem)
def test_every_shipped_run_is_understood_whole(path: Path) -> None:
    source = read_metadata(path)["source"]
    facts, rest = provenance(source)
    recorded = {"Data", "Pictures", "Recorded", "Versions"}
    assert rest == {}
    assert {"Run"} | ({"Imported from"} if "imported_from" in source else recorded) <= {name for name, _ in facts}


@pytest.mark.parametrize("key", [*SOURCE, "heads", "split", "joined", "imported_from", "seed", "device", "other"])
@pytest.mark.parametrize(
    "value", [None, True, [], [1], {}, {"size": 8}, [{"name": 3}], [{"heads": {}}], {"size": 8, "channels": [1]}]
)
def test_other_shapes_are_handed_back(key: str, value: Any) -> None:
    facts, rest = provenance({key: value})
    assert facts or rest == {key: value} or value in ([], {})
    assert all(isinstance(name, str) and isinstance(text, str) for name, text in facts)


def test_a_joined_run_has_the_facts_of_its_parts() -> None:
    facts, rest = provenance({"joined": [{"name": "a", "dataset": "digits"}, {"name": "b", "imported_from": "b.npz"}]})
    assert facts == [("a: Data", "digits"), ("b: Imported from", "b.npz")]
    assert rest == {}


def test_a_deeply_joined_run_does_not_break() -> None:
    source: dict[str, Any] = {"dataset": "digits"}
    for _ in range(5000):
        source = {"joined": [{"name": "x", **source}]}
    assert provenance(source)[0] == [("x: Run", "joined of others, see the metadata")]
