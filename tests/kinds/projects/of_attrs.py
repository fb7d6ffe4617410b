"""Tasks that are attrs classes."""

import json
from typing import NewType, Protocol

import attrs
from keeping import Kind, contract_of

TaskId = NewType("TaskId", str)


@attrs.define(kw_only=True)
class Task:
    id: TaskId
    title: str
    points: int | None = None
    tags: list[str] = attrs.field(factory=list)


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
    return json.dumps(attrs.asdict(task))


def decode(text: str) -> Task:
    return Task(**json.loads(text))


KIND = Kind(encode, decode)
contract = contract_of(Tasks, KIND)
careless = contract_of(Tasks, KIND.careless(), name="Careless")
TestTasks, TestCareless = contract.suite(), careless.suite()
