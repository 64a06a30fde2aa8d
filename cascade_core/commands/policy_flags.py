"""Flags that set a policy's parameters: made from what the registry's policies say of their fields, and read back."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from dataclasses import MISSING, fields
from typing import Any

from cascade_core.policies import POLICIES, PRICED, SWEEPS, Policy, Sweep
from cascade_core.simulation.meters import MACS, Meter


def titles(policies: Iterable[type[Policy]]) -> str:
    """A line on each policy, for the end of a verb's help."""
    return "policies:\n" + "\n".join(f"  {policy.name:22}{policy.title}" for policy in policies)


def all_parameters() -> list[tuple[str, type[Policy]]]:
    """The parameters of all policies, each with the policy that takes it."""
    return [(name, kind) for kind in (*POLICIES.values(), *PRICED.values()) for name in kind.parameters()]


def add_policy(
    parser: argparse.ArgumentParser, policies: Iterable[str], parameters: Iterable[tuple[str, type[Policy]]]
) -> None:
    """The flag that names one of `policies`, and one for each parameter, whichever of them take it."""
    parser.add_argument("--policy", choices=tuple(policies), default="cheapest", help="(default cheapest)")
    takers: dict[str, list[type[Policy]]] = {}
    for name, kind in parameters:
        takers.setdefault(name, []).append(kind)
    for name, kinds in takers.items():
        parameter = kinds[0].parameters()[name]
        about = f"for {', '.join(kind.name for kind in kinds)}: {parameter.help}"
        parser.add_argument(_flag(name), type=parameter.read, help=about.replace("%", "%%"))


def set_parameters(args: argparse.Namespace) -> dict[str, Any]:
    """The parameters that the command line sets, with their values."""
    names = dict(all_parameters())
    return {name: getattr(args, name) for name in names if getattr(args, name, None) is not None}


def policy_of(args: argparse.Namespace, meter: Meter = MACS) -> Policy:
    """The policy that the command line names and sets, with budgets in the unit of a meter.

    Raises:
        ValueError: It takes other parameters, or a value is out of range.
    """
    values = set_parameters(args)
    in_unit = PRICED.get(args.policy) if meter is not MACS else None
    kind: type[Policy] = in_unit or POLICIES[args.policy]
    for name in values:
        if name not in kind.parameters():
            other = f" with costs in {meter.unit}" if args.policy in PRICED else ""
            raise ValueError(f"policy {args.policy} takes no {_flag(name)}{other}")
    for field in fields(kind):
        if field.name in kind.parameters() and field.default is MISSING and field.name not in values:
            raise ValueError(f"policy {args.policy} needs {_flag(field.name)}")
    return kind(**values, **({"cost": meter} if in_unit else {}))


def sweep_without_parameters(args: argparse.Namespace, instead: str) -> type[Sweep]:
    """The policy that the command line names, whose slider is set by another flag.

    Raises:
        ValueError: It has no slider, or a parameter is set too.
    """
    for name in set_parameters(args):
        raise ValueError(f"policy {args.policy} takes no {_flag(name)} beside {instead}")
    if args.policy not in SWEEPS:
        raise ValueError(f"policy {args.policy} has no slider that {instead} could set")
    return SWEEPS[args.policy]


def _flag(parameter: str) -> str:
    return "--" + parameter.replace("_", "-")
