"""For callers of a provider storage: the error that it adds to the common tree."""

from datetime import datetime

from storeproof.reference.exceptions import StorageError

__all__ = ["RateLimited"]


class RateLimited(StorageError):
    """The provider's limit `limit` ("rpm" or "tpm") leaves no room for the lease in this minute.

    `retry_at` is when the next minute begins; None where the tokens asked for are more than
    the limit of any minute.
    """

    def __init__(self, provider: str, limit: str, retry_at: datetime | None) -> None:
        super().__init__(provider, limit, retry_at)
        self.provider = provider
        self.limit = limit
        self.retry_at = retry_at

    def __str__(self) -> str:
        remedy = "Ask for fewer tokens" if self.retry_at is None else f"Retry at {self.retry_at}"
        return (
            f"The provider {self.provider!r} is at its limit ({self.limit}). "
            f"Nothing was counted. {remedy}, or use another provider."
        )
