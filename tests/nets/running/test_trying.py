"""One picture through the stages: what was recorded, what the simulation says, and pictures from anywhere."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from cascade_core import ExitRule, Pool
from cascade_core.nets.images.pixels import Preprocessing
from cascade_core.nets.networks.zoo import ZOO
from cascade_core.nets.opening import open_data
from cascade_core.nets.recording.precompute import precompute
from cascade_core.nets.running.rebuilding import locate, rebuild
from cascade_core.nets.running.trying import Tried, pass_through, read_picture, sample_picture, try_picture
from cascade_core.nets.staged import StagedModel
from cascade_core.simulation.passages import LEFT, NOT_REACHED, POOLED_LATER, SWITCHED_OFF, WENT_ON, StagePassage
from cascade_core.simulation.stages import exit_costs
from cascade_core.storage.origin import Origin
from tests.nets.running.test_runner import MODELS, pool_of
from tests.oracle import f32, naive_softmax_of
from tests.runfiles import load_softmaxes

CACHE = Path(__file__).resolve().parents[3] / "cache"
RUN = load_softmaxes(CACHE / "digits.parquet")


@pytest.fixture(scope="module")
def rebuilt() -> tuple[StagedModel, Preprocessing]:
    origin = Origin.of(RUN.source)
    return rebuild(locate(origin, [CACHE]), origin, RUN.class_names, [stage.name for stage in RUN.stages])


def tried(rebuilt: tuple[StagedModel, Preprocessing], rule: ExitRule, sample: int, beyond: bool = True) -> Tried:
    pixels = sample_picture("digits", str(RUN.sample_ids[sample]), None)
    assert pixels is not None
    model, wanted = rebuilt
    return try_picture(model, rule, pixels, wanted, stages=RUN.stages, baseline_macs=RUN.baseline_macs, beyond=beyond)


def softmax(stage: StagePassage) -> NDArray[np.float32]:
    assert stage.softmax is not None
    return stage.softmax


@pytest.mark.parametrize("pool", [None, pool_of(3)], ids=["own", "pooled"])
@pytest.mark.parametrize("score", ["max_probability", "margin", "negative_entropy"])
def test_digits_are_as_recorded_and_leave_as_simulated(
    rebuilt: tuple[StagedModel, Preprocessing], score: str, pool: Pool | None
) -> None:
    record = RUN.record(score, 1, pool)
    first, second = (np.quantile(record.confidence[m], share) + 1e-4 for m, share in ((0, 0.7), (1, 0.3)))
    rule = ExitRule(thresholds=f32(first, second), score=score, pool=pool)
    leaving, seen = rule.exit_stages(record), set()
    for sample in range(0, 900, 30):
        found = tried(rebuilt, rule, sample).passage
        for m, stage in enumerate(found.stages):
            np.testing.assert_allclose(softmax(stage), RUN.probs[m, sample], atol=1e-5)
            assert stage.pooled == (pool is not None and m > 0)
            assert stage.confidence == pytest.approx(float(record.confidence[m, sample]), abs=1e-4)
            assert stage.answer == record.predictions[m, sample]
        assert found.left == leaving[sample]
        assert found.prediction == record.predictions[leaving[sample], sample]
        seen.add(found.left)
    assert seen == {0, 1, 2}


def test_states_thresholds_and_costs(rebuilt: tuple[StagedModel, Preprocessing]) -> None:
    # Stage 1: trunk 4,608 and head 1,226; stage 2: 18,432 and 1,738; stage 3: 147,456 and 650.
    at_once = tried(rebuilt, ExitRule(thresholds=f32(0, 0)), 0).passage
    assert [stage.state for stage in at_once.stages] == [LEFT, NOT_REACHED, NOT_REACHED]
    assert [stage.macs for stage in at_once.stages] == [5834, None, None]
    assert at_once.cost == 5834 / 171146
    above = float(np.nextafter(np.float32(1), np.float32(2)))  # as far as rounding may take a softmax, and no further
    late = tried(rebuilt, ExitRule(thresholds=f32(above, above)), 0).passage
    assert [stage.state for stage in late.stages] == [WENT_ON, WENT_ON, LEFT]
    assert [stage.macs for stage in late.stages] == [5834, 26004, 174110]
    assert [stage.threshold for stage in late.stages] == [above, above, None]
    off = tried(rebuilt, ExitRule(thresholds=f32(np.inf, 0)), 0).passage
    assert [stage.state for stage in off.stages] == [SWITCHED_OFF, LEFT, NOT_REACHED]
    # Without the first head: 4,608 + 18,432 + 1,738.
    assert [stage.macs for stage in off.stages] == [4608, 24778, None]
    never = tried(rebuilt, ExitRule(thresholds=f32(np.inf, np.inf)), 0).passage
    assert [stage.state for stage in never.stages] == [SWITCHED_OFF, SWITCHED_OFF, LEFT]
    assert [stage.macs for stage in never.stages] == [None, None, RUN.baseline_macs]


def test_a_head_that_is_pooled_later_is_charged_and_called_so(rebuilt: tuple[StagedModel, Preprocessing]) -> None:
    """Stage 1 takes 4,608 and 1,226 for its head, stage 2 18,432 and 1,738, stage 3 147,456 and 650."""
    pool = Pool(weights=((1.0,), (0.0, 1.0), (0.5, 0.0, 1.0)))
    for beyond in (False, True):
        never = tried(rebuilt, ExitRule(thresholds=f32(np.inf, np.inf), pool=pool), 0, beyond).passage
        assert [stage.state for stage in never.stages] == [POOLED_LATER, SWITCHED_OFF, LEFT]
        assert [stage.macs for stage in never.stages] == [5834, 24266, 172372]
        wanted = naive_softmax_of([0.5, 1.0], RUN.probs[[0, 2], 0].tolist())
        assert never.stages[2].answered is not None
        np.testing.assert_allclose(never.stages[2].answered, wanted, atol=1e-5)
        np.testing.assert_allclose(softmax(never.stages[2]), RUN.probs[2, 0], atol=1e-5)
    here = tried(rebuilt, ExitRule(thresholds=f32(np.inf, 0), pool=pool), 0).passage
    assert [stage.state for stage in here.stages] == [POOLED_LATER, LEFT, NOT_REACHED]
    assert [stage.macs for stage in here.stages] == [5834, 26004, None]


def test_a_threshold_for_each_class_is_that_of_the_answer(rebuilt: tuple[StagedModel, Preprocessing]) -> None:
    thresholds = np.full((2, 10), np.inf, dtype=np.float32)
    first = int(RUN.probs[0, 7].argmax())
    thresholds[0, first] = 0.25
    found = tried(rebuilt, ExitRule(thresholds=thresholds), 7).passage
    assert found.left == 0
    assert found.stages[0].threshold == 0.25
    assert found.stages[1].threshold == np.inf


def test_nothing_beyond_is_computed_unless_asked(rebuilt: tuple[StagedModel, Preprocessing]) -> None:
    for thresholds, computed in (((0, 0), [True, False, False]), ((np.inf, 0), [False, True, False])):
        found = tried(rebuilt, ExitRule(thresholds=f32(*thresholds)), 0, beyond=False).passage
        assert [stage.softmax is not None for stage in found.stages] == computed
    found = tried(rebuilt, ExitRule(thresholds=f32(np.inf, np.inf)), 0, beyond=False).passage
    assert [stage.softmax is not None for stage in found.stages] == [False, False, True]
    np.testing.assert_allclose(softmax(found.stages[2]), RUN.probs[2, 0], atol=1e-5)


@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
def test_every_kind_of_cascade(make: Callable[[], StagedModel]) -> None:
    model, data = make().eval(), open_data("digits", ZOO["small-cnn"].preprocessing).take(torch.arange(12))
    outputs = precompute(model, data, device="cpu", progress=False)
    record = outputs.record()
    rule = ExitRule(thresholds=np.median(record.confidence[:-1], axis=1) + np.float32(1e-5))
    costs = exit_costs(record.stages, rule.active, record.baseline_macs)
    leaving = rule.exit_stages(record)
    for i in range(12):
        found = pass_through(model, rule, data[i][0][None], outputs.stages, outputs.baseline_macs)
        assert found.left == leaving[i]
        assert found.stages[found.left].macs == costs[leaving[i]]
        for m, stage in enumerate(found.stages):
            np.testing.assert_allclose(softmax(stage), outputs.probs[m, i], atol=1e-5)


def test_a_picture_of_any_size_is_prepared(rebuilt: tuple[StagedModel, Preprocessing]) -> None:
    model, wanted = rebuilt
    rule = ExitRule(thresholds=f32(0.5, 0.5))
    for shape in ((300, 200, 3), (1, 1, 3), (8, 8, 1), (9, 500, 3)):
        found = try_picture(
            model, rule, np.zeros(shape, np.uint8), wanted, stages=RUN.stages, baseline_macs=RUN.baseline_macs
        )
        assert found.seen.shape == (8, 8, 1)
    with pytest.raises(ValueError, match="not so long and thin but it has 1 x 2000000 pixels"):
        try_picture(
            model,
            rule,
            np.zeros((2_000_000, 1, 3), np.uint8),
            wanted,
            stages=RUN.stages,
            baseline_macs=RUN.baseline_macs,
        )


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, format=kind, **options)
    return stream.getvalue()


def test_an_uploaded_picture_stands_upright() -> None:
    left_red = Image.new("RGB", (20, 10), "blue")
    left_red.paste("red", (0, 0, 10, 10))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter, clockwise: what is left comes to the top
    found = read_picture(encoded(left_red, exif=exif))
    assert found.shape == (20, 10, 3)
    assert found[2, 5].tolist() == [255, 0, 0]
    assert found[17, 5].tolist() == [0, 0, 255]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "it is damaged, or none of PNG, JPEG"),
        (b"no picture", "it is damaged, or none of PNG, JPEG"),
        (encoded(Image.new("RGB", (64, 64)))[:-30], "cannot be read"),
        (encoded(Image.new("L", (7000, 7000))), "at most 40,000,000 pixels but it has 7,000 x 7,000"),
        (encoded(Image.new("1", (20000, 20000))), "cannot be read"),  # Pillow's own limit
    ],
)
def test_what_is_no_picture_is_refused(content: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=words) as caught:
        read_picture(content)
    assert str(caught.value).startswith("Expected an image in the file but it cannot be read: ")


def test_pictures_of_a_folder_are_looked_up_in_its_listing(tmp_path: Path) -> None:
    (tmp_path / "in" / "cat").mkdir(parents=True)
    Image.new("RGB", (3, 2), "red").save(tmp_path / "in" / "cat" / "1.png")
    Image.new("RGB", (3, 2)).save(tmp_path / "secret.png")
    found = sample_picture("imagefolder:test", "cat/1.png", tmp_path / "in")
    assert found is not None
    assert found.shape == (2, 3, 3)
    for text in (
        "../secret.png",
        "cat/../../secret.png",
        str(tmp_path / "secret.png"),
        "cat",
        "cat/2.png",
        "",
        "cat//",
    ):
        assert sample_picture("imagefolder:test", text, tmp_path / "in") is None
    assert sample_picture("imagefolder:test", "cat/1.png", None) is None
    assert sample_picture("digits", "digits/9999", None) is None
