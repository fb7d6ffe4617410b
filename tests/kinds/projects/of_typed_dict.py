"""Tasks that are typed dicts, which are plain dicts."""

import json
from typing import Any, NewType, NotRequired, Protocol, TypedDict

from keeping import Kind, contract_of

TaskId = NewType("TaskId", str)


class Task(TypedDict):
    id: TaskId
    title: str
    points: NotRequired[int]
    tags: list[str]


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


def id_of(task: Any) -> str:
    return str(task["id"])


KIND = Kind(json.dumps, json.loads, id_of)
contract = contract_of(Tasks, KIND)
careless = contract_of(Tasks, KIND.careless(), name="Careless")
TestTasks, TestCareless = contract.suite(), careless.suite()
