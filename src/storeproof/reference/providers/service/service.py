"""For applications: `ProviderService` configures, chooses, paces and watches providers."""

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar
from uuid import uuid4

import msgspec

from storeproof.reference.exceptions import Duplicate, NotFound
from storeproof.reference.providers.entities import (
    MINUTE,
    Change,
    Lease,
    LeaseId,
    ModelName,
    Outcome,
    OutcomeId,
    Provider,
    ProviderFilter,
    ProviderId,
    Revision,
    SecretFilter,
    SecretName,
    Stats,
    minute_of,
)
from storeproof.reference.providers.exceptions import RateLimited
from storeproof.reference.providers.explaining import Explanation, explain
from storeproof.reference.providers.protocol import ProviderStorage
from storeproof.reference.providers.selection import (
    Candidate,
    Request,
    Snapshot,
    Strategy,
    rank,
    retry_at,
)
from storeproof.reference.providers.service.cipher import Cipher, SecretText
from storeproof.reference.providers.service.exceptions import (
    NoProviderAvailable,
    RotationIncomplete,
    Undecryptable,
)
from storeproof.reference.providers.service.follower import Follower
from storeproof.reference.service import ComponentService
from storeproof.reference.storage import MAX_LIMIT, Clock, Cursor, Page

__all__ = ["ProviderPolicy", "ProviderService"]

Item = TypeVar("Item")

REDACTED = "(redacted)"


class ProviderPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """What an operator may choose.

    `strategy` orders providers; `cool_down` is how long one rests after a failure; `window`
    is how far back the statistics go by which LATENCY orders, to the beginning of a minute.
    """

    strategy: Strategy = Strategy.PRIORITY
    cool_down: timedelta = timedelta(seconds=30)
    window: timedelta = timedelta(minutes=10)


