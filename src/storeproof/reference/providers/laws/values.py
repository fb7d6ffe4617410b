"""For authors of a provider storage: the laws of values, and of what is refused."""

from collections.abc import Awaitable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from storeproof.harness.law import MUST, law
from storeproof.reference.exceptions import StorageError
from storeproof.reference.providers.entities import (
    LeaseId,
    ModelName,
    Price,
    ProviderFilter,
    ProviderId,
    Revision,
    SecretFilter,
    SecretName,
)
from storeproof.reference.providers.laws.given import (
    ANY,
    EAST,
    HOUR,
    NOBODY,
    NOW,
    TICK,
    WEST,
    acquire,
    add,
    ciphertext,
    content,
    is_invalid,
    outcome,
    provider,
    secret,
)
from storeproof.reference.providers.protocol import ProviderStorage
from storeproof.reference.storage import Cursor

__all__: list[str] = []

LOCAL = timezone(timedelta(hours=5, minutes=30))
FRACTION = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)


def price(model: str, amount: str) -> Price:
    return Price(model=ModelName(model), input=Decimal(amount), output=Decimal(0))


@law("PROV-050", MUST)
async def times_are_instants(storage: ProviderStorage) -> None:
    """A time with another offset comes back as the same instant in UTC, with its microseconds."""
    await add(storage, EAST)
    local = FRACTION.astimezone(LOCAL)
    lease = await storage.acquire(LeaseId("a"), EAST, 1, local)
    made = await storage.record_outcome(outcome("a", at=local))
    until = await storage.cool_down(EAST, local)
    listed = (await storage.list_cooling(NOW)).items[0]
    for time in (lease.at, made.at, until, listed.until):
        assert time == FRACTION
        assert time.tzinfo is UTC
    found = await storage.stats(EAST, local, local + TICK)
    assert (found.count, found.start.tzinfo) == (1, UTC)


@law("PROV-051", MUST)
async def naive_and_extreme_times_are_invalid(storage: ProviderStorage) -> None:
    """A time without a zone, or in the first or last days of the calendar, is invalid."""
    naive = NOW.replace(tzinfo=None)
    for time in (naive, datetime.max.replace(tzinfo=UTC), datetime.min.replace(tzinfo=LOCAL)):
        await is_invalid(acquire(storage, "a", at=time), "now")
        await is_invalid(storage.list_usage(time), "now")
        await is_invalid(storage.purge_usage(time, 1), "before")
        await is_invalid(storage.record_outcome(outcome("a", at=time)), "at")
        await is_invalid(storage.stats(EAST, time, NOW), "start")
        await is_invalid(storage.stats(EAST, NOW, time), "end")
        await is_invalid(storage.purge_outcomes(time, 1), "before")
        await is_invalid(storage.cool_down(EAST, time), "until")
        await is_invalid(storage.end_cooling(EAST, time), "at")
        await is_invalid(storage.list_cooling(time), "now")


@law("PROV-052", MUST)
async def amounts_are_exact(storage: ProviderStorage) -> None:
    """Amounts come back exactly, as Decimals with nine decimals; more decimals are invalid."""
    for number, (given, stored) in enumerate(
        (("0", "0E-9"), ("1.5", "1.500000000"), ("1E+4", "10000.000000000"), ("1E-9", "1E-9"))
    ):
        made = provider(str(number), prices=(price("m", given),))
        kept = (await storage.create(made)).prices[0].input
        assert str(kept) == stored
        assert str((await storage.get_by_id(made.id)).prices[0].input) == stored
    bad = ("1E-10", "-1E-9", "10000.000000001", "NaN", "sNaN", "Infinity", "1." + "0" * 40 + "1")
    for amount in bad:
        await is_invalid(storage.create(provider(EAST, prices=(price("m", amount),))), "input")
        await is_invalid(storage.record_outcome(outcome("a", cost=Decimal(amount))), "cost")


@law("PROV-053", MUST)
async def prices_are_one_a_model(storage: ProviderStorage) -> None:
    """Prices come back by model; two for one model are invalid."""
    prices = (price("b", "1.000000000"), price("B", "2.000000000"), price("a", "3.000000000"))
    made = await storage.create(provider(EAST, prices=prices))
    assert [each.model for each in made.prices] == ["B", "a", "b"]
    assert (await storage.get_by_id(EAST)).prices == made.prices
    twice = (price("a", "1"), price("a", "2"))
    await is_invalid(storage.create(provider(WEST, prices=twice)), "prices")
    await is_invalid(storage.create(provider(WEST, prices=(price("", "1"),))), "model")


