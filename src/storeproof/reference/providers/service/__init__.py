"""For applications: providers configured, chosen, paced and watched, over any storage."""

from storeproof.reference.providers.service.cipher import Cipher, KeyRing, SecretText
from storeproof.reference.providers.service.exceptions import (
    NoProviderAvailable,
    ProviderError,
    RotationIncomplete,
    Undecryptable,
)
from storeproof.reference.providers.service.follower import Follower
from storeproof.reference.providers.service.keys import new_key_line, read_key_ring
from storeproof.reference.providers.service.service import ProviderPolicy, ProviderService

__all__ = [
    "Cipher",
    "Follower",
    "KeyRing",
    "NoProviderAvailable",
    "ProviderError",
    "ProviderPolicy",
    "ProviderService",
    "RotationIncomplete",
    "SecretText",
    "Undecryptable",
    "new_key_line",
    "read_key_ring",
]
