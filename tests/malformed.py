"""Fifty files that are no softmaxes: what each is, and the words by which its message names what is wrong and where.

The sound file that most of them spoil has two stages, four samples and three classes.  Rows of tables are counted
from 1, the header of a CSV file being row 1; axes of arrays from 0.
"""

from __future__ import annotations

import io
import os
import pickle
import struct
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from cascade_core.storage.importers.templates import LABELS, PROBS, csv_template, npz_template
from cascade_core.storage.schema import METADATA_KEY
from cascade_core.storage.writing import run_bytes
from tests.samples import sample_run

TRAP = Path(tempfile.gettempdir()) / f"cascade-core-trap-{os.getpid()}"
"""A folder that is made if a pickle of these files is loaded."""

LOGITS = np.log(np.maximum(PROBS, 1e-9))


class Payload:
    """Loading its pickle makes a folder."""

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return TRAP.mkdir, ()  # type: ignore[return-value]  # bound methods pickle with what they are bound to


@dataclass(frozen=True)
class Malformed:
    """A file, and words of the one line that is said of it."""

    name: str
    words: tuple[str, ...]
    make: Callable[[], bytes]

    @cached_property
    def raw(self) -> bytes:
        return self.make()


FILES: list[Malformed] = []


def case(name: str, *words: str) -> Callable[[Callable[[], bytes]], None]:
    """Add what a function makes to `FILES`."""
    return lambda make: FILES.append(Malformed(name, words, make))


def npz(**changes: Any) -> bytes:
    """A sound archive with some arrays exchanged, or, with None, left out."""
    arrays: dict[str, Any] = {"probs": PROBS, "labels": LABELS, "macs": [40, 60]} | changes
    stream = io.BytesIO()
    arrays = {name: array for name, array in arrays.items() if array is not None}
    np.savez(stream, **arrays)
    return stream.getvalue()


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, raw in members.items():
            archive.writestr(name, raw)
    return stream.getvalue()


def headed(header: str, data: bytes = b"") -> bytes:
    """An array file with any header text."""
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + data


def csv(row: int = 2, column: str = "", value: str = "", header: str = "") -> bytes:
    """A sound table with one cell, or the header, exchanged; rows as an editor counts them."""
    lines = [line.split(",") for line in csv_template().decode().splitlines()]
    if column:
        lines[row - 1][lines[0].index(column)] = value
    return "\n".join([header or ",".join(lines[0]), *(",".join(line) for line in lines[1:])]).encode() + b"\n"


def parquet(change: Callable[[pd.DataFrame], pd.DataFrame] = lambda frame: frame) -> bytes:
    stream = io.BytesIO()
    change(pd.read_csv(io.BytesIO(csv_template()))).to_parquet(stream, index=False)
    return stream.getvalue()


def run(change: Callable[[pa.Table], pa.Table] = lambda table: table) -> bytes:
    """A run file of this project after changing its table."""
    stream = io.BytesIO()
    pq.write_table(change(pq.read_table(io.BytesIO(run_bytes(sample_run(n=20, m=2, k=3))))), stream)
    return stream.getvalue()


def zip_bomb() -> bytes:
    """130 MiB of zeros in 130 KiB."""
    header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 17, 1000000), }"
    return zipped({"probs.npy": headed(header, bytes(130 << 20)), "labels.npy": b"", "macs.npy": b""})


def lying_bomb() -> bytes:
    """An archive of which the directory says that the array is smaller than it unpacks to."""
    raw = zipped(
        {"probs.npy": headed("{'descr': '<f8', 'fortran_order': False, 'shape': (2, 4, 3), }", bytes(1 << 20))}
    )
    place = raw.index(b"PK\x01\x02") + 24
    return raw[:place] + struct.pack("<I", 150) + raw[place + 4 :]


def nested() -> bytes:
    return zipped({"probs.npy": npz(), "labels.npy": npz(), "macs.npy": npz()})


def with_row(array: Any, place: Any, value: Any) -> Any:
    changed = np.array(array, dtype=np.float64)
    changed[place] = value
    return changed


