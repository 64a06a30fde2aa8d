"""What a rule costs by a meter, in words: sentences, titles of axes and columns, for all that is shown and exported."""

from __future__ import annotations

import math
from collections.abc import Iterable

from cascade_core.analysis.mistakes import Bill, bill, plain_bill
from cascade_core.simulation.evaluation import Evaluation
from cascade_core.simulation.meters import MACS, Meter, Milliseconds, spent
from cascade_core.support import wording

MILLION = 10**6


def amount(value: float) -> str:
    """A cost with three digits or four, in words where it is large.

    >>> amount(0.3124), amount(12.5), amount(125_485_706), amount(0), amount(0.00001234)
    ('0.312', '12.5', '125.5 million', '0', '0.0000123')
    """
    return wording.brief(value)


def per(meter: Meter, unit: str = "samples") -> str:
    """The unit of a meter, and of how many samples: "milliseconds a sample", "dollars per 1,000 samples"."""
    one = unit.removesuffix("s")
    return f"{meter.unit} {f'per {one}' if meter.per == 1 else f'per {meter.per:,} {unit}'}"


def against(meter: Meter, result: Evaluation) -> str:
    """The mean beside the plain network's: "74.1 million of 125.5 million MACs per sample"."""
    return f"{amount(meter.mean(result))} of {amount(meter.plain(result))} {per(meter)}{batches(meter)}"


def batches(meter: Meter) -> str:
    """What a meter's unit leaves open: " in batches of 64" of milliseconds, else nothing."""
    return f" in batches of {meter.batch:,}" if isinstance(meter, Milliseconds) else ""


def mean_title(meter: Meter, *, shares: bool = False) -> str:
    """What an axis or a column of mean costs is headed: "mean milliseconds per sample in batches of 64".

    Args:
        shares: Whether costs are in percent of the plain network's, of however many samples that may be.
    """
    if shares:
        return f"mean {meter.unit}{batches(meter)}, % of the plain network"
    return f"mean {per(meter)}{batches(meter)}"


def columns(meter: Meter) -> tuple[str, str]:
    """Names of a table's columns of mean cost and of the saving by it.

    >>> columns(MACS)
    ('mean_macs', 'saving')

    Of others they have the unit, and how many samples that is of: "mean_dollars_per_1000", "saving_of_dollars_per_1000"
    or "mean_milliseconds_batch_64".
    """
    if meter is MACS:
        return "mean_macs", "saving"
    of = f"_batch_{meter.batch}" if isinstance(meter, Milliseconds) else f"_per_{meter.per}" if meter.per > 1 else ""
    return f"mean_{meter.unit}{of}", f"saving_of_{meter.unit}{of}"


def by_exit_column(meter: Meter) -> str:
    """Name of a table's column of what a sample costs by where it leaves: "cost_milliseconds_batch_64"."""
    return columns(meter)[0].replace("mean", "cost", 1)


def decimals(costs: Iterable[float]) -> int:
    """With how many decimals costs of one column are written, so that the largest has three digits or more.

    >>> decimals([0.65, 0.0123]), decimals([12.5, float("nan")]), decimals([125_485_706]), decimals([])
    (3, 1, 0, 0)
    """
    largest = max((abs(cost) for cost in costs if cost and math.isfinite(cost)), default=1000.0)
    return max(0, 2 - math.floor(math.log10(largest)))


def leaving(meter: Meter, result: Evaluation) -> list[str]:
    """What a sample costs that leaves at each stage, M texts: "52.7 million MACs, 42 %" of the plain network's."""
    unit = meter.unit if meter.per == 1 else f"{meter.unit} per {meter.per:,}"
    plain = meter.plain(result)
    return [f"{amount(cost)} {unit}, {wording.percent(cost / plain)}" for cost in meter.by_exit(result).tolist()]


def cost_sentences(meter: Meter, result: Evaluation, unit: str = "samples") -> list[str]:
    """The mean against the plain network's, what that is for a million samples, its parts, and percentiles."""
    if meter is MACS:
        return []
    told = spent(meter, result)
    mean, plain = told["mean"], told["plain"]
    sentences = [
        f"Costs {amount(mean)} {per(meter, unit)}{batches(meter)}, where the plain network costs {amount(plain)}: "
        f"the cascade {wording.saving(told['saving'], meter.noun)}.",
        f"For a million {unit}: {_million(meter, mean)}, against {_million(meter, plain)}.",
    ]
    if "parts" in told:
        parts = ", ".join(
            f"{name or 'other'} {amount(value)}" for name, value in told["parts"].items() if name or value
        )
        sentences.append(f"Of this: {parts}.")
    if "percentiles" in told:
        shares = told["percentiles"]
        by_time = isinstance(meter, Milliseconds)
        sentences.append(percentile_sentence(shares, plain, unit) if by_time else paid_sentence(shares, meter, unit))
    return sentences


def percentile_sentence(percentiles: list[dict[str, float]], plain: float, unit: str = "samples") -> str:
    """Within which times most samples are done, where the plain network takes the same for all."""
    shares = _shares(percentiles, "ms")
    return (
        f"Of single {unit} {shares}; the plain network takes {amount(plain)} ms for each "
        "(medians of the stages; a cascade lowers the mean and makes the slowest slower)."
    )


def paid_sentence(percentiles: list[dict[str, float]], meter: Meter, unit: str = "samples") -> str:
    """What most samples cost at most, where that differs from one to the next."""
    of = meter.unit if meter.per == 1 else per(meter, unit)
    return f"Of the {unit} {_shares(percentiles, of)}."


def _shares(percentiles: list[dict[str, float]], unit: str) -> str:
    """Shares of the samples that are within amounts of a unit.

    >>> _shares([{"share": 0.5, "within": 2.0}, {"share": 0.99, "within": 12.0}], "ms")
    '50 % within 2 ms and 99 % within 12 ms'
    """
    texts = [f"{wording.percent(one['share'], 0)} within {amount(one['within'])} {unit}" for one in percentiles]
    return " and ".join(filter(None, [", ".join(texts[:-1]), texts[-1]]))


def bill_sentence(meter: Meter, result: Evaluation, price: float, unit: str = "samples") -> str:
    """What computing and mistakes cost together, against the plain network."""
    own, plain = bill(meter, result, price), plain_bill(meter, result, price)
    return (
        f"With {amount(price)} {meter.unit} for {result.terms.wrong_answer}: {_sum(own)} {per(meter, unit)}, "
        f"where the plain network has {_sum(plain)}."
    )


def _sum(one: Bill) -> str:
    return f"{amount(one.computing)} + {amount(one.mistakes)} = {amount(one.total)}"


def _million(meter: Meter, cost: float) -> str:
    """What a million samples cost; of milliseconds, hours."""
    whole = cost * MILLION / meter.per
    if isinstance(meter, Milliseconds):
        return f"{amount(whole / 3_600_000)} hours"
    return wording.multiplied(whole, meter.unit)


__all__ = [
    "against",
    "amount",
    "batches",
    "bill_sentence",
    "by_exit_column",
    "columns",
    "cost_sentences",
    "decimals",
    "leaving",
    "mean_title",
    "paid_sentence",
    "per",
    "percentile_sentence",
]