@law("PROV-054", MUST)
async def endpoints_have_no_credentials(storage: ProviderStorage) -> None:
    """An endpoint with a user, password or key in it is invalid, an empty or too long one too."""
    keys = ("key", "api_key", "X-Goog-Signature", "accessToken", "client_secret", "sig")
    for bad in ("https://ann:pw@host/", "//ann@host", "", "a" * 1001, "a\0"):
        await is_invalid(storage.create(provider(EAST, endpoint=bad)), "endpoint")
    for bad in (f"https://host/path?version=1&{key}=sk-1" for key in keys):
        await is_invalid(storage.create(provider(EAST, endpoint=bad)), "endpoint")
    for good in (
        "https://host/a@b",
        "https://host?user=a@b&monkey=1",
        "unix:/run/model",
        "é" * 1000,
    ):
        made = provider(good[-20:], endpoint=good)
        assert (await storage.create(made)).endpoint == good


@law("PROV-055", MUST)
async def numbers_have_bounds(storage: ProviderStorage) -> None:
    """Each number has its bounds, and comes back exactly at them; a bool is none."""
    highest = {"weight": 10**6, "priority": 10**6, "rpm": 10**12, "tpm": 10**12, "version": 2**62}
    lowest = {"weight": 0, "priority": 0, "rpm": 1, "tpm": 1, "version": 1}
    for name, bounds in ((EAST, highest), (WEST, lowest)):
        made = provider(name, **bounds)
        await storage.create(made)
        assert await storage.get_by_id(name) == made
    for field, bound in highest.items():
        for bad in (bound + 1, lowest[field] - 1, True, 2**64):
            await is_invalid(storage.create(provider("a", **{field: bad})), field)
    for bad in (-1, 2**31, True):
        await is_invalid(acquire(storage, "a", bad), "tokens")
        await is_invalid(storage.record_outcome(outcome("a", tokens=bad)), "tokens")
    for bad in (-1, 24 * 60 * 60 * 1_000_000 + 1):
        await is_invalid(storage.record_outcome(outcome("a", latency=bad)), "latency")
    for bad in (-1, 2**63):
        await is_invalid(storage.changes_since(Revision(bad)), "revision")
    await is_invalid(storage.update(provider(NOBODY), 2**63), "expected_version")


@law("PROV-056", MUST)
async def sums_stay_exact(storage: ProviderStorage) -> None:
    """Sums of the largest tokens and costs are exact whole numbers and Decimals."""
    await add(storage, EAST)
    for number in range(3):
        cost = Decimal("10000.000000000") - number * Decimal("1E-9")
        await storage.record_outcome(outcome(str(number), tokens=2**31 - 1, cost=cost))
    for lease in "abc":
        await acquire(storage, lease, 2**31 - 1)
    found = await storage.stats(EAST, NOW, NOW + HOUR)
    assert (found.tokens, type(found.tokens)) == (3 * (2**31 - 1), int)
    assert str(found.cost) == "29999.999999997"
    usage = (await storage.list_usage(NOW)).items[0]
    assert (usage.tokens, type(usage.tokens)) == (3 * (2**31 - 1), int)


@law("PROV-057", MUST)
async def ids_are_compared_by_code_point(storage: ProviderStorage) -> None:
    """Ids that differ by case, a trailing space or composition are different ones."""
    names = ("a", "A", "a ", " a", "á", "a\u0301", "ß", "ss", "1", "01")
    for name in names:
        await storage.create(provider(name, endpoint="e"))
        await storage.put_secret(secret("a", ProviderId(name), name=SecretName(name)))
    assert [each.id for each in (await storage.list_providers(ANY)).items] == sorted(names)
    secrets = (await storage.list_secrets(SecretFilter())).items
    assert [each.name for each in secrets] == sorted(names)


@law("PROV-058", MUST)
async def bad_text_is_invalid(storage: ProviderStorage) -> None:
    """Empty ids, those over 255 characters (names: 128), NUL and lone surrogates are invalid."""
    for bad in ("", "a" * 256, "a\0", "\ud800"):
        owner, name = ProviderId(bad), SecretName(bad)
        await is_invalid(storage.get_by_id(owner), "id")
        await is_invalid(storage.create(provider(bad, endpoint="e")), "id")
        await is_invalid(storage.create(provider(EAST, kind=bad)), "kind")
        await is_invalid(storage.create(provider(EAST, models=frozenset({bad}))), "models")
        await is_invalid(storage.delete(owner), "id")
        await is_invalid(storage.list_providers(ProviderFilter(kind=bad)), "kind")
        await is_invalid(storage.put_secret(secret("a", owner)), "provider")
        await is_invalid(storage.get_secret(EAST, name), "name")
        await is_invalid(storage.list_secrets(SecretFilter(provider=owner)), "provider")
        await is_invalid(storage.put_secret(secret("a", key=bad)), "key")
        await is_invalid(acquire(storage, bad), "lease")
        await is_invalid(storage.acquire(LeaseId("a"), owner, 1, NOW), "provider")
        await is_invalid(storage.record_outcome(outcome(bad)), "id")
        await is_invalid(storage.stats(owner, NOW, NOW), "provider")
        await is_invalid(storage.cool_down(owner, NOW), "id")
        await is_invalid(storage.end_cooling(owner, NOW), "id")
    await is_invalid(storage.get_secret(EAST, SecretName("a" * 129)), "name")
    wide = provider("😀" * 255, kind="😀" * 128)
    assert await storage.create(wide) == wide


