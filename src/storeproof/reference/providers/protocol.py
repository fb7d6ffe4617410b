"""For users and authors of a provider storage: what each operation does, exactly.

These docstrings are the law. Every implementation agrees with them, call by call.
"""

from datetime import datetime
from typing import Protocol

from storeproof.reference.providers.entities import (
    Change,
    Ciphertext,
    Cooling,
    Lease,
    LeaseId,
    Outcome,
    Provider,
    ProviderFilter,
    ProviderId,
    Revision,
    Secret,
    SecretFilter,
    SecretName,
    Stats,
    Usage,
)
from storeproof.reference.storage import ComponentStorage, Cursor, Page

__all__ = ["ProviderStorage"]


class ProviderStorage(ComponentStorage[Provider], Protocol):
    """Providers, their encrypted secrets, their limits, and how requests to them ended.

    **Values.** Arguments are made canonical first (`entities.canonical`); results are
    canonical. Raises InvalidValue, from every operation, for an argument that has no
    canonical form: the first one, in the order of the parameters and of the fields. An
    entity is what is stored: no id, time or default is made by a storage.

    **Precedence of errors.** InvalidValue, then in the order in which the operation names
    them. An operation that raises has changed nothing.

    **Atomicity.** Every operation happens at one instant, as a whole, also while others
    run: no call sees a part of another.

    **Repeating.** Where nothing else is said, repeating a call that succeeded returns
    the same and changes nothing more.

    **Lists** are ordered by the sort key that each names, text by code point; a cursor is
    the key of the last item of a page. `limit` is 1 to 1000. `next_cursor` is None exactly
    when no item follows. A cursor may outlive its item. A filter that matches nothing,
    or names what does not exist, gives an empty page.

    **Deleted.** Deleting leaves a tombstone: the id is never free again, and the change
    stays visible to `changes_since`. For every other operation but `record_outcome` and
    what reads leases and outcomes, a deleted provider is one that does not exist.

    **Minutes** begin with every whole minute of UTC. The limits of a provider hold in each
    minute by itself, whichever way the clocks of callers go.
    """

    async def get_by_id(self, id: ProviderId) -> Provider:
        """The provider with this id.

        Raises NotFound("provider", id) when there is none.
        """
        ...

    async def create(self, entity: Provider) -> Provider:
        """Stores a new provider and returns it, every field as given. A change.

        Raises Duplicate("id") when the id is taken, also by a deleted provider.
        """
        ...

    async def update(self, entity: Provider, expected_version: int) -> Provider:
        """Replaces a provider, all of it, and returns it at `expected_version` + 1. A change.

        The version of `entity` does not matter. Secrets, leases and cooling stay. Repeating
        it is a VersionConflict.

        Raises NotFound("provider", id) for an unknown provider. Raises
        VersionConflict("provider", id, expected_version) when the stored version differs.
        """
        ...

    async def delete(self, id: ProviderId) -> None:
        """Deletes a provider, its secrets and its cooling. A change. Repeating is a NotFound.

        Raises NotFound("provider", id) for an unknown provider.
        """
        ...

    async def list_providers(
        self, filter: ProviderFilter, cursor: Cursor | None = None, limit: int = 100
    ) -> Page[Provider]:
        """The providers that match, by priority and id.

        One whose priority changes between two pages may be on both, or on neither.
        """
        ...

    async def changes_since(self, revision: Revision, limit: int = 100) -> tuple[Change, ...]:
        """The last change of every provider that changed after `revision`, by revision.

        At most `limit`; ask again from the last revision until nothing comes. Revision 0 is
        before all. The revisions are 1, 2, 3, … in the order in which the changes happened:
        whoever saw one has missed none below it. Of several changes to one provider only
        the last remains.
        """
        ...

    async def put_secret(self, secret: Secret) -> Secret:
        """Creates a secret, or replaces it, and returns it.

        Raises NotFound("provider", provider) for an unknown provider.
        """
        ...

    async def get_secret(self, provider: ProviderId, name: SecretName) -> Secret:
        """The secret of this name.

        Raises NotFound("secret", name) when the provider has none, or is unknown.
        """
        ...

    async def list_secrets(
        self, filter: SecretFilter, cursor: Cursor | None = None, limit: int = 100
    ) -> Page[Secret]:
        """The secrets that match, by provider and name.

        With `other_than` it tells what a rotation has still to do: an empty first page
        means that no secret needs another key any more.
        """
        ...

    async def rotate_secret(self, secret: Secret, old: Ciphertext) -> bool:
        """Stores the secret if the stored ciphertext is `old` or already the new one.

        Returns whether it did; False means that somebody else replaced it meanwhile.

        Raises NotFound("secret", name) when the provider has none, or is unknown.
        """
        ...

    async def acquire(
        self, lease: LeaseId, provider: ProviderId, tokens: int, now: datetime
    ) -> Lease:
        """Counts one request and its tokens in the minute of `now`, if the limits allow it.

        A lease that was given already, for the same provider and tokens, is returned as it
        is, whatever has happened since. Whether the provider is enabled or cooling does not
        matter here.

        Raises Duplicate("lease") when the lease was given for another provider or other
        tokens. Raises NotFound("provider", provider) for an unknown provider. Raises
        RateLimited(provider, "tpm", None) when the tokens exceed the limit of any minute;
        RateLimited(provider, limit, retry_at), where `retry_at` is the end of the minute,
        when the requests ("rpm"), then the tokens ("tpm"), of this minute are used up.
        """
        ...

    async def list_usage(
        self, now: datetime, cursor: Cursor | None = None, limit: int = 100
    ) -> Page[Usage]:
        """What was acquired in the minute of `now`, by provider; nothing for unused ones.

        Deleted providers are among them.
        """
        ...

    async def purge_usage(self, before: datetime, limit: int) -> int:
        """Forgets minutes of usage that ended at `before` or earlier, with their leases.

        A minute of one provider is one; at most `limit` of them, by minute and provider.
        Returns how many. Repeating it goes on where it stopped.
        """
        ...

    async def record_outcome(self, outcome: Outcome) -> Outcome:
        """Stores how a request ended, and returns it. Repeating it changes nothing.

        Raises Duplicate("id") when another outcome has this id. Raises
        NotFound("provider", provider) when there never was such a provider; a deleted one
        is as good as any.
        """
        ...

    async def stats(self, provider: ProviderId, start: datetime, end: datetime) -> Stats:
        """The outcomes from `start` (included) to `end` (not included), counted.

        All zero for a provider that is unknown or has none.

        Raises InvalidValue("end") when it is before `start`.
        """
        ...

    async def purge_outcomes(self, before: datetime, limit: int) -> int:
        """Forgets at most `limit` outcomes before `before`, by time and id; how many.

        Repeating it goes on where it stopped. A forgotten id can be recorded again.
        """
        ...

    async def cool_down(self, id: ProviderId, until: datetime) -> datetime:
        """Has a provider cool until the later of `until` and what was said before; returns that.

        The version stays, and it is no change.

        Raises NotFound("provider", id) for an unknown provider.
        """
        ...

    async def end_cooling(self, id: ProviderId, at: datetime) -> datetime | None:
        """Has a provider cool until `at` at most; returns until when it does, None: not at all.

        What `cool_down` says later counts from there. The version stays, and it is no change.

        Raises NotFound("provider", id) for an unknown provider.
        """
        ...

    async def list_cooling(
        self, now: datetime, cursor: Cursor | None = None, limit: int = 100
    ) -> Page[Cooling]:
        """The providers that cool beyond `now`, by provider."""
        ...
