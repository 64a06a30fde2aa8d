"""Names that nobody would wish for, of what terminals obey, hide or turn round, and of what programs take apart."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from random import Random

OBEYED = [chr(code) for code in (*range(32), *range(127, 160))]
"""Control characters."""

TURNING = [*"\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"]
UNSEEN = [
    *"\xad\u034f\u115f\u1160\u180e\u200b\u200c\u200d\u2060\u2061\u2800\u3164\ufe01\ufeff\uffa0\U000e0001\U000e0141"
]
BREAKING = [*"\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"]

SEQUENCES = ["\x1b[2J", "\x1b]0;title\x07", "\x9b31m", "\x1bP+q\x1b\\", "\x08\x08", "\r"]
TAKEN_APART = [*"'\"`\\#$%&{}_^~<>[]();,|=+-@*!\t", "\\end{tabular}", '"""', "'''", "\\N{BELL}", "{0}", "%s", "${x}"]
PLAIN = [*"ab7 .é写", "\N{CAT FACE}", "❤\ufe0f", "\u3000", "\xa0"]


def hostile_names(seed: int, count: int) -> Iterator[str]:
    """`count` names of up to a dozen such parts."""
    random = Random(seed)
    kinds = [OBEYED, TURNING, UNSEEN, BREAKING, SEQUENCES, TAKEN_APART, PLAIN]
    for _ in range(count):
        yield "".join(random.choice(random.choice(kinds)) for _ in range(random.randint(1, 12)))


def is_clean(text: str, keep: str = "") -> bool:
    """Whether no character of a text is one that a terminal obeys, hides or turns round; told by Unicode's tables."""
    return not any(
        unicodedata.category(one) in ("Cc", "Cf", "Cs", "Zl", "Zp") or one in UNSEEN for one in text if one not in keep
    )
