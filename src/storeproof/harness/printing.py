"""A failing program becomes a Python test here, to be pasted and run."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from storeproof.harness.compare import Rules, difference
from storeproof.harness.program import Build, Call, Program, Reference, Step, Walk, references_in
from storeproof.harness.running import Outcome
from storeproof.harness.source import Source

if TYPE_CHECKING:
    from storeproof.harness.contract import Contract

__all__ = ["broken_sentence", "python_test"]

_WIDTH = 88


def python_test(
    contract: Contract,
    backend: str,
    program: Program,
    expected: list[Outcome],
    actual: Outcome | None,
) -> str:
    """Write a program as a test that passes on the model and fails on the backend.

    expected: what the model gave for each step; the last one is what the test asserts.
    """
    writer = _Writer(contract, program)
    body = [
        line
        for index, step in enumerate(program.steps)
        for line in writer.step(index, step, expected[index], actual)
    ]
    return writer.module(body, backend)


def broken_sentence(doc: str, *outcomes: Outcome) -> str:
    """Give the sentence of an operation's docstring that speaks of the outcomes, or its first."""
    sentences = [
        " ".join(each.split()) for each in re.split(r"(?<=[.:;])\s+|\n\s*\n", doc) if each.strip()
    ]
    names = [type(each.error).__name__ for each in outcomes if each.error is not None]
    for name in names:
        for sentence in sentences:
            if name in sentence:
                return sentence
    return sentences[0] if sentences else ""


class _Writer:
    """Writes the lines of one test and gathers its imports."""

    def __init__(self, contract: Contract, program: Program) -> None:
        self.contract, self.program = contract, program
        self.source = Source()
        self.referred = {ref.call for step in program.steps for ref in references_in(step)}

    def step(self, index: int, step: Step, expected: Outcome, actual: Outcome | None) -> list[str]:
        last = index == len(self.program.steps) - 1
        if isinstance(step, Walk):
            return self._walk(step)
        call = self._call(step)
        if last and not (self.program.scribbling and actual is None):
            return self._assertion(step, call, expected, actual)
        if expected.error is not None:
            return self._raises(call, expected.error)
        kept = index in self.referred or self.program.scribbling
        lines = [f"r{index + 1} = {call}" if kept else call]
        if self.program.scribbling:
            lines.append(self._scribble(f"r{index + 1}"))
        return lines

    def _scribble(self, name: str) -> str:
        self.source.imports.setdefault("storeproof", set()).add("scribble")
        return f"scribble({name})"

    def _assertion(
        self, step: Call, call: str, expected: Outcome, actual: Outcome | None
    ) -> list[str]:
        told = [f"# the storage {actual}"] if actual is not None else []
        told = [
            line for text in told for line in textwrap.wrap(text, _WIDTH, subsequent_indent="#   ")
        ]
        if expected.error is not None:
            return [*told, *self._raises(call, expected.error)]
        if expected.value is None and (actual is None or actual.error is not None):
            return [*told, call]
        if self._made_by_storage(step, expected):
            return [*told, f"print({call})  # the model {expected}"]
        wanted = self.source.expression(expected.value)
        if self._needs_exactness(expected, actual):
            self.source.imports.setdefault("storeproof", set()).add("assert_same")
            return [*told, f"assert_same({call}, {wanted})"]
        operator = (
            "is"
            if expected.value in (None, True, False) and not isinstance(expected.value, int | float)
            else "=="
        )
        return [*told, f"assert {call} {operator} {wanted}"]

    def _made_by_storage(self, step: Call, expected: Outcome) -> bool:
        """Whether the expected value holds what another run would make anew."""
        rules = self.contract.rules
        operation = self.contract.operations[step.operation]
        if f"{operation.name}.return" in rules.generated:
            return True
        return bool(
            rules.generated - {each for each in rules.generated if each.endswith(".next_cursor")}
        )

    def _needs_exactness(self, expected: Outcome, actual: Outcome | None) -> bool:
        if self.contract.rules.canonical or self._is_unordered():
            return True
        if actual is None or actual.error is not None:
            return False
        try:
            equal = bool(expected.value == actual.value)
        except Exception:
            return True
        return equal and difference(expected.value, actual.value, rules=Rules()) is not None

    def _is_unordered(self) -> bool:
        return self.program.steps[-1].operation in self.contract.unordered

    def _raises(self, call: str, error: Exception) -> list[str]:
        self.source.imports.setdefault("pytest", set())
        return [f"with pytest.raises({self.source.name_of(type(error))}):", f"    {call}"]

    def _call(self, step: Call) -> str:
        operation = self.contract.operations[step.operation]
        arguments = [
            f"{name}={self._argument(template)}" for name, template in step.arguments.items()
        ]
        context = [
            f"{each.name}={self.source.name_of(self.contract.context[each.name])}()"
            for each in operation.parameters
            if each.name in self.contract.context
        ]
        call = f"storage.{operation.name}({', '.join([*arguments, *context])})"
        if operation.style == "async generator":
            return f"[each async for each in {call}]"
        return f"await {call}" if operation.style == "coroutine" else call

    def _argument(self, template: Any) -> str:
        if isinstance(template, Reference):
            return str(template)
        if isinstance(template, Build):
            inner = ", ".join(f"{key}={self._argument(x)}" for key, x in template.fields.items())
            return f"{self.source.name_of(template.cls)}({inner})"
        if isinstance(template, Mapping) and references_in(template):
            inner = ", ".join(f"{key!r}: {self._argument(each)}" for key, each in template.items())
            return f"{{{inner}}}"
        if isinstance(template, list | tuple) and references_in(template):
            return f"[{', '.join(map(self._argument, template))}]"
        return self.source.expression(template)

    def _walk(self, step: Walk) -> list[str]:
        self.source.imports.setdefault("storeproof", set()).add("assert_walk")
        arguments = (
            f"{{{', '.join(f'{k!r}: {self._argument(v)}' for k, v in step.arguments.items())}}}"
        )
        lines = []
        between = ""
        if step.between:
            lines += ["async def between():"]
            lines += [f"    yield {self._call(each)}" for each in step.between]
            between = ", between=between()"
        largest = self.contract.largest_page
        walk = (
            f"storage.{step.operation}, {arguments}, limit={step.limit}, largest={largest}{between}"
        )
        return [*lines, f"await assert_walk({walk})"]

    def module(self, body: list[str], backend: str) -> str:
        path = self.contract.import_path
        name = path[1] if path else "contract"
        if path:
            self.source.imports.setdefault(path[0], set()).add(path[1])
        raising = self.source.imports.pop("pytest", None) is not None
        imports = [*(["import pytest"] if raising else []), *self.source.import_lines()]
        comment = (
            []
            if path
            else [f"# contract = Contract({self.contract.name}, …), as in your test module"]
        )
        lines = [*imports, *comment, "", "", "async def program(storage):"]
        lines += [f"    {line}" for line in body]
        lines += ["", "", "def test_program():", f'    {name}.run(program, backend="{backend}")']
        return "\n".join(lines)
