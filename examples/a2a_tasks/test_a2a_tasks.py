"""Proves the DatabaseTaskStore of a2a-sdk against its InMemoryTaskStore."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from a2a.server.context import ServerCallContext
from a2a.server.tasks import DatabaseTaskStore, InMemoryTaskStore, TaskStore
from a2a.types import Artifact, ListTasksRequest, Message, Part, Role, Task, TaskState, TaskStatus
from a2a.utils.errors import A2AError
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import create_async_engine

from storeproof import Contract

# Fields that the protocol's definition marks as REQUIRED are always set.
IDS = st.sampled_from(["a", "b", "B", "é", "1" * 36, "2" * 40])
TEXT = st.sampled_from(["", "a", "é😀", "\x00", "'%"])
VALUE = st.none() | st.booleans() | st.floats(-1e300, 1e300) | TEXT
STRUCT = st.none() | st.dictionaries(TEXT, VALUE | st.lists(VALUE, max_size=2), max_size=2)
CONTENT = st.fixed_dictionaries({"text": TEXT}) | st.fixed_dictionaries({"raw": st.binary(max_size=2)})
PART = st.builds(lambda content, **others: Part(**content, **others), CONTENT, metadata=STRUCT)
PARTS = st.lists(PART, min_size=1, max_size=2)
ROLE, STATE = st.sampled_from(Role.values()[1:]), st.sampled_from(TaskState.values()[1:])
MESSAGE = st.builds(Message, message_id=IDS, role=ROLE, parts=PARTS, metadata=STRUCT)
ARTIFACT = st.builds(Artifact, artifact_id=IDS, name=TEXT, parts=PARTS, metadata=STRUCT)
TIME = st.builds(Timestamp, seconds=st.sampled_from([0, 1, -1]), nanos=st.sampled_from([0, 1, 1999]))
STATUS = st.builds(TaskStatus, state=STATE, message=st.none() | MESSAGE, timestamp=st.none() | TIME)
TASK = st.builds(
    Task,
    id=IDS,
    context_id=st.just("") | IDS,
    status=STATUS,
    artifacts=st.lists(ARTIFACT, max_size=2),
    history=st.lists(MESSAGE, max_size=2),
    metadata=STRUCT,
)
REQUEST = st.builds(
    ListTasksRequest,
    context_id=st.just("") | IDS,
    status=st.just(0) | STATE,
    page_size=st.none() | st.integers(1, 3),
    status_timestamp_after=st.none() | TIME,
)


@asynccontextmanager
async def open_database(url: str) -> AsyncIterator[DatabaseTaskStore]:
    engine = create_async_engine(url)
    store = DatabaseTaskStore(engine)
    await store.initialize()
    yield store
    await engine.dispose()


tasks = Contract(
    TaskStore,
    model=InMemoryTaskStore,
    storages={"sqlite": open_database, "postgres": open_database},
    context={"context": ServerCallContext},
    arguments={"task": TASK, "task_id": IDS, "params": REQUEST},
    refs={"task_id": "Task.id"},
    generated=["ListTasksResponse.next_page_token"],
    reads=["get", "list"],
    errors=[A2AError],
)
TestTasks = tasks.suite()
