"""A failing program becomes a Python test here, to be pasted and run."""

from __future__ import annotations

import ast
import copy
import re
import textwrap
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from storeproof.harness.compare import difference
from storeproof.harness.copying import is_immutable
from storeproof.harness.expectation import Expectation
from storeproof.harness.operations import Style
from storeproof.harness.program import Call, Program, Step, Walk
from storeproof.harness.running import Outcome, public_attributes
from storeproof.harness.source import Source, keywords
from storeproof.harness.templates import references_in, resolve

if TYPE_CHECKING:
    from storeproof.harness.contract import Contract

__all__ = ["CallWriter", "broken_sentence", "python_test"]

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
    writer = _Writer(contract, program, expected, actual)
    body = [line for index, step in enumerate(program.steps) for line in writer.step(index, step)]
    head = ["import pytest"] if writer.raising else []
    return writer.module(
        head,
        ["async def program(storage):", *(f"    {line}" for line in body)],
        ["def test_program():", f'    {writer.name}.run(program, backend="{backend}")'],
    )


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


class CallWriter:
    """Writes calls and gathers what they need imported."""

    def __init__(self, contract: Contract) -> None:
        self.contract, self.source = contract, Source()
        path = contract.import_path
        self.name = self.source.add(*path) if path else "contract"

    def call(
        self, step: Call, names: Mapping[str, str] | None = None, *, on: str = "storage"
    ) -> str:
        """Write a call as an expression without `await`; names: parameters -> their variables."""
        operation = self.contract.operations[step.operation]
        written = {each: self.source.expression(given) for each, given in step.arguments.items()}
        written |= names or {}
        written |= self.context(step)
        first = list(operation.positional)
        while first and first[-1].name not in written:
            first.pop()
        positional = [
            written.pop(each.name, self.source.expression(each.default)) for each in first
        ]
        arguments = ", ".join([*positional, *([keywords(written)] if written else [])])
        return f"{on}.{operation.name}({arguments})"

    def awaited(
        self, step: Call, names: Mapping[str, str] | None = None, *, on: str = "storage"
    ) -> str:
        """Write a call as the expression that gives its result."""
        call, style = self.call(step, names, on=on), self.contract.operations[step.operation].style
        if style is Style.GENERATOR:
            return f"[each async for each in {call}]"
        return f"await {call}" if style is Style.COROUTINE else call

    def context(self, step: Step) -> dict[str, str]:
        """Give the arguments that are made for every call."""
        operation, context = self.contract.operations[step.operation], self.contract.context
        names = [each.name for each in operation.parameters if each.name in context]
        return {name: f'{self.name}.context["{name}"]()' for name in names}

    def suppressing(self, lines: list[str]) -> list[str]:
        """Write lines whose errors, if the contract declares them, don't matter."""
        suppress = self.source.add("contextlib", "suppress")
        errors = ", ".join(map(self.source.name_of, self.contract.errors))
        return [f"with {suppress}({errors}):", *(f"    {line}" for line in lines)]

    def module(self, head: list[str], body: list[str], test: list[str]) -> str:
        """Write a module of imports, an async function and the test that runs it."""
        shown = f"# contract = Contract({self.contract.name}, …), as in your test module"
        comment = [] if self.contract.import_path else [shown]
        lines = [*head, *self.source.import_lines(), *comment, "", "", *body, "", "", *test]
        return "\n".join(line.rstrip() for line in lines)


