"""For applications that keep users or providers in Redis: the storages, and how they are opened."""

from redis_auth.auth import RedisAuthStorage, open_auth_storage
from redis_auth.providers import RedisProviderStorage, open_provider_storage

__all__ = [
    "RedisAuthStorage",
    "RedisProviderStorage",
    "open_auth_storage",
    "open_provider_storage",
]
