"""Python that runs a choice: a run's network and the exported JSON, or the JSON alone where the run names no network.

What a file says (names, paths) goes in as literals, by `repr`, and is never part of the code.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from string import Template
from typing import Any

from cascade_core.storage.origin import Origin

_NETWORK = Template('''"""Classify pictures by the chosen thresholds, and compute no picture further than it needs.

Run it beside the files that NETWORKS and CHOICE name: python THIS_FILE.py folder/of/pictures
"""

import sys
from pathlib import Path

from cascade_core import load_choice
from cascade_core.nets import Answer, Runner, classify_files, find, image_files, load_cascade

NETWORKS = $networks
CHOICE = $choice
CLASSES = $classes

networks = [find(text) for text in NETWORKS]
rule = load_choice(CHOICE).rule
runner = Runner(load_cascade(networks, len(CLASSES)), rule)
for result in classify_files(runner, image_files([Path(sys.argv[1])]), networks[0].preprocessing):
    if isinstance(result, Answer):
        answer, stage = CLASSES[result.prediction], rule.stage_names[result.stage]
        print(result.file, answer, f"{result.confidence:.4f}", stage, sep="\\t")
    else:
        print(result.file, result.reason, sep="\\t", file=sys.stderr)
''')

_SOFTMAXES = Template('''"""Apply the chosen rule to softmaxes as they come, stage by stage.

Call `classify` with a function that computes a stage for the samples that are left.
"""

import numpy as np

from cascade_core import load_choice

CHOICE = $choice
STAGES = $stages

rule = load_choice(CHOICE).rule


def leave(passed, stage):
    """Answers (n,) and who may leave (n,) at a stage, from 0 to len(STAGES) - 1.

    passed: float32 softmaxes (n, K) of stages 0 to `stage`, of the samples that are left; None for a head not run.
    """
    judged = rule.judge(rule.answer(passed, stage), stage)
    return judged.answers, judged.exits


def classify(count, softmaxes_of):
    """Answers (count,) and the stages (count,) that gave them.

    softmaxes_of: takes a stage and the numbers of the samples that are left, and returns their softmaxes (n, K).
    """
    answers, stages, left, passed = np.empty(count, int), np.empty(count, int), np.arange(count), []
    for stage, run in enumerate(rule.active):
        passed.append(softmaxes_of(stage, left) if run else None)
        if not run:
            continue
        said, gone = leave(passed, stage)
        answers[left[gone]], stages[left[gone]] = said[gone], stage
        left, passed = left[~gone], [None if rows is None else rows[~gone] for rows in passed]
    return answers, stages
''')


def snippet(
    choice: str, run: str, source: Mapping[str, Any], class_names: Sequence[str], stage_names: Sequence[str]
) -> str:
    """A script for the choice in the file `choice`.

    Args:
        choice: Name of the exported JSON.
        run: Name of the run.
        source: The run's metadata on where it comes from.
    """
    networks = _networks(run, Origin.of(source))
    if networks is None:
        return _SOFTMAXES.substitute(choice=repr(choice), stages=repr(list(stage_names)))
    return _NETWORK.substitute(networks=repr(networks), choice=repr(choice), classes=repr(list(class_names)))


def _networks(run: str, origin: Origin) -> list[str] | None:
    """The arguments of `--network` that name the run's networks; None where the run does not name them all."""
    if not origin.networks or not all(network.name for network in origin.networks):
        return None
    texts = []
    for network in origin.networks:
        text = network.name
        if network.weights is not None and network.weights.name:
            text += f"={network.weights.name}"
        if network.heads is not None:
            # A run of an earlier form names no file of heads: it lies beside the run, under the same name.
            file = network.heads.file
            heads = f"{run}.safetensors" if file is None else file.name
            text += f"+{heads}" if heads else ""
        texts.append(text)
    return texts
