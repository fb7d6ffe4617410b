"""Authors of provider laws build what a law starts from here, and state what it ends with."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, TypeVar

from storeproof.harness.paging import walk
from storeproof.reference.law_words import is_invalid, is_refused
from storeproof.reference.providers.entities import (
    Ciphertext,
    LeaseId,
    Outcome,
    OutcomeId,
    Provider,
    ProviderFilter,
    ProviderId,
    Revision,
    Secret,
    SecretFilter,
    SecretName,
    Usage,
)
from storeproof.reference.providers.protocol import ProviderStorage

__all__ = [
    "ANY",
    "EAST",
    "HOUR",
    "MINUTE",
    "NOBODY",
    "NOW",
    "TICK",
    "TOKEN",
    "WEST",
    "acquire",
    "add",
    "ciphertext",
    "content",
    "is_invalid",
    "is_refused",
    "outcome",
    "provider",
    "secret",
    "used",
    "walk",
]

Item = TypeVar("Item")

NOW: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)
TICK: Final = timedelta(microseconds=1)
MINUTE: Final = timedelta(minutes=1)
HOUR: Final = timedelta(hours=1)
EAST, WEST, NOBODY = ProviderId("east"), ProviderId("west"), ProviderId("nobody")
TOKEN: Final = SecretName("token")
ANY: Final = ProviderFilter()


def provider(id: str, **fields: Any) -> Provider:
    plain: dict[str, Any] = {"id": id, "kind": "open", "endpoint": f"https://{id}.example.org"}
    return Provider(**plain | fields)


def ciphertext(letter: str) -> Ciphertext:
    return Ciphertext("v1." + letter * 40)


def secret(letter: str, id: ProviderId = EAST, **fields: Any) -> Secret:
    """The secret `token`, encrypted with the key `k1`; the letter makes the ciphertext."""
    plain: dict[str, Any] = {"provider": id, "name": TOKEN, "key": "k1"}
    return Secret(**plain | {"ciphertext": ciphertext(letter)} | fields)


def outcome(id: str, **fields: Any) -> Outcome:
    plain: dict[str, Any] = {"id": OutcomeId(id), "provider": EAST, "at": NOW, "ok": True}
    money = {"cost": Decimal("0.000000000")}
    return Outcome(**plain | money | {"latency": 100} | fields)


async def add(storage: ProviderStorage, *ids: ProviderId, **fields: Any) -> None:
    for each in ids:
        await storage.create(provider(each, **fields))


async def acquire(
    storage: ProviderStorage, lease: str, tokens: int = 0, at: datetime = NOW
) -> object:
    return await storage.acquire(LeaseId(lease), EAST, tokens, at)


async def used(storage: ProviderStorage, at: datetime = NOW) -> list[tuple[int, int]]:
    """Requests and tokens of each provider that was used in this minute."""
    found: tuple[Usage, ...] = (await storage.list_usage(at)).items
    return [(each.requests, each.tokens) for each in found]


async def content(storage: ProviderStorage) -> list[Any]:
    """Everything that can be read, as far as the laws' times and providers go."""
    return [
        await storage.list_providers(ANY),
        await storage.changes_since(Revision(0)),
        await storage.list_secrets(SecretFilter()),
        await storage.list_usage(NOW),
        await storage.list_cooling(NOW),
        await storage.stats(EAST, NOW - HOUR, NOW + HOUR),
    ]
