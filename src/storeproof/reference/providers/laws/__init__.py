"""For authors of a provider storage: the laws, and the contract that uses them."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Final

from storeproof.harness.contract import Contract
from storeproof.harness.law import Law, laws_of
from storeproof.reference.exceptions import OutcomeUnknown, StorageError, Unavailable
from storeproof.reference.law_words import field, maybe, some
from storeproof.reference.providers.database import open_provider_storage
from storeproof.reference.providers.entities import (
    Ciphertext,
    KeyId,
    LeaseId,
    ModelName,
    OutcomeId,
    Price,
    ProviderId,
    Revision,
    SecretName,
)
from storeproof.reference.providers.laws import (
    configuration,
    cooling,
    outcomes,
    races,
    secrets,
    statistics,
    usage,
    values,
)
from storeproof.reference.providers.memory import InMemoryProviderStorage
from storeproof.reference.providers.protocol import ProviderStorage

__all__ = ["LAWS", "contract"]

LAWS: Final[tuple[Law, ...]] = (
    *laws_of(configuration),
    *laws_of(secrets),
    *laws_of(usage),
    *laws_of(outcomes),
    *laws_of(values),
    *laws_of(races),
    *laws_of(cooling),
    *laws_of(statistics),
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
TICK, MINUTE, HOUR = timedelta(microseconds=1), timedelta(minutes=1), timedelta(hours=1)


BAD_TIMES = (NOW.replace(tzinfo=None), datetime.max.replace(tzinfo=UTC))
TIMES = (
    NOW,
    NOW + MINUTE,
    NOW + MINUTE - TICK,
    NOW + TICK,
    NOW - MINUTE,
    (NOW + MINUTE).astimezone(timezone(timedelta(hours=5, minutes=30, seconds=30))),
)
IDS, ODD_IDS = ("a", "b"), ("A", "é", "e\u0301", "a ", "", "\0", "a" * 256)
NAMES, ODD_NAMES = ("a", "b"), ("c", "A", "é", "", "a\0", "a" * 129)
CIPHERTEXTS = tuple("v1." + letter * 40 for letter in "abc")
BAD_CIPHERTEXTS = ("", "sk-secret", "v1.short", "v1." + "a" * 40 + "\n")
ENDPOINTS, BAD_ENDPOINTS = ("https://a", "https://a/b@c"), ("", "https://a:b@c", "https://a?key=b")
MODELS: tuple[frozenset[str], ...] = tuple(map(frozenset, ("", "a", "b", "ab")))
AMOUNTS = tuple(map(Decimal, ("0", "0.1", "0.000000001", "1E+4", "2.50")))
BAD_AMOUNTS = tuple(map(Decimal, ("-1", "1E-10", "10000.1", "NaN", "Infinity")))
LIMITS, BAD_LIMITS = (1, 2, 10), (0, -1, 10**12 + 1)
COUNTS, BAD_COUNTS = (0, 1, 2, 5, 11, 2**31 - 1), (-1, 2**31)
LATENCIES = (0, 1, 255, 256, 257, 258, 1000, 10**6, 24 * 3600 * 10**6)


def _price(model: str, amount: str) -> Price:
    return Price(model=ModelName(model), input=Decimal(amount), output=Decimal("0.25"))


PRICES = (
    (),
    (_price("a", "1"),),
    (_price("b", "1.5"), _price("a", "0.000000001")),
)
BAD_PRICES = ((_price("a", "1"), _price("a", "2")), (_price("a", "-1"),), (_price("", "1"),))

contract = Contract(
    ProviderStorage,
    name="providers",
    model=InMemoryProviderStorage,
    storages={"sqlite": open_provider_storage, "postgres": open_provider_storage},
    errors=(StorageError,),
    uncertain=(OutcomeUnknown,),
    unavailable=(Unavailable,),
    ends_within=10,
    moving=["list_providers"],
    arguments={
        Ciphertext: some(CIPHERTEXTS, BAD_CIPHERTEXTS),
        KeyId: some(NAMES, ODD_NAMES),
        LeaseId: some(IDS, ODD_IDS),
        ModelName: some(NAMES, ODD_NAMES),
        OutcomeId: some(IDS, ODD_IDS),
        ProviderId: some(IDS, ODD_IDS),
        Revision: some((0, 1, 2, 3), (-1, 10**12, 2**63)),
        SecretName: some(("a", "a", "a", "b"), ODD_NAMES),
        "at": some(TIMES, BAD_TIMES),
        "before": some(TIMES, BAD_TIMES),
        "end": some(TIMES, BAD_TIMES),
        "expected_version": some((1, 1, 1, 2, 2, 3), (0, -1, 2**63)),
        "limit": some((1, 2, 3, 100), (1000, 0, -1, 1001)),
        "now": some(TIMES, BAD_TIMES),
        "start": some(TIMES, BAD_TIMES),
        "tokens": some(COUNTS, BAD_COUNTS),
        "until": some(TIMES, BAD_TIMES),
        "Outcome.at": field(TIMES, BAD_TIMES),
        "Outcome.cost": field(AMOUNTS, BAD_AMOUNTS),
        "Outcome.latency": field(LATENCIES, (-1, 2**63)),
        "Outcome.tokens": field(COUNTS, BAD_COUNTS),
        "Provider.endpoint": field(ENDPOINTS, BAD_ENDPOINTS),
        "Provider.kind": field(NAMES, ODD_NAMES),
        "Provider.models": field(MODELS, (frozenset({""}),)),
        "Provider.prices": field(PRICES, BAD_PRICES),
        "Provider.priority": field((0, 1, 2, 10), (-1, 10**6, 2**63)),
        "Provider.rpm": maybe(LIMITS, BAD_LIMITS),
        "Provider.tpm": maybe(LIMITS, BAD_LIMITS),
        "Provider.version": field((1, 2), (0, 2**62, 2**63)),
        "Provider.weight": field((0, 1, 2), (-1, 2**63)),
        "ProviderFilter.kind": maybe(NAMES, ODD_NAMES),
    },
    laws=LAWS,
)