# Archives that are none, or hold other things.
case("empty.npz", "expected a NumPy archive", "not a zip file")(lambda: b"")
case("half.npz", "not a zip file, or is cut short")(lambda: npz_template()[: len(npz_template()) // 2])
case("tail.npz", "not a zip file, or is cut short")(lambda: npz_template()[:-30])
case("noise.npz", "not a zip file")(lambda: np.random.default_rng(0).bytes(3_000))
case("really-a.npz", "not a zip file")(csv_template)
case("bare-array.npz", "not a zip file")(
    lambda: headed("{'descr': '<f8', 'fortran_order': False, 'shape': (3,), }", bytes(24))
)
case("pickle.npz", "not a zip file")(lambda: pickle.dumps(Payload(), protocol=4))
case("objects.npz", "array 'labels'", "pickled objects, which are not read")(
    lambda: npz(labels=np.array([Payload(), None], dtype=object))
)
case("ids.npz", "array 'sample_ids'", "pickled objects")(
    lambda: npz(sample_ids=np.array([Payload()] * 4, dtype=object))
)
case("bomb.npz", "at most 134,217,728 bytes unpacked but the archive declares more")(zip_bomb)
case("lying-bomb.npz", "array 'probs' to begin with a NumPy header but it is damaged")(lying_bomb)
case("lzma.npz", "array 'probs' to be plain or deflated")(
    lambda: zipped({"probs.npy": bytes(1 << 20)}, zipfile.ZIP_LZMA)
)
case("nested.npz", "array 'probs' to begin with a NumPy header but it is damaged")(nested)
case("inner.npz", "arrays probs, logits, labels, macs but there are inner.npz")(lambda: zipped({"inner.npz": npz()}))
case("twice.npz", "one array 'probs' but there are 2")(lambda: zipped({"probs": b"x", "probs.npy": b"x"}))
case("header.npz", "array 'probs' to begin with a NumPy header")(lambda: zipped({"probs.npy": headed("(" * 60_000)}))
case("code.npz", "array 'probs' to begin with a NumPy header")(
    lambda: zipped({"probs.npy": headed(f"__import__('pathlib').Path('{TRAP}').mkdir()")})
)
case("lying-shape.npz", "array 'probs' declares shape (2, 900, 900) but holds only")(
    lambda: zipped(
        {"probs.npy": headed("{'descr': '<f8', 'fortran_order': False, 'shape': (2, 900, 900), }", bytes(480))}
    )
)

# Arrays that do not fit.
case("no-probs.npz", "expected either probs or logits")(lambda: npz(probs=None))
case("both.npz", "expected either probs or logits")(lambda: npz(logits=LOGITS))
case("flat.npz", "shape (stages, samples, classes) but it had shape (4, 3)")(lambda: npz(probs=PROBS[0]))
case("short-labels.npz", "labels to have shape (4,) (samples) but it had shape (3,)")(lambda: npz(labels=[0, 1, 2]))
case("label.npz", "a class from 0 to 2 in sample 3 but it is 7")(lambda: npz(labels=[0, 1, 2, 7]))
case("half-label.npz", "a class as a whole number in sample 1 but it is 1.5")(lambda: npz(labels=[0, 1.5, 2, 2]))
case("texts.npz", "a class as a whole number in sample 0 but it is 'cat'", "class_names must give")(
    lambda: npz(labels=["cat"] * 4)
)
case("nan.npz", "stage 1, sample 2 sums to nan", "at class 1")(lambda: npz(probs=with_row(PROBS, (1, 2, 1), np.nan)))
case("negative.npz", "stage 0, sample 1", "least value -0.25 at class 2")(
    lambda: npz(probs=with_row(PROBS, (0, 1), [0.5, 0.75, -0.25]))
)
case("sums.npz", "stage 1, sample 0 sums to 1.5")(lambda: npz(probs=with_row(PROBS, (1, 0), 0.5)))
case("infinite.npz", "logits to be numbers or -inf but stage 1, sample 3, class 0 is inf")(
    lambda: npz(probs=None, logits=with_row(LOGITS, (1, 3, 0), np.inf))
)
case("macs.npz", "macs to have shape (2,) (stages) but it had shape (3,)")(lambda: npz(macs=[1, 2, 3]))
case("negative-macs.npz", "macs to be 0 or more but stage 1 has -2")(lambda: npz(macs=[1, -2]))
case("one-sample.npz", "expected 2 samples or more", "but it has 1")(lambda: npz(probs=PROBS[:, :1], labels=[0]))
case("stages.npz", "at most 64 stages but it has 65")(
    lambda: npz(probs=np.ones((65, 4, 1)), labels=[0] * 4, macs=[1] * 65)
)

# Tables.
case("empty.csv", "the names of columns but the file is empty")(lambda: b"")
case("latin.csv", "UTF-8 or UTF-16 text but some bytes are not")(
    lambda: csv(2, "sample_id", "V").replace(b"V,", b"V\xf6gel,")
)
case("formula.csv", "a whole number in row 4, column 'label' but it is '=1+cmd|calc'")(
    lambda: csv(4, "label", "=1+cmd|calc")
)
case("markup.csv", "a number in row 3, column 'p_1' but it is '<img src=x onerror=")(
    lambda: csv(3, "p_1", "<img src=x onerror=window.trapped=1>")
)
case("markdown.csv", "in row 2, column 'p_0' but it is '**[x](javascript:alert(1))**'")(
    lambda: csv(2, "p_0", "**[x](javascript:alert(1))**")
)
case("nan.csv", "a number in row 5, column 'p_2' but it is 'nan'")(lambda: csv(5, "p_2", "nan"))
case("label.csv", "labels differ at stage 'late': row 9 has 3 where row 5 has 2")(lambda: csv(9, "label", "3"))
case("negative.csv", "each row summing to 1", "row 3 sums to 0.75 with least value -0.125")(
    lambda: csv(3, "p_0", "-0.125")
)
case("sums.csv", "row 6 sums to 1.25")(lambda: csv(6, "p_0", "1"))
case("twice.csv", "stage 'early' but row 3 repeats 'cat-1.png', its sample id")(
    lambda: csv(3, "sample_id", "cat-1.png")
)
case("stages.csv", "stage 'late' has no row of 'fox-2.png', which row 5 has at stage 'early'")(
    lambda: b"".join(csv_template().splitlines(keepends=True)[:-1])
)
case("two-labels.csv", "labels differ at stage 'late': row 6 has 1 where row 2 has 0")(lambda: csv(6, "label", "1"))
case("macs.csv", "same in all rows of a stage but at stage 'early' row 4 has 7 where row 2 has 40,550,000")(
    lambda: csv(4, "macs", "7")
)
case("no-stage.csv", "a column 'stage' but there are sample_id, label, level")(
    lambda: csv(header="sample_id,label,level,macs,p_0,p_1,p_2")
)
case("header.csv", "at most 32,768 columns but the first row names 200,003")(
    lambda: b"label,stage,macs," + b",".join(b"p_%d" % k for k in range(200_000)) + b"\n0,a,1,1\n"
)
case("empty.parquet", "a Parquet file but it does not begin and end as one")(lambda: b"")
case("half.parquet", "does not begin and end as one", "cut short")(lambda: parquet()[:-40])
case("texts.parquet", "column 'p_0' to hold numbers but it holds")(
    lambda: parquet(lambda t: t.assign(p_0=t["p_0"].astype(str)))
)
case("lists.parquet", "column 'p_1' to hold numbers but it holds list<")(
    lambda: parquet(lambda t: t.assign(p_1=pd.Series([[0.5]] * 8, dtype=object)))
)
case("null.parquet", "a number in row 3, column 'p_2' but it is 'nan'")(
    lambda: parquet(lambda t: t.assign(p_2=t["p_2"].where(t.index != 2)))
)
case("bomb.parquet", "at most 134,217,728 bytes unpacked but it declares 6,000,000 rows")(
    lambda: parquet(
        lambda _: pd.DataFrame({"label": np.zeros(6_000_000, np.int8), "stage": np.int8(0), "p_0": np.float32(1)})
    )
)
case("run.parquet", "expected a column 'stage_1_probs'")(lambda: run(lambda t: t.drop_columns(["stage_1_probs"])))
case("forged.parquet", "'stage_0_margin' to follow from the softmaxes but it does not")(
    lambda: run(
        lambda t: t.set_column(t.schema.get_field_index("stage_0_margin"), "stage_0_margin", [np.zeros(20, np.float32)])
    )
)
case("metadata.parquet", "expected JSON")(lambda: run(lambda t: t.replace_schema_metadata({METADATA_KEY: b"{"})))

# Other kinds of files.
case("model.pkl", "the file's ending to be one of .npz, .csv, .tsv, .parquet, .jsonl, .ndjson but it was '.pkl'")(
    lambda: pickle.dumps(Payload(), protocol=4)
)
case("weights.pt", "the file's ending to be one of")(lambda: zipped({"archive/data.pkl": pickle.dumps(Payload())}))
case("ending", "the file's ending to be one of .npz, .csv, .tsv, .parquet, .jsonl, .ndjson but it was ''")(csv_template)
