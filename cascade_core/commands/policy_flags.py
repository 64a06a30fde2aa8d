"""Flags that set a policy's parameters: made from what the registry's policies say of their fields, and read back."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from dataclasses import MISSING, fields
from typing import Any

from cascade_core.policies import POLICIES, TIMED, Policy
from cascade_core.simulation.meters import Milliseconds
from cascade_core.simulation.timing import load_profile, profile_path


def titles(policies: Iterable[type[Policy]]) -> str:
    """A line on each policy, for the end of a verb's help."""
    return "policies:\n" + "\n".join(f"  {policy.name:22}{policy.title}" for policy in policies)


def all_parameters() -> list[tuple[str, type[Policy]]]:
    """The parameters of all policies, each with the policy that takes it."""
    return [(name, kind) for kind in (*POLICIES.values(), *TIMED.values()) for name in kind.parameters()]


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


def policy_of(args: argparse.Namespace) -> Policy:
    """The policy that the command line names and sets.

    Raises:
        ValueError: It takes other parameters, or a value is out of range.
    """
    values = set_parameters(args)
    kinds = [registry[args.policy] for registry in (POLICIES, TIMED) if args.policy in registry]
    kind = next((kind for kind in kinds if values.keys() & kind.parameters().keys()), kinds[0])
    for name in values:
        if name not in kind.parameters():
            raise ValueError(f"policy {args.policy} takes no {_flag(name)}{_beside(kind, values)}")
    for field in fields(kind):
        if field.name in kind.parameters() and field.default is MISSING and field.name not in values:
            raise ValueError(f"policy {args.policy} needs {_flag(field.name)}")
    return kind(**values, **({"meter": meter_of(args)} if kind in TIMED.values() else {}))


def meter_of(args: argparse.Namespace) -> Milliseconds:
    """Milliseconds by the profile beside the run, in batches of the size that the command line names."""
    return Milliseconds(profile=load_profile(profile_path(args.run)), batch=args.batch)


def _beside(kind: type[Policy], values: dict[str, Any]) -> str:
    """Which of the parameters of a policy with several forms was set."""
    own = [_flag(name) for name in values if name in kind.parameters()]
    return f" beside {own[0]}" if own and kind.name in TIMED else ""


def _flag(parameter: str) -> str:
    return "--" + parameter.replace("_", "-")
