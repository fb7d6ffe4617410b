"""The check of blocked loops makes calls here step by step, and sees what keeps the loop so long.

A step is what a call does between two suspensions: meanwhile the event loop does nothing else. How
long it takes by the clock says little where other processes run, so two things are told apart: time
of the processor that the loop's thread used itself, and time that it waited for neither the
processor nor anybody else's turn.
"""

from __future__ import annotations

import functools
import linecache
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Generator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Generic, Self, TypeVar

__all__ = ["LongStep", "Place", "Watch", "common", "usual"]

T = TypeVar("T")

_LOOKS = 5
"""How often the watching thread looks within the time that is allowed."""
_SHORTEST_PAUSE = 0.001
_HARNESS = str(Path(__file__).parent)
_SCHEDULING = Path("/proc/thread-self/schedstat")
_WORK = range(20_000)


@dataclass(frozen=True)
class Place:
    """A line of source that a step stood at, or came through."""

    file: str
    line: int
    function: str

    def __str__(self) -> str:
        source = linecache.getline(self.file, self.line).strip()
        return f"{Path(self.file).name}:{self.line}, in {self.function}: {source}"


@dataclass(frozen=True)
class LongStep:
    """A step that took longer than is allowed by the clock."""

    seconds: float
    computing: float
    """Seconds of the processor, as many as it takes when the machine is at its best."""
    waiting: float
    """Seconds that are left, less those in which it waited for the processor, or may have."""
    stack: tuple[Place, ...]
    """Where it stood most of the time, from the storage inwards; empty where nobody could look."""


@dataclass
class _Step:
    since: float
    late: float = 0.0
    stacks: list[tuple[Place, ...]] = field(default_factory=list)


class Watch:
    """Watches the steps of calls that are made on the thread that enters it.

    longest: seconds that a step may take. A thread looks at a step that takes longer, again and
    again, where it stands; how late that thread is itself tells how busy the machine is.
    """

    def __init__(self, longest: float) -> None:
        self._longest = longest
        self._pause = max(_SHORTEST_PAUSE, longest / _LOOKS)
        self._thread = threading.Thread(
            target=self._look, name="storeproof-loop-watch", daemon=True
        )
        self._stopped = threading.Event()
        self._step: _Step | None = None
        self._watched = threading.get_ident()
        self._best = min(_work() for _ in range(_LOOKS))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stopped.set()
        self._thread.join()

    async def make(self, call: Coroutine[Any, Any, T]) -> tuple[T, list[LongStep]]:
        """Make a call; give what it gives, and its steps that took too long."""
        stepped = _Stepped(call, self._take)
        return await stepped, stepped.long

    def _take(self, advance: Callable[[], T], long: list[LongStep]) -> T:
        """Take one step, and note it if it was long."""
        queued, used, since = _queued(), time.thread_time(), time.perf_counter()
        self._step = step = _Step(since)
        try:
            return advance()
        finally:
            self._step = None
            seconds = time.perf_counter() - since
            if seconds > self._longest:
                computing = time.thread_time() - used
                waiting = seconds - computing - (_queued() - queued) - step.late
                place = usual(step.stacks)
                long.append(LongStep(seconds, computing / self._slowness(), waiting, place))

    def _slowness(self) -> float:
        """Give how many times as long as at its best the machine now takes for some work."""
        now = _work()
        self._best = min(self._best, now)
        return now / self._best

    def _look(self) -> None:
        due = time.perf_counter() + self._pause
        while not self._stopped.wait(self._pause):
            now, step = time.perf_counter(), self._step
            if step is not None:
                step.late += max(0.0, now - max(due, step.since))
                if now - step.since > self._longest:
                    stack = _stack(sys._current_frames().get(self._watched))
                    if self._step is step and stack is not None:
                        step.stacks.append(stack)
            due = now + self._pause


class _Stepped(Generic[T]):
    """Awaits a call, each step of which is taken by another function."""

    def __init__(
        self,
        call: Coroutine[Any, Any, T],
        take: Callable[[Callable[[], Any], list[LongStep]], Any],
    ) -> None:
        self._call, self._take = call, take
        self.long: list[LongStep] = []

    def __await__(self) -> Generator[Any, Any, T]:
        steps = self._call.__await__()
        advance: Callable[[], Any] = functools.partial(next, steps)
        while True:
            try:
                awaited = self._take(advance, self.long)
            except StopIteration as end:
                outcome: T = end.value
                return outcome
            try:
                yield awaited
                advance = functools.partial(next, steps)
            except BaseException as error:  # to be raised where the call waits
                advance = functools.partial(steps.throw, error)


def common(stacks: Sequence[tuple[Place, ...]]) -> tuple[Place, ...]:
    """Give what stacks have in common, from the outside in."""
    shared = []
    for places in zip(*stacks, strict=False):
        if len(set(places)) > 1:
            break
        shared.append(places[0])
    return tuple(shared)


def usual(stacks: Sequence[tuple[Place, ...]]) -> tuple[Place, ...]:
    """Give what more than half of the stacks begin with; the others are of before or after."""
    shared: tuple[Place, ...] = ()
    while True:
        depth = len(shared)
        longer = Counter(x[: depth + 1] for x in stacks if len(x) > depth and x[:depth] == shared)
        most = max(longer, key=lambda each: longer[each], default=())
        if 2 * longer[most] <= len(stacks):
            return shared
        shared = most


def _stack(frame: FrameType | None) -> tuple[Place, ...] | None:
    """Give where a step stands, from the storage inwards; None where no step is being taken."""
    places: list[Place] = []
    while frame is not None:
        if frame.f_code is Watch._take.__code__:
            while places and places[-1].file.startswith(_HARNESS):
                places.pop()
            return tuple(reversed(places))
        places.append(Place(frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name))
        frame = frame.f_back
    return None


def _queued() -> float:
    """Give the seconds that this thread was kept from running by others, where Linux tells."""
    try:
        return int(_SCHEDULING.read_text().split()[1]) / 1e9
    except (OSError, IndexError):
        return 0.0


def _work() -> float:
    """Give the seconds of the processor that always the same work takes now."""
    used = time.thread_time()
    sum(_WORK)
    return time.thread_time() - used
