"""The commands find here what is named on a command line, such as `shop.storages:make_storage`."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from storeproof.harness.exceptions import HarnessError

if TYPE_CHECKING:
    from storeproof.harness.contract import Contract

__all__ = ["BadTarget", "load_contract", "load_named"]


class BadTarget(HarnessError):
    """What was named can't be found, or is something else."""

    def __init__(self, target: str, problem: str, remedy: str) -> None:
        self.target, self.problem, self.remedy = target, problem, remedy
        super().__init__(f"{target}: {problem}. {remedy}")


def load_named(target: str, remedy: str) -> Any:
    """Import a module, or a file whose name ends with `.py`, and give what has this name in it.

    The name may be dotted: `shop.storages:Orders.open`. remedy: what is to be named, for errors.

    Raises BadTarget, also for whatever importing the module raises.
    """
    place, _, path = target.rpartition(":")
    if not place:
        raise BadTarget(target, "it has no ':' between module and name", remedy)
    try:
        found: Any = _module(place)
    except ModuleNotFoundError as error:
        raise BadTarget(target, f"there is no module {error.name!r}", remedy) from None
    except Exception as error:  # modules raise what they like
        problem = f"importing {place} raises {type(error).__name__}: {error}"
        raise BadTarget(target, problem, remedy) from None
    for name in path.split("."):
        if not hasattr(found, name):
            raise BadTarget(target, f"{_told(found)} has no {name!r}", remedy)
        found = getattr(found, name)
    return found


def load_contract(target: str) -> Contract:
    """Import a contract.

    Raises BadTarget.
    """
    from storeproof.harness.contract import Contract

    remedy = "Name a contract, such as shop.contracts:orders"
    found = load_named(target, remedy)
    if not isinstance(found, Contract):
        raise BadTarget(target, f"this is a {type(found).__name__}, not a contract", remedy)
    return found


def _module(place: str) -> ModuleType:
    if not place.endswith(".py"):
        return importlib.import_module(place)
    path = Path(place).resolve()
    sys.path.insert(0, str(path.parent))  # as pytest does
    return importlib.import_module(path.stem)


def _told(found: object) -> str:
    if isinstance(found, ModuleType):
        return f"the module {found.__name__}"
    return str(getattr(found, "__qualname__", type(found).__name__))
