"""Whoever wants a storage proved writes a `Contract`; everything else is derived from it."""

from __future__ import annotations

import copy
import functools
import sys
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any, NewType, TypeAlias, get_args

from storeproof.harness.compare import Rules
from storeproof.harness.declarations import Entities, check_declarations, names_of
from storeproof.harness.inference import inferred_refs
from storeproof.harness.law import Law, laws_of
from storeproof.harness.operations import Operation, Style, derive_operations
from storeproof.harness.structure import bare_hint

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

    from storeproof.harness.backends.base import Opener
    from storeproof.harness.experience import Experience
    from storeproof.harness.latency.configuration import RuleTable
    from storeproof.harness.latency.nodes import Benchmarks
    from storeproof.harness.latency.workloads import Calls
    from storeproof.harness.moving.moves import Moves
    from storeproof.harness.program import Program

    Values: TypeAlias = SearchStrategy[Any] | Sequence[Any]

__all__ = ["Contract"]

_READING = (
    "count",
    "exists",
    "fetch",
    "find",
    "get",
    "has",
    "is",
    "list",
    "load",
    "read",
    "search",
)


class Contract:
    """A storage Protocol, its in-memory model, and the little that types can't say.

    protocol: the Protocol or ABC whose public methods are the operations.
    model: the in-memory implementation, the executable specification; called without arguments.
    storages: backend name -> how a storage is opened on that backend's address: a callable that
        gives the storage, an awaitable of it, or an async context manager. If it takes `timeout`,
        the check of faults gives it the seconds that the storage may wait for the server.
    arguments: "operation.parameter", "parameter" or "Entity.field" -> a sequence of values to draw
        from, or a Hypothesis strategy for them. A sequence is quicker, and programs differ more.
        A NewType as the key, or a field that parameters refer to, says which new values of it are
        drawn; those known from earlier calls are met again all the same.
    refs: "operation.parameter", "parameter", "Entity.field" or "operation.return" -> the
        "Entity.field" whose values it takes, or gives; not needed where both have the same NewType,
        where the parameter is called like the field (`task_id` for Task.id) or another parameter.
    generated: "Entity.field" or "operation.return" that storages make themselves, such as ids and
        times; compared through a one-to-one renaming. A page's `next_cursor` always is; of times,
        floats and fields called `next_…` only the presence is compared.
    unordered: operations whose list comes in any order.
    moving: page operations whose order follows what changes in an item, such as the latest first.
        An item that changes during a walk may then come again or be missed; any other comes once.
    errors: the root classes of the contract's errors; anything else that is raised is a failure.
        Errors are the same if their class and their public attributes are.
    uncertain: errors after which nobody knows whether the call took effect, such as a connection
        that was lost while it waited for its answer.
    unavailable: errors of a call that certainly had no effect because the store could not be
        reached, so that it is safe to make it again.
    ends_within: seconds within which every call ends, with an error if need be, also where the
        server falls silent.
    context: parameter -> what makes its value for every call, such as a request context; it is
        neither drawn nor saved.
    canonical: class -> the canonical form that is compared in its place, for values that do not
        compare by value themselves.
    reads: operations that change nothing, called at the end of a program to see the whole content;
        by default those whose names say so (get, list, find, …).
    ignore: public members of the Protocol that are no operations -> why.
    laws: the laws, or the module that holds them.
    largest_page: the largest `limit` that every page operation takes.
    partition: parameters and "Entity.field"s that name what a call is about, where calls about
        different ones never have to do with each other: no order, no limit, no uniqueness that they
        share. Histories are then judged key by key. Calls without exactly one key are judged whole.
    thread_safe: whether several threads may use one storage at once; asked only where no operation
        is async, whose clients call in a thread each.
    longest_step: seconds for which an operation may keep the event loop from everything else.
    moves: how all that a storage holds is exported and loaded, where it can be moved.

    Raises ContractError, which says what to declare, where something can't be derived.
    """

    def __init__(
        self,
        protocol: type,
        *,
        model: Callable[[], Any],
        storages: Mapping[str, Opener] | None = None,
        arguments: Mapping[Any, Values] | None = None,
        refs: Mapping[str, str] | None = None,
        generated: Iterable[str] = (),
        unordered: Iterable[str] = (),
        moving: Iterable[str] = (),
        errors: Iterable[type[Exception]] = (Exception,),
        uncertain: Iterable[type[Exception]] = (),
        unavailable: Iterable[type[Exception]] = (),
        ends_within: float = 20.0,
        context: Mapping[str, Callable[[], Any]] | None = None,
        canonical: Mapping[type, Callable[[Any], Any]] | None = None,
        reads: Iterable[str] | None = None,
        ignore: Mapping[str, str] | None = None,
        laws: Iterable[Law] | ModuleType | Mapping[str, Any] = (),
        largest_page: int = 1000,
        partition: Iterable[str] = (),
        thread_safe: bool = False,
        longest_step: float = 0.1,
        moves: Moves | None = None,
        name: str | None = None,
    ) -> None:
        self.name = name or str(getattr(protocol, "__name__", protocol))
        self.protocol, self.model = protocol, model
        self.storages = dict(storages or {})
        self.ignore = dict(ignore or {})
        self.operations: Mapping[str, Operation] = derive_operations(
            protocol, contract=self.name, ignore=self.ignore
        )
        self.arguments, self.refs = dict(arguments or {}), dict(refs or {})
        self.context = dict(context or {})
        self.unordered = frozenset(names_of(self.name, "unordered", unordered))
        self.moving = frozenset(names_of(self.name, "moving", moving))
        self.errors = names_of(self.name, "errors", errors)
        self.uncertain = names_of(self.name, "uncertain", uncertain)
        self.unavailable = names_of(self.name, "unavailable", unavailable)
        self.ends_within = ends_within
        self.largest_page, self.longest_step = largest_page, longest_step
        self.thread_safe, self.moves = thread_safe, moves
        self.partition = frozenset(names_of(self.name, "partition", partition))
        self.declared = frozenset(names_of(self.name, "generated", generated))
        self.rules = self._rules(dict(canonical or {}))
        self.reads = self._reads(reads)
        self.laws = _laws(laws)
        self.field_plans: dict[type, Any] = {}
        self.experience: Experience | None = None
        self.succeeding: dict[tuple[int, int], dict[str, list[Program]]] = {}
        self._returned: dict[str, object | None] = {}
        self._module = sys._getframe(1).f_globals.get("__name__", "")
        check_declarations(self)

    def __repr__(self) -> str:
        return f"<Contract {self.name}>"

    def suite(self) -> type:
        """Give the class of this contract's checks and laws, for a test module to assign."""
        from storeproof.harness.suite import suite_class

        return suite_class(self)

    def migration_suite(self) -> type:
        """Give the class of the checks of moving alone, which `suite` has as well."""
        from storeproof.harness.checks import move_checks
        from storeproof.harness.suite import suite_class

        return suite_class(self, move_checks(), laws=())

    def with_moves(self, moves: Moves) -> Contract:
        """Give the same contract with a way to move its content."""
        made = copy.copy(self)
        made.moves, made._module = moves, sys._getframe(1).f_globals.get("__name__", "")
        return made

    def benchmarks(
        self,
        *,
        gates: RuleTable | None = None,
        calls: Mapping[str, Calls] | None = None,
        operations: Iterable[str] | None = None,
        rows: int = 0,
        fill: str | None = None,
        baseline: str | Opener | None = None,
    ) -> type[Benchmarks]:
        """Give the class of this contract's latency benchmarks, for a test module to assign.

        gates: backend -> operation -> a rule such as "p50 <= 1.5 x read", or several.
        calls: operation -> `async def prepared(storage, number)`, which makes the nth call ready
            and gives what makes it; for operations whose calls can't be derived, or should not be.
        operations: those that are measured; all unless given.
        rows: calls of `fill` that are made before; `fill` is "create" unless given.
        baseline: the name of a backend, or what opens another implementation on the same one.

        Raises ContractError for what is no operation, BadRule for a gate that can't be read.
        """
        from storeproof.harness.latency.nodes import benchmarks_class

        return benchmarks_class(
            self,
            gates=gates,
            calls=calls,
            operations=operations,
            rows=rows,
            fill=fill,
            baseline=baseline,
        )

    def stored_by(self, opener: Opener, backend: str, *, name: str | None = None) -> Contract:
        """Give this contract with another implementation on a backend; on memory, another model.

        name: its own, where both have a suite in one run, which has one verdict for each name.
        """
        other = copy.copy(self)
        other.name = name or self.name
        other.storages = {**self.storages, backend: opener}
        other.model = functools.partial(opener, backend) if backend == "memory" else self.model
        return other

    def run(self, program: Callable[[Any], Awaitable[None]], *, backend: str) -> None:
        """Run an async function of a storage on a fresh storage of the named backend.

        Raises whatever the function raises; a counterexample that was pasted as a test calls this.
        """
        __tracebackhide__ = True
        from storeproof.harness.session import run_program

        run_program(self, program, backend=backend)

    def race(
        self,
        program: Callable[..., Awaitable[None]],
        *,
        backend: str,
        clients: int,
        shared: bool = False,
        times: int = 100,
    ) -> None:
        """Run an async function of so many storages on one store, again and again.

        Every storage is a handle of its own, unless they are to share one. Raises AssertionError,
        which shows what the clients did, where no order of their calls explains on the model what
        they saw, or where one raised what is none of the contract's errors. A counterexample of
        several clients that was pasted as a test calls this.
        """
        __tracebackhide__ = True
        from storeproof.harness.pasted import Pasted
        from storeproof.harness.session import run_on_store

        pasted = Pasted(self, program, clients=clients, shared=shared, times=times)
        run_on_store(self, pasted.run, backend)

    def cancel(
        self, program: Callable[[Any], Awaitable[None]], *, backend: str, shared: bool = False
    ) -> None:
        """Run an async function of a storage, and cancel its last call at each of its suspensions.

        Afterwards the call must have happened or not, CancelledError must have come out, and
        nothing of it may be left: another handle, unless there is to be none, is used too. The
        calls are those that the function makes of the model. Raises AssertionError, which says
        what is wrong, and Inconclusive where the last call does not succeed on the model. A
        counterexample of a cancelled call that was pasted as a test calls this.
        """
        __tracebackhide__ = True
        from storeproof.harness.pasted import PastedCancelling
        from storeproof.harness.session import run_on_store

        run_on_store(self, PastedCancelling(self, program, shared=shared).run, backend)

    def disconnect(
        self, program: Callable[[Any], Awaitable[None]], *, backend: str, shared: bool = False
    ) -> None:
        """Run an async function of a storage, and break its last call's connection at each message.

        In every way: cut, reset, cut within the message, delayed, silent. Afterwards the call must
        have happened or not, as its outcome says, and the storage must work again; so must another
        handle, unless there is to be none. Then the same while a storage is opened for the last
        call, whose connection is refused, too. The calls are those that the function makes of the
        model. Raises AssertionError, which says what is wrong, and Inconclusive where the last call
        does not succeed on the model or the connection can't be broken. A counterexample of the
        check of faults that was pasted as a test calls this.
        """
        __tracebackhide__ = True
        from storeproof.harness.pasted import PastedDisconnecting
        from storeproof.harness.session import run_on_store

        run_on_store(self, PastedDisconnecting(self, program, shared=shared).run, backend)

    def prove(
        self,
        program: Callable[..., Awaitable[None]],
        *,
        check: str,
        backend: str,
        shared: bool = False,
        others: Sequence[str] = (),
    ) -> None:
        """Have a check prove the calls that an async function makes of the model, and no others.

        What the function takes: one storage for checks of one client's calls; a storage for each
        store for the check of isolation; `before`, one for each client that makes calls at once,
        and `after` for those about what outlives a process or a server. shared: whether the clients
        share one handle. others: backends to which content is moved from that one, for the check of
        round trips. Raises AssertionError, with what the check tells, and Inconclusive where
        it shows nothing. A counterexample of such a check that was pasted as a test calls this.
        """
        __tracebackhide__ = True
        from storeproof.harness.session import prove_program

        names = {"check": check, "backend": backend}
        prove_program(self, program, **names, shared=shared, others=others)

    @property
    def import_path(self) -> tuple[str, str] | None:
        """Module and name under which this contract can be imported; None where it has no name.

        The module that made it goes before others, which may have called a function that did.
        """
        others = [name for name in list(sys.modules) if name != "__main__"]
        for module in (self._module, *others):
            for name, value in list(vars(sys.modules.get(module) or object).items()):
                if value is self:
                    return module, name
        return None

    @functools.cached_property
    def pages(self) -> tuple[Operation, ...]:
        """The operations that return one page of a walk."""
        return tuple(each for each in self.operations.values() if each.paged)

    def kind_of_parameter(self, operation: str, parameter: str, hint: Any) -> object | None:
        """Give the pool that a parameter's values come from, if any."""
        if self.operations[operation].paged and parameter == "cursor":
            return f"{operation}.next_cursor"
        named = self._kinds.get(f"{operation}.{parameter}") or self._kinds.get(parameter)
        return named or _new_type(hint)

    def kind_of_field(self, cls: type, field: str, hint: Any) -> object | None:
        """Give the pool that a field's values belong to, if any."""
        for base in cls.__mro__:
            name = f"{base.__name__}.{field}"
            if name in self._kinds or name in self._referred:
                return self._kinds.get(name, name)
        return _new_type(hint)

    def kind_of_result(self, operation: str) -> object | None:
        """Give what an operation's results are known by, where storages make them as a whole."""
        word = f"{operation}.return"
        return (self.kind_of_returned(operation) or word) if word in self.declared else None

    def kind_of_returned(self, operation: str) -> object | None:
        """Give the pool that an operation's result, or its items, belong to, if any."""
        if operation not in self._returned:
            self._returned[operation] = self._find_kind_of_returned(operation)
        return self._returned[operation]

    def _find_kind_of_returned(self, operation: str) -> object | None:
        returns = bare_hint(self.operations[operation].returns)
        items = [each for each in get_args(returns) if each is not Ellipsis]
        return self._kinds.get(f"{operation}.return") or _new_type(items[0] if items else returns)

    @functools.cached_property
    def _referred(self) -> frozenset[str]:
        return frozenset(self._kinds.values())

    @functools.cached_property
    def _kinds(self) -> Mapping[str, str]:
        operations = list(self.operations.values())
        return {**inferred_refs(operations, Entities(operations).classes()), **self.refs}

    def _rules(self, canonical: dict[type, Callable[[Any], Any]]) -> Rules:
        paged = [each.returns for each in self.operations.values() if each.paged]
        pages = {f"{getattr(each, '__origin__', each).__name__}.next_cursor" for each in paged}
        cursors = pages | {each for each in self.declared if ".next_" in each}
        return Rules(self.declared | pages, canonical, frozenset(cursors))

    def _reads(self, given: Iterable[str] | None) -> frozenset[str]:
        if given is not None:
            return frozenset(names_of(self.name, "reads", given))
        return frozenset(name for name in self.operations if name.split("_")[0] in _READING)

    @functools.cached_property
    def is_async(self) -> bool:
        """Whether any operation is awaited."""
        return any(each.style is not Style.SYNC for each in self.operations.values())


def _new_type(hint: Any) -> object | None:
    bare = bare_hint(hint)
    return bare if isinstance(bare, NewType) else None


def _laws(given: Iterable[Law] | ModuleType | Mapping[str, Any]) -> tuple[Law, ...]:
    if isinstance(given, ModuleType):
        return laws_of(given)
    if isinstance(given, Mapping):
        return laws_of(dict(given))
    return laws_of({str(index): each for index, each in enumerate(given)})
