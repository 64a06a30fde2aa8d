"""Python that runs a choice: a run's network and the exported JSON, or the JSON alone where the run names no network.

What a file says (names, paths) goes in as literals of visible characters, and is never part of the code.  Networks that
are not made by this package alone, such as `module:factory`, are imported and called by their names: those stay empty,
to be filled in, beside a comment that quotes the file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from string import Template
from typing import Any

from cascade_core.storage.origin import NetworkOrigin, Origin
from cascade_core.support.visible import visible

_OF_THIS_PACKAGE = re.compile(r"[A-Za-z0-9_.-]+")
"""Names of networks that are looked up and never imported, as those with a colon are."""

_FILE = re.compile(r"[^/\\:=+]+")
"""Names of files beside the script."""

_MOST_QUOTED = 20
"""Networks of a run that a comment quotes, ..."""

_MOST_LETTERS = 200
"""... and letters of each."""

_NETWORK = Template('''"""Classify pictures by the chosen thresholds, and compute no picture further than it needs.

Run it beside the files that NETWORKS and CHOICE name: python THIS_FILE.py folder/of/pictures
"""

import sys
from pathlib import Path

from cascade_core import load_choice, visible
from cascade_core.nets import Answer, Runner, classify_files, find, image_files, load_cascade

$networks
CHOICE = $choice
CLASSES = $classes

if not NETWORKS:
    sys.exit(f"Fill in NETWORKS in {__file__}: the networks that you trust, as NAME[=WEIGHTS][+HEADS]")
networks = [find(text) for text in NETWORKS]
rule = load_choice(CHOICE).rule
runner = Runner(load_cascade(networks, len(CLASSES)), rule)
for result in classify_files(runner, image_files([Path(sys.argv[1])]), networks[0].preprocessing):
    if isinstance(result, Answer):
        answer, stage = CLASSES[result.prediction], rule.stage_names[result.stage]
        cells = [str(result.file), answer, f"{result.confidence:.4f}", stage]
        print(*map(visible, cells), sep="\\t")
    else:
        print(visible(str(result.file)), visible(result.reason), sep="\\t", file=sys.stderr)
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


_ANSWERS = Template('''"""Ask models one after another by the chosen rule, and none that is not needed.

Fill in STAGES: a function for each stage, which takes a sample and gives an answer and how sure it is, on the scale of
the run.
"""

from cascade_core import ask, load_choice

CHOICE = $choice
CLASSES = $classes
STAGES = {name: None for name in $stages}

rule = load_choice(CHOICE).rule


def classify(sample):
    """The answer, how sure its stage is, the stage's number, and the numbers of all stages that were asked."""
    return ask(rule, list(STAGES.values()), sample, CLASSES)
''')


def snippet(
    choice: str,
    run: str,
    source: Mapping[str, Any],
    class_names: Sequence[str],
    stage_names: Sequence[str],
    *,
    softmaxes: bool = True,
) -> str:
    """A script for the choice in the file `choice`.

    Args:
        choice: Name of the exported JSON.
        run: Name of the run.
        source: The run's metadata on where it comes from.
        softmaxes: Whether the run has any, or answers and confidences alone.
    """
    if not softmaxes:
        stages, classes = _literal(list(stage_names)), _literal(list(class_names))
        return _ANSWERS.substitute(choice=_literal(choice), stages=stages, classes=classes)
    networks, named = Origin.of(source).networks, _literal(choice)
    if not networks or not all(network.name for network in networks):
        return _SOFTMAXES.substitute(choice=named, stages=_literal(list(stage_names)))
    return _NETWORK.substitute(networks=_to_be_run(run, networks), choice=named, classes=_literal(list(class_names)))


def _literal(value: object) -> str:
    """Plain data in Python, on one line and every character seen."""
    return visible(repr(value))


def _to_be_run(run: str, networks: Sequence[NetworkOrigin]) -> str:
    """The line that sets NETWORKS, or that line to be filled in, below comments that quote the run."""
    parts = [_parts(run, network) for network in networks]
    if all(_is_of_this_package(*one) for one in parts):
        return f"NETWORKS = {_literal([_typed(*one) for one in parts])}"
    quoted = [f"#   {_literal(_typed(*one)[:_MOST_LETTERS])}" for one in parts[:_MOST_QUOTED]]
    said = "# The run's file names these networks. Type those that you trust: what stands here is imported and called."
    return "\n".join([said, *quoted, "NETWORKS = []"])


def _parts(run: str, network: NetworkOrigin) -> tuple[str, str | None, str | None]:
    """Name, weights and heads of a network."""
    weights = None if network.weights is None else network.weights.name
    if network.heads is None:
        return network.name, weights, None
    # A run of an earlier form names no file of heads: it lies beside the run, under the same name.
    file = network.heads.file
    return network.name, weights, f"{run}.safetensors" if file is None else file.name


def _is_of_this_package(name: str, weights: str | None, heads: str | None) -> bool:
    """Whether only this package's code and torchvision's is run, on files beside the script."""
    return bool(_OF_THIS_PACKAGE.fullmatch(name)) and all(_FILE.fullmatch(one) for one in (weights, heads) if one)


def _typed(name: str, weights: str | None, heads: str | None) -> str:
    """As an argument of `--network`."""
    return name + (f"={weights}" if weights else "") + (f"+{heads}" if heads else "")
