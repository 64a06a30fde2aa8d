"""A gate's verdict in one sentence, as JSON data, and as JUnit's XML, which hosted builds show."""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree

from cascade_core.analysis.gate import Check, Verdict
from cascade_core.storage.part_in_choosing import Part
from cascade_core.support.visible import visible
from cascade_core.support.wording import at_most, change, outward, percent, points

SHOWN = 3
"""Checks that did not pass and that the sentence names, the worst first."""

_NOT_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def sentence(verdict: Verdict, part: Part) -> str:
    """What passed or did not, by how much, on which samples.

    Args:
        part: Which part the samples had in choosing.
    """
    failed = sorted((check for check in verdict.checks if not check.passed), key=_missing, reverse=True)
    told = failed or [check for check in verdict.checks if check.group is None] or _closest(verdict)
    said = "; ".join(_told(check, verdict) for check in told[:SHOWN])
    more = f"; and {len(told) - SHOWN} more" if len(told) > SHOWN else ""
    count = sum(check.n for check in verdict.checks if check.what == verdict.checks[0].what)
    which = f"on {count:,} samples, which {part.value}"
    sure = f"with {percent(verdict.confidence)} confidence" + ("" if part.independent else ", were they independent")
    return f"{'passed' if verdict.passed else 'failed'}: {said}{more}; {sure}, {which}"


def _closest(verdict: Verdict) -> list[Check]:
    """Of each limit the group that keeps to it by the least."""
    kinds = dict.fromkeys(check.what for check in verdict.checks)
    return [max((c for c in verdict.checks if c.what == kind), key=_missing) for kind in kinds]


def _missing(check: Check) -> float:
    """By how much a check misses its limit; negative where it passes."""
    return check.bound - check.limit if check.what == "drop" else check.limit - check.bound


def _told(check: Check, verdict: Verdict) -> str:
    where = "" if check.group is None else f" in {visible(check.group)} ({check.n:,} samples)"
    few = "" if check.passed else ", more than is allowed" if check.broken else ", too few samples to show less"
    if check.what == "drop":
        measured = change(check.measured, 2, verdict.terms)
        return f"{measured}, {at_most(check.bound, 2, verdict.terms)} (limit {points(check.limit)}){few}{where}"
    few = "" if check.passed else ", less than is asked" if check.broken else ", too few samples to show more"
    least = f"at least {outward(100 * check.bound, 1, False):.1f} %"
    saved = f"{percent(check.measured, 1)} of {verdict.noun} saved"
    return f"{saved}, {least} (limit {percent(check.limit, 1)}){few}{where}"


def verdict_json(verdict: Verdict, part: Part, choice: str, run: dict[str, str]) -> dict[str, Any]:
    """The verdict as JSON data; shares and drops are fractions."""
    return {
        "passed": verdict.passed,
        "sentence": sentence(verdict, part),
        "choice": choice,
        "run": run,
        "part_in_choosing": part.name.lower(),
        "confidence": verdict.confidence,
        "checks": [
            {
                "what": check.what,
                "group": check.group,
                "samples": check.n,
                "measured": check.measured,
                "bound": check.bound,
                "limit": check.limit,
                "passed": check.passed,
            }
            for check in verdict.checks
        ],
    }


def verdict_junit(verdict: Verdict, part: Part, run: str) -> str:
    """The verdict as JUnit's XML, a case for each limit and group."""
    failures = sum(not check.passed for check in verdict.checks)
    attributes = {"name": "cascade-core check", "tests": str(len(verdict.checks)), "failures": str(failures)}
    suite = ElementTree.Element("testsuite", attributes)
    for check in verdict.checks:
        name = check.what if check.group is None else f"{check.what} in {check.group}"
        case = ElementTree.SubElement(suite, "testcase", {"classname": _xml(run), "name": _xml(name)})
        said = _told(check, verdict)
        if not check.passed:
            ElementTree.SubElement(case, "failure", {"message": _xml(said)})
        ElementTree.SubElement(case, "system-out").text = _xml(f"{said}; the samples {part.value}")
    ElementTree.indent(suite)
    return ElementTree.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


def _xml(text: str) -> str:
    """A text without what XML cannot hold."""
    return _NOT_XML.sub("\ufffd", text)
