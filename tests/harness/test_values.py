"""What is drawn is legal: of its type, within its constraints, as the contract gives it."""

from __future__ import annotations

import collections
import enum
import inspect
import math
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Generic, Literal, NewType, Protocol, TypedDict, TypeVar
from uuid import UUID

import annotated_types as at
import msgspec
import pydantic
import pytest
from hypothesis import strategies as st

from storeproof import Contract
from storeproof.harness.compare import difference
from storeproof.harness.constraints import Limits, limits_of
from storeproof.harness.drawing import CallDrawer
from storeproof.harness.exceptions import ContractError
from storeproof.harness.pools import Pools
from storeproof.harness.program import Call
from storeproof.harness.running import Outcome
from storeproof.harness.structure import field_values
from storeproof.harness.templates import Build, Reference
from storeproof.harness.values import Draw, Rejected, choose, near, pick

from .entities import Address, Checked, FrozenChecked, Plain, Point
from .toys import Job, Task, TaskId, jobs, tasks
from .toys import Tree as Below

MOMENT = datetime(2026, 3, 1, 12, tzinfo=UTC)
Short = NewType("Short", Annotated[str, msgspec.Meta(min_length=1, max_length=3)])  # type: ignore[valid-newtype]  # mypy wants a class


def contract_of(hint: Any, **options: Any) -> Contract:
    """Give a contract with one operation that takes one value."""

    class Storage(Protocol):
        async def put(self, value: Any) -> None: ...

    class Model:
        async def put(self, value: Any) -> None:
            return

    Storage.put.__annotations__["value"] = hint
    return Contract(Storage, model=Model, **options)


def drawn(hint: Any, count: int = 300, **options: Any) -> list[Any]:
    """Draw values of a type as arguments."""
    contract = contract_of(hint, **options)
    drawer, found = CallDrawer(contract), []
    for seed in range(count):
        with suppress(Rejected):
            made = drawer.draw_call(Draw(seed), Pools(contract), ["put"])
            found.append(made.arguments["value"])
    return found


BOUNDED: list[tuple[Any, Callable[[Any], bool]]] = [
    (Annotated[int, msgspec.Meta(ge=1, le=100)], lambda x: 1 <= x <= 100),
    (Annotated[int, at.Gt(0), at.Lt(3)], lambda x: x in (1, 2)),
    (Annotated[int, at.Interval(ge=1000, lt=1010)], lambda x: 1000 <= x < 1010),
    (Annotated[int, pydantic.Field(ge=10**20)], lambda x: x >= 10**20),
    (Annotated[int, at.MultipleOf(7)], lambda x: x % 7 == 0),
    (Annotated[float, at.Ge(0.5), at.Le(0.75)], lambda x: 0.5 <= x <= 0.75),
    (Annotated[float, pydantic.Field(allow_inf_nan=False)], math.isfinite),
    (Annotated[Decimal, at.Gt(Decimal("0.5"))], lambda x: x > Decimal("0.5")),
    (
        pydantic.condecimal(max_digits=3, decimal_places=1),
        lambda x: abs(x) < 100 and x * 10 % 1 == 0,
    ),
    (Annotated[str, msgspec.Meta(min_length=2, max_length=5)], lambda x: 2 <= len(x) <= 5),
    (Annotated[str, at.Len(300, 400)], lambda x: 300 <= len(x) <= 400),
    (Annotated[str, msgspec.Meta(pattern="^[A-Z]{5}$")], lambda x: re.search("^[A-Z]{5}$", x)),
    (Annotated[str, pydantic.StringConstraints(pattern="^x", max_length=9)], lambda x: x[0] == "x"),
    (at.LowerCase[str], str.islower),
    (Annotated[str, at.Not(str.islower)], lambda x: not x.islower()),
    (Annotated[bytes, at.MinLen(3)], lambda x: len(x) >= 3),
    (Annotated[datetime, msgspec.Meta(tz=True)], lambda x: x.tzinfo is not None),
    (Annotated[datetime, msgspec.Meta(tz=False)], lambda x: x.tzinfo is None),
    (Annotated[datetime, at.Timezone(None)], lambda x: x.tzinfo is None),
    (Annotated[datetime, at.Timezone(...)], lambda x: x.tzinfo is not None),
    (Annotated[datetime, at.Ge(MOMENT)], lambda x: x >= MOMENT),
    (Annotated[list[int], at.Len(2, 3)], lambda x: 2 <= len(x) <= 3),
    (Annotated[set[int], at.MinLen(2)], lambda x: len(x) >= 2),
    (Annotated[dict[str, int], at.Len(1, 1)], lambda x: len(x) == 1),
    (list[Annotated[int, at.Ge(5)]], lambda x: all(each >= 5 for each in x)),
    (Annotated[str | None, at.MaxLen(1)], lambda x: x is None or len(x) <= 1),
    (Annotated[str, msgspec.Meta(max_length=1)] | None, lambda x: x is None or len(x) <= 1),
    (Short, lambda x: 1 <= len(x) <= 3),
    (Annotated[Short, at.MaxLen(1)], lambda x: len(x) == 1),
    (pydantic.AwareDatetime, lambda x: x.tzinfo is not None),
    (pydantic.PositiveInt, lambda x: x > 0),
]


