"""A contract that can't be derived says which part, and what to declare."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NewType, Protocol

import pytest

from storeproof import Contract
from storeproof.harness.drawing import CallDrawer
from storeproof.harness.exceptions import ContractError
from storeproof.harness.operations import Style

if TYPE_CHECKING:
    from nowhere import Unknown  # type: ignore[import-not-found]  # that is the point

NoteId = NewType("NoteId", str)


@dataclass(frozen=True)
class Note:
    id: NoteId


class Notes(Protocol):
    async def get(self, id: NoteId) -> Note: ...

    async def put(self, note: Note) -> None: ...


class InMemoryNotes:
    async def get(self, id: NoteId) -> Note:
        return Note(id)

    async def put(self, note: Note) -> None:
        return


class Opaque:
    def __init__(self, connection: Any) -> None:
        self.connection = connection


class WithProperty(Protocol):
    @property
    def size(self) -> int: ...

    async def get(self, id: str) -> str: ...


class WithVariadic(Protocol):
    async def get(self, *ids: str) -> str: ...


class WithUnknown(Protocol):
    async def get(self, id: "Unknown") -> str: ...


class WithOpaque(Protocol):
    async def get(self, session: Opaque) -> str: ...


class Empty(Protocol): ...


class Streaming(Protocol):
    def scan(self, prefix: str) -> AsyncIterator[str]: ...

    def size(self) -> int: ...


@pytest.mark.parametrize(
    ("protocol", "told"),
    [
        (WithProperty, "ignore={"),
        (WithVariadic, "any number of arguments"),
        (WithUnknown, "can't be resolved"),
        (Empty, "no public method"),
    ],
)
def test_a_protocol_that_can_t_be_derived_says_what_to_declare(protocol: type, told: str) -> None:
    with pytest.raises(ContractError, match=protocol.__name__) as caught:
        Contract(protocol, model=object)

    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("declared", "told"),
    [
        ({"arguments": {"title": ["a"]}}, "title"),
        ({"arguments": {"get.note": ["a"]}}, "get.note"),
        ({"refs": {"note_id": "Note.id"}}, "note_id"),
        ({"context": {"session": object}}, "session"),
        ({"unordered": ["list"]}, "list"),
        ({"reads": ["find"]}, "find"),
        ({"ignore": {"close": "no data"}}, "close"),
    ],
)
def test_a_declaration_about_what_there_is_not_is_refused(
    declared: dict[str, Any], told: str
) -> None:
    with pytest.raises(ContractError) as caught:
        Contract(Notes, model=InMemoryNotes, **declared)

    assert told in str(caught.value)


def test_a_model_that_lacks_an_operation_is_refused() -> None:
    class Half:
        async def get(self, id: NoteId) -> Note:
            return Note(id)

    with pytest.raises(ContractError, match="put"):
        Contract(Notes, model=Half)


def test_a_parameter_without_values_names_both_remedies() -> None:
    class Storage:
        async def get(self, session: Opaque) -> str:
            return ""

    with pytest.raises(ContractError) as caught:
        CallDrawer(Contract(WithOpaque, model=Storage))

    assert "arguments=" in str(caught.value)
    assert "context=" in str(caught.value)


def test_styles_are_told_apart() -> None:
    class Storage:
        async def scan(self, prefix: str) -> AsyncIterator[str]:
            yield prefix

        def size(self) -> int:
            return 0

    operations = Contract(Streaming, model=Storage).operations

    assert operations["scan"].style is Style.GENERATOR
    assert operations["size"].style is Style.SYNC
