"""The tokenizer of a classifier of Hugging Face, as what its network takes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cascade_core.nets.faults import told
from cascade_core.nets.texts.tokens import USUAL_LENGTH, Tokens

LONGEST = 1 << 14
"""Most tokens of a text where neither network nor tokenizer names fewer."""


def tokens_of(transformers: Any, folder: Path, config: Any) -> Tokens:
    """The texts that a network takes, at the usual length or the most that it takes.

    Raises:
        ValueError: The folder holds no tokenizer.
    """
    with told(f"Expected {folder.name} to hold a tokenizer"):
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)

    def encode(texts: Sequence[str], length: int) -> list[list[int]]:
        options = {"truncation": True, "max_length": length, "return_attention_mask": False}
        made: list[list[int]] = tokenizer(list(texts), **options)["input_ids"]
        return made

    most = min(tokenizer.model_max_length, getattr(config, "max_position_embeddings", None) or LONGEST, LONGEST)
    return Tokens(
        length=min(USUAL_LENGTH, most),
        most=most,
        vocabulary=_digest(tokenizer),
        class_names=tuple(str(config.id2label[number]) for number in range(config.num_labels)),
        padding=tokenizer.pad_token_id or 0,
        encode=encode,
    )


def _digest(tokenizer: Any) -> str:
    """SHA-256 of what its tokens are and how texts are cut into them."""
    backend = json.loads(tokenizer.backend_tokenizer.to_str()) if tokenizer.is_fast else tokenizer.get_vocab()
    # How it was last asked to cut and pad is no part of it.
    kept = {key: value for key, value in backend.items() if key not in ("truncation", "padding")}
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()
