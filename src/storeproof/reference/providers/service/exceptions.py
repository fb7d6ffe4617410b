"""For callers of `ProviderService`: what it raises, beside what its storage raises.

    ProviderError
    ├── NoProviderAvailable(model, retry_at)   nobody can take the request now
    ├── Undecryptable(provider, name, key)     a stored secret can't be read
    └── RotationIncomplete(left)               some secrets still need an old key

No text of theirs quotes a secret, in the clear or encrypted.
"""

from datetime import datetime

__all__ = ["NoProviderAvailable", "ProviderError", "RotationIncomplete", "Undecryptable"]


class ProviderError(Exception):
    """The root of the errors that are the service's own."""


class NoProviderAvailable(ProviderError):
    """No provider can take a request to `model` now.

    `retry_at` is when one may; None where waiting does not help.
    """

    def __init__(self, model: str, retry_at: datetime | None) -> None:
        super().__init__(model, retry_at)
        self.model = model
        self.retry_at = retry_at

    def __str__(self) -> str:
        remedy = "Add or enable a provider of it, or ask for fewer tokens"
        if self.retry_at is not None:
            remedy = f"Retry at {self.retry_at}"
        return f"No provider is available for the model {self.model!r}. {remedy}."


class Undecryptable(ProviderError):
    """The secret `name` of `provider` can't be decrypted: no such key, or it was altered."""

    def __init__(self, provider: str, name: str, key: str) -> None:
        super().__init__(provider, name, key)
        self.provider = provider
        self.name = name
        self.key = key

    def __str__(self) -> str:
        return (
            f"The secret {self.name!r} of the provider {self.provider!r} can't be decrypted with "
            f"the key {self.key!r}. Add that key to the key ring, or put the secret again."
        )


class RotationIncomplete(ProviderError):
    """These secrets (provider, name) still need another key than the current one."""

    def __init__(self, left: tuple[tuple[str, str], ...]) -> None:
        super().__init__(left)
        self.left = left

    def __str__(self) -> str:
        names = ", ".join(f"{name!r} of {provider!r}" for provider, name in self.left)
        return (
            f"{len(self.left)} secrets still need an old key: {names}. Keep the old keys, put "
            "these secrets again or add their keys, then rotate again."
        )
