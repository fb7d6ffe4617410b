"""For whoever runs the web application: what must be done now and then, beside requests.

Reservations of requests that nobody heard of again are freed; alerts that are due are raised and
delivered. Several processes may do it at the same time.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from storeproof.reference.exceptions import StorageError
from storeproof.reference.web.services import Services

__all__ = ["keep_house"]

LOGGER = logging.getLogger("storeproof.web")
_EVERY: Final = 30.0


async def keep_house(
    services: Services, pause: Callable[[], Awaitable[None]] = lambda: asyncio.sleep(_EVERY)
) -> None:
    """Does it after each pause, until it is cancelled; what fails is logged and tried again."""
    while True:
        await pause()
        try:
            await services.costs.expire()
            await services.costs.raise_alerts()
            await services.costs.deliver_alerts()
        except StorageError:
            LOGGER.exception("housekeeping failed; it is tried again")
