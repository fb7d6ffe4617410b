"""For applications that keep users or providers in Redis: the storages, and how they are opened."""

from redis_auth.providers import RedisProviderStorage, open_provider_storage

__all__ = ["RedisProviderStorage", "open_provider_storage"]
