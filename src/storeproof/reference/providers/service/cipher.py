"""For operators and `ProviderService`: how secrets are encrypted before they are stored.

AES-256-GCM with a fresh nonce for each secret. The ciphertext is bound to the provider,
the name and the key, so one that is copied to another row can't be decrypted there.
"""

import base64
import os
from collections.abc import Callable, Mapping
from typing import Protocol

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from storeproof.reference.providers.entities import (
    Ciphertext,
    KeyId,
    ProviderId,
    Secret,
    SecretName,
)
from storeproof.reference.providers.service.exceptions import Undecryptable

__all__ = ["Cipher", "KeyRing", "SecretText"]

_VERSION = "v1."
_NONCE = 12
_KEY = 32


class SecretText:
    """A secret in the clear, which neither prints nor logs; `reveal()` gives it."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return "<SecretText>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SecretText) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __reduce__(self) -> str:
        raise TypeError("a secret is not copied into a file; reveal it where it is needed")

    def reveal(self) -> str:
        """The secret itself."""
        return self._text


class Cipher(Protocol):
    """Encrypts secrets with the current key, and decrypts those of every key that it has."""

    @property
    def current(self) -> KeyId:
        """The key with which `seal` encrypts."""
        ...

    def seal(self, provider: ProviderId, name: SecretName, text: SecretText) -> Secret:
        """The secret, encrypted, as it is stored."""
        ...

    def open(self, secret: Secret) -> SecretText:
        """The secret in the clear. Raises Undecryptable."""
        ...


class KeyRing:
    """Implements `Cipher` with keys of 32 random bytes each, one of which is `current`.

    Raises ValueError for a key of another size, and where the current key is not there.
    """

    def __init__(
        self,
        keys: Mapping[KeyId, bytes],
        current: KeyId,
        *,
        new_nonce: Callable[[int], bytes] = os.urandom,
    ) -> None:
        if current not in keys:
            raise ValueError(f"the key ring has no key {current!r}; add it, or name another")
        if any(len(key) != _KEY for key in keys.values()):
            raise ValueError(f"each key of a key ring must have {_KEY} bytes")
        self._keys = {name: AESGCM(key) for name, key in keys.items()}
        self._current = current
        self._new_nonce = new_nonce

    def __repr__(self) -> str:
        return f"<KeyRing current={self._current!r} of {len(self._keys)}>"

    @property
    def current(self) -> KeyId:
        return self._current

    def seal(self, provider: ProviderId, name: SecretName, text: SecretText) -> Secret:
        nonce = self._new_nonce(_NONCE)
        bound = _bound(provider, name, self._current)
        sealed = self._keys[self._current].encrypt(nonce, text.reveal().encode(), bound)
        encoded = base64.urlsafe_b64encode(nonce + sealed).decode().rstrip("=")
        ciphertext = Ciphertext(_VERSION + encoded)
        return Secret(provider=provider, name=name, key=self._current, ciphertext=ciphertext)

    def open(self, secret: Secret) -> SecretText:
        key = self._keys.get(secret.key)
        encoded = secret.ciphertext.removeprefix(_VERSION)
        bound = _bound(secret.provider, secret.name, secret.key)
        try:
            sealed = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
            if key is not None:
                return SecretText(key.decrypt(sealed[:_NONCE], sealed[_NONCE:], bound).decode())
        except (InvalidTag, ValueError):
            pass
        raise Undecryptable(secret.provider, secret.name, secret.key)


def _bound(provider: ProviderId, name: SecretName, key: KeyId) -> bytes:
    return msgspec.json.encode((provider, name, key))
