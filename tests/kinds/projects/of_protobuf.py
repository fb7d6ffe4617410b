"""Tasks that are protobuf messages, as protoc makes them of tasks.proto."""

import sys
from types import ModuleType
from typing import Any, NewType, Protocol

from google.protobuf import descriptor_pb2, descriptor_pool, json_format
from google.protobuf.internal import builder
from keeping import Kind, contract_of

FIELD = descriptor_pb2.FieldDescriptorProto
TaskId = NewType("TaskId", str)


def generated() -> Any:
    """Make the module tasks_pb2."""
    file = descriptor_pb2.FileDescriptorProto(name="tasks.proto", package="tasks", syntax="proto3")
    message = file.message_type.add(name="Task")
    one, many = FIELD.LABEL_OPTIONAL, FIELD.LABEL_REPEATED
    fields = [("id", FIELD.TYPE_STRING, one), ("title", FIELD.TYPE_STRING, one)]
    fields += [("points", FIELD.TYPE_INT32, one), ("tags", FIELD.TYPE_STRING, many)]
    for number, (name, type_, label) in enumerate(fields, 1):
        message.field.add(name=name, number=number, type=type_, label=label)
    module: Any = ModuleType("tasks_pb2")
    sys.modules["tasks_pb2"] = module
    module.DESCRIPTOR = descriptor_pool.Default().AddSerializedFile(file.SerializeToString())
    builder.BuildMessageAndEnumDescriptors(module.DESCRIPTOR, vars(module))
    builder.BuildTopDescriptorsAndMessages(module.DESCRIPTOR, "tasks_pb2", vars(module))
    return module


Task: Any = generated().Task


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
