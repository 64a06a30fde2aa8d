"""What a search for exits came to: in words, and kept beside the heads until these are fitted."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from cascade_core.nets.heads.families import HeadSpec
from cascade_core.nets.recording.searching import Candidate, Found
from cascade_core.nets.training.exits import Gain
from cascade_core.support.json_files import read_json, write_json
from cascade_core.support.wording import fixed, percent, points

NAMES = {
    "linear": "a linear head",
    "enhanced": "a hidden layer of {hidden} on {height} x {width} places",
    "light": "{depth} light convolutions of {channels} channels on {height} x {width} places",
    "conv": "a convolutional head",
    "tokens": "a head on tokens with a hidden layer of {hidden}",
    "rung": "a rung of a ladder of {channels} channels",
}
"""Families of heads in words."""


MAX_BYTES = 1 << 20
"""Most bytes of a file that keeps a choice: hundreds of exits."""


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """The exits that a search chose.

    Attributes:
        exits: Their names, in order; none where nothing pays.
        specs: Of a head for each.
        says: The outcome in words, a line each.
    """

    exits: tuple[str, ...]
    specs: tuple[HeadSpec, ...]
    says: tuple[str, ...]

    @classmethod
    def of(cls, found: Found, drop: float) -> Chosen:
        """What was found at a drop."""
        return cls(
            exits=tuple(head.exit for head in found.heads),
            specs=tuple(head.spec for head in found.heads),
            says=tuple(_lines(found, drop)),
        )

    def save(self, path: Path, identity: str) -> None:
        """Write it, with a digest of all that it depends on."""
        write_json(path, {"identity": identity, **asdict(self)}, MAX_BYTES)

    @classmethod
    def kept(cls, path: Path, identity: str) -> Chosen | None:
        """What was written, if it is there and depends on the same."""
        if not path.exists():
            return None
        try:
            fields = read_json(path, MAX_BYTES)
            if fields.pop("identity") != identity:
                return None
            specs = tuple(HeadSpec(**spec | {"shape": tuple(spec["shape"])}) for spec in fields["specs"])
            return cls(exits=tuple(fields["exits"]), specs=specs, says=tuple(fields["says"]))
        # What stands there may be anything; the search is then done again.
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return None


def _lines(found: Found, drop: float) -> list[str]:
    count, judged = found.tried
    lines = [f"{count} heads were tried, and judged on {judged:,} training samples that none of them saw"]
    for head, gain in zip(found.heads, found.chosen.brings, strict=True):
        lines.append(f"{head.exit}: {_head(head)}, brings {_amount(gain)}")
    if found.heads:
        lines.append(
            f"together they save {_amount(found.chosen.saving)} of the MACs at a drop of {points(drop)} points"
        )
    if found.following is not None and found.chosen.following is not None:
        rest = f"{found.following.exit}: {_head(found.following)}, would bring {_amount(found.chosen.following[1])}"
        lines.append(f"the {'next' if found.heads else 'best'} would be {rest}")
    return lines


def _head(head: Candidate) -> str:
    words = NAMES[head.spec.family].format(**head.spec.parameters)
    return f"{words} ({percent(head.macs, 1)} of the network's MACs)"


def _amount(gain: Gain) -> str:
    return f"{fixed(100 * gain.mean, 1)} ± {fixed(100 * gain.error, 1)} %"


def nothing_pays(network: str, drop: float) -> str:
    """What to say where no exit pays, and what would."""
    return (
        f"Expected an exit of {network} that pays at a drop of {points(drop)} points but none of those tried does, so "
        "nothing was written; what would pay is a small network in front that learns from this one (front --network "
        f"{network}), or one that is there (precompute --network SMALL --network {network}), or --exits and --heads of "
        "your own"
    )
