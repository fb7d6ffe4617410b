"""For the tests of archives: storages of all components with something in every collection."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from storeproof.reference.archive import Manifest, export_archive
from storeproof.reference.auth import GLOBAL, ApiKey, AuditEntry, LockOutPolicy, Permission
from storeproof.reference.config import Config
from storeproof.reference.costs import Currency, Window
from storeproof.reference.errors import Kind, Tag
from storeproof.reference.errors.laws.given import event, point, resolved
from storeproof.reference.providers import Price, ProviderId
from storeproof.reference.providers.laws.given import EAST, WEST, outcome, provider, secret
from storeproof.reference.selection import Storages, open_storages

from ..auth.examples import ADMIN, ANN, BOB, digest, role, session, user
from ..costs import examples as costs

T = TypeVar("T")

NOW = datetime(2026, 3, 11, 12, 30, 15, 123456, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
DECOMPOSED = "e\u0301"
MOST_MONEY = Decimal("0.123456789")


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


def opened(url: str | None) -> AbstractAsyncContextManager[Storages]:
    """Storages in memory, or in the database at this URL."""
    return open_storages(Config(database_url=url, create_schema=True))


async def export(storages: Storages, path: Path, **options: Any) -> Manifest:
    return await export_archive(storages, path, clock=lambda: NOW, **options)


async def fill(storages: Storages) -> None:
    """Puts something into every collection, awkward values among it."""
    await fill_auth(storages)
    await fill_costs(storages)
    await fill_errors(storages)
    await fill_providers(storages)


async def fill_auth(storages: Storages) -> None:
    auth = storages.auth
    await auth.put_role(role("reader", "read"))
    await auth.put_role(role(ADMIN, "write manage", parents="reader", essential=True))
    await auth.create(user(ANN, display_name=DECOMPOSED, password_hash="$argon2id$v=19$x"))
    await auth.create(user(BOB, created_at=NOW, email=f"B{DECOMPOSED}\U0001f600@EXAMPLE.org"))
    await auth.create(user("\uffff", email="x@example.org"))
    await auth.create(user("\U0001f600"))
    await auth.grant(ANN, ADMIN, GLOBAL)
    await auth.grant(BOB, ADMIN, "team/a")
    policy = LockOutPolicy(threshold=1, duration=HOUR)
    await auth.record_attempt(BOB, False, NOW, policy)
    await auth.create_session(session("1"))
    await auth.create_session(session("2", user=BOB, created_at=NOW))
    await auth.rotate_session(ANN, "1", digest("3"), costs.NOW - timedelta(days=700), HOUR)
    await auth.revoke_session(BOB, "2", NOW)
    limited = frozenset({Permission("write"), Permission("read")})
    for key, permissions in (("4", None), ("5", limited), ("6", frozenset[Permission]())):
        await auth.create_api_key(
            ApiKey(id=key, user=ANN, digest=digest(key), permissions=permissions, created_at=NOW)
        )
    await auth.append_audit(
        AuditEntry(id="a1", at=NOW, action="do", subject="x", before='{"b":1,"a":null}')
    )
    await auth.append_audit(AuditEntry(id="a2", at=NOW, actor=ANN, action="do", subject="x"))


async def fill_costs(storages: Storages) -> None:
    storage = storages.costs
    tagged = {"tags": frozenset({"b", "a=1"}), "occurred_at": NOW, "quantity": 2**63 - 1}
    await storage.create(costs.charge("c1", str(MOST_MONEY), **tagged))
    await storage.create(costs.charge("c2", "-1000000000", currency=Currency("EUR"), owner=""))
    await storage.correct(costs.correction("k1", "c1", "-0.000000001"))
    await costs.put(storage, "b1", "10.5", thresholds=frozenset({50, 7, 100}))
    await costs.put(storage, "b2", "10", provider="acme", window=Window.TOTAL)
    await storage.put_budget(costs.budget("b1", "9", thresholds=frozenset({50})), 1, "x", NOW)
    held = costs.amounts(b1="4", b2="0")
    for name in ("r1", "r2", "r3", "r4"):
        await storage.reserve(name, held if name < "r3" else held[1:], NOW, NOW + HOUR)
    await storage.settle("r1", costs.amounts(b1="5"), costs.charge("c3", "5"))
    await storage.release("r3")
    await storage.reserve("r5", held[1:], NOW, NOW + timedelta(seconds=1))
    await storage.expire_reservations(NOW + timedelta(seconds=1), 10)
    (alert,) = await storage.raise_alerts("b1", NOW)
    await storage.mark_delivered(alert.id, "mail", NOW)


async def fill_errors(storages: Storages) -> None:
    storage = storages.errors
    for number in range(12):
        at = NOW + number * timedelta(hours=7)
        await storage.create(event(f"e{number:02}", f"g{number % 4}", at))
    await storage.merge("g0", "g1")
    await storage.merge("g1", "g2")
    await storage.set_state("g3", resolved(NOW + 90 * HOUR), 1)
    await storage.archive("purged", NOW + DAY, 2)
    await storage.purge("purged")
    await storage.archive("back", NOW + DAY, 1)
    await storage.restore_archive("back")
    await storage.archive("held", NOW + DAY, 3)
    tags = (Tag(key="b", value='"]'), Tag(key="a", value="\u00e9"))
    await storage.create(event("e20", "g0", NOW + DAY, tags=tags, stack="x\n\ty"))
    await storage.record_metric(point("p1", 2**53 - 1))
    tags = (Tag(key="b", value=DECOMPOSED), Tag(key="a", value=""))
    await storage.record_metric(point("p2", -1, kind=Kind.GAUGE, tags=tags))


async def fill_providers(storages: Storages) -> None:
    storage = storages.providers
    prices = (Price(model="m", input=MOST_MONEY, output=Decimal(0)),)
    gone = ProviderId("gone")
    await storage.create(provider(gone))
    await storage.put_secret(secret("a", gone))
    await storage.create(provider(EAST, rpm=3, prices=prices))
    await storage.create(provider(WEST, enabled=False))
    await storage.record_outcome(outcome("o0", provider=gone))
    await storage.delete(gone)
    await storage.put_secret(secret("b"))
    await storage.cool_down(WEST, NOW)
    await storage.acquire("l1", EAST, 5, NOW)
    await storage.acquire("l2", EAST, 7, NOW)
    await storage.acquire("l3", WEST, 0, NOW - DAY)
    await storage.record_outcome(outcome("o1", cost=MOST_MONEY))
    await storage.record_outcome(outcome("o2", ok=False, latency=2**20))
