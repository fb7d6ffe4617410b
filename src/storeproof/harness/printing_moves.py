"""A program whose content is moved becomes a Python test here, to be pasted and run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from storeproof.harness.moving.travelling import calls_after
from storeproof.harness.printing import CallWriter
from storeproof.harness.program import Program
from storeproof.harness.racing import Numbered, Parts

if TYPE_CHECKING:
    from storeproof.harness.contract import Contract

__all__ = ["python_test_of_moving"]


def python_test_of_moving(contract: Contract, program: Program, backends: Sequence[str]) -> str:
    """Write a program as a test that moves what its steps leave, and then goes on."""
    writer = CallWriter(contract)
    body = [
        *_made(writer, program, Parts(program).steps),
        f"{writer.source.add('storeproof', 'moved')}(storage)",
        *_made(writer, program, calls_after(program)),
    ]
    backend, *then = backends
    options = ", ".join([f'backend="{backend}"', *(f'then="{each}"' for each in then)])
    return writer.module(
        [],
        ["async def program(storage):", *(f"    {line}" for line in body)],
        ["def test_program():", f"    {writer.name}.move(program, {options})"],
    )


def _made(writer: CallWriter, program: Program, calls: Numbered) -> Iterator[str]:
    for number, call in calls:
        made = writer.awaited(call)
        given = f"r{number + 1} = {made}" if number in program.referred else made
        yield from writer.suppressing([given])