def named(part: Any) -> str:
    return "fits" if inspect.isfunction(part) else str(part)[:60]


@pytest.mark.parametrize(("hint", "legal"), BOUNDED, ids=named)
def test_every_drawn_value_keeps_to_its_constraints(
    hint: Any, legal: Callable[[Any], bool]
) -> None:
    values = drawn(hint)

    assert values
    assert [each for each in values if not legal(each)] == []


@pytest.mark.parametrize(
    ("hint", "edges"),
    [
        (Annotated[int, at.Interval(ge=5, le=1_000_000)], {5, 1_000_000}),
        (Annotated[int, at.Interval(gt=5, lt=1_000_000)], {6, 999_999}),
        (Annotated[str, at.Len(2, 70)], {"aa", "a" * 70}),
    ],
)
def test_the_limits_themselves_are_drawn(hint: Any, edges: set[Any]) -> None:
    assert edges <= set(drawn(hint, 800))


class Shade(enum.Enum):
    DARK = 1
    LIGHT = 2


Item = TypeVar("Item")
Bound = TypeVar("Bound", bound=int)
OneOf = TypeVar("OneOf", str, bytes)


@dataclass(frozen=True)
class Pair(Generic[Item]):
    one: Item
    other: Item


@dataclass
class Node:
    name: str
    children: list[Node]
    parent: Node | None = None
    made: str = field(default="made", init=False)


class Tree(TypedDict):
    name: str
    below: Sequence[Tree]


TYPES: list[tuple[Any, Callable[[Any], bool]]] = [
    (int, lambda x: type(x) is int),
    (str, lambda x: type(x) is str),
    (bool, lambda x: type(x) is bool),
    (float, lambda x: type(x) is float),
    (UUID, lambda x: type(x) is UUID),
    (timedelta, lambda x: type(x) is timedelta),
    (None, lambda x: x is None),
    (int | None, lambda x: x is None or type(x) is int),
    (Literal["a", 1], lambda x: x in ("a", 1)),
    (Shade, lambda x: isinstance(x, Shade)),
    (list[int], lambda x: type(x) is list),
    (Sequence[int], lambda x: type(x) is list),
    (tuple[int, str], lambda x: type(x) is tuple and len(x) == 2 and type(x[1]) is str),
    (tuple[int, ...], lambda x: type(x) is tuple),
    (set[str], lambda x: type(x) is set),
    (frozenset[str], lambda x: type(x) is frozenset),
    (Mapping[str, int], lambda x: type(x) is dict and all(type(each) is str for each in x)),
    (dict, lambda x: type(x) is dict),
    (set, lambda x: type(x) is set),
    (list, lambda x: type(x) is list),
    (Bound, lambda x: type(x) is int),
    (OneOf, lambda x: type(x) is str),
    (Point, lambda x: type(x) is Point),
    (Plain, lambda x: type(x) is Plain and x.made == f"made of {x.id}"),
    (Pair[Short], lambda x: len(x.one) <= 3),
    (Checked, lambda x: x.id >= 1),
    (FrozenChecked, lambda x: len(x.name) <= 3),
    (Address, lambda x: type(x) is dict and set(x) in ({"street"}, {"street", "number"})),
    (Node, lambda x: x.made == "made"),
    (Tree, lambda x: isinstance(x["below"], list)),
]


