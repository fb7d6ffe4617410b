"""A failing program of several clients becomes a Python test here, to be pasted and run."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING

from storeproof.harness.operations import Style
from storeproof.harness.pasted_proving import AFTER, BEFORE
from storeproof.harness.printing import CallWriter
from storeproof.harness.program import Program
from storeproof.harness.racing import Numbered, Parts

if TYPE_CHECKING:
    from storeproof.harness.contract import Contract

__all__ = [
    "python_test_of_branches",
    "python_test_of_disturbing",
    "python_test_of_proving",
    "python_test_of_stores",
]


def python_test_of_branches(contract: Contract, backend: str, program: Program) -> str:
    """Write a program as a test that runs it again and again, until no order explains a run."""
    return _Writer(contract, program).test(backend)


def python_test_of_disturbing(
    contract: Contract, backend: str, program: Program, method: str, *, shared: bool
) -> str:
    """Write a program as a test that has a method of the contract disturb its last call."""
    return _Writer(contract, program).test_of_disturbing(backend, method, shared)


def python_test_of_proving(
    contract: Contract, backend: str, program: Program, check: str, *, others: Sequence[str] = ()
) -> str:
    """Write a program as a test that has a check prove it again, with other backends beside."""
    return _Writer(contract, program).test_of_proving(backend, check, others)


def python_test_of_stores(contract: Contract, backend: str, program: Program, check: str) -> str:
    """Write a program, each of whose branches has a store, as a test that a check proves again."""
    return _Writer(contract, program).test_of_stores(backend, check)


class _Writer(CallWriter):
    def __init__(self, contract: Contract, program: Program) -> None:
        super().__init__(contract)
        self.program, self.parts = program, Parts(program)
        self.referred = program.referred
        count = max(1, len(program.branches))
        self.storages = [f"storage_{number}" for number in range(1, count + 1)]

    def test(self, backend: str) -> str:
        body = [
            *self._made(self.parts.steps, self.storages[0]),
            *self._together(),
            *(
                line
                for storage, reads in zip(self.storages, self.parts.reads, strict=False)
                for line in self._made(reads, storage)
            ),
        ]
        shared = ", shared=True" if self.program.shared else ""
        options = f'backend="{backend}", clients={len(self.storages)}{shared}'
        return self._test(self.storages, body, f"race(program, {options})")

    def test_of_disturbing(self, backend: str, method: str, shared: bool) -> str:
        *before, (_, last) = self.parts.steps
        body = [*self._made(before, "storage"), f"{self.awaited(last)}  # this one is disturbed"]
        options = f'backend="{backend}"{", shared=True" if shared else ""}'
        return self._test(["storage"], body, f"{method}(program, {options})")

    def test_of_proving(self, backend: str, check: str, others: Sequence[str] = ()) -> str:
        if not self.program.branches:
            body = self._made(self.parts.steps, "storage")
            return self._proving(["storage"], body, backend, check, others)
        alone = len(self.storages) == 1
        at_once = self._made(self.parts.branches[0], "storage_1") if alone else self._together()
        body = [*self._made(self.parts.steps, BEFORE), *at_once]
        for reads in self.parts.reads:
            body += self._made(reads, AFTER)
        return self._proving([BEFORE, *self.storages, AFTER], body, backend, check, others)

    def test_of_stores(self, backend: str, check: str) -> str:
        self.storages = [f"store_{number + 1}" for number in range(len(self.storages))]
        lanes = zip(self.storages, self.parts.branches, self.parts.reads, strict=True)
        made = [[(name, each) for each in (*calls, *reads)] for name, calls, reads in lanes]
        turns = [each for turn in zip_longest(*made) for each in turn if each is not None]
        body = [line for name, call in turns for line in self._made([call], name)]
        return self._proving(self.storages, body, backend, check)

    def _proving(
        self,
        storages: list[str],
        body: list[str],
        backend: str,
        check: str,
        others: Sequence[str] = (),
    ) -> str:
        shared = ", shared=True" if self.program.shared else ""
        beside = ", others=[" + ", ".join(f'"{each}"' for each in others) + "]" if others else ""
        options = f'check="{check}", backend="{backend}"{shared}{beside}'
        return self._test(storages, body, f"prove(program, {options})")

    def _test(self, storages: list[str], body: list[str], call: str) -> str:
        while body and not body[0]:
            body.pop(0)
        return self.module(
            [],
            [
                f"async def program({', '.join(storages)}):",
                *(f"    {line}" for line in body or ["pass"]),
            ],
            ["def test_program():", f"    {self.name}.{call}"],
        )

    def _made(self, calls: Numbered, storage: str) -> list[str]:
        lines = []
        for number, call in calls:
            made = self.awaited(call, on=storage)
            given = f"r{number + 1} = {made}" if number in self.referred else made
            lines += self.suppressing([given])
        return lines

    def _together(self) -> list[str]:
        """Write the branches: as calls, where each is one that can be awaited, or as functions."""
        busy = [
            (storage, calls)
            for storage, calls in zip(self.storages, self.parts.branches, strict=False)
            if calls
        ]
        if not busy:
            return []
        if all(self._is_plain(calls) for _, calls in busy):
            made = [self.call(calls[0][1], on=storage) for storage, calls in busy]
            return self._gathered([*made, "return_exceptions=True"])
        names = [f"client_{number}" for number in range(1, len(busy) + 1)]
        functions = [
            line
            for name, (storage, calls) in zip(names, busy, strict=True)
            for line in self._function(name, storage, calls)
        ]
        begun = [f"{name}()" for name in names]
        if not self.contract.is_async:
            to_thread = self.source.add("asyncio", "to_thread")
            begun = [f"{to_thread}({name})" for name in names]
        gathered = self._gathered(begun)
        return [*self._unset(), *functions, "", *gathered]

    def _is_plain(self, calls: Numbered) -> bool:
        number, call = calls[0]
        awaitable = self.contract.operations[call.operation].style is Style.COROUTINE
        return len(calls) == 1 and awaitable and number not in self.referred

    def _gathered(self, awaited: Sequence[str]) -> list[str]:
        gather = self.source.add("asyncio", "gather")
        return [f"await {gather}(", *(f"    {each}," for each in awaited), ")"]

    def _function(self, name: str, storage: str, calls: Numbered) -> list[str]:
        own = [f"r{number + 1}" for number, _ in calls if number in self.referred]
        outer = [f"nonlocal {', '.join(own)}"] if own else []
        lines = [*outer, *self._made(calls, storage)]
        define = "async def" if self.contract.is_async else "def"
        return ["", f"{define} {name}():", *(f"    {line}" for line in lines)]

    def _unset(self) -> list[str]:
        """Name what the branches are given, which the reads refer to."""
        numbers = [number for calls in self.parts.branches for number, _ in calls]
        return [f"r{number + 1} = None" for number in numbers if number in self.referred]
