"""For operators: the keys that encrypt secrets, as they stand in a file or a variable.

Each line is the name of a key, a colon, and 32 bytes in base64; what begins with # is a comment.
The first key encrypts; all others only decrypt what they encrypted before. To change the key, put a
new line above, then rotate (`ProviderService.rotate_secrets`), then drop the old one.
"""

import base64
import binascii
import os
from collections.abc import Callable

from storeproof.reference.config import ConfigurationError
from storeproof.reference.providers.entities import KeyId
from storeproof.reference.providers.service.cipher import KeyRing

__all__ = ["new_key_line", "read_key_ring"]

_REMEDY = "A line is NAME:BASE64 of 32 bytes; storeproof serve --new-key makes one"


def new_key_line(name: str, *, new_bytes: Callable[[int], bytes] = os.urandom) -> str:
    """A line with a new key of this name."""
    return f"{name}:{base64.b64encode(new_bytes(32)).decode()}"


def read_key_ring(text: str, where: str) -> KeyRing:
    """The keys of these lines. Raises ConfigurationError, which quotes none of them.

    where: what the lines were read from, for errors.
    """
    lines = [line.strip() for line in text.splitlines()]
    found = [line for line in lines if line and not line.startswith("#")]
    if not found:
        raise ConfigurationError(where, "holds no key", _REMEDY)
    keys: dict[KeyId, bytes] = {}
    for number, line in enumerate(found, 1):
        name, key = _read(line, number, where)
        if name in keys:
            raise ConfigurationError(where, f"has two keys of the name {name!r}", "Drop one")
        keys[name] = key
    return KeyRing(keys, next(iter(keys)))


def _read(line: str, number: int, where: str) -> tuple[KeyId, bytes]:
    name, _, encoded = line.partition(":")
    try:
        key = base64.b64decode(encoded.strip(), validate=True)
    except binascii.Error:
        key = b""
    if not name.strip() or len(key) != 32:
        raise ConfigurationError(where, f"key {number} can't be read", _REMEDY)
    return KeyId(name.strip()), key
