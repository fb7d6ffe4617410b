"""For users and authors of a provider storage: its entities, and their canonical forms.

Entities are frozen and hold nothing that can be changed. Ids and times come from the
caller. Amounts of money are Decimals, in the currency that the provider bills in, with
at most nine decimals; canonical ones have exactly nine. `canonical` gives the form in
which every storage stores and returns an entity or a filter.
"""

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, NewType, TypeAlias, TypeVar

import msgspec

from storeproof.reference import values
from storeproof.reference.exceptions import InvalidValue
from storeproof.reference.providers.amounts import amount_of, canonical_amount
from storeproof.reference.providers.exceptions import RateLimited
from storeproof.reference.providers.sketch import MAX_LATENCY, Sketch, make_sketch
from storeproof.reference.rules import Rules, by_rules, integer, names, optional

__all__ = [
    "MINUTE",
    "Change",
    "Ciphertext",
    "Cooling",
    "KeyId",
    "Lease",
    "LeaseId",
    "ModelName",
    "Outcome",
    "OutcomeId",
    "Price",
    "Provider",
    "ProviderFilter",
    "ProviderId",
    "Revision",
    "Secret",
    "SecretFilter",
    "SecretName",
    "Stats",
    "Usage",
    "canonical",
    "canonical_ciphertext",
    "canonical_tokens",
    "check_room",
    "make_stats",
    "minute_of",
]

Entity = TypeVar("Entity", bound=msgspec.Struct)

ProviderId = NewType("ProviderId", str)
ModelName = NewType("ModelName", str)
SecretName = NewType("SecretName", str)
KeyId = NewType("KeyId", str)
"""Names the key that encrypted a secret; the key itself never comes near a storage."""
Ciphertext = NewType("Ciphertext", str)
"""`v1.` and the URL-safe base64 of nonce, encrypted text and tag. A raw secret is refused."""
LeaseId = NewType("LeaseId", str)
OutcomeId = NewType("OutcomeId", str)
Revision = NewType("Revision", int)
"""Counts the changes to the configuration of all providers; the first change is 1."""

MINUTE: Final = timedelta(minutes=1)
MAX_TEXT = 1000
MAX_COUNT = 2**62
MAX_RATE = 10**12
MAX_TOKENS = 2**31 - 1
MAX_WEIGHT = 10**6
MAX_PRIORITY = 10**6
MAX_CIPHERTEXT = 16384
_CIPHERTEXT = re.compile(r"v1\.[A-Za-z0-9_-]{38,}")
_CREDENTIALS = re.compile(
    r"//[^/?#]*@|[?&](?:[a-z0-9]+[-_])*(?:api|auth|access|client)?"
    r"(?:key|token|secret|password|signature|sig)=",
    re.IGNORECASE,
)
"""A user or password before the host, or a parameter that is named like a secret."""


class Price(msgspec.Struct, frozen=True, kw_only=True):
    """What a million tokens of a model cost, read (`input`) and written (`output`)."""

    model: ModelName
    input: Decimal
    output: Decimal


class Provider(msgspec.Struct, frozen=True, kw_only=True):
    """A service that answers requests to models. A lower `priority` is preferred.

    `rpm` and `tpm`: at most so many requests and tokens in a minute; None: no limit.
    `prices`: one for each model at most. `version` counts updates.
    """

    id: ProviderId
    kind: str
    endpoint: str
    models: frozenset[ModelName] = frozenset()
    weight: int = 1
    priority: int = 0
    rpm: int | None = None
    tpm: int | None = None
    prices: tuple[Price, ...] = ()
    enabled: bool = True
    version: int = 1


class ProviderFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Providers that match all that is given; `model`: it is one of theirs."""

    kind: str | None = None
    model: ModelName | None = None
    enabled: bool | None = None


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """The last change to a provider, and what it is now; None: it was deleted."""

    revision: Revision
    id: ProviderId
    provider: Provider | None


class Secret(msgspec.Struct, frozen=True, kw_only=True):
    """A provider's credential, encrypted with `key`. Storages never see the plain text."""

    provider: ProviderId
    name: SecretName
    key: KeyId
    ciphertext: Ciphertext


class SecretFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Secrets that match all that is given; `other_than`: encrypted with any other key."""

    provider: ProviderId | None = None
    other_than: KeyId | None = None


class Lease(msgspec.Struct, frozen=True, kw_only=True):
    """The right to send one request of about `tokens` tokens, given at `at`."""

    id: LeaseId
    provider: ProviderId
    tokens: int
    at: datetime


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """The leases that a provider gave in the minute that began at `minute`."""

    provider: ProviderId
    minute: datetime
    requests: int
    tokens: int


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """How a request to a provider ended; `latency` in microseconds."""

    id: OutcomeId
    provider: ProviderId
    at: datetime
    ok: bool
    latency: int
    tokens: int = 0
    cost: Decimal = Decimal(0)


class Stats(msgspec.Struct, frozen=True, kw_only=True):
    """The outcomes of a provider from `start` (included) to `end` (not included).

    `latencies`, `p50`, `p95` and `p99` (microseconds) are of those that were ok; the
    quantiles are None where there is none.
    """

    provider: ProviderId
    start: datetime
    end: datetime
    count: int
    errors: int
    tokens: int
    cost: Decimal
    latencies: Sketch
    p50: int | None
    p95: int | None
    p99: int | None

    @property
    def error_rate(self) -> float:
        """The share of errors, 0 where there is no outcome."""
        return self.errors / self.count if self.count else 0.0


class Cooling(msgspec.Struct, frozen=True, kw_only=True):
    """A provider that should not be used before `until`."""

    provider: ProviderId
    until: datetime


Tally: TypeAlias = tuple[bool, int, int, int, int]
"""Outcomes with the same `ok` and bucket: ok, bucket, count, tokens, nano-units of cost."""


def minute_of(at: datetime) -> datetime:
    """When the minute of a canonical instant began."""
    return at.replace(second=0, microsecond=0)


def check_room(
    provider: ProviderId, limits: tuple[int | None, int | None], used: Usage, tokens: int
) -> None:
    """Raises RateLimited where the limits (rpm, tpm) leave no room for one lease more.

    Tokens that exceed any minute come first, then the requests, then the tokens.
    """
    rpm, tpm = limits
    if tpm is not None and tokens > tpm:
        raise RateLimited(provider, "tpm", None)
    if rpm is not None and used.requests >= rpm:
        raise RateLimited(provider, "rpm", used.minute + MINUTE)
    if tpm is not None and used.tokens + tokens > tpm:
        raise RateLimited(provider, "tpm", used.minute + MINUTE)


def make_stats(
    provider: ProviderId, start: datetime, end: datetime, tallies: Iterable[Tally]
) -> Stats:
    """The statistics of the outcomes that these tallies count."""
    rows = list(tallies)
    sketch = make_sketch((bucket, count) for ok, bucket, count, _, _ in rows if ok)
    return Stats(
        provider=provider,
        start=start,
        end=end,
        count=sum(row[2] for row in rows),
        errors=sum(row[2] for row in rows if not row[0]),
        tokens=sum(row[3] for row in rows),
        cost=amount_of(sum(row[4] for row in rows)),
        latencies=sketch,
        p50=sketch.quantile(50),
        p95=sketch.quantile(95),
        p99=sketch.quantile(99),
    )


def canonical_ciphertext(field: str, value: Ciphertext) -> Ciphertext:
    """A ciphertext as the NewType says; the value itself is never quoted."""
    if not isinstance(value, str) or not _CIPHERTEXT.fullmatch(value):
        raise InvalidValue(field, "must be a ciphertext, not a secret in the clear")
    if len(value) > MAX_CIPHERTEXT:
        raise InvalidValue(field, f"must have at most {MAX_CIPHERTEXT} characters")
    return value


def canonical_tokens(field: str, value: int) -> int:
    """A number of tokens: 0 to 2^31 - 1."""
    return values.canonical_integer(field, value, 0, MAX_TOKENS)


def _endpoint(field: str, value: str) -> str:
    values.canonical_id(field, value, MAX_TEXT)
    if _CREDENTIALS.search(value):
        raise InvalidValue(field, "must not contain credentials; put them into a secret")
    return value


def _prices(field: str, prices: tuple[Price, ...]) -> tuple[Price, ...]:
    if not isinstance(prices, tuple) or not all(isinstance(each, Price) for each in prices):
        raise InvalidValue(field, "must be a tuple of Price")
    if len(prices) > values.MAX_MEMBERS:
        raise InvalidValue(field, f"must have at most {values.MAX_MEMBERS} members")
    made = sorted(map(canonical, prices), key=lambda price: price.model)
    if len({price.model for price in made}) != len(made):
        raise InvalidValue(field, "must have one price for each model at most")
    return tuple(made)


_ID, _NAME = values.canonical_id, values.canonical_name
_TIME, _FLAG = values.canonical_time, values.canonical_flag
_RULES: Rules = {
    Price: {"model": _NAME, "input": canonical_amount, "output": canonical_amount},
    Provider: {
        "id": _ID,
        "kind": _NAME,
        "endpoint": _endpoint,
        "models": names,
        "weight": integer(0, MAX_WEIGHT),
        "priority": integer(0, MAX_PRIORITY),
        "rpm": optional(integer(1, MAX_RATE)),
        "tpm": optional(integer(1, MAX_RATE)),
        "prices": _prices,
        "enabled": _FLAG,
        "version": integer(1, MAX_COUNT),
    },
    ProviderFilter: {
        "kind": optional(_NAME),
        "model": optional(_NAME),
        "enabled": optional(_FLAG),
    },
    Secret: {"provider": _ID, "name": _NAME, "key": _NAME, "ciphertext": canonical_ciphertext},
    SecretFilter: {"provider": optional(_ID), "other_than": optional(_NAME)},
    Outcome: {
        "id": _ID,
        "provider": _ID,
        "at": _TIME,
        "ok": _FLAG,
        "latency": integer(0, MAX_LATENCY),
        "tokens": canonical_tokens,
        "cost": canonical_amount,
    },
}


def canonical(entity: Entity) -> Entity:
    """The entity or filter in the form in which every storage stores and returns it.

    Raises InvalidValue for the first bad field, in the order of declaration; for a field
    of a price it names that field.
    """
    return by_rules(_RULES, entity)
