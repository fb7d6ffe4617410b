"""Proves the DatabaseTaskStore of a2a-sdk against its InMemoryTaskStore."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from a2a.auth.user import User
from a2a.server.context import ServerCallContext
from a2a.server.tasks import DatabaseTaskStore, InMemoryTaskStore, TaskStore
from a2a.types import Message, Part, Task, TaskStatus
from a2a.utils.errors import A2AError
from sqlalchemy.ext.asyncio import create_async_engine

from storeproof import Contract


@dataclass(frozen=True)
class Caller(User):
    user_name: str = ""
    is_authenticated: bool = True


@asynccontextmanager
async def open_database(url: str, timeout: float = 60) -> AsyncIterator[DatabaseTaskStore]:
    waits = ["timeout", *(["command_timeout"] if "asyncpg" in url else [])]
    engine = create_async_engine(url, connect_args=dict.fromkeys(waits, timeout))
    store = DatabaseTaskStore(engine)
    await store.initialize()
    yield store
    await engine.dispose()


common: dict[str, Any] = {
    "model": InMemoryTaskStore,
    "storages": dict.fromkeys(("sqlite", "postgres"), open_database),
    "refs": {
        "ListTasksRequest.context_id": "Task.context_id",
        "ListTasksRequest.page_token": "ListTasksResponse.next_page_token",
    },
    "generated": ["ListTasksResponse.next_page_token"],
    "errors": [A2AError],
    "uncertain": [ConnectionError],
}
PAGES = {"ListTasksRequest.page_size": [1, 2, 3, 100]}
anyone = {**common, "context": {"context": ServerCallContext}}
tasks = Contract(TaskStore, arguments=PAGES, **anyone)
TestTasks = tasks.suite()

# Beside what known_failures.toml tells of, the stores agree.
PLAIN = PAGES | {
    "Task.id": ["a", "b", "é", "1" * 36],
    "Task.context_id": ["", "a", "b"],
    "Task.metadata": [{"a": [None, 0.5, {"": "é"}]}, {"b": 1e300}],
    "ListTasksResponse.next_page_token": [""],
    "Timestamp.nanos": [0, 1000, 999_999_000],
    "TaskStatus.message": [Message(message_id="b", role=2, parts=[Part(text="é")])],
}
plain_tasks = Contract(TaskStore, name="PlainTaskStore", arguments=PLAIN, **anyone)
TestPlainTasks = plain_tasks.suite()

CALLERS = [ServerCallContext(user=Caller(name)) for name in ("", "alice")]
OWNED = PLAIN | {"task": [Task(id="a", status=TaskStatus(state=2))], "context": CALLERS}
owned_tasks = Contract(TaskStore, name="TaskStoreOfTwoOwners", arguments=OWNED, **common)
TestOwnedTasks = owned_tasks.suite()
