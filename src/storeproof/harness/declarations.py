"""A contract sees here that what it declares names something; nobody else needs this module."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin, is_typeddict

from storeproof.harness.exceptions import ContractError
from storeproof.harness.operations import is_missing
from storeproof.harness.structure import (
    SCALARS,
    bare_hint,
    field_hints,
    field_names,
    is_entity_class,
)

if TYPE_CHECKING:
    from storeproof.harness.contract import Contract
    from storeproof.harness.operations import Operation

__all__ = ["Entities", "check_declarations", "names_of"]


def names_of(contract: str, word: str, given: Iterable[Any]) -> tuple[Any, ...]:
    """Give what a contract lists under a word.

    Raises ContractError for a lone text or class, which Python would take for a list of letters or
    for nothing.
    """
    if isinstance(given, str) or not isinstance(given, Iterable):
        shown = repr(given) if isinstance(given, str) else getattr(given, "__name__", given)
        problem = f"{word}={shown} is no list"
        raise ContractError(contract, problem, f"Write {word}=[{shown}]")
    return tuple(given)


def check_declarations(contract: Contract) -> None:
    """Raise ContractError for a declaration that names nothing, and for a model that lacks an
    operation."""
    _Declarations(contract).check()


class _Declarations:
    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._entities = Entities(contract.operations.values())
        self._bare = sorted(
            {each.name for x in contract.operations.values() for each in x.parameters}
        )
        self._full = [
            f"{x.name}.{each.name}" for x in contract.operations.values() for each in x.parameters
        ]

    def check(self) -> None:
        contract = self._contract
        self._check_model()
        for key in (*contract.arguments, *contract.partition):
            if not isinstance(key, str):
                self._check_new_type(key)
            elif not _is_field(key):
                self._check_parameter(key)
            else:
                self._check_field(key)
        for key, field in contract.refs.items():
            (self._check_field if _is_field(key) else self._check_ref)(key)
            self._check_field(field)
        for key in contract.context:
            self._known("parameter", key, self._bare)
        for key in contract.declared:
            self._check_generated(key)
        for name in (*contract.unordered, *contract.moving, *contract.reads):
            self._known("operation", name, contract.operations)
        for name in contract.ignore:
            if not hasattr(contract.protocol, name):
                self._refuse(
                    f"ignore names {name!r}, which the Protocol lacks", contract.operations
                )

    def _check_model(self) -> None:
        model, operations = self._contract.model, self._contract.operations.values()
        if not callable(model):
            self._refuse_model(f"the model {model!r} can't be called", "Give the model's class")
        missing = [each.name for each in operations if is_missing(model, each)]
        if not isinstance(model, type) or not missing or _has_at_run_time(model, missing):
            return
        self._refuse_model(
            f"the model {model.__name__} lacks {', '.join(missing)}",
            f'Give it what the Protocol has, or leave it out with ignore={{"{missing[0]}": "why"}}',
        )

    def _check_new_type(self, key: object) -> None:
        if not hasattr(key, "__supertype__"):
            raise ContractError(
                self._contract.name,
                f"the arguments have the key {key!r}, which is no NewType",
                'Write "operation.parameter", "parameter", "Entity.field" or a NewType',
            )

    def _check_parameter(self, key: str) -> None:
        self._known("parameter", key, [*self._bare, *self._full])

    def _check_ref(self, key: str) -> None:
        operation, _, what = key.rpartition(".")
        if what == "return":
            self._known("operation", operation, self._contract.operations)
        else:
            self._check_parameter(key)

    def _check_generated(self, key: str) -> None:
        operation, _, what = key.rpartition(".")
        if what == "return":
            self._known("operation", operation, self._contract.operations)
        else:
            self._check_field(key)
        if any(map(is_typeddict, self._entities.named(operation))):
            self._refuse_model(
                f"{operation} is a TypedDict, whose values don't know their class, so what the "
                f"storages make in {what} can't be told",
                "Give the operations a class, such as a dataclass",
            )

    def _check_field(self, key: str) -> None:
        owner, _, field = key.rpartition(".")
        known = self._entities.named(owner)
        if known:
            fields = [name for cls in known for name in field_names(cls)]
            self._known(f"field of {owner}", field, fields)
        elif not self._entities.open:
            names = [f"{each}.…" for each in self._entities.names()]
            self._known("field", key, names)

    def _known(self, what: str, name: str, known: Iterable[str]) -> None:
        if name not in known:
            self._refuse(f"there is no {what} {name!r}", known)

    def _refuse(self, problem: str, known: Iterable[str]) -> None:
        raise ContractError(self._contract.name, problem, f"Known are: {', '.join(known)}")

    def _refuse_model(self, problem: str, remedy: str) -> None:
        raise ContractError(self._contract.name, problem, remedy)


def _is_field(key: str) -> bool:
    return key.rpartition(".")[0][:1].isupper()


def _has_at_run_time(model: Callable[[], Any], names: Iterable[str]) -> bool:
    """Whether an instance has what its class has not; abstract classes have no instances."""
    try:
        made = model()
    except TypeError:
        return False
    own = getattr(made, "__dict__", {})
    return all(name in own or hasattr(type(made), "__getattr__") for name in names)


class Entities:
    """The entity classes that the operations' types lead to."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        self.open = False
        """Whether a type leaves room for classes that nothing names."""
        self._classes: dict[type, None] = {}
        for operation in operations:
            for hint in (operation.returns, *(each.hint for each in operation.parameters)):
                self._add(hint)

    def named(self, name: str) -> list[type]:
        """Give the classes of a name, and those that have such a class as their base."""
        return [cls for cls in self._classes if name in (base.__name__ for base in cls.__mro__)]

    def classes(self) -> list[type]:
        """Give every class, in the order in which the types name them."""
        return list(self._classes)

    def names(self) -> list[str]:
        """Give the names of the classes."""
        return [cls.__name__ for cls in self._classes]

    def _add(self, hint: Any) -> None:
        bare = bare_hint(hint)
        bare = getattr(bare, "__supertype__", bare)
        cls = get_origin(bare) or bare
        if is_entity_class(cls):
            self._add_class(cls)
        elif not _says_all(bare, cls):
            self.open = True
        for argument in get_args(bare) if cls is not Literal else ():
            if argument is not Ellipsis:
                self._add(argument)

    def _add_class(self, cls: Any) -> None:
        if cls in self._classes:
            return
        self._classes[cls] = None
        for heir in cls.__subclasses__():
            self._add_class(heir)
        try:
            hints: Mapping[str, Any] = field_hints(cls)
        except (NameError, TypeError, AttributeError):
            hints = {}
            self.open = True
        for hint in hints.values():
            self._add(hint)


def _says_all(hint: Any, cls: Any) -> bool:
    """Whether a hint leaves no room for entities of any class."""
    if get_args(hint):
        return True
    return cls in SCALARS or (isinstance(cls, type) and issubclass(cls, Enum))
