"""What a rule was measured to do, as the verbs that choose and evaluate print it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from cascade_core.analysis.leaving import leaving
from cascade_core.analysis.spread import moved_words
from cascade_core.commands.common import say
from cascade_core.commands.tables import tell_table
from cascade_core.commands.terminal import tell
from cascade_core.rendering.cost_words import amount, bill_sentence, cost_sentences, per
from cascade_core.rendering.tables import exits_table, leaving_table
from cascade_core.simulation.bounds import CERTAINTY, COVERAGE
from cascade_core.simulation.evaluation import Evaluation
from cascade_core.simulation.exits import ExitRule
from cascade_core.simulation.grid_error import a_step, left_open
from cascade_core.simulation.meters import MACS, Meter, Milliseconds
from cascade_core.simulation.reach import beyond_all
from cascade_core.simulation.record import Record
from cascade_core.simulation.scores import GIVEN
from cascade_core.support import wording
from cascade_core.support.terms import Terms


def print_evaluation(rule: ExitRule, evaluation: Evaluation, meter: Meter, macs: bool) -> None:
    """The table of exits and the totals; costs by the meter alone where nobody knows MACs."""
    table = exits_table(rule, evaluation, meter)
    tell_table(table if macs else table.drop(columns="macs"), evaluation.terms)
    if rule.plain:
        tell("nothing leaves early: the plain network answers every sample")
    (low, high), words = evaluation.drop_interval(), evaluation.terms
    tell(
        f"{words.accuracy} {evaluation.accuracy:.2%} (plain network {evaluation.full_accuracy:.2%}), "
        f"{wording.change(evaluation.accuracy_drop, 2, words)} ({COVERAGE} interval "
        f"{wording.interval(low, high, 2, words)}, "
        f"for these thresholds alone), "
        f"{_saved(evaluation, MACS if macs else meter)}, on {evaluation.n:,} samples"
    )
    tell(moved_words(evaluation))


def tell_grid(record: Record, rule: ExitRule) -> None:
    """Say of counts on a grid of confidences what the grid leaves open: of the thresholds, or of their choice."""
    if record.grid is None or rule.by_class:
        return
    words, on_grid = record.terms, np.array_equal(record.on_grid(rule.thresholds[None])[0], rule.thresholds)
    open_ = (a_step if on_grid else left_open)(record, rule.thresholds)
    (low, high), (least, most) = open_.drop, open_.saving
    saved = f"saving from {wording.percent(least, 1)} to {wording.percent(most, 1)}"
    between = f"{wording.interval(low, high, 2, words)}, {saved}"
    if on_grid:
        tell(f"on the grid, where the numbers are exact; thresholds between these and the next lower: {between}")
    else:
        tell(f"not all of these thresholds are on the grid; the samples themselves give: {between}")


def say_scale(rule: ExitRule, record: Record) -> None:
    """Say it if thresholds are above all confidences that came with the answers."""
    note = beyond_all(rule.thresholds, record.confidence, record.stage_names) if rule.score == GIVEN else None
    say([] if note is None else [note])


def _saved(evaluation: Evaluation, meter: Meter) -> str:
    if meter is MACS:
        return f"saving {evaluation.saving:.1%} of {evaluation.baseline_macs:,} MACs"
    plain = meter.plain(evaluation)
    return f"saving {1 - meter.mean(evaluation) / plain:.1%} of {amount(plain)} {per(meter)}"


def print_costs(meter: Meter, evaluation: Evaluation, price: float | None) -> None:
    """What the rule costs in another unit than MACs, and with a price for mistakes."""
    for sentence in cost_sentences(meter, evaluation):
        tell(sentence)
    if isinstance(meter, Milliseconds) and meter.batch > 1:
        whole = replace(meter, compaction=False).mean(evaluation)
        saved = 1 - whole / meter.plain(evaluation)
        tell(f"Computing whole batches while a sample is left: {whole:.3f} ms (saving {saved:.1%}).")
    if price is not None:
        tell(bill_sentence(meter, evaluation, price))


def tell_leaving(record: Record, rule: ExitRule, alpha: float | None) -> None:
    """Print what is lost among those that leave at each stage, and among all that have left by it."""
    if rule.plain:
        return
    tell("among those that leave at a stage (here), and all that have left by it:")
    tell_table(leaving_table(leaving(record, rule, alpha), record.stage_names, record.terms), record.terms)
    if alpha is not None:
        tell(f"certified: at most that on new samples, with {CERTAINTY} confidence, at all stages at once")


def certified(bound: float, terms: Terms) -> str:
    """What is certain of one rule's drop, in words."""
    return f"certified with {CERTAINTY} confidence, for this choice alone: {wording.at_most(bound, 2, terms)}"
