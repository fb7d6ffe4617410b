"""For whoever makes the web application: the services that it serves, over any storages."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from storeproof.reference.auth.service import AuthService
from storeproof.reference.costs.entities import BudgetFilter, Currency, OwnerPath
from storeproof.reference.costs.service import AlertSink, CostService, LogSink
from storeproof.reference.errors.service import ErrorService
from storeproof.reference.providers.service import Cipher, ProviderService
from storeproof.reference.selection import Storages
from storeproof.reference.storage import Clock

__all__ = ["Services"]


@dataclass(frozen=True, kw_only=True)
class Services:
    """The services of the four components. `now` is the clock that they share."""

    auth: AuthService
    costs: CostService
    errors: ErrorService
    providers: ProviderService
    now: Clock = lambda: datetime.now(UTC)

    @classmethod
    def over(
        cls,
        storages: Storages,
        *,
        cipher: Cipher,
        now: Clock = lambda: datetime.now(UTC),
        sinks: Callable[[], Sequence[AlertSink]] = lambda: (LogSink(),),
    ) -> Self:
        """The services over these storages, each with its defaults.

        cipher: encrypts the secrets of providers. sinks: gives where alerts go.
        """
        return cls(
            auth=AuthService(storages.auth, clock=now),
            costs=CostService(storages.costs, clock=now, sinks=sinks()),
            errors=ErrorService(storages.errors, clock=now),
            providers=ProviderService(storages.providers, cipher=cipher, clock=now),
            now=now,
        )

    async def ready(self) -> None:
        """Asks the store for something small. Raises Unavailable where it does not answer."""
        await self.costs.budgets_of(BudgetFilter(covering=OwnerPath(""), currency=Currency("XXX")))
