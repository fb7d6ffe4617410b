"""Tasks that are protobuf messages, as protoc makes them of tasks.proto."""

from typing import Any, NewType, Protocol

import tasks_pb2
from google.protobuf import json_format
from keeping import Kind, contract_of

TaskId = NewType("TaskId", str)
Task: Any = tasks_pb2.Task


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


def encode(task: Any) -> str:
    return json_format.MessageToJson(task, always_print_fields_with_no_presence=True)


def decode(text: str) -> Any:
    return json_format.Parse(text, Task())


KIND = Kind(encode, decode)
REFS = {"id": "Task.id"}
contract = contract_of(Tasks, KIND, refs=REFS)
careless = contract_of(Tasks, KIND.careless(), refs=REFS, name="Careless")
TestTasks, TestCareless = contract.suite(), careless.suite()
