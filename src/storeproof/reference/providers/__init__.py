"""For everyone who uses or stores providers, their secrets, limits and statistics."""

from storeproof.reference.providers.database import (
    DatabaseProviderStorage,
    open_provider_storage,
)
from storeproof.reference.providers.entities import (
    Change,
    Ciphertext,
    Cooling,
    KeyId,
    Lease,
    LeaseId,
    ModelName,
    Outcome,
    OutcomeId,
    Price,
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
from storeproof.reference.providers.exceptions import RateLimited
from storeproof.reference.providers.memory import InMemoryProviderStorage
from storeproof.reference.providers.protocol import ProviderStorage
from storeproof.reference.providers.service import Follower, ProviderService
from storeproof.reference.providers.sketch import Sketch

__all__ = [
    "Change",
    "Ciphertext",
    "Cooling",
    "DatabaseProviderStorage",
    "Follower",
    "InMemoryProviderStorage",
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
    "ProviderService",
    "ProviderStorage",
    "RateLimited",
    "Revision",
    "Secret",
    "SecretFilter",
    "SecretName",
    "Sketch",
    "Stats",
    "Usage",
    "open_provider_storage",
]
