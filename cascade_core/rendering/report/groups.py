"""The report's table of groups: what the cascade does to each, the worst first."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from cascade_core.analysis.groups import Grouped
from cascade_core.rendering.group_words import certified_in_groups, few_samples
from cascade_core.rendering.in_points import in_points
from cascade_core.rendering.report.pieces import Cell, Row, piece, table
from cascade_core.rendering.tables import groups_table
from cascade_core.simulation.bounds import COVERAGE
from cascade_core.simulation.meters import Meter
from cascade_core.support.wording import fixed, percent

MOST = 40
"""Groups that are told; of more, those with the largest drop."""


def groups_section(grouped: Grouped, meter: Meter) -> str:
    """The section, as markup."""
    terms, frame = grouped.evaluation.terms, in_points(groups_table(grouped, meter))
    names = grouped.evaluation.stage_names
    columns = [
        Cell(text=grouped.groups.what),
        Cell(text="samples"),
        Cell(text=terms.accuracy, note="plain network"),
        Cell(text=terms.short_drop, note="points"),
        *([] if grouped.bounds is None else [Cell(text="certified at most", note="points")]),
        Cell(text="saved", note=f"of the {meter.unit}"),
        *(Cell(text=name, note="share") for name in names),
    ]
    rows = [
        Row(heading=one["group"], cells=_cells(one, names, grouped.bounds is not None))
        for one in frame.head(MOST).to_dict("records")
    ]
    about = [
        f"The {MOST} of {len(frame):,} groups with the largest {terms.short_drop}." if len(frame) > MOST else "",
        f"By {grouped.groups.what}, the largest {terms.short_drop} first, at what this report opens with. Below each "
        f"number stands its {COVERAGE} interval, for that group alone.",
        certified_in_groups(grouped),
        few_samples(grouped),
    ]
    return piece("groups").substitute(text=escape(" ".join(filter(None, about))), table=table("Groups", columns, rows))


def _cells(one: Mapping[Any, Any], names: tuple[str, ...], certified: bool) -> list[Cell]:
    saved = [one["saving_low"], one["saving_high"]]
    return [
        Cell(text=f"{one['samples']:,}"),
        Cell(text=percent(one["accuracy"], 1), note=percent(one["full_accuracy"], 1)),
        Cell(text=fixed(one["accuracy_drop"], 2), note=f"{fixed(one['drop_low'], 2)} to {fixed(one['drop_high'], 2)}"),
        *([Cell(text=fixed(one["drop_certified"], 2))] if certified else []),
        Cell(
            text=percent(one["saving"], 1),
            note="" if saved[0] != saved[0] else f"{percent(saved[0], 1)} to {percent(saved[1], 1)}",
        ),
        *(Cell(text=percent(one[f"share {name}"], 1)) for name in names),
    ]
