"""Calls that come while one is under way share a round trip, and nobody gets another's answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import pytest

from storeproof.reference.database import ForeignKeyViolated, UniqueViolated
from storeproof.reference.database.combining import MOST_TOGETHER, Combined
from storeproof.reference.exceptions import OutcomeUnknown, Unavailable


class Line:
    """Answers only when told to, and remembers what went together."""

    def __init__(self) -> None:
        self.sent: list[list[str]] = []
        self.answers: asyncio.Queue[Exception | None] = asyncio.Queue()

    async def run(self, items: Sequence[str]) -> list[str]:
        self.sent.append(list(items))
        error = await self.answers.get()
        if error is not None:
            raise error
        return [f"answer to {item}" for item in items]

    async def until_sent(self, count: int) -> None:
        while len(self.sent) < count:
            await asyncio.sleep(0)

    def let(self, count: int) -> None:
        for _ in range(count):
            self.answers.put_nowait(None)


Body = Callable[[Line, Combined[str, str]], Coroutine[Any, Any, None]]


def with_line(body: Body) -> None:
    async def run() -> None:
        line = Line()
        await body(line, Combined(line.run, key=lambda item: item))
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(run())


async def stop_others(tasks: Sequence[asyncio.Task[Any]]) -> None:
    for task in asyncio.all_tasks():
        if task not in (asyncio.current_task(), *tasks):
            task.cancel()


async def start(combined: Combined[str, str], items: Sequence[str]) -> list[asyncio.Task[str]]:
    tasks = [asyncio.create_task(combined(item)) for item in items]
    await asyncio.sleep(0)
    return tasks


def test_a_call_alone_runs_at_once() -> None:
    async def body(line: Line, combined: Combined[str, str]) -> None:
        line.let(2)
        assert await combined("a") == "answer to a"
        assert await combined("b") == "answer to b"
        assert line.sent == [["a"], ["b"]]

    with_line(body)


def test_those_that_come_meanwhile_go_together_in_their_order() -> None:
    async def body(line: Line, combined: Combined[str, str]) -> None:
        tasks = await start(combined, "cab")
        line.let(2)
        assert await asyncio.gather(*tasks) == [f"answer to {each}" for each in "cab"]
        assert line.sent == [["c"], ["a", "b"]]

    with_line(body)


def test_so_many_go_together_at_most() -> None:
    async def body(line: Line, combined: Combined[str, str]) -> None:
        tasks = await start(combined, [str(number) for number in range(MOST_TOGETHER + 2)])
        line.let(3)
        await asyncio.gather(*tasks)
        assert [len(each) for each in line.sent] == [1, MOST_TOGETHER, 1]

    with_line(body)


def test_two_with_the_same_key_go_one_after_the_other() -> None:
    async def body(line: Line, combined: Combined[str, str]) -> None:
        tasks = await start(combined, "xaabac")
        line.let(4)
        await asyncio.gather(*tasks)
        assert line.sent == [["x"], ["a", "b", "c"], ["a"], ["a"]]

    with_line(body)


@pytest.mark.parametrize("kind", [UniqueViolated, ForeignKeyViolated])
def test_a_row_that_is_refused_fails_alone(kind: type[Exception]) -> None:
    async def body(line: Line, combined: Combined[str, str]) -> None:
        error = UniqueViolated("notes_id") if kind is UniqueViolated else ForeignKeyViolated()
        tasks = await start(combined, "xab")
        line.answers.put_nowait(None)
        line.answers.put_nowait(error)
        line.answers.put_nowait(error)
        line.answers.put_nowait(None)
        found = await asyncio.gather(*tasks, return_exceptions=True)
        assert line.sent == [["x"], ["a", "b"], ["a"], ["b"]]
        assert [found[0], type(found[1]), found[2]] == ["answer to x", kind, "answer to b"]

    with_line(body)


def test_what_would_go_alone_gets_an_answer_too_while_the_loop_is_stopped() -> None:
    async def body(line: Line, combined: Combined[str, str]) -> None:
        tasks = await start(combined, "xab")
        line.answers.put_nowait(None)
        line.answers.put_nowait(UniqueViolated("notes_id"))
        await line.until_sent(3)
        await stop_others(tasks)
        found = await asyncio.gather(*tasks, return_exceptions=True)
        assert found[0] == "answer to x"
        assert [type(each) for each in found[1:]] == [OutcomeUnknown, OutcomeUnknown]

    with_line(body)


def test_an_error_of_the_store_is_everybodys_and_each_has_its_own() -> None:
    async def body(line: Line, combined: Combined[str, str]) -> None:
        tasks = await start(combined, "xab")
        line.answers.put_nowait(None)
        line.answers.put_nowait(OutcomeUnknown("the connection was lost"))
        _, first, second = await asyncio.gather(*tasks, return_exceptions=True)
        assert type(first) is type(second) is OutcomeUnknown
        assert first is not second
        assert line.sent == [["x"], ["a", "b"]]

    with_line(body)


def test_the_first_ones_error_is_not_the_others() -> None:
    async def body(line: Line, combined: Combined[str, str]) -> None:
        tasks = await start(combined, "xa")
        line.answers.put_nowait(Unavailable("the server is stopping"))
        line.answers.put_nowait(None)
        first, second = await asyncio.gather(*tasks, return_exceptions=True)
        assert isinstance(first, Unavailable)
        assert second == "answer to a"

    with_line(body)


def test_a_call_cancelled_while_it_waits_is_not_sent() -> None:
    async def body(line: Line, combined: Combined[str, str]) -> None:
        tasks = await start(combined, "xab")
        tasks[1].cancel()
        line.let(2)
        found = await asyncio.gather(*tasks, return_exceptions=True)
        assert isinstance(found[1], asyncio.CancelledError)
        assert line.sent == [["x"], ["b"]]

    with_line(body)


def test_a_call_cancelled_under_way_ends_with_its_round_trip() -> None:
    async def body(line: Line, combined: Combined[str, str]) -> None:
        tasks = await start(combined, "xab")
        line.let(1)
        await line.until_sent(2)
        for _ in range(3):
            tasks[1].cancel()
            await asyncio.sleep(0)
        assert not tasks[1].done()
        line.let(1)
        found = await asyncio.gather(*tasks, return_exceptions=True)
        assert isinstance(found[1], asyncio.CancelledError)
        assert found[2] == "answer to b"

    with_line(body)


def test_the_first_one_cancelled_lets_the_others_go() -> None:
    async def body(line: Line, combined: Combined[str, str]) -> None:
        tasks = await start(combined, "xa")
        tasks[0].cancel()
        line.let(1)
        found = await asyncio.gather(*tasks, return_exceptions=True)
        assert isinstance(found[0], asyncio.CancelledError)
        assert found[1] == "answer to a"
        line.let(1)
        assert await combined("b") == "answer to b"

    with_line(body)


def test_what_waits_while_the_loop_is_stopped_gets_an_answer() -> None:
    async def body(line: Line, combined: Combined[str, str]) -> None:
        tasks = await start(combined, "xaa")
        line.let(1)
        await line.until_sent(2)
        await stop_others(tasks)
        first, under_way, waiting = await asyncio.gather(*tasks, return_exceptions=True)
        assert first == "answer to x"
        assert isinstance(under_way, OutcomeUnknown)
        assert isinstance(waiting, Unavailable)
        line.let(1)
        assert await combined("b") == "answer to b"

    with_line(body)
