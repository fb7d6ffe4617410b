"""A Protocol that is not async: clients call in a thread each."""

import json
from dataclasses import asdict, dataclass
from typing import Any, NewType, Protocol

from keeping import Kind, SyncModel, TaskMissing, sync_opener

from storeproof import Contract

TaskId = NewType("TaskId", str)


@dataclass(frozen=True)
class Task:
    id: TaskId
    title: str
    points: int | None = None


class Tasks(Protocol):
    """Tasks by their ids."""

    def get(self, id: TaskId) -> Task:
        """Give the task. Raises TaskMissing when there is none."""
        ...

    def put(self, task: Task) -> None:
        """Keep a task, letter for letter, in place of the one with its id."""
        ...

    def list_all(self) -> list[Task]:
        """Give all tasks, by their ids."""
        ...


def encode(task: Task) -> str:
    return json.dumps(asdict(task))


def decode(text: str) -> Task:
    return Task(**json.loads(text))


def contract_with(kind: Kind, name: str) -> Any:
    return Contract(
        Tasks,
        model=lambda: SyncModel(kind),
        storages={"sqlite": sync_opener(kind)},
        errors=(TaskMissing,),
        thread_safe=True,
        name=name,
    )


KIND = Kind(encode, decode)
contract, careless = contract_with(KIND, "Tasks"), contract_with(KIND.careless(), "Careless")
TestTasks, TestCareless = contract.suite(), careless.suite()
