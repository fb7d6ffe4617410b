"""Tasks that are pydantic models."""

from typing import NewType, Protocol

import pydantic
from keeping import Kind, contract_of

TaskId = NewType("TaskId", str)


class Task(pydantic.BaseModel):
    id: TaskId
    title: str
    points: int | None = None
    tags: list[str] = pydantic.Field(default_factory=list)


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


KIND = Kind(Task.model_dump_json, Task.model_validate_json)
contract = contract_of(Tasks, KIND)
careless = contract_of(Tasks, KIND.careless(), name="Careless")
TestTasks, TestCareless = contract.suite(), careless.suite()
