"""`Contract.move` runs here what tests that the round-trip check prints give it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any

from storeproof.harness.backends.base import Store
from storeproof.harness.moving.travelling import travel
from storeproof.harness.program import Branch, Program
from storeproof.harness.recording import Client, Recording, Turns

if TYPE_CHECKING:
    from storeproof.harness.contract import Contract

__all__ = ["PastedMove", "moved"]


def moved(storage: Any) -> None:
    """Say, in a function that is given to `Contract.move`, that the content is moved now."""
    storage.storeproof_moved()


class PastedMove:
    """A function of one client, which says when its storage's content is moved."""

    def __init__(
        self,
        contract: Contract,
        program: Callable[[Any], Awaitable[None]],
        backends: Sequence[str],
    ) -> None:
        self._contract, self._program, self._backends = contract, program, backends

    async def run(self, *stores: Store) -> None:
        """Note the function's calls on the model; then move what those before `moved` leave.

        Raises AssertionError where that shows something wrong.
        """
        recording = Recording(self._contract, Turns(0, 1))
        client = _MovingClient(recording, 0, self._contract.model())
        await self._program(client)
        calls = tuple(call for _, call in recording.made)
        at = len(calls) if client.moved_at is None else client.moved_at
        program = Program(calls[:at], branches=(Branch(calls[at:]),))
        stops = list(zip(self._backends, stores, strict=True))
        found = await travel(self._contract, program, stops)
        if found is not None:
            compared = f"{found.actual}, not: {found.expected}\n" if found.call else ""
            raise AssertionError(f"{found.where}:\n{compared}{found.told}")


class _MovingClient(Client):
    moved_at: int | None = None
    """How many calls came before the content is moved."""

    def storeproof_moved(self) -> None:
        self.moved_at = len(self._recording.made)
