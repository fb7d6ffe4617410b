"""For the tests of gates: a machine whose clock moves only as far as calls on it take."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from storeproof.harness.latency.measuring import Prepare, Role
from storeproof.harness.latency.sampling import Call


class Machine:
    """`spread` is how far the speeds of fresh instances of one code lie apart, as a logarithm."""

    def __init__(self, seed: int = 0, *, spread: float = 0.0, noise: float = 0.0) -> None:
        self.now = 0
        self.opened: list[int] = []
        self.made: list[int] = []
        self._chance = random.Random(seed)
        self._spread, self._noise = spread, noise

    def clock(self) -> int:
        return self.now

    def role(
        self, nanoseconds: int, *, tail: float = 1.0, opening: Callable[[], float] | None = None
    ) -> Role:
        """Calls take so long, one of ten of them `tail` times as long."""

        @asynccontextmanager
        async def opened() -> AsyncIterator[Prepare]:
            self.opened.append(nanoseconds)
            speed = self._chance.lognormvariate(0, self._spread)
            speed *= opening() if opening else 1.0

            async def prepare(count: int) -> Sequence[Call]:
                return [self._call(nanoseconds * speed, tail) for _ in range(count)]

            yield prepare

        return opened

    def _call(self, mean: float, tail: float) -> Call:
        async def call() -> None:
            self.made.append(int(mean))
            slow = tail if self._chance.random() < 0.1 else 1.0
            self.now += int(mean * slow * self._chance.lognormvariate(0, self._noise))

        return call