@pytest.mark.parametrize(("hint", "legal"), TYPES, ids=named)
def test_every_type_is_drawn(hint: Any, legal: Callable[[Any], bool]) -> None:
    values = drawn(hint, 100)

    assert [each for each in values if not legal(each)] == []
    if hint is not None:
        assert len({repr(each) for each in values}) > 1


def test_a_recursive_type_comes_to_an_end_and_is_nested_before() -> None:
    def depth(node: Node) -> int:
        return 1 + max(map(depth, node.children), default=0)

    depths = collections.Counter(depth(each) for each in drawn(Node, 200))

    assert max(depths) >= 2
    assert max(depths) < 12


def test_hostile_values_are_drawn() -> None:
    texts, numbers = set(drawn(str, 800)), set(drawn(int, 800))

    assert {"", " a", "a\x00b", "%", "A", "a"} <= texts
    assert {2**63, -(2**63), 2**31, 0, -1} <= numbers


def test_what_the_contract_gives_is_drawn_in_place_of_the_type() -> None:
    assert set(drawn(str, arguments={"value": ["x", "y"]})) == {"x", "y"}
    assert set(drawn(str, arguments={"put.value": st.just("z"), "value": ["x"]})) == {"z"}
    points = drawn(Point, arguments={"Point.x": [5]})
    assert {each.x for each in points} == {5}
    assert len({each.y for each in points}) > 1


class Opaque:
    def __init__(self, connection) -> None:  # type: ignore[no-untyped-def]
        self.connection = connection


@dataclass
class Holder:
    inner: Pair[Opaque]


@pytest.mark.parametrize(
    ("hint", "where"),
    [
        (Opaque, "put.value"),
        (list[Opaque], "put.value"),
        (Holder, "put.value: Holder.inner: Pair.one"),
    ],
)
def test_a_type_without_values_is_refused_at_once(hint: Any, where: str) -> None:
    with pytest.raises(ContractError) as caught:
        CallDrawer(contract_of(hint))

    text = str(caught.value)
    assert f"nothing says which values {where} takes (its type is Opaque)" in text
    assert 'arguments={"put.value": ' in text
    assert 'context={"value": ' in text


@dataclass
class Unresolved:
    other: Unknown  # type: ignore[name-defined]  # noqa: F821 - that is the point


def test_an_entity_whose_types_can_t_be_resolved_is_refused_at_once() -> None:
    with pytest.raises(
        ContractError, match=r"the types of Unresolved, which put\.value takes"
    ) as caught:
        CallDrawer(contract_of(Unresolved))

    assert "Unknown" in str(caught.value)


def test_limits_say_nothing_of_other_types() -> None:
    limits = limits_of(Annotated[int | None, at.Ge(3), at.MaxLen(2)])

    assert limits.fit(None)
    assert limits.fit(3)
    assert not limits.fit(2)
    assert not limits.fit("abc")
    assert limits.fit("ab")
    assert Limits().fit(object())


def test_the_strictest_of_several_limits_holds() -> None:
    limits = limits_of(
        Annotated[NewType("X", Annotated[int, at.Ge(3)]), at.Ge(1), at.Lt(9), at.Lt(5)]
    )  # type: ignore[arg-type]  # mypy wants a class

    assert limits.least("ge") == 3
    assert limits.most("lt") == 5
    assert [each for each in range(10) if limits.fit(each)] == [3, 4]


