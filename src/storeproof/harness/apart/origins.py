"""A launcher finds a contract, and how its storage is opened, by the `Origin` that is made here."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from storeproof.harness.backends.factory import Factory
from storeproof.harness.exceptions import Inconclusive

if TYPE_CHECKING:
    from storeproof.harness.backends.base import Backend
    from storeproof.harness.contract import Contract

__all__ = ["Origin", "find", "origin_of", "origin_of_opener"]

_SUITE = "storeproof_contract"


@dataclass(frozen=True)
class Origin:
    """Where something is: in which module, of which file, under which dotted name."""

    module: str
    file: str | None
    path: str
    is_factory: bool = False
    """Whether it makes storages for a `Factory`."""


def origin_of(contract: Contract) -> Origin:
    """Say where a contract is found: under its own name, or as that of its suite.

    Raises Inconclusive where no module has a name for either.
    """
    named = contract.import_path
    if named is not None and named[0] != "__main__":
        return _origin(sys.modules[named[0]], named[1])
    found = next(_named(contract), None)
    if found is None:
        reason = f"no module has a name by which another process could import {contract.name}"
        remedy = "Assign the contract, or its suite, to a name of a module"
        raise Inconclusive("another process", reason, remedy)
    return found


def origin_of_opener(contract: Contract, backend: Backend) -> Origin | None:
    """Say where an opener is that the backend has; None where the contract itself has it.

    Raises Inconclusive where it is no function of a module.
    """
    if backend.name in contract.storages:
        return None
    opener: Any = backend.opener(contract)
    found = _origin_of_function(opener)
    if found is None:
        reason = f"another process can't import how {backend.name} opens {contract.name}"
        raise Inconclusive("another process", reason, "Make it a function of a module")
    return replace(found, is_factory=isinstance(opener, Factory))


def find(origin: Origin) -> Any:
    """Give what is there; raises whatever importing its module raises."""
    found: Any = _imported(origin)
    for part in origin.path.split("."):
        found = getattr(found, part)
    return Factory(found) if origin.is_factory else found


def _named(contract: Contract) -> Iterator[Origin]:
    for module in list(sys.modules.values()):
        if not isinstance(module, ModuleType) or module.__name__ == "__main__":
            continue
        for name, value in list(vars(module).items()):
            if value is contract:
                yield _origin(module, name)
            elif isinstance(value, type) and _contract_of(value) is contract:
                yield _origin(module, f"{name}.{_SUITE}")


def _contract_of(cls: type) -> object:
    return next((vars(each)[_SUITE] for each in cls.__mro__ if _SUITE in vars(each)), None)


def _origin(module: ModuleType, path: str) -> Origin:
    return Origin(module.__name__, getattr(module, "__file__", None), path)


def _origin_of_function(function: Any) -> Origin | None:
    module = sys.modules.get(getattr(function, "__module__", None) or "")
    path = getattr(function, "__qualname__", "<locals>")
    if module is None or "<" in path:
        return None
    return _origin(module, path)


def _imported(origin: Origin) -> ModuleType:
    """Import a module by its name; by its file where that name means another one, or nothing."""
    try:
        module = importlib.import_module(origin.module)
    except ModuleNotFoundError:
        if origin.file is None:
            raise
        return _loaded(origin.module, origin.file)
    same = origin.file is None or _is_same(getattr(module, "__file__", None), origin.file)
    return module if same else _loaded(origin.module, str(origin.file))


def _is_same(one: str | None, other: str) -> bool:
    return one is not None and Path(one).resolve() == Path(other).resolve()


def _loaded(name: str, file: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file} is no module")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # what pickles name is looked up there
    spec.loader.exec_module(module)
    return module
