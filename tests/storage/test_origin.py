"""Where runs came from: shipped runs read and written again, earlier forms upgraded, strange shapes kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cascade_core.rendering.published import PUBLISHED, published_on
from cascade_core.storage.origin import HeadsOrigin, NetworkOrigin, Origin, RecordedFile
from cascade_core.storage.reading import read_metadata

CACHE = Path(__file__).resolve().parents[2] / "cache"
SHIPPED = sorted(CACHE.glob("*.parquet"))

SOURCE: dict[str, Any] = {
    "title": "A run.",
    "networks": [
        {"name": "small", "weights": "s.th", "sha256": "a" * 64},
        {
            "name": "large",
            "weights": None,
            "sha256": None,
            "heads": {
                "file": "h.safetensors",
                "sha256": "b" * 64,
                "preset": "fine",
                "exits": ["layer1"],
                "trunk": "c" * 64,
                "training": {"data": "imagefolder:train"},
            },
        },
    ],
    "dataset": "imagefolder:test",
    "dataset_name": "Birds",
    "kind": "Photos",
    "transform": {"size": 32},
    "notes": ["Softmaxes were rounded."],
    "split": "test",
    "seed": 3,
}


def test_every_field_is_read() -> None:
    heads = HeadsOrigin(
        file=RecordedFile(name="h.safetensors", sha256="b" * 64),
        preset="fine",
        exits=("layer1",),
        trunk="c" * 64,
        training={"data": "imagefolder:train"},
    )
    assert Origin.of(SOURCE) == Origin(
        title="A run.",
        networks=(
            NetworkOrigin(name="small", weights=RecordedFile(name="s.th", sha256="a" * 64)),
            NetworkOrigin(name="large", heads=heads),
        ),
        data="imagefolder:test",
        dataset="Birds",
        kind="Photos",
        transform={"size": 32},
        notes=("Softmaxes were rounded.",),
        rest={"split": "test", "seed": 3},
    )


def test_what_is_read_is_written_as_it_was() -> None:
    assert Origin.of(SOURCE).as_json() == SOURCE


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_runs_of_the_present_form_are_written_as_they_are(path: Path) -> None:
    source = read_metadata(path)["source"]
    if "heads" in source:
        heads = Origin.of(source).networks[0].heads
        assert heads == HeadsOrigin.of(source["heads"])
        assert heads is not None
        assert heads.file is None
    else:
        assert json.dumps(Origin.of(source).as_json(), sort_keys=True) == json.dumps(source, sort_keys=True)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_runs_are_offered_the_results_on_their_data(path: Path) -> None:
    offered = published_on(Origin.of(read_metadata(path)["source"]).dataset)
    on = {"cifar10": ["CIFAR-10"], "cifar100": ["CIFAR-100"], "imagenet": ["ImageNet top-1"]}
    assert [series.name for series in offered] == on.get(path.stem.partition("-")[0], [])


@pytest.mark.parametrize(
    ("source", "dataset"),
    [
        ({"dataset": "cifar100:root", "title": "My run."}, "CIFAR-100"),
        ({"dataset": "svhn:root", "title": "CIFAR-10, not at all."}, "SVHN"),
        ({"dataset": "imagefolder:test", "title": "CIFAR-10, ResNet-56."}, "CIFAR-10"),
        ({"dataset": "imagefolder:test", "title": "CIFAR-10, ResNet-56.", "dataset_name": "Birds"}, "Birds"),
        ({"dataset": "imagefolder:test", "title": "CIFAR-10 and more"}, None),
        ({"title": ["CIFAR-10,"], "dataset_name": 10}, None),
        ({}, None),
    ],
)
def test_the_data_set_has_a_name(source: dict[str, Any], dataset: str | None) -> None:
    assert Origin.of(source).dataset == dataset


def test_every_published_series_can_be_offered() -> None:
    for series in PUBLISHED:
        assert published_on(Origin.of({"title": f"{series.name}, a network."}).dataset) == (series,)
    assert [series.name for series in published_on("ImageNet")] == ["ImageNet top-1"]
    assert published_on(None) == ()


def test_a_name_that_follows_from_the_rest_is_not_written() -> None:
    assert Origin(data="cifar10:root", dataset="CIFAR-10").as_json() == {"dataset": "cifar10:root"}
    assert Origin(data="imagefolder:x", dataset="CIFAR-10").as_json()["dataset_name"] == "CIFAR-10"


def test_heads_beside_the_networks_are_the_first_ones() -> None:
    networks = [{"name": "a"}, {"name": "b"}]
    origin = Origin.of({"networks": networks, "heads": {"preset": "paper", "trunk": "t"}})
    assert [network.heads and network.heads.preset for network in origin.networks] == ["paper", None]
    assert origin.rest == {}


def test_heads_without_a_network_stay_as_they_are() -> None:
    sources: tuple[dict[str, Any], ...] = (
        {"heads": {"preset": "paper"}},
        {"networks": [], "heads": {}},
        {"networks": [{}], "heads": 3},
    )
    for source in sources:
        assert Origin.of(source).rest["heads"] == source["heads"]


@pytest.mark.parametrize("key", [*SOURCE, "heads", "joined", "imported_from", "other"])
@pytest.mark.parametrize("value", [None, True, [], [1], {}, {"size": 8}, [{"name": 3}], [{"heads": {}}], 3, "x"])
def test_no_shape_is_refused_and_what_has_no_field_is_kept(key: str, value: Any) -> None:
    origin = Origin.of({key: value})
    assert origin.rest in ({}, {key: value})
    assert origin == Origin() or origin.rest == {key: value} or Origin.of(origin.as_json()) == origin


@pytest.mark.parametrize("network", [3, {}, {"name": 1}, {"name": "a", "weights": 2}, {"name": "a", "more": 1}])
def test_a_network_of_which_more_is_said_is_read_and_kept(network: Any) -> None:
    origin = Origin.of({"networks": [network]})
    assert len(origin.networks) == 1
    assert origin.rest == origin.as_json() == {"networks": [network]}
