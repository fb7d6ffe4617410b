"""A contract that can't be derived says which part, and what to declare."""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NewType, Protocol

import pytest

from storeproof import Contract
from storeproof.harness.drawing import CallDrawer
from storeproof.harness.exceptions import ContractError
from storeproof.harness.operations import Style

from .entities import Address

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
        ({"moving": ["list"]}, "list"),
        ({"reads": ["find"]}, "find"),
        ({"ignore": {"close": "no data"}}, "close"),
        ({"arguments": {"Note.idd": ["a"]}}, "no field of Note 'idd'. Known are: id"),
        ({"arguments": {"Nota.id": ["a"]}}, "no field 'Nota.id'. Known are: Note.…"),
        ({"refs": {"id": "Note.idd"}}, "no field of Note 'idd'"),
        ({"refs": {"id": "id"}}, "no field 'id'"),
        ({"refs": {"Note.ide": "Note.id"}}, "no field of Note 'ide'"),
        ({"arguments": {7: ["a"]}}, "the key 7, which is no NewType"),
        ({"refs": {"find.return": "Note.id"}}, "no operation 'find'"),
        ({"generated": ["Note.made_at"]}, "no field of Note 'made_at'"),
        ({"generated": ["Task.id"]}, "no field 'Task.id'"),
        ({"generated": ["find.return"]}, "no operation 'find'. Known are: get, put"),
        ({"generated": "Note.id"}, "generated='Note.id' is no list. Write generated=['Note.id']"),
        ({"unordered": "get"}, "Write unordered=['get']"),
        ({"reads": "get"}, "Write reads=['get']"),
        ({"moving": "get"}, "Write moving=['get']"),
        ({"errors": KeyError}, "errors=KeyError is no list. Write errors=[KeyError]"),
        ({"context": {"get.id": object}}, "no parameter 'get.id'. Known are: id, note"),
        ({"model": None}, "the model None can't be called"),
    ],
)
def test_a_declaration_about_what_there_is_not_is_refused(
    declared: dict[str, Any], told: str
) -> None:
    with pytest.raises(ContractError) as caught:
        Contract(Notes, **{"model": InMemoryNotes, **declared})

    assert told in str(caught.value)
    assert str(caught.value).startswith("Contract(Notes): ")
    assert "\n" not in str(caught.value)


def test_what_there_is_may_be_declared() -> None:
    Contract(
        Notes,
        model=InMemoryNotes,
        arguments={"Note.id": ["a"], "put.note": [Note(NoteId("a"))], "id": ["b"]},
        refs={"get.id": "Note.id", "get.return": "Note.id"},
        generated=["Note.id", "get.return"],
        unordered=["get"],
        reads=["get"],
        errors=[KeyError],
    )


@dataclass(frozen=True)
class Special(Note):
    title: str = ""


class Anything(Protocol):
    async def get(self, id: str) -> Any: ...


class InMemoryAnything:
    async def get(self, id: str) -> Any:
        return id


def test_fields_of_derived_classes_may_be_declared() -> None:
    Contract(Notes, model=InMemoryNotes, generated=["Special.title", "Note.title"])


def test_fields_of_classes_that_no_type_names_may_be_declared() -> None:
    Contract(Anything, model=InMemoryAnything, generated=["Whatever.id"])


class Rows(Protocol):
    async def get(self, id: str) -> Address: ...


class InMemoryRows:
    async def get(self, id: str) -> Address:
        return {"street": id}


def test_what_storages_make_in_a_typed_dict_can_t_be_told() -> None:
    with pytest.raises(ContractError, match="Address is a TypedDict") as caught:
        Contract(Rows, model=InMemoryRows, generated=["Address.street"])

    assert "Give the operations a class" in str(caught.value)


class Reading(ABC):
    @abstractmethod
    async def get(self, id: str) -> str: ...

    async def has(self, id: str) -> bool:
        return bool(await self.get(id))


class Abstract(Reading):
    pass


class Whole(Reading):
    async def get(self, id: str) -> str:
        return id


class Inheriting(Notes):
    async def get(self, id: NoteId) -> Note:
        return Note(id)


class Assigned:
    def __init__(self) -> None:
        self.get = InMemoryNotes().get
        self.put = InMemoryNotes().put


class Delegating:
    def __getattr__(self, name: str) -> Any:
        return getattr(InMemoryNotes(), name)


@pytest.mark.parametrize(
    ("protocol", "model", "lacks"),
    [(Reading, Abstract, "get"), (Notes, Inheriting, "put"), (Notes, object, "get, put")],
)
def test_what_a_model_only_inherits_it_lacks(protocol: type, model: type, lacks: str) -> None:
    with pytest.raises(ContractError) as caught:
        Contract(protocol, model=model)

    first = lacks.split(",", maxsplit=1)[0]
    assert f"the model {model.__name__} lacks {lacks}. " in str(caught.value)
    assert f'ignore={{"{first}": "why"}}' in str(caught.value)


def make_notes() -> InMemoryNotes:
    return InMemoryNotes()


@pytest.mark.parametrize(
    ("protocol", "model"),
    [(Reading, Whole), (Notes, Assigned), (Notes, Delegating), (Notes, make_notes)],
)
def test_a_model_may_get_its_operations_in_any_way(protocol: type, model: Any) -> None:
    Contract(protocol, model=model)


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
