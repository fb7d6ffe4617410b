"""Test modules assign or subclass a contract's suite: the class of its checks and laws."""

from __future__ import annotations

import functools
import inspect
import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, TypeGuard, TypeVar

import pytest

from storeproof.harness.checks.base import Check, Stage
from storeproof.harness.exceptions import ContractError
from storeproof.harness.frames import without_our_first_frames
from storeproof.harness.law import Law
from storeproof.harness.law_check import law_check
from storeproof.harness.proving import Node, Outcome, Prover
from storeproof.harness.report import CheckResult, Status

if TYPE_CHECKING:
    from storeproof.harness.backends.base import Capability
    from storeproof.harness.contract import Contract

__all__ = [
    "PROVER",
    "RESULT",
    "Planned",
    "Suite",
    "is_suite",
    "node_name",
    "replaces",
    "suite_class",
]

Test = TypeVar("Test", bound=Callable[..., Any])

RESULT: pytest.StashKey[CheckResult] = pytest.StashKey()
"""Where a node leaves its result for the plugin."""


@dataclass(frozen=True)
class Planned:
    """A check or law of a suite, and the reason where the suite drops or replaces it."""

    check: Check
    dropped: str = ""
    replaced: str = ""


class Suite:
    """Base of every suite.

    A subclass may add tests of its own; one that takes `storage_backend` runs on every chosen
    backend. A subclass that leaves out a check or law says why in `drop`; one that runs another
    test in its place marks it with `replaces`. Both make the verdict incomplete where the level
    is MUST.

    Raises ContractError, when the class is made, for a check or law that is overridden otherwise.
    """

    storeproof_contract: ClassVar[Contract]
    storeproof_plan: ClassVar[Mapping[str, Planned]]
    """By the name of its node."""
    drop: ClassVar[Mapping[str, str]] = {}
    """Id of a check or law -> why the suite leaves it out."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "storeproof_plan" not in vars(cls):
            _Subclass(cls).settle()


def replaces(id: str, *, reason: str) -> Callable[[Test], Test]:  # noqa: A002 - a law's id
    """Mark a suite's own `async def test(self, storage)` as run in place of a check or law.

    It keeps the name of what it replaces, and may take `second` like a law.

    Raises ValueError where the reason is empty.
    """
    if not reason.strip():
        raise ValueError(f"@replaces({id!r}) needs a reason; reports print it")

    def decorate(test: Test) -> Test:
        test.__storeproof_replaces__ = (id, reason)  # type: ignore[attr-defined]  # read by settle
        return test

    return decorate


def suite_class(
    contract: Contract,
    checks: Iterable[Check] | None = None,
    laws: Iterable[Law] | None = None,
) -> type[Suite]:
    """Make the suite of a contract: a node for each check that applies and for each law.

    checks: those of storeproof, unless given. laws: those of the contract, unless given.

    Raises ContractError where a law's test can't be run.
    """
    if checks is None:
        from storeproof.harness.checks import all_checks, move_checks

        checks = (*all_checks(), *move_checks())
    kept = [law_check(contract.name, each) for each in (contract.laws if laws is None else laws)]
    found = [each for each in checks if each.applies(contract)]
    plan = {node_name(each): Planned(each) for each in sorted([*found, *kept], key=_stage)}
    members = {name: _node(planned.check) for name, planned in plan.items()}
    members |= {"storeproof_contract": contract, "storeproof_plan": plan}
    return type(f"{contract.name}Suite", (Suite,), {"__doc__": _doc(contract), **members})


def is_suite(cls: object) -> bool:
    """Whether this is the class of a contract's suite."""
    return isinstance(cls, type) and issubclass(cls, Suite) and hasattr(cls, "storeproof_plan")


def node_name(check: Check) -> str:
    """Give the name of a check's node: `test_agreement`, `test_auth_007_missing_is_not_found`."""
    if check.stage is not Stage.LAWS:
        return f"test_{_word(check.id)}"
    law: Law = check.law  # type: ignore[attr-defined]  # only laws are of this stage
    return f"test_{_word(law.id)}_{law.name}"


def _word(text: str) -> str:
    return re.sub(r"\W+", "_", text.lower())


def _stage(check: Check) -> int:
    return check.stage


def _doc(contract: Contract) -> str:
    return f"The checks and laws of {contract.name}."


def _node(check: Check, replacement: Callable[..., Any] | None = None, reason: str = "") -> Any:
    def test(self: Suite, storage_backend: str, request: pytest.FixtureRequest) -> None:
        __tracebackhide__ = True
        proved = check if replacement is None else _in_place_of(check, replacement, self)
        _run(proved, storage_backend, request, reason)

    test.__name__ = test.__qualname__ = node_name(check)
    test.__doc__ = check.sentence
    test.__storeproof_node__ = True  # type: ignore[attr-defined]  # tells it from an override
    where = check.law.test if hasattr(check, "law") else type(check).run
    test.place_as = replacement or where  # type: ignore[attr-defined]  # pytest shows that place
    return test


