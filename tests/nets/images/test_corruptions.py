"""Corrupted copies: what each kind does to pixels, seeds that know no batches, and the lines for what cannot be."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import torch

from cascade_core import load_run
from cascade_core.nets import Preprocessing, open_data, precompute_run
from cascade_core.nets.images.corruptions import KINDS, Corruption, corrupt
from cascade_core.nets.images.datasets import ImageSet
from cascade_core.nets.recording.runs import RecordOptions
from cascade_core.nets.texts.datasets import TextSet
from cascade_core.nets.texts.tokens import Tokens
from cascade_core.rendering.provenance import provenance
from cascade_core.storage.origin import Origin

GREY = torch.full((3, 64, 64), 100, dtype=torch.uint8)

SPOT = torch.zeros((1, 21, 21), dtype=torch.uint8)
SPOT[0, 10, 10] = 255

STEPS = torch.tensor([[[0, 100], [100, 200]]], dtype=torch.uint8)


def after(pixels: torch.Tensor, *texts: str, seed: int = 0, sample_id: str = "a") -> np.ndarray:
    result = corrupt(pixels, tuple(map(Corruption.of, texts)), seed, sample_id)
    assert result.shape == pixels.shape
    assert result.dtype == torch.uint8
    return result.numpy().astype(float)


def test_noise_has_the_deviation_that_was_named() -> None:
    noise = after(GREY, "noise:0.04") - 100
    # 0.04 of 255 is 10.2 levels; 12,288 draws know it to about 0.07, their mean to about 0.09.
    assert noise.std() == pytest.approx(10.2, abs=0.3)
    assert noise.mean() == pytest.approx(0, abs=0.4)
    assert abs(np.corrcoef(noise[0].ravel(), noise[1].ravel())[0, 1]) < 0.06


def test_blur_keeps_light_and_spreads_it_by_the_deviation() -> None:
    light = after(SPOT, "blur:2")[0]
    rows = np.arange(21) - 10
    assert light.sum() == pytest.approx(255, rel=0.1)
    assert np.sqrt((light.sum(axis=1) * rows**2).sum() / light.sum()) == pytest.approx(2, abs=0.3)


def test_factors() -> None:
    # The mean grey of 0, 100, 100, 200 is 100.
    assert after(STEPS, "contrast:0.5").tolist() == [[[50, 100], [100, 150]]]
    assert after(STEPS, "brightness:0.5").tolist() == [[[0, 50], [50, 100]]]
    assert after(STEPS, "brightness:2").tolist() == [[[0, 200], [200, 255]]]


def test_jpeg_of_less_quality_is_further_off() -> None:
    picture = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (3, 16, 16), dtype=np.uint8))
    off = [np.abs(after(picture, f"jpeg:{quality}") - picture.numpy()).mean() for quality in (95, 50, 5)]
    assert off == sorted(off)
    assert after(SPOT, "jpeg:90").shape == (1, 21, 21)


def test_one_after_the_other() -> None:
    # 0, 100, 100, 200 doubled is 0, 200, 200, 255, of mean 163.75; half as far from 164.
    assert after(STEPS, "brightness:2", "contrast:0.5").tolist() == [[[82, 182], [182, 209]]]
    assert after(STEPS, "contrast:0.5", "brightness:2").tolist() == [[[100, 200], [200, 255]]]


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_random_but_by_seed_and_sample(kind: str) -> None:
    text = f"{kind}:{min(KINDS[kind].high, 20) if kind == 'jpeg' else 0.5}"
    first = after(GREY, text)
    assert (first == after(GREY, text)).all()
    others = [after(GREY, text, seed=1), after(GREY, text, sample_id="b")]
    assert [bool((first == other).all()) for other in others] == [kind != "noise"] * 2


def test_batches_do_not_matter() -> None:
    opened = open_data("digits", Preprocessing(size=8, channels=1, mean=(0.5,), std=(0.5,)))
    data = ImageSet(**{**vars(opened), "corruptions": (Corruption.of("noise:0.1"),), "seed": 3})
    whole = data.batch(torch.arange(40))
    assert torch.equal(whole[[7, 30]], data.batch(torch.tensor([7, 30])))
    assert torch.equal(whole[[7, 30]], data.take(torch.tensor([30, 7])).batch(torch.tensor([1, 0])))
    assert not torch.equal(whole, opened.batch(torch.arange(40)))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("fog:1", "corruption (KIND:SEVERITY) to be one of noise, blur, contrast, brightness, jpeg but it was 'fog'"),
        ("noise", "severity of noise (noise:NUMBER) to be a number from 0 to 1 but it was ''"),
        ("noise:x", "severity of noise (noise:NUMBER) to be a number from 0 to 1 but it was 'x'"),
        ("noise:1.5", "severity of noise (noise:NUMBER) to be from 0 to 1 but it was 1.5"),
        ("jpeg:0", "severity of jpeg (jpeg:NUMBER) to be from 1 to 95 but it was 0"),
        ("blur:nan", "severity of blur (blur:NUMBER) to be from 0 to 100 but it was nan"),
    ],
)
def test_what_is_no_corruption_is_said(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        Corruption.of(text)


def test_a_run_says_what_was_done(tmp_path: Path) -> None:
    networks = ["small-cnn+cache/digits.safetensors"]
    worse = ["noise:0.04", "blur:0.6"]
    run = load_run(precompute_run(networks, data="digits", out=tmp_path / "r.parquet", progress=False, corrupt=worse))
    assert Origin.of(run.source).corrupted == ("noise:0.04", "blur:0.6")
    assert ("Corrupted on purpose", "noise:0.04, then blur:0.6") in provenance(run.source)[0]
    plain = load_run("cache/digits.parquet")
    assert run.sample_ids.tolist() == plain.sample_ids.tolist()
    assert run.record().baseline_accuracy < plain.record().baseline_accuracy


def test_texts_have_no_pixels() -> None:
    options = RecordOptions(corrupt=["noise:0.04"])
    texts = TextSet(
        spec="texts:a.csv",
        split="test",
        labels=torch.zeros(1, dtype=torch.int64),
        sample_ids=("a",),
        class_names=("x",),
        tokens=Tokens(length=4, most=4, vocabulary="", class_names=("x",), padding=0, encode=lambda texts, _: [[1]]),
        numbers=[[1, 2]],
    )
    with pytest.raises(ValueError, match=r"Expected pictures to corrupt but .* holds texts"):
        options.corrupted(texts)


def test_work_that_was_begun_with_other_corruptions_is_other_work(tmp_path: Path) -> None:
    networks, out = ["small-cnn+cache/digits.safetensors"], tmp_path / "parts"
    precompute_run(networks, data="digits", out=out, progress=False, corrupt=["noise:0.04"])
    with pytest.raises(ValueError, match="same work"):
        precompute_run(networks, data="digits", out=out, progress=False, corrupt=["noise:0.05"])
