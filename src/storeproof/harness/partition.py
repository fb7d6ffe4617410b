"""Histories are split here by the keys that a contract declares, so that larger ones can be judged.

A history of independent keys is linearizable if that of each key is (Herlihy and Wing 1990, on
locality; Horn and Kroening, "Faster linearizability checking via P-compositionality", 2015).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from storeproof.harness.structure import SCALARS, field_values
from storeproof.harness.templates import Build, references_in

if TYPE_CHECKING:
    from storeproof.harness.contract import Contract
    from storeproof.harness.history import MadeCall
    from storeproof.harness.program import Call

__all__ = ["split"]


def split(contract: Contract, calls: Sequence[MadeCall]) -> list[Sequence[MadeCall]]:
    """Give the calls of each key, in their order; all of them as one where that is not allowed.

    It is if the contract declares what the key is, each call has exactly one, and none refers to
    what another one gave. Storages that make values are left whole: these differ across keys.
    """
    if not contract.partition or contract.declared:
        return [calls]
    groups: dict[str, list[MadeCall]] = {}
    for made in calls:
        key = _key(contract, made.call)
        if key is None:
            return [calls]
        groups.setdefault(key, []).append(made)
    return list(groups.values())


def _key(contract: Contract, call: Call) -> str | None:
    """Give the key of a call; None where it has not exactly one."""
    if references_in(call.templates()):
        return None
    values = list(_keys(contract, call))
    if not values or any(each is None or type(each) not in SCALARS for each in values):
        return None
    keys = {_form(each) for each in values}
    return keys.pop() if len(keys) == 1 else None


def _keys(contract: Contract, call: Call) -> Iterator[Any]:
    for parameter in contract.operations[call.operation].parameters:
        value = call.arguments.get(parameter.name)
        if {parameter.name, f"{call.operation}.{parameter.name}"} & contract.partition:
            yield value
        yield from _of_entity(contract, value)


def _of_entity(contract: Contract, value: Any) -> Iterator[Any]:
    built = isinstance(value, Build)
    cls = value.cls if built else type(value)
    fields: Mapping[str, Any] = value.fields if built else field_values(value) or {}
    for name, each in fields.items():
        if {f"{base.__name__}.{name}" for base in cls.__mro__} & contract.partition:
            yield each


def _form(value: Any) -> str:
    """Give what is the same for keys that any storage might take for the same one.

    To judge two keys together is never wrong, to judge one apart from itself is.
    """
    return unicodedata.normalize("NFKC", str(value)).casefold().strip()
