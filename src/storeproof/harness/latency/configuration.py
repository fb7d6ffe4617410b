"""Whoever runs latency gates sets them up in `[tool.storeproof.latency]`; it is read here."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from storeproof.harness.exceptions import HarnessError
from storeproof.harness.latency.measuring import Plan
from storeproof.harness.latency.results import Undecided

__all__ = [
    "BadConfiguration",
    "LatencyConfiguration",
    "RuleTable",
    "read_configuration",
    "rules_for",
]

RuleTable = Mapping[str, Mapping[str, str | list[str]]]
"""By backend and operation: a rule, or several."""


class BadConfiguration(HarnessError):
    """`[tool.storeproof.latency]` can't be used."""

    def __init__(self, path: Path, problem: str) -> None:
        self.path, self.problem = path, problem
        super().__init__(f"{path}: [tool.storeproof.latency]: {problem}")


class LatencyConfiguration(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """How much is measured, what an undecided gate means, and gates of contracts."""

    seconds: float = 5.0
    """A comparison that is undecided goes on for so long in all."""
    blocks: int = 20
    samples: int = 60
    collect: bool = False
    """Whether garbage is collected during a block."""
    undecided: Undecided = "fail"
    gates: dict[str, dict[str, dict[str, str | list[str]]]] = {}
    """Contract -> backend -> operation -> a rule, or several."""

    @property
    def plan(self) -> Plan:
        """How much is measured."""
        return Plan(
            blocks=self.blocks, samples=self.samples, seconds=self.seconds, collect=self.collect
        )


def read_configuration(root: Path) -> LatencyConfiguration:
    """Read the table from a project's pyproject.toml; what is not there is as usual.

    Raises BadConfiguration.
    """
    path = root / "pyproject.toml"
    try:
        document: dict[str, Any] = tomllib.loads(path.read_text("utf-8"))
    except OSError:
        return LatencyConfiguration()
    except ValueError as error:
        raise BadConfiguration(path, f"this is not TOML: {error}") from None
    table = document.get("tool", {}).get("storeproof", {}).get("latency", {})
    try:
        return msgspec.convert(table, LatencyConfiguration)
    except msgspec.ValidationError as error:
        raise BadConfiguration(path, str(error)) from None


def rules_for(beside: RuleTable, configured: RuleTable, backend: str, operation: str) -> list[str]:
    """Give the rules of an operation on a backend: those beside the contract, those of the file."""
    found = list[str]()
    for rules in (beside, configured):
        given = rules.get(backend, {}).get(operation, [])
        found += [given] if isinstance(given, str) else given
    return found
