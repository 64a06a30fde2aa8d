"""Tables as text, and what a run holds that was written; by themselves, since pandas takes long to import."""

from __future__ import annotations

import argparse
from dataclasses import replace

import pandas as pd

from cascade_core.commands.common import say
from cascade_core.commands.terminal import tell, tell_lines
from cascade_core.rendering.in_points import in_points, is_drop
from cascade_core.rendering.tables import stages_table
from cascade_core.simulation.record import Record
from cascade_core.simulation.recorded import Outputs
from cascade_core.storage.notes import notes_on_file
from cascade_core.storage.reading import load_record, read_metadata
from cascade_core.storage.schema import costs_in_place_of_macs
from cascade_core.storage.writing import save_run
from cascade_core.support.remote import Place
from cascade_core.support.terms import LABELS, Terms
from cascade_core.support.visible import visible


def write_run(outputs: Outputs, args: argparse.Namespace) -> None:
    """Write a run and say what it holds, and what is odd about it."""
    texts = {"title": args.title, "dataset_name": args.dataset_name, "kind": args.kind}
    outputs = replace(outputs, source={**outputs.source, **{key: value for key, value in texts.items() if value}})
    report(save_run(outputs, args.out))


def report(out: Place) -> None:
    """Say what a run holds that was written, and what is odd about it."""
    record = load_record(out)
    tell_stages(record, out)
    tell(f"wrote {out} ({record.n:,} samples)")
    say(notes_on_file(out))


def tell_stages(record: Record, run: Place) -> None:
    """Print what the stages of a run's record cost, and how often they are right."""
    tell_table(stages_table(record, costs_in_place_of_macs(read_metadata(run))), record.terms)


def tell_table(frame: pd.DataFrame, terms: Terms = LABELS) -> None:
    """Print a table: shares in percent, drops `in_points`, whole numbers with separators."""
    shown = in_points(frame)
    shown.columns = [visible(str(name)) for name in shown.columns]
    for name in shown.columns:
        if str(name).startswith("share") or str(name).endswith("accuracy") or str(name).startswith("saving"):
            shown[name] = ["-" if pd.isna(v) else f"{v:.2%}" for v in shown[name]]
        elif is_drop(name):
            shown[name] = ["-" if pd.isna(v) else f"{v:.2f}" for v in shown[name]]
        elif str(name).startswith("threshold"):
            shown[name] = ["always answers" if pd.isna(v) else f"{v:.6g}" for v in shown[name]]
        elif name == "setting":
            shown[name] = [f"{v:,.6g}" for v in shown[name]]
        elif str(name).startswith("ms "):
            shown[name] = [f"{v:.3f}" for v in shown[name]]
        elif shown[name].dtype.kind == "i":
            shown[name] = [f"{v:,}" for v in shown[name]]
        else:
            shown[name] = [visible(v) if isinstance(v, str) else v for v in shown[name]]
    tell_lines(shown.rename(columns=terms.column).to_string(index=False, na_rep="-") + "\n")
