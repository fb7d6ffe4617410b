"""Parameters that mean the same things are found by their names, where no type says so."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, NewType, Protocol
from uuid import UUID

import pytest

from harness.toys import context, failure
from storeproof import Capability, Contract
from storeproof.harness.checks.agreement import AgreementCheck
from storeproof.harness.checks.capabilities import CapabilitiesCheck

Tenant = NewType("Tenant", str)


@dataclass(frozen=True)
class AuditTask:
    id: str
    owner: str = ""


@dataclass(frozen=True)
class Comment:
    audit_task_id: str
    number: int


class Everything(Protocol):
    async def save(self, task: AuditTask, comment: Comment) -> None: ...
    async def find(self, id: str) -> AuditTask: ...
    async def drop(self, audit_task_id: str) -> None: ...
    async def drop_all(self, audit_task_ids: list[str]) -> None: ...
    async def put(self, key: str, text: str, tenant: Tenant) -> None: ...
    async def fetch(self, key: str, tenant: Tenant, limit: int) -> str: ...
    async def renew(self, key: str, limit: int, lease: UUID) -> str: ...


@pytest.mark.parametrize(
    ("parameter", "kind"),
    [
        ("find.id", "AuditTask.id"),
        ("drop.audit_task_id", "AuditTask.id"),
        ("drop_all.audit_task_ids", "AuditTask.id"),
        ("put.key", "key"),
        ("fetch.key", "key"),
        ("put.text", None),
        ("put.tenant", Tenant),
        ("fetch.limit", None),
        ("renew.lease", None),
    ],
)
def test_what_a_parameter_refers_to(parameter: str, kind: object) -> None:
    contract = Contract(Everything, model=object_with_all)
    operation, name = parameter.split(".")
    (hint,) = [x.hint for x in contract.operations[operation].parameters if x.name == name]
    assert contract.kind_of_parameter(operation, name, hint) == kind
    assert contract.kind_of_field(AuditTask, "id", str) == "AuditTask.id"
    assert contract.kind_of_field(AuditTask, "owner", str) is None


def object_with_all() -> Any:
    return type("All", (), dict.fromkeys(vars(Everything)))()


def test_what_the_author_says_comes_first() -> None:
    refs = {"id": "AuditTask.owner", "fetch.key": "AuditTask.id"}
    contract = Contract(Everything, model=object_with_all, refs=refs)
    assert contract.kind_of_parameter("find", "id", str) == "AuditTask.owner"
    assert contract.kind_of_parameter("fetch", "key", str) == "AuditTask.id"
    assert contract.kind_of_parameter("put", "key", str) == "key"


SHARED = (Capability.CONCURRENT_CLIENTS, Capability.SURVIVES_RESTART)


class KeyValue(Protocol):
    """As plain as a Protocol can be."""

    async def put(self, key: str, value: str) -> None:
        """Stores a value."""

    async def get(self, key: str) -> str | None:
        """The value, or None."""

    async def delete(self, key: str) -> bool:
        """Whether there was one."""


class InMemory:
    def __init__(self) -> None:
        self.values: dict[str, str] = {}

    async def put(self, key: str, value: str) -> None:
        self.values[key] = value

    async def get(self, key: str) -> str | None:
        return self.values.get(key)

    async def delete(self, key: str) -> bool:
        return self.values.pop(key, None) is not None


class ForgetsToDelete(InMemory):
    async def delete(self, key: str) -> bool:
        return key in self.values


@pytest.mark.parametrize("seed", range(5))
def test_a_protocol_of_plain_texts_needs_no_declaration(seed: int) -> None:
    contract = Contract(KeyValue, model=InMemory)
    with asyncio.Runner() as runner:
        for check in (CapabilitiesCheck(), AgreementCheck()):
            given = context(contract, InMemory, runner, seed=seed, capabilities=SHARED)
            assert failure(check, given) is None
        found = failure(AgreementCheck(), context(contract, ForgetsToDelete, runner, seed=seed))
    assert found is not None
    assert found.program is not None
    assert len(found.program.steps) == 3