@law("PROV-059", MUST)
async def limits_and_cursors_are_checked(storage: ProviderStorage) -> None:
    """A limit outside 1 to 1000, and a cursor that this list did not make, are invalid."""
    await add(storage, EAST, WEST)
    alien = (await storage.list_providers(ANY, None, 1)).next_cursor
    assert alien is not None
    lists: tuple[tuple[Any, object], ...] = (
        (storage.list_secrets, SecretFilter()),
        (storage.list_usage, NOW),
        (storage.list_cooling, NOW),
        (storage.list_providers, ANY),
    )
    for operation, argument in lists:
        for limit in (0, -1, 1001, True):
            await is_invalid(operation(argument, None, limit), "limit")
        for cursor in ("", "nonsense", "\0"):
            await is_invalid(operation(argument, Cursor(cursor), 1), "cursor")
    for operation, argument in lists[:-1]:
        await is_invalid(operation(argument, alien, 1), "cursor")
    for limit in (0, 1001):
        await is_invalid(storage.purge_usage(NOW, limit), "limit")
        await is_invalid(storage.purge_outcomes(NOW, limit), "limit")
        await is_invalid(storage.changes_since(Revision(0), limit), "limit")


@law("PROV-060", MUST)
async def invalid_values_come_first(storage: ProviderStorage) -> None:
    """InvalidValue comes before everything else, for the first parameter and field."""
    naive = NOW.replace(tzinfo=None)
    await is_invalid(storage.update(provider(NOBODY, weight=-1, rpm=0), 2**63), "weight")
    await is_invalid(storage.cool_down(ProviderId(""), naive), "id")
    await is_invalid(storage.cool_down(NOBODY, naive), "until")
    await is_invalid(storage.end_cooling(NOBODY, naive), "at")
    await is_invalid(storage.acquire(LeaseId("a"), NOBODY, -1, naive), "tokens")
    await is_invalid(storage.acquire(LeaseId("a"), NOBODY, 1, naive), "now")
    await is_invalid(storage.stats(NOBODY, NOW, naive), "end")
    await is_invalid(storage.rotate_secret(secret("a", NOBODY, key=""), ciphertext("a")), "key")
    await is_invalid(storage.put_secret(secret("a", NOBODY, key="")), "key")
    await is_invalid(storage.record_outcome(outcome("a", provider=NOBODY, latency=-1)), "latency")


@law("PROV-061", MUST)
async def results_do_not_change_later(storage: ProviderStorage) -> None:
    """What an operation returned stays as it was, whatever happens afterwards."""
    await add(storage, EAST)
    before = await storage.get_by_id(EAST)
    listed = await storage.list_providers(ANY)
    changes = await storage.changes_since(Revision(0))
    await storage.update(provider(EAST, kind="new"), 1)
    await storage.delete(EAST)
    assert before == listed.items[0] == changes[0].provider == provider(EAST)


def refusals(storage: ProviderStorage) -> Iterator[Awaitable[object]]:
    """Calls of every operation that can be refused, each to be refused."""
    yield storage.create(provider(EAST, kind="new"))
    yield storage.update(provider(EAST, kind="new"), 7)
    yield storage.update(provider(EAST, kind="new", weight=-1), 1)
    yield storage.delete(NOBODY)
    yield storage.put_secret(secret("b", NOBODY))
    yield storage.put_secret(secret("b", key=""))
    yield storage.rotate_secret(secret("b", NOBODY), ciphertext("a"))
    yield storage.acquire(LeaseId("a"), EAST, 7, NOW)
    yield storage.acquire(LeaseId("b"), EAST, 7, NOW)
    yield storage.acquire(LeaseId("b"), NOBODY, 7, NOW)
    yield storage.record_outcome(outcome("a", latency=7))
    yield storage.record_outcome(outcome("b", provider=NOBODY))
    yield storage.cool_down(NOBODY, NOW + 2 * HOUR)
    yield storage.end_cooling(NOBODY, NOW)
    yield storage.purge_usage(NOW + HOUR, 0)
    yield storage.purge_outcomes(NOW + HOUR, 0)


@law("PROV-062", MUST)
async def refused_calls_change_nothing(storage: ProviderStorage) -> None:
    """After an operation that raised, everything reads as it did before."""
    await add(storage, EAST, rpm=1)
    await storage.put_secret(secret("a"))
    await acquire(storage, "a", 5)
    await storage.record_outcome(outcome("a"))
    await storage.cool_down(EAST, NOW + HOUR)
    before = await content(storage)
    for call in refusals(storage):
        try:
            result = await call
        except StorageError:
            assert await content(storage) == before
        else:
            raise AssertionError(f"{result!r} was returned; the call should be refused")
