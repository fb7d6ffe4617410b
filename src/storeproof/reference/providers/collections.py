"""For archives and migrations: the collections of providers. Secrets stay encrypted.

A deleted provider is among them, without its configuration: its id stays taken, and followers
hear of its end. What counts outcomes is made again from the outcomes.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from msgspec.structs import asdict
from sqlalchemy.dialects import postgresql, sqlite

from storeproof.reference.collections import Collection, Content, Kept, Reference, kept_in, rows_of
from storeproof.reference.database import Row
from storeproof.reference.database.compiling import POSTGRES, SQLITE, PerDialect
from storeproof.reference.database.entities import columns, entity
from storeproof.reference.providers.database.counting import count
from storeproof.reference.providers.database.outcomes import parameters
from storeproof.reference.providers.database.tables import (
    LEASES,
    OUTCOMES,
    PROVIDERS,
    SCHEMA,
    SECRETS,
    USAGE,
)
from storeproof.reference.providers.entities import (
    Change,
    Lease,
    Outcome,
    Provider,
    Secret,
    Usage,
    canonical,
    minute_of,
)
from storeproof.reference.providers.memory import InMemoryProviderStorage
from storeproof.reference.rules import canonical_values

__all__ = ["CONTENT", "Known"]


class Known(Change, frozen=True, kw_only=True):
    """A provider that is or was (`provider` None), its last change, and how long it cools."""

    cooling_until: datetime | None


def _checked(item: Known) -> Known:
    if item.provider is not None:
        canonical(item.provider)
    return canonical_values(item)


_FIELDS = columns(PROVIDERS, Provider)


def _known_of(row: Row) -> Known:
    revision, deleted, cooling, *fields = row
    provider = entity(Provider, tuple(fields))
    return Known(
        revision=revision,
        id=provider.id,
        provider=None if deleted else provider,
        cooling_until=cooling,
    )


def _known_values(item: Known) -> dict[str, Any]:
    # Nobody reads the configuration of a provider that was deleted.
    provider = item.provider or Provider(id=item.id, kind="", endpoint="")
    state = {"deleted": item.provider is None, "cooling_until": item.cooling_until}
    return {**asdict(provider), "revision": item.revision, **state}


def _give_known(storage: InMemoryProviderStorage) -> Iterator[Known]:
    for change in storage._changes.values():
        yield Known(**asdict(change), cooling_until=storage._cooling.get(change.id))


def _take_known(storage: InMemoryProviderStorage, items: Iterable[Known]) -> None:
    for item in items:
        change = Change(revision=item.revision, id=item.id, provider=item.provider)
        storage._changes[item.id] = change
        storage._revision = max(storage._revision, item.revision)
        if item.provider is not None:
            storage._providers[item.id] = item.provider
        if item.cooling_until is not None:
            storage._cooling[item.id] = item.cooling_until
    storage._tell()


_ID = ("id",)
_OF_PROVIDER = Reference(fields=("provider",), to=("providers.providers",))

_COLLECTIONS: tuple[Collection[Any], ...] = (
    Collection(
        name="providers.providers",
        item=Known,
        key=_ID,
        canonical=_checked,
        unique={"revision": lambda item: item.revision},
        give=_give_known,
        take=_take_known,
        kept=Kept(
            table=PROVIDERS,
            select=sa.select(
                PROVIDERS.c.revision, PROVIDERS.c.deleted, PROVIDERS.c.cooling_until, *_FIELDS
            ).order_by(PROVIDERS.c.id),
            make=_known_of,
            rows=rows_of(PROVIDERS, _known_values),
        ),
    ),
    Collection(
        name="providers.secrets",
        secret=frozenset({"ciphertext"}),
        item=Secret,
        key=("provider", "name"),
        canonical=canonical,
        references=(_OF_PROVIDER,),
        give=lambda storage: storage._secrets.values(),
        take=lambda storage, secrets: storage._secrets.update(
            {(each.provider, each.name): each for each in secrets}
        ),
        kept=kept_in(SECRETS, Secret, ("provider", "name")),
    ),
    Collection(
        name="providers.usage",
        item=Usage,
        key=("minute", "provider"),
        canonical=canonical_values,
        give=lambda storage: storage._usage.values(),
        take=lambda storage, usage: storage._usage.update(
            {(each.minute, each.provider): each for each in usage}
        ),
        kept=kept_in(USAGE, Usage, ("minute", "provider")),
    ),
    Collection(
        name="providers.leases",
        item=Lease,
        key=_ID,
        canonical=canonical_values,
        give=lambda storage: storage._leases.values(),
        take=lambda storage, leases: storage._leases.update({each.id: each for each in leases}),
        kept=kept_in(LEASES, Lease, _ID, derived={"minute": ("at", minute_of)}),
    ),
    Collection(
        name="providers.outcomes",
        item=Outcome,
        key=_ID,
        canonical=canonical,
        references=(_OF_PROVIDER,),
        give=lambda storage: storage._outcomes.values(),
        take=lambda storage, outcomes: storage._outcomes.update(
            {each.id: each for each in outcomes}
        ),
        kept=kept_in(OUTCOMES, Outcome, _ID, values=parameters),
    ),
)

_COUNT = PerDialect(
    {
        POSTGRES: count(postgresql.insert, OUTCOMES, 1),
        SQLITE: count(sqlite.insert, OUTCOMES, 1),
    }
)

CONTENT = Content(schema=SCHEMA, collections=_COLLECTIONS, rebuild=(_COUNT,))
