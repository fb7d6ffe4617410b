"""Tasks that are dataclasses."""

import json
from dataclasses import asdict, dataclass, field
from typing import NewType, Protocol

from keeping import Kind, contract_of

TaskId = NewType("TaskId", str)


@dataclass
class Task:
    id: TaskId
    title: str
    points: int | None = None
    tags: list[str] = field(default_factory=list)


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
    return json.dumps(asdict(task))


def decode(text: str) -> Task:
    return Task(**json.loads(text))


KIND = Kind(encode, decode)
contract = contract_of(Tasks, KIND)
careless = contract_of(Tasks, KIND.careless(), name="Careless")
TestTasks, TestCareless = contract.suite(), careless.suite()
