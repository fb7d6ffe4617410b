"""Operations come from a Protocol's or an ABC's methods, with their types resolved."""

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, Generic, NewType, Protocol, TypeVar

import msgspec
import pytest

from storeproof.harness.exceptions import ContractError
from storeproof.harness.operations import Operation, Style, derive_operations, is_missing, item_hint

from .entities import Address

if TYPE_CHECKING:
    from nowhere import Unknown  # type: ignore[import-not-found]  # that is the point

UserId = NewType("UserId", str)
Cursor = NewType("Cursor", str)
Entity = TypeVar("Entity")
Key = TypeVar("Key")
Item = TypeVar("Item")


class User(msgspec.Struct):
    id: UserId


class Page(msgspec.Struct, Generic[Item]):
    items: tuple[Item, ...]
    next_cursor: Cursor | None = None


class Storage(Protocol[Key, Entity]):
    async def get(self, id: Key) -> Entity:
        """Give one."""
        ...

    async def every(self, cursor: Cursor | None = None, limit: int = 10) -> Page[Entity]: ...

    async def several(self, ids: "list[Key]") -> dict[Key, Entity | None]: ...


class KeyedByText(Storage[UserId, Entity], Protocol[Entity]):
    async def put(self, entity: Annotated[Entity, "any"]) -> None: ...


class Users(KeyedByText[User], Protocol):
    def _private(self) -> None: ...

    async def get(self, id: UserId, deleted: bool = False) -> User: ...


def derived(protocol: Any, **ignore: str) -> dict[str, Operation]:
    return derive_operations(protocol, contract="toy", ignore=ignore)


def hints(operation: Operation) -> dict[str, Any]:
    return {each.name: each.hint for each in operation.parameters}


def test_type_variables_are_replaced_through_every_base() -> None:
    operations = derived(Users)

    assert list(operations) == ["get", "every", "several", "put"]
    assert hints(operations["get"]) == {"id": UserId, "deleted": bool}
    assert operations["get"].returns is User
    assert hints(operations["several"]) == {"ids": list[UserId]}
    assert operations["several"].returns == dict[UserId, User | None]
    assert hints(operations["put"]) == {"entity": Annotated[User, "any"]}
    assert operations["every"].returns == Page[User]


def test_a_page_operation_is_known_by_its_parameters_and_result() -> None:
    operations = derived(Users)

    assert [name for name, each in operations.items() if each.paged] == ["every"]
    assert item_hint(operations["every"]) is User


def test_the_docstring_and_the_defaults_are_kept() -> None:
    assert derived(Storage)["get"].doc == "Give one."
    default = derived(Users)["get"].parameters[1]
    assert (default.default, default.required) == (False, False)


class Styles(ABC):
    @abstractmethod
    async def coroutine(self) -> int: ...

    @abstractmethod
    def declared_coroutine(self) -> Awaitable[int]: ...

    async def generator(self) -> AsyncIterator[int]:
        yield 1

    @abstractmethod
    def declared_generator(self) -> AsyncGenerator[int, None]: ...

    @abstractmethod
    def sync(self, first: int, /, second: int, *, third: int = 3) -> int: ...


def test_the_style_of_an_operation_is_told_from_its_code_and_its_result() -> None:
    assert {name: each.style for name, each in derived(Styles).items()} == {
        "coroutine": Style.COROUTINE,
        "declared_coroutine": Style.COROUTINE,
        "generator": Style.GENERATOR,
        "declared_generator": Style.GENERATOR,
        "sync": Style.SYNC,
    }
    assert [each.name for each in derived(Styles)["sync"].positional] == ["first"]


class WithOddMembers(Protocol):
    async def get(self) -> int: ...

    @property
    def size(self) -> int: ...

    @cached_property
    def kept(self) -> int:
        return 1

    @classmethod
    def make(cls) -> "WithOddMembers": ...

    @staticmethod
    def help() -> None: ...

    async def variadic(self, *ids: str) -> None: ...

    async def keywords(self, **names: str) -> None: ...

    async def unknown(self, id: "Unknown") -> None: ...

    async def broken(self, id: "not a type(") -> None: ...  # type: ignore[valid-type]  # noqa: F722 - that is the point


ODD = ["size", "kept", "make", "help", "variadic", "keywords", "unknown", "broken"]


@pytest.mark.parametrize("name", ODD)
def test_what_can_t_be_an_operation_is_refused_with_the_remedy(name: str) -> None:
    others = {each: "why" for each in ODD if each != name}

    with pytest.raises(ContractError) as caught:
        derived(WithOddMembers, **others)

    assert f"WithOddMembers.{name}" in str(caught.value)
    assert f'ignore={{"{name}": "why"}}' in str(caught.value)


def test_what_is_ignored_is_no_operation() -> None:
    assert list(derived(WithOddMembers, **dict.fromkeys(ODD, "why"))) == ["get"]


@pytest.mark.parametrize("protocol", [None, "Users", Users | None])
def test_what_is_no_class_is_refused(protocol: Any) -> None:
    with pytest.raises(ContractError, match="is no class"):
        derived(protocol)


class NotPaged(Protocol):
    async def every(self, cursor: str | None, limit: int) -> Address: ...

    async def lists(self, cursor: str | None, limit: int) -> list[int]: ...


def test_a_typed_dict_is_no_page() -> None:
    assert not any(each.paged for each in derived(NotPaged).values())


class Concrete(Styles):
    async def coroutine(self) -> int:
        return 1

    def __init__(self) -> None:
        self.declared_coroutine = lambda: 1


class Inherits(Users):
    """Nothing of its own."""


class Delegates:
    def __getattr__(self, name: str) -> Any:
        return lambda: name


def test_what_is_merely_inherited_is_missing() -> None:
    styles, users = derived(Styles), derived(Users)

    assert is_missing(Inherits, users["get"])
    assert is_missing(Inherits, users["put"])
    assert is_missing(object(), users["get"])
    assert is_missing(Concrete, styles["sync"])
    assert not is_missing(Concrete, styles["coroutine"])
    assert not is_missing(Concrete, styles["generator"])
    assert not is_missing(Delegates(), users["get"])


def test_what_an_instance_has_is_not_missing() -> None:
    Concrete.__abstractmethods__ = frozenset()

    assert not is_missing(Concrete(), derived(Styles)["declared_coroutine"])
