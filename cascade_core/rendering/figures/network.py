"""A plotly figure of the network's computation: what each stage adds, and what leaving there costs."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from cascade_core.rendering.figures.explore import MARGIN, plain
from cascade_core.rendering.palette import Palette
from cascade_core.simulation.record import Record
from cascade_core.support import wording


def stage_macs(record: Record, palette: Palette) -> go.Figure:
    """Each stage's trunk piece and head behind what came before, all heads run, in percent of the plain network."""
    scale = 100 / record.baseline_macs
    trunk = np.array([stage.trunk_macs for stage in record.stages])
    head = np.array([stage.head_macs for stage in record.stages])
    ends = np.cumsum(trunk + head)
    shares = scale * ends
    places, names = list(range(len(ends))), plain(record.stage_names)
    figure = go.Figure()
    for what, lengths, starts, pattern in (("trunk", trunk, ends - trunk - head, ""), ("head", head, ends - head, "/")):
        figure.add_bar(
            x=scale * lengths,
            y=places,
            base=(scale * starts).tolist(),
            orientation="h",
            name=what,
            marker={
                "color": palette.stages(len(ends)),
                # A head may be a hair wide beside its trunk; an outline keeps it in sight.
                "line": {"color": palette.text, "width": 1 if pattern else 0},
                "pattern": {"shape": pattern, "fgcolor": palette.text},
            },
            customdata=[[name, wording.macs(length)] for name, length in zip(names, lengths, strict=True)],
            hovertemplate=f"%{{customdata[0]}}, {what}: %{{customdata[1]}} (%{{x:.1f}} %)<extra></extra>",
        )
    for place, share in zip(places, shares, strict=True):
        figure.add_annotation(
            x=share, y=place, text=wording.percent(share / 100, 1), showarrow=False, xanchor="left", xshift=4
        )
    figure.add_vline(
        x=100,
        line={"color": palette.text, "width": 2, "dash": "dot"},
        annotation={"text": f"plain network, {wording.macs(record.baseline_macs)}", "yshift": 14, "xanchor": "right"},
    )
    figure.update_yaxes(tickvals=places, ticktext=names, autorange="reversed", automargin=True)
    figure.update_xaxes(title_text="MACs, % of the plain network", range=[0, 1.25 * max(100.0, float(shares[-1]))])
    figure.update_layout(barmode="overlay", height=120 + 36 * len(ends), margin=MARGIN, showlegend=False)
    return figure
