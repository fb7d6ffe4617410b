"""Tasks that are SQLModel models: tables of a database, and entities of the Protocol at once."""

from typing import Protocol

from keeping import Kind, contract_of
from sqlmodel import Field, SQLModel


class Task(SQLModel, table=True):
    id: str = Field(primary_key=True)
    title: str
    points: int | None = None


class Tasks(Protocol):
    """Tasks by their ids."""

    async def get(self, id: str) -> Task:
        """Give the task. Raises TaskMissing when there is none."""
        ...

    async def put(self, task: Task) -> None:
        """Keep a task, letter for letter, in place of the one with its id."""
        ...

    async def list_all(self) -> list[Task]:
        """Give all tasks, by their ids."""
        ...


KIND, REFS = Kind(Task.model_dump_json, Task.model_validate_json), {"id": "Task.id"}
contract = contract_of(Tasks, KIND, refs=REFS)
careless = contract_of(Tasks, KIND.careless(), refs=REFS, name="Careless")
TestTasks, TestCareless = contract.suite(), careless.suite()
