"""`storeproof new` writes the files that are made here: typed, formatted and running."""

from __future__ import annotations

import builtins
import importlib.util
import re
import sys
import sysconfig
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

__all__ = ["COMPONENTS", "Named", "Scaffold", "backend_scaffold", "errors_of", "suite_scaffold"]

COMPONENTS: Final = {
    "auth": "AuthStorage",
    "costs": "CostStorage",
    "errors": "ErrorStorage",
    "providers": "ProviderStorage",
}
"""The reference components, and the Protocol of each."""

_WIDTH = 88


@dataclass(frozen=True)
class Named:
    """Something that is imported: from which module, under which name, which may be dotted."""

    module: str
    path: str

    @classmethod
    def of(cls, target: str) -> Named:
        """Read `shop.storages:Orders.open`."""
        module, _, path = target.rpartition(":")
        return cls(module, path)

    @property
    def first(self) -> str:
        return self.path.partition(".")[0]


@dataclass(frozen=True)
class Scaffold:
    """Files to write, by their names, and the command that runs them."""

    files: Mapping[str, str]
    command: str

    def existing(self, folder: Path) -> list[str]:
        """Give the names of those that are there already."""
        return [name for name in self.files if (folder / name).exists()]

    def write(self, folder: Path) -> None:
        """Write all of them; raises OSError."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in self.files.items():
            (folder / name).write_text(text, "utf-8")


def suite_scaffold(
    name: str, protocol: Named, model: Named, storage: Named, errors: Iterable[type[Exception]]
) -> Scaffold:
    """Make a test module of a Protocol's contract, and a conftest with a backend of that name."""
    raised = sorted(errors, key=lambda each: each.__name__)
    own = [Named(each.__module__, each.__qualname__) for each in raised if not _is_builtin(each)]
    contract = Named("storeproof", "Contract")
    test = _SUITE.format(
        protocol=protocol.path,
        imports=_imports([contract, protocol, model, *own]),
        model=model.path,
        errors=_errors([each.__qualname__ for each in raised]),
        test=_camel(name),
        name=name,
    )
    return _scaffold(name, test, storage, {})


def backend_scaffold(name: str, component: str) -> Scaffold:
    """Make an implementation of a reference Protocol to begin with, its suite and its conftest."""
    protocol = COMPONENTS[component]
    module, cls = f"{name}_{component}", f"{_camel(name)}{protocol}"
    package = f"storeproof.reference.{component}"
    storage = _STORAGE.format(
        cls=cls,
        component=component,
        imports=_imports([Named(package, f"InMemory{protocol}")]),
        model=f"InMemory{protocol}",
        protocol=protocol,
    )
    test = _SHIPPED.format(
        imports=_imports([Named(f"{package}.laws", "contract")]),
        cls=cls,
        name=name,
        component=component,
        test=component.capitalize(),
    )
    return _scaffold(name, test, Named(module, cls), {f"{module}.py": storage})


def errors_of(protocol: type) -> list[type[Exception]]:
    """Give the exceptions that the docstrings of a Protocol name, as its module knows them."""
    known = {**vars(builtins), **vars(sys.modules[protocol.__module__])}
    docs = [str(getattr(each, "__doc__", "")) for cls in protocol.__mro__ for each in _members(cls)]
    words = {word for doc in docs for word in re.findall(r"[A-Za-z_]\w*", doc)}
    found = [known[word] for word in words & known.keys()]
    return [each for each in found if isinstance(each, type) and _is_raised(each)]


def _scaffold(name: str, test: str, storage: Named, others: Mapping[str, str]) -> Scaffold:
    conftest = _CONFTEST.format(
        imports=_imports([Named("storeproof", "FactoryBackend"), storage], local=others.keys()),
        name=name,
        storage=storage.path,
    )
    files = {**others, f"test_{name}.py": test, "conftest.py": conftest}
    return Scaffold(files, f"pytest --storage=memory,{name}")


def _members(cls: type) -> list[object]:
    return list(vars(cls).values()) if cls.__module__ not in ("builtins", "typing") else []


def _is_raised(cls: type) -> bool:
    return issubclass(cls, Exception) and cls is not Exception and not issubclass(cls, Warning)


def _is_builtin(cls: type) -> bool:
    return cls.__module__ == "builtins"


def _errors(names: list[str]) -> str:
    if not names:
        return (
            "    errors=(Exception,),  # name its own; anything else that is raised is a failure\n"
        )
    line = f"    errors=({', '.join(names)}{',' if len(names) == 1 else ''}),\n"
    if len(line) <= _WIDTH:
        return line
    return "".join(["    errors=(\n", *(f"        {each},\n" for each in names), "    ),\n"])


def _imports(names: Iterable[Named], local: Iterable[str] = ()) -> str:
    """Write imports as formatters do: of installed packages, then of the project's own modules."""
    modules: dict[str, set[str]] = {}
    for each in names:
        modules.setdefault(each.module, set()).add(each.first)
    own = [each for each in modules if f"{each}.py" in set(local) or not _is_installed(each)]
    groups = ([each for each in modules if each not in own], own)
    blocks = ["".join(_import(each, modules[each]) for each in sorted(group)) for group in groups]
    return "\n".join(block for block in blocks if block)


def _import(module: str, names: set[str]) -> str:
    ordered = sorted(names, key=lambda each: (not each.isupper(), not each[0].isupper(), each))
    line = f"from {module} import {', '.join(ordered)}\n"
    if len(line) <= _WIDTH:
        return line
    listed = "".join(f"    {each},\n" for each in ordered)
    return f"from {module} import (\n{listed})\n"


def _is_installed(module: str) -> bool:
    spec = importlib.util.find_spec(module.partition(".")[0])
    origin = str(spec.origin or "") if spec is not None else ""
    places = {sysconfig.get_path(each) for each in ("purelib", "platlib", "stdlib")}
    return module.partition(".")[0] == "storeproof" or origin.startswith(tuple(places))


def _camel(name: str) -> str:
    return "".join(each[:1].upper() + each[1:] for each in name.split("_"))


_SUITE = '''\
"""Proves the storages of {protocol}: `pytest --storage=memory,{name}`."""

{imports}
contract = Contract(
    {protocol},  # the Protocol: operations, types and, in its docstrings, the law
    model={model},  # the in-memory implementation, the executable specification
{errors})
Test{test} = contract.suite()
'''
_CONFTEST = '''\
"""Registers the backend `{name}`: what makes the storage that is to be proved."""

{imports}

def pytest_storeproof_backends() -> list[FactoryBackend]:
    return [FactoryBackend("{name}", {storage})]
'''
_SHIPPED = '''\
"""Proves {cls}: `pytest --storage=memory,{name}`."""

{imports}
Test{test} = contract.suite()
'''
_STORAGE = '''\
"""Keeps what {protocol} is about."""

{imports}

class {cls}({model}):
    """Begins as the in-memory storage; replace one method at a time.

    The docstrings of storeproof.reference.{component}.{protocol} are the law.
    """
'''
