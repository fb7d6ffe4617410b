"""For applications: where alerts go. A sink is anything with `deliver`."""

import logging
from typing import Final, Protocol

from storeproof.reference.costs.entities import Alert, SinkName

__all__ = ["LOGGER", "AlertSink", "LogSink"]

LOGGER = logging.getLogger("storeproof.costs")


class AlertSink(Protocol):
    """Passes alerts on. `CostService` gives it each alert at least once.

    What has been passed on is recorded under `name`: it stays the same in every process, and
    no two sinks share one.
    """

    @property
    def name(self) -> SinkName: ...

    async def deliver(self, alert: Alert) -> None:
        """Passes one alert on. Raises AlertNotDelivered when that failed for good."""
        ...


class LogSink:
    """Writes each alert as a warning to the logger "storeproof.costs"."""

    name: Final = SinkName("log")

    async def deliver(self, alert: Alert) -> None:
        LOGGER.warning(
            "budget %s: %d %% reached, %s of %s spent since %s",
            alert.budget,
            alert.threshold,
            alert.spent,
            alert.limit,
            alert.window_start.isoformat(),
        )
