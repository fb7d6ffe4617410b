"""Tasks that are msgspec structs."""

from typing import NewType, Protocol

import msgspec
from keeping import Kind, contract_of

TaskId = NewType("TaskId", str)


class Task(msgspec.Struct, frozen=True, kw_only=True):
    id: TaskId
    title: str
    points: int | None = None
    tags: tuple[str, ...] = ()


class Tasks(Protocol):
    """Tasks by their ids."""

    async def get(self, id: TaskId) -> Task:
        """Give the task. Raises TaskMissing when there is none."""
        ...

    async def put(self, task: Task) -> None:
        """Keep a task, letter for letter, in place of the one with its id."""
        ...

    async def list_all(self) -> list[Task]:
        """Give all tasks, by their ids."""
        ...


def encode(task: Task) -> str:
    return msgspec.json.encode(task).decode()


def decode(text: str) -> Task:
    return msgspec.json.decode(text, type=Task)


KIND = Kind(encode, decode)
contract = contract_of(Tasks, KIND)
careless = contract_of(Tasks, KIND.careless(), name="Careless")
TestTasks, TestCareless = contract.suite(), careless.suite()
