"""For authors of a provider storage: the orders of its lists."""

from storeproof.reference.lists import Order, read_integer
from storeproof.reference.providers.entities import (
    MAX_PRIORITY,
    Cooling,
    Provider,
    Secret,
    Usage,
)

__all__ = ["COOLING_ORDER", "PROVIDER_ORDER", "SECRET_ORDER", "USAGE_ORDER"]

PROVIDER_ORDER = Order(Provider, {"priority": read_integer(0, MAX_PRIORITY), "id": str})
SECRET_ORDER = Order(Secret, {"provider": str, "name": str})
USAGE_ORDER = Order(Usage, {"provider": str})
COOLING_ORDER = Order(Cooling, {"provider": str})
