"""What a rule costs by a meter, in sentences: for the command line, the page and the report."""

from __future__ import annotations

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


def cost_sentences(meter: Meter, result: Evaluation, unit: str = "samples") -> list[str]:
    """The mean against the plain network's, what that is for a million samples, its parts, and percentiles."""
    if meter is MACS:
        return []
    told = spent(meter, result)
    mean, plain = told["mean"], told["plain"]
    batch = f" in batches of {told['batch']:,}" if "batch" in told else ""
    sentences = [
        f"Costs {amount(mean)} {per(meter, unit)}{batch}, where the plain network costs {amount(plain)}: "
        f"the cascade {wording.saving(told['saving'], meter.noun)}.",
        f"For a million {unit}: {_million(meter, mean)}, against {_million(meter, plain)}.",
    ]
    if "parts" in told:
        parts = ", ".join(
            f"{name or 'other'} {amount(value)}" for name, value in told["parts"].items() if name or value
        )
        sentences.append(f"Of this: {parts}.")
    if "percentiles" in told:
        sentences.append(percentile_sentence(told["percentiles"], plain, unit))
    return sentences


def percentile_sentence(percentiles: list[dict[str, float]], plain: float, unit: str = "samples") -> str:
    """Within which times most samples are done, where the plain network takes the same for all."""
    shares = " and ".join(
        f"{wording.percent(one['share'], 0)} within {amount(one['within'])} ms" for one in percentiles
    )
    return (
        f"Of single {unit} {shares}; the plain network takes {amount(plain)} ms for each "
        "(medians of the stages; a cascade lowers the mean and makes the slowest slower)."
    )


def bill_sentence(meter: Meter, result: Evaluation, price: float, unit: str = "samples") -> str:
    """What computing and mistakes cost together, against the plain network."""
    own, plain = bill(meter, result, price), plain_bill(meter, result, price)
    return (
        f"With {amount(price)} {meter.unit} for a wrong answer: {_sum(own)} {per(meter, unit)}, "
        f"where the plain network has {_sum(plain)}."
    )


def _sum(one: Bill) -> str:
    return f"{amount(one.computing)} + {amount(one.mistakes)} = {amount(one.total)}"


def _million(meter: Meter, cost: float) -> str:
    """What a million samples cost; of milliseconds, hours."""
    whole = cost * MILLION / meter.per
    if isinstance(meter, Milliseconds):
        return f"{amount(whole / 3_600_000)} hours"
    return f"{amount(whole)} {meter.unit}"


__all__ = ["amount", "bill_sentence", "cost_sentences", "per", "percentile_sentence"]