def _in_place_of(check: Check, replacement: Callable[..., Any], suite: Suite) -> Check:
    test = functools.partial(replacement, suite)
    needs: frozenset[Capability] = getattr(check, "needs", frozenset())
    law = Law(check.id, check.level, check.sentence, test, needs, check.since)
    return law_check(suite.storeproof_contract.name, law, in_stage=check.stage)


def _run(check: Check, backend: str, request: pytest.FixtureRequest, reason: str) -> None:
    __tracebackhide__ = True
    item = request.node
    prover = request.config.stash[PROVER]()
    node = Node(
        suite=item.parent.nodeid,
        id=_argument(item),
        contract=request.cls.storeproof_contract,
        check=check,
        backend=backend,
        replaced=reason,
    )
    result, outcome = prover.prove(node)
    item.stash[RESULT] = result
    if outcome.error is not None:
        raise outcome.error.with_traceback(without_our_first_frames(outcome.error.__traceback__))
    _conclude(result, outcome)


PROVER: pytest.StashKey[Callable[[], Prover]] = pytest.StashKey()
"""Where the plugin leaves what gives the nodes of a process their prover."""


def _argument(item: pytest.Item) -> str:
    """Give the node's id as the command line takes it in the present folder."""
    nodeid = item.nodeid[: item.nodeid.rindex("]") + 1]  # xdist's loadgroup may append its group
    return f"{os.path.relpath(item.path)}::{nodeid.partition('::')[2]}"


def _conclude(result: CheckResult, outcome: Outcome) -> None:
    message = result.failure.message if result.failure else outcome.detail
    if outcome.status is Status.PASSED:
        return
    if outcome.status is Status.KNOWN_FAILURE:
        pytest.xfail(message)
    if outcome.status is Status.FAILED and not result.is_binding:
        pytest.xfail(message)
    if outcome.status in (Status.FAILED, Status.ERROR):
        pytest.fail(message, pytrace=False)
    pytest.skip(message)


class _Subclass:
    """A subclass of a suite, while it is made: what it leaves out, and what it replaces."""

    def __init__(self, cls: type[Suite]) -> None:
        self._cls = cls
        self._plan = dict(cls.storeproof_plan)
        self._names = {each.check.id: name for name, each in self._plan.items()}

    def settle(self) -> None:
        """Give every node its reason; raise ContractError where one is missing."""
        if len({each.storeproof_contract for each in self._cls.__mro__ if _own(each)}) > 1:
            self._refuse("is made of two contracts' suites", "Write a class for each")
        for check, reason in self._cls.drop.items():
            self._drop(check, reason)
        for name, planned in self._plan.items():
            self._settle(name, planned)
        self._cls.storeproof_plan = self._plan

    def _drop(self, check: str, reason: str) -> None:
        if check not in self._names:
            self._refuse(f"drops {check!r}, which is none of its checks and laws", self._known())
        if not reason.strip():
            self._refuse(f"drops {check} without a reason", "Say why: reports print the reason")
        name = self._names[check]
        self._plan[name] = Planned(self._plan[name].check, dropped=reason)
        setattr(self._cls, name, None)

    def _settle(self, name: str, planned: Planned) -> None:
        member = inspect.getattr_static(self._cls, name, None)
        if planned.dropped or getattr(member, "__storeproof_node__", False):
            return
        check, reason = getattr(member, "__storeproof_replaces__", ("", ""))
        if check != planned.check.id:
            self._refuse(f"overrides {name} without a reason", _remedy(planned.check.id))
        if not inspect.iscoroutinefunction(member):
            self._refuse(
                f"replaces {check} by what is not async", f"Write: async def {name}(self, storage)"
            )
        self._plan[name] = Planned(planned.check, replaced=reason)
        setattr(self._cls, name, _node(planned.check, member, reason))

    def _known(self) -> str:
        return f"It has: {', '.join(self._names)}"

    def _refuse(self, problem: str, remedy: str) -> None:
        raise ContractError(
            self._cls.storeproof_contract.name, f"{self._cls.__name__} {problem}", remedy
        )


def _own(cls: type) -> TypeGuard[type[Suite]]:
    return "storeproof_contract" in vars(cls)


def _remedy(check: str) -> str:
    return (
        f'Mark the test with @replaces("{check}", reason="…"), or leave it out with '
        f'drop = {{"{check}": "…"}}; tests of your own need another name'
    )
