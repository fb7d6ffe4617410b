"""Proves the DatabaseTaskStore of a2a-sdk against its InMemoryTaskStore."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from a2a.auth.user import User
from a2a.server.context import ServerCallContext
from a2a.server.tasks import DatabaseTaskStore, InMemoryTaskStore, TaskStore
from a2a.types import Artifact, ListTasksRequest, Message, Part, Role, Task, TaskState, TaskStatus
from a2a.utils.errors import A2AError
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import create_async_engine

from storeproof import Contract

# What the protocol's definition marks as REQUIRED is always there, and not empty.
IDS = st.sampled_from(["a", "b", "é", "\x00", "1" * 36, "1" * 37])
TEXT, SIZE = st.sampled_from(["", "a", "é😀", "\x00"]), st.none() | st.integers(1, 100)
JSON = TEXT | st.sampled_from([None, True, 0.5, 1e300, [], {}, [None, {"": 1}]])
STRUCT = st.none() | st.dictionaries(TEXT, JSON, max_size=1)
PART = st.builds(Part, text=TEXT, metadata=STRUCT) | st.builds(Part, raw=st.binary(max_size=2))
PARTS, ROLE = st.lists(PART, min_size=1, max_size=2), st.sampled_from(Role.values()[1:])
MESSAGE = st.builds(Message, message_id=IDS, role=ROLE, parts=PARTS, metadata=STRUCT)
STATE = st.sampled_from(TaskState.values()[1:4])
TIME = st.builds(Timestamp, seconds=st.sampled_from([0, -1]), nanos=st.sampled_from([0, 1, 1000]))
TASK = st.builds(
    Task,
    id=IDS,
    context_id=st.just("") | IDS,
    status=st.builds(TaskStatus, state=STATE, message=st.none() | MESSAGE, timestamp=TIME),
    artifacts=st.lists(st.builds(Artifact, artifact_id=IDS, parts=PARTS), max_size=1),
    history=st.lists(MESSAGE, max_size=1),
    metadata=STRUCT,
)
FILTER = {"context_id": st.just("") | IDS, "status": st.just(0) | STATE}
PAGE = st.builds(ListTasksRequest, **FILTER, page_size=SIZE, status_timestamp_after=TIME)


@dataclass(frozen=True)
class Caller(User):
    user_name: str = ""
    is_authenticated: bool = True


@asynccontextmanager
async def open_database(url: str) -> AsyncIterator[DatabaseTaskStore]:
    engine = create_async_engine(url)
    store = DatabaseTaskStore(engine)
    await store.initialize()
    yield store
    await engine.dispose()


common: dict[str, Any] = {
    "model": InMemoryTaskStore,
    "storages": {"sqlite": open_database, "postgres": open_database},
    "generated": ["ListTasksResponse.next_page_token"],
    "errors": [A2AError],
    "arguments": {"task": TASK, "task_id": IDS, "params": PAGE},
}
tasks = Contract(TaskStore, context={"context": ServerCallContext}, **common)
TestTasks = tasks.suite()

OWNERS = [ServerCallContext(user=Caller(name)) for name in ("alice", "bob")]
PLAIN = [Task(id=id, status=TaskStatus(state="TASK_STATE_WORKING")) for id in ("a", "b")]
common["arguments"] = {
    "task": PLAIN,
    "task_id": ["a", "b"],
    "params": [ListTasksRequest()],
    "context": OWNERS,
}
owned_tasks = Contract(TaskStore, name="TaskStoreWithOwners", **common)
TestOwnedTasks = owned_tasks.suite()
