"""For services that hand out tokens: making them, telling their kind, and digesting them."""

import hashlib
import hmac
import secrets
from collections.abc import Callable

__all__ = ["MAX_TOKEN", "digest_of", "has_prefix", "new_secret", "new_token", "same_digest"]

MAX_TOKEN = 256
SECRET_BYTES = 32


def new_secret() -> str:
    """256 random bits as 43 URL-safe characters."""
    return secrets.token_urlsafe(SECRET_BYTES)


def new_token(prefix: str, secret: Callable[[], str] = new_secret) -> str:
    """A token whose prefix tells people, and scanners for leaked secrets, what it is."""
    return f"{prefix}{secret()}"


def has_prefix(token: str, prefix: str) -> bool:
    """Whether this can be a token of the kind; overlong ones can't."""
    return token.startswith(prefix) and len(token) <= MAX_TOKEN


def digest_of(token: str) -> str:
    """SHA-256, in hexadecimal. Tokens are long and random: neither salt nor slowness is needed."""
    return hashlib.sha256(token.encode(errors="surrogatepass")).hexdigest()


def same_digest(one: str | None, other: str) -> bool:
    """Compares two digests in constant time; None equals nothing."""
    return one is not None and hmac.compare_digest(one, other)