@pytest.mark.parametrize("seed", range(20))
def test_a_near_miss_is_of_the_same_type(seed: int) -> None:
    draw = Draw(seed)

    assert type(near(draw, "Á b")) is str
    assert type(near(draw, 5)) is int
    assert near(draw, MOMENT) is MOMENT


def test_choices_stay_in_their_range() -> None:
    draw = Draw(1)

    assert {choose(draw, 3) for _ in range(100)} == {0, 1, 2}
    assert all(0 <= choose(draw, 1000) < 1000 for _ in range(1000))
    assert max(choose(draw, 1000) for _ in range(1000)) > 256
    assert choose(draw, 1) == 0
    assert pick(draw, "a") == "a"


def given_back(contract: Contract, operation: str, value: Any, **arguments: Any) -> Pools:
    """Give the pools after one call."""
    pools = Pools(contract)
    pools.add_call(Call(operation, arguments), 0, Outcome(value=value))
    return pools


def test_what_storages_make_is_met_again_by_reference_only() -> None:
    pools = Pools(tasks)
    one = Task(id=TaskId("t1"), title="x", created_at=MOMENT)
    pools.add_call(Call("create", {"title": "x"}), 0, Outcome(value=one))
    pools.add_call(
        Call("tree", {"id": Reference(0, ".id")}), 1, Outcome(value=Below(one, [one.id]))
    )

    assert set(pools.of(TaskId)) == {Reference(0, ".id"), Reference(1, ".task.id")}


def test_an_unordered_result_is_not_referred_to_by_position() -> None:
    pools = given_back(jobs, "pending", [Job("1"), Job("2")])

    assert pools.of("Job.id") == []


def test_lists_of_references_are_pooled_item_by_item() -> None:
    pools = given_back(jobs, "drop", 1, job_ids=["x", "y"])

    assert set(pools.of("Job.id")) == {"x", "y"}
    drawer = CallDrawer(jobs)
    values = [drawer.arguments(Draw(seed), pools, "drop")["job_ids"] for seed in range(50)]
    assert all(type(each) is list for each in values)
    assert any("x" in each for each in values)


UserId = NewType("UserId", str)


class Users(TypedDict):
    first: UserId
    others: dict[UserId, list[UserId]]


class Groups(Protocol):
    async def put(
        self, users: Users, owner: Annotated[UserId, "x"] | None = None
    ) -> set[UserId]: ...


class InMemoryGroups:
    async def put(self, users: Users, owner: UserId | None = None) -> set[UserId]:
        return set()


def test_ids_are_found_wherever_they_stand() -> None:
    contract = Contract(Groups, model=InMemoryGroups)
    users = {"first": "a", "others": {"b": ["c"]}}

    pools = given_back(contract, "put", {"e"}, users=users, owner="d")

    assert set(pools.of(UserId)) == set("abcde")


def test_what_storages_make_is_referred_to_within_a_typed_dict_but_not_within_a_set() -> None:
    contract = Contract(Groups, model=InMemoryGroups, generated=["put.return"])

    pools = given_back(contract, "put", {"e"}, users={"first": "a", "others": {}})

    assert set(pools.of(UserId)) == {"a"}


def test_an_entity_with_a_reference_in_it_is_built_later() -> None:
    contract = contract_of(Plain, refs={"value": "Plain.id"})
    pools = Pools(contract)
    pools._values["Plain.id"] = [Reference(0, ".id")]
    drawer = CallDrawer(contract_of(Plain))
    assert isinstance(drawer.arguments(Draw(0), Pools(contract), "put")["value"], Plain)

    found = [
        CallDrawer(contract).arguments(Draw(seed), pools, "put")["value"] for seed in range(40)
    ]

    built = [each for each in found if isinstance(each, Build)]
    assert built
    assert difference(built[0].fields["id"], Reference(0, ".id")) is None
    assert all(field_values(each) is not None for each in found)
