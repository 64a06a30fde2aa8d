"""A content as a file: archives, delimited texts, Parquet and JSON lines, in the dialects that people use.

Writers take a content of `brought_changes` and return the ending and the bytes.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from tests.storage import brought
from tests.storage.brought_changes import Content, Random


def archive(content: Content, random: Random) -> tuple[str, bytes]:
    kinds = {"probs": ["probs", "probabilities", "Softmax"], "logits": ["logits", "Logits"]}[content["kind"]]
    stages = content["stages"]
    return "npz", brought.npz(
        **{
            str(random.choice(kinds)): content["values"],
            str(random.choice(["labels", "label_ids"])): content["labels"],
        },
        **content["macs"],
        stage_names=stages if isinstance(stages[0], str) else None,
        class_names=content.get("class_names"),
        sample_ids=content["ids"] if random.random() < 0.5 else None,
    )


def rows(content: Content, random: Random) -> tuple[pd.DataFrame, list[str]]:
    """A table, of which rows or columns may stand in another order, and its columns of classes."""
    values = content["values"]
    m, n, k = values.shape
    names = content.get("class_names", range(k))
    columns = [f"{'p' if content['kind'] == 'probs' else 'logit'}_{name}" for name in names]
    ((macs_name, macs),) = content["macs"].items()
    labels = content["labels"] if content["labels"].ndim == 1 else content["labels"].tolist()
    frame = pd.DataFrame(
        {
            "sample_id": np.tile(content["ids"], m),
            "label": pd.Series(list(labels) * m),
            "stage": np.repeat(np.array(content["stages"]), n),
            macs_name: np.repeat(macs, n),
        }
    )
    frame = pd.concat([frame, pd.DataFrame(values.reshape(m * n, k), columns=columns)], axis=1)
    if random.random() < 0.3:
        frame = frame.sample(frac=1, random_state=int(random.integers(1 << 30)))
    elif random.random() < 0.3:
        frame = frame.sort_values("stage", kind="stable")
    if random.random() < 0.3:
        frame = frame[list(random.permutation(frame.columns))]
        columns = [name for name in frame.columns if name in columns]
    return frame, columns


def delimited(content: Content, random: Random) -> tuple[str, bytes]:
    frame, _ = rows(content, random)
    hows: list[Content] = [
        {}, {"sep": ";", "decimal": ","}, {"sep": "\t"}, {"encoding": "utf-16"}, {"quoting": 1}, {"sep": "|"},
    ]  # fmt: skip
    headers: list[Callable[[str], str]] = [str, str.upper, lambda name: f" {name} "]
    if "class_names" not in content:
        frame = frame.rename(columns=headers[random.integers(3)])
    return str(random.choice(["csv", "CSV"])), brought.csv(frame, **hows[random.integers(len(hows))])


def parquet(content: Content, random: Random) -> tuple[str, bytes]:
    return "parquet", brought.parquet(*_perhaps_listed(content, random))


def jsonl(content: Content, random: Random) -> tuple[str, bytes]:
    return "jsonl", brought.jsonl(*_perhaps_listed(content, random))


def _perhaps_listed(content: Content, random: Random) -> tuple[pd.DataFrame, list[str], str]:
    frame, columns = rows(content, random)
    listed = random.random() < 0.5 and "class_names" not in content
    return frame, sorted(columns) if listed else [], content["kind"]


WRITERS: list[Callable[[Content, Random], tuple[str, bytes]]] = [archive, delimited, parquet, jsonl]
