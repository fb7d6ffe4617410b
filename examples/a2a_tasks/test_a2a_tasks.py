"""Proves the DatabaseTaskStore of a2a-sdk against its InMemoryTaskStore."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from a2a.auth.user import User
from a2a.server.context import ServerCallContext
from a2a.server.tasks import DatabaseTaskStore, InMemoryTaskStore, TaskStore
from a2a.types import ListTasksRequest, Message, Part, Task, TaskStatus
from a2a.utils.errors import A2AError
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis.strategies import builds, lists, none, sampled_from, tuples
from sqlalchemy.ext.asyncio import create_async_engine

from storeproof import Contract

# What the protocol's definition marks as REQUIRED is always there, and never empty.
IDS = sampled_from(["a", "b", "é", "1" * 36, "1" * 37])
TEXT = sampled_from(["", "a", "b", "😀", "\x00"])
STRUCT = sampled_from([None, None, {"a": [None, 0.5, {"": "é"}]}, {"\x00": 1e300}, {}])
PARTS = lists(builds(Part, text=TEXT, metadata=STRUCT), min_size=1, max_size=2)
MESSAGE = builds(Message, message_id=IDS, role=sampled_from([1, 2]), parts=PARTS, metadata=STRUCT)
TIME, STATE = builds(Timestamp, nanos=sampled_from([0, 1, 1000])), sampled_from([1, 2, 3])
STATUS = builds(TaskStatus, state=STATE, message=none() | MESSAGE, timestamp=none() | TIME)
TASK = builds(Task, id=IDS, context_id=IDS, status=STATUS, history=tuples(MESSAGE), metadata=STRUCT)
FILTER = {"status": none() | STATE, "status_timestamp_after": none() | TIME}
PAGE = builds(ListTasksRequest, context_id=none() | IDS, page_size=sampled_from([1, 100]), **FILTER)


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
}
DRAWN = {"task": TASK, "task_id": IDS, "params": PAGE}
ANYONE = {"context": ServerCallContext}
tasks = Contract(TaskStore, context=ANYONE, arguments=DRAWN, **common)
TestTasks = tasks.suite()

# Beside what known_failures.toml tells of, the stores agree.
KNOWN = re.compile(r"1{37}|\\000|nanos: 1$|^metadata {\n}", re.MULTILINE)
PLAIN = {name: drawn.filter(lambda x: not KNOWN.search(str(x))) for name, drawn in DRAWN.items()}
plain_tasks = Contract(TaskStore, name="PlainTaskStore", context=ANYONE, arguments=PLAIN, **common)
TestPlainTasks = plain_tasks.suite()

CALLERS = [ServerCallContext(user=Caller(name)) for name in ("", "alice")]
OWNED = DRAWN | {"task": [Task(id="a", status=TaskStatus(state=2))], "context": CALLERS}
owned_tasks = Contract(TaskStore, name="TaskStoreOfTwoOwners", arguments=OWNED, **common)
TestOwnedTasks = owned_tasks.suite()
