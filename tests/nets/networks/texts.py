"""A small text classifier of Hugging Face, made here with random weights and a tokenizer of few words, in a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

WORDS = ("good", "bad", "film", "very", "not", "a", "the", "was", "b", "c", "d")
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
CLASSES = {0: "negative", 1: "neutral", 2: "positive"}
WIDTH, LAYERS, HIDDEN = 16, 3, 32

TEXTS = (
    ("a very good film", "positive"),
    ("bad", "negative"),
    ("the film was not bad the film was not very good", "neutral"),
    ("not good", "Negative"),
)


def made(transformers: Any, folder: Path, kind: str = "Bert", **changes: Any) -> Any:
    """The network, saved in a folder; weights are large enough for answers to differ."""
    torch.manual_seed(0)
    if kind == "DistilBert":
        sizes: dict[str, Any] = {"dim": WIDTH, "n_layers": LAYERS, "n_heads": 2, "hidden_dim": HIDDEN}
    else:
        sizes = {"hidden_size": WIDTH, "num_hidden_layers": LAYERS, "num_attention_heads": 2}
        sizes |= {"intermediate_size": HIDDEN}
    sizes |= {"vocab_size": len(SPECIAL + WORDS), "max_position_embeddings": 40, "pad_token_id": 0}
    sizes |= {"initializer_range": 0.5, "id2label": CLASSES}
    config = getattr(transformers, f"{kind}Config")(**(sizes | changes))
    network = getattr(transformers, f"{kind}ForSequenceClassification")(config).eval()
    network.save_pretrained(folder)
    vocabulary = {word: number for number, word in enumerate(SPECIAL + WORDS)}
    transformers.BertTokenizer(vocab=vocabulary, model_max_length=40).save_pretrained(folder)
    return network


def table(folder: Path, name: str = "texts.csv") -> Path:
    """The texts with labels, in a file; they contain no comma."""
    path = folder / name
    path.write_text("label,text\n" + "".join(f"{label},{text}\n" for text, label in TEXTS), encoding="utf-8")
    return path
