"""For applications that keep their providers in Redis."""

from redis_auth.providers.storage import RedisProviderStorage, open_provider_storage

__all__ = ["RedisProviderStorage", "open_provider_storage"]