class _Writer(CallWriter):
    """Writes the lines of one test."""

    def __init__(
        self, contract: Contract, program: Program, expected: list[Outcome], actual: Outcome | None
    ) -> None:
        super().__init__(contract)
        self.program, self.expected = program, expected
        self.actual, self.raising = actual, False
        self.wanted = Expectation(contract, program, expected, actual)
        self.referred = program.referred | self.wanted.referred

    def step(self, index: int, step: Step) -> list[str]:
        if isinstance(step, Walk):
            return self._walk(step)
        expected = self.expected[index]
        if index == len(self.program.steps) - 1 and self.actual is not None:
            return [*_comment(f"the storage {self.actual}"), *self._assertion(step, expected)]
        before, call, mutable = self._call_to_scribble(index, step)
        if expected.error is not None:
            return [*before, *self._raises(call, expected.error), *self._scribbles(mutable)]
        overwritten = self.program.scribbling and not is_immutable(expected.value)
        if not overwritten and index not in self.referred:
            return [*before, call, *self._scribbles(mutable)]
        lines = [*before, f"r{index + 1} = {call}"]
        if overwritten and index in self.referred:
            lines[-1] = f"given_{index + 1} = {call}"
            lines.append(f"r{index + 1} = {self._deepcopy(f'given_{index + 1}')}")
            return [*lines, *self._scribbles([*mutable, f"given_{index + 1}"])]
        return [*lines, *self._scribbles([*mutable, f"r{index + 1}"] if overwritten else mutable)]

    def _call_to_scribble(self, index: int, step: Call) -> tuple[list[str], str, list[str]]:
        """Give the lines before a call, the call, and the names of what its caller overwrites."""
        lines, names = [], {}
        for name, template in step.arguments.items() if self.program.scribbling else ():
            if is_immutable(resolve(template, [each.value for each in self.expected])):
                continue
            text = self.source.expression(template)
            names[name] = f"{name}_{index + 1}"
            made = self._deepcopy(text) if references_in(template) else text
            lines.append(f"{names[name]} = {made}")
        return lines, self.awaited(step, names), list(names.values())

    def _deepcopy(self, text: str) -> str:
        return f"{self.source.add('copy', 'deepcopy')}({text})"

    def _scribbles(self, names: list[str]) -> list[str]:
        if not names:
            return []
        return [f"{self.source.add('storeproof', 'scribble')}({', '.join(names)})"]

    def _assertion(self, step: Call, expected: Outcome) -> list[str]:
        call = self.awaited(step)
        if expected.error is not None:
            return self._raised(call, expected.error)
        failed = self.actual is not None and self.actual.error is not None
        if expected.value is None and failed:
            return [call]
        wanted = self.source.expression(self.wanted.template)
        if not _is_expression(wanted):
            return [f"print({call})", *_comment(f"the model {expected}")]
        if not self.wanted.refers_to_itself:
            return [self._equal(step, call, wanted)]
        name = f"r{len(self.program.steps)}"
        asserted = [] if wanted == name else [self._equal(step, name, wanted)]
        return [f"{name} = {call}", *self._conditions(), *asserted]

    def _conditions(self) -> list[str]:
        lines = []
        for at, word, value in self.wanted.conditions():
            told = {
                "is not None": f"{at} is not None",
                "is aware": f"({at}.tzinfo is not None) is {value}",
                "is none of": f"{at} not in {self.source.expression(value)}",
            }
            if word == "is of type":
                lines.append(f"assert type({at}) is {self.source.name_of(value)}")
            else:
                lines.append(f"assert {told[word]}")
        return lines

    def _equal(self, step: Call, got: str, wanted: str) -> str:
        options = []
        if step.operation in self.contract.unordered:
            options.append("unordered=True")
        if self.contract.rules.canonical:
            options.append(f"rules={self.name}.rules")
        if options or not self._tells_apart(wanted):
            name = self.source.add("storeproof", "assert_same")
            return f"{name}({', '.join([got, wanted, *options])})"
        expected = self.expected[-1].value
        operator = "is" if expected is None or isinstance(expected, bool) else "=="
        return f"assert {got} {operator} {wanted}"

    def _tells_apart(self, wanted: str) -> bool:
        """Whether `==` holds on the model, and only there."""
        expected, actual = self.expected[-1].value, self.actual
        if self.wanted.referred or "nan" in wanted.lower():
            return False
        try:
            equal = actual is not None and actual.error is None and expected == actual.value
            return bool(copy.deepcopy(expected) == expected) and not equal
        except Exception:  # classes compare, and refuse to be copied, as they like
            return False

    def _raises(self, call: str, error: Exception, caught: str = "") -> list[str]:
        self.raising = True
        return [f"with pytest.raises({self.source.name_of(type(error))}){caught}:", f"    {call}"]

    def _raised(self, call: str, error: Exception) -> list[str]:
        actual = self.actual.error if self.actual is not None else None
        told = []
        if isinstance(actual, type(error)):
            if type(actual) is not type(error):
                told.append(f"assert caught.type is {self.source.name_of(type(error))}")
            told += self._attributes(public_attributes(error), public_attributes(actual))
        return [*self._raises(call, error, " as caught" if told else ""), *told]

    def _attributes(self, wanted: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
        lines = [f'assert not hasattr(caught.value, "{each}")' for each in found.keys() - wanted]
        for name, value in wanted.items():
            if name not in found or difference(value, found[name]) is not None:
                text = self.source.expression(self.wanted.attribute(value))
                same = self.source.add("storeproof", "assert_same")
                lines.append(f"{same}(caught.value.{name}, {text})")
        return lines

    def _walk(self, step: Walk) -> list[str]:
        given = {each: self.source.expression(value) for each, value in step.arguments.items()}
        items = [f"{name!r}: {text}" for name, text in (given | self.context(step)).items()]
        options = [f"limit={step.limit}", f"largest={self.contract.largest_page}"]
        options += ["between=between()"] if step.between else []
        options += ["moving=True"] if step.operation in self.contract.moving else []
        walk = ", ".join([f"storage.{step.operation}", f"{{{', '.join(items)}}}", *options])
        name = self.source.add("storeproof", "assert_walk")
        return [*self._between(step), f"await {name}({walk})"]

    def _between(self, step: Walk) -> list[str]:
        if not step.between:
            return []
        lines = ["async def between():"]
        for call in step.between:
            made = self.suppressing([self.awaited(call)])
            lines += [f"    {line}" for line in [*made, "yield"]]
        return lines


def _comment(text: str) -> list[str]:
    """Write a comment of any text: some characters would end it, or can't be in a file."""
    plain = "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)
    return textwrap.wrap(f"# {plain}", _WIDTH, subsequent_indent="#   ")


def _is_expression(text: str) -> bool:
    try:
        ast.parse(text, mode="eval")
    except (SyntaxError, ValueError):
        return False
    return True
