"""For applications that keep their users in Redis."""

from redis_auth.auth.storage import RedisAuthStorage, open_auth_storage

__all__ = ["RedisAuthStorage", "open_auth_storage"]