class ProviderService(ComponentService[ProviderStorage]):
    """Providers over any `ProviderStorage`; errors of the storage come through unchanged.

    With a `follower`, which the application keeps up to date, a choice does not read the
    providers from the storage; what was deleted or limited meanwhile is still refused there.
    """

    def __init__(
        self,
        storage: ProviderStorage,
        *,
        cipher: Cipher,
        clock: Clock = lambda: datetime.now(UTC),
        new_id: Callable[[], str] = lambda: uuid4().hex,
        new_draw: Callable[[], int] = lambda: secrets.randbits(128),
        policy: ProviderPolicy | None = None,
        follower: Follower | None = None,
    ) -> None:
        self._storage = storage
        self._cipher = cipher
        self._clock = clock
        self._new_id = new_id
        self._new_draw = new_draw
        self._policy = policy or ProviderPolicy()
        self._follower = follower

    async def add(self, provider: Provider) -> Provider:
        """Adds a provider. Raises Duplicate."""
        return await self._storage.create(provider)

    async def get(self, id: ProviderId) -> Provider:
        """The provider with this id. Raises NotFound."""
        return await self._storage.get_by_id(id)

    async def providers(
        self, filter: ProviderFilter, cursor: Cursor | None = None, limit: int = 100
    ) -> Page[Provider]:
        """The providers that match, by priority and id."""
        return await self._storage.list_providers(filter, cursor, limit)

    async def change(self, provider: Provider) -> Provider:
        """Replaces the provider that was read as this version. Raises VersionConflict."""
        return await self._storage.update(provider, provider.version)

    async def remove(self, id: ProviderId) -> None:
        """Deletes a provider with its secrets. Raises NotFound."""
        await self._storage.delete(id)

    async def changes(self, since: Revision) -> tuple[Change, ...]:
        """The changes after a revision, all of them, by revision.

        From the revision of the last change that one saw (0 at first), it costs nothing where
        nothing changed. `Follower` does that for a process that keeps providers in memory.
        """
        found: list[Change] = []
        while more := await self._storage.changes_since(since, MAX_LIMIT):
            found.extend(more)
            since = more[-1].revision
        return tuple(found)

    async def put_secret(self, provider: ProviderId, name: SecretName, text: SecretText) -> None:
        """Encrypts a secret and stores it in the place of the one that was there."""
        await self._storage.put_secret(self._cipher.seal(provider, name, text))

    async def secret(self, provider: ProviderId, name: SecretName) -> SecretText:
        """A secret in the clear. Raises NotFound, Undecryptable."""
        return self._cipher.open(await self._storage.get_secret(provider, name))

    async def rotate_secrets(self) -> int:
        """Encrypts every secret with the current key that needs another; how many it did.

        Raises RotationIncomplete, after it has done all others, where some remain: those
        that can't be decrypted, and those that somebody else put meanwhile with an old key.
        Old keys may be dropped only once it has returned. Repeat it as often as you like.
        """
        done = 0
        wanted = SecretFilter(other_than=self._cipher.current)
        async for stored in _all(self._storage.list_secrets, wanted):
            try:
                text = self._cipher.open(stored)
            except Undecryptable:
                continue  # it is among those that are left, below
            new = self._cipher.seal(stored.provider, stored.name, text)
            try:
                done += await self._storage.rotate_secret(new, stored.ciphertext)
            except NotFound:
                continue  # its provider was deleted meanwhile
        left = [each async for each in _all(self._storage.list_secrets, wanted)]
        if left:
            raise RotationIncomplete(tuple((each.provider, each.name) for each in left))
        return done

    async def export(self, *, reveal_secrets: bool = False) -> list[dict[str, Any]]:
        """Every provider with its secrets, as plain data for JSON.

        Secrets are redacted unless asked for. Raises Undecryptable where one that is asked
        for can't be had.
        """
        exported = []
        async for provider in _all(self._storage.list_providers, ProviderFilter()):
            found = _all(self._storage.list_secrets, SecretFilter(provider=provider.id))
            content = {
                each.name: self._cipher.open(each).reveal() if reveal_secrets else REDACTED
                async for each in found
            }
            exported.append({**msgspec.to_builtins(provider), "secrets": content})
        return exported

    async def choose(
        self, model: ModelName, tokens: int = 0, *, id: str | None = None
    ) -> tuple[Provider, Lease]:
        """A provider for one request of about so many tokens, and the lease to send it.

        Tries the available providers in the order of the policy's strategy, until one gives
        a lease. Raises NoProviderAvailable.

        id: that of the lease, new by default. With one it may be repeated, while the provider
        that gave the lease is available: its lease is returned, and nothing is counted again.
        """
        request = Request(model=model, tokens=tokens, draw=self._new_draw())
        snapshot = await self.snapshot(model)
        lease = LeaseId(self._new_id() if id is None else id)
        taken: Duplicate | None = None
        for provider in rank(snapshot, request, self._policy.strategy):
            try:
                given = await self._storage.acquire(lease, provider.id, tokens, snapshot.now)
            except (RateLimited, NotFound):
                continue  # others were quicker, or it was deleted since the snapshot
            except Duplicate as error:
                taken = error  # another provider gave it, or for other tokens
                continue
            return provider, given
        if taken is not None:
            raise taken
        raise NoProviderAvailable(model, retry_at(await self.snapshot(model), request))

    async def explain(self, model: ModelName, tokens: int = 0) -> tuple[Explanation, ...]:
        """In which order `choose` would try the providers of a model now, and why; takes nothing.

        Disabled providers of the model are among them. What is drawn by weight is drawn anew.
        """
        request = Request(model=model, tokens=tokens, draw=self._new_draw())
        disabled = ProviderFilter(model=model, enabled=False)
        snapshot = await self.snapshot(model)
        off = [
            Candidate(provider=each) async for each in _all(self._storage.list_providers, disabled)
        ]
        whole = msgspec.structs.replace(snapshot, candidates=(*snapshot.candidates, *off))
        return explain(whole, request, self._policy.strategy)

    async def record(
        self, lease: Lease, *, ok: bool, latency: timedelta, tokens: int = 0, cost: Decimal
    ) -> Outcome:
        """Records how the request of a lease ended; after a failure its provider cools down.

        May be repeated with the same arguments: it is counted once. `cost` is in the
        currency that the provider bills in. Raises Duplicate where it ended otherwise before.
        """
        outcome = Outcome(
            id=OutcomeId(lease.id),
            provider=lease.provider,
            at=lease.at,
            ok=ok,
            latency=latency // timedelta(microseconds=1),
            tokens=tokens,
            cost=cost,
        )
        recorded = await self._storage.record_outcome(outcome)
        if not ok:
            await self._cool(lease.provider, lease.at + latency + self._policy.cool_down)
        return recorded

    async def end_cooling(self, id: ProviderId) -> None:
        """Has a provider that cools be chosen again from now on. Raises NotFound.

        The next failure has it cool down as ever.
        """
        await self._storage.end_cooling(id, self._clock())

    async def stats(self, provider: ProviderId, start: datetime, end: datetime) -> Stats:
        """The statistics of a provider from `start` to before `end`."""
        return await self._storage.stats(provider, start, end)

    async def condition(self, providers: Iterable[Provider]) -> tuple[Candidate, ...]:
        """These providers, with what they gave in this minute, and until when they cool."""
        return tuple(await self._candidates(providers, self._clock()))

    async def snapshot(self, model: ModelName) -> Snapshot:
        """What a choice for this model depends on, now.

        Statistics are read only where the strategy asks for them, one read a provider.
        """
        now, storage = self._clock(), self._storage
        candidates = await self._candidates(await self._of(model), now)
        if self._policy.strategy is Strategy.LATENCY:
            # Whole minutes: no storage has to look at single outcomes for them.
            start, end = minute_of(now - self._policy.window), minute_of(now) + MINUTE
            candidates = [
                msgspec.structs.replace(
                    each, stats=await storage.stats(each.provider.id, start, end)
                )
                for each in candidates
            ]
        return Snapshot(now=now, candidates=tuple(candidates))

    async def _candidates(self, providers: Iterable[Provider], now: datetime) -> list[Candidate]:
        storage = self._storage
        usage = {each.provider: each async for each in _all(storage.list_usage, now)}
        cooling = {each.provider: each.until async for each in _all(storage.list_cooling, now)}
        return [
            Candidate(
                provider=each,
                requests=usage[each.id].requests if each.id in usage else 0,
                tokens=usage[each.id].tokens if each.id in usage else 0,
                cooling_until=cooling.get(each.id),
            )
            for each in providers
        ]

    async def _of(self, model: ModelName) -> list[Provider]:
        """The enabled providers of a model."""
        if self._follower is not None:
            known = self._follower.providers
            return [each for each in known if each.enabled and model in each.models]
        wanted = ProviderFilter(model=model, enabled=True)
        return [each async for each in _all(self._storage.list_providers, wanted)]

    async def _cool(self, provider: ProviderId, until: datetime) -> None:
        try:
            await self._storage.cool_down(provider, until)
        except NotFound:
            return  # deleted meanwhile: nobody will choose it


async def _all(list_page: Callable[..., Awaitable[Page[Item]]], what: Any) -> AsyncIterator[Item]:
    """The items of all pages of a list."""
    cursor = None
    while True:
        page = await list_page(what, cursor, MAX_LIMIT)
        for item in page.items:
            yield item
        cursor = page.next_cursor
        if cursor is None:
            return
