"""For services that take over users: password hashes that other programs made.

Known are argon2id, bcrypt, scrypt and PBKDF2, as passlib and as Django write them. They are
kept as they were given and compared with; `PasswordHasher.needs_rehash` says of all but our
own argon2id that they should be replaced, which happens at the next sign-in.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Callable
from typing import Final

import argon2
from argon2.exceptions import InvalidHashError, VerificationError

from storeproof.reference.config import ConfigurationError

__all__ = ["is_known", "matches"]

_MOST_MEMORY: Final = 2**28
_MOST_ROUNDS: Final = 10_000_000


def is_known(hash: str) -> bool:
    """Whether this is a hash of one of these kinds."""
    return any(pattern.fullmatch(hash) for pattern, _ in _KINDS)


def matches(hash: str, password: bytes) -> bool:
    """Whether this password was hashed to `hash`. False for one that is not known.

    Raises ConfigurationError for bcrypt where the package of that name is not installed.
    """
    for pattern, compare in _KINDS:
        found = pattern.fullmatch(hash)
        if found:
            return compare(found, password)
    return False


def _argon2(found: re.Match[str], password: bytes) -> bool:
    try:
        return argon2.PasswordHasher().verify(found["hash"], password)
    except (InvalidHashError, VerificationError):
        return False


def _bcrypt(found: re.Match[str], password: bytes) -> bool:
    try:
        import bcrypt
    except ModuleNotFoundError:
        remedy = "Run: pip install 'storeproof[bcrypt]'"
        raise ConfigurationError("bcrypt", "the package is not installed", remedy) from None
    if found["sha"]:
        password = hashlib.sha256(password).hexdigest().encode()
    try:
        return bool(bcrypt.checkpw(password[:72], found["hash"].encode()))
    except ValueError:
        return False


def _pbkdf2(found: re.Match[str], password: bytes) -> bool:
    """passlib writes "." for "+" and leaves out padding; Django's salt is the text itself."""
    is_django = found["django"] is not None
    salt = found["salt"].encode() if is_django else _decoded(found["salt"])
    wanted, rounds = _decoded(found["digest"]), int(found["rounds"])
    if not wanted or not 0 < rounds <= _MOST_ROUNDS:
        return False
    made = hashlib.pbkdf2_hmac(found["name"], password, salt, rounds, len(wanted))
    return hmac.compare_digest(made, wanted)


def _scrypt(found: re.Match[str], password: bytes) -> bool:
    is_django = found["n"] is not None
    salt = found["own"].encode() if is_django else _decoded(found["salt"])
    cost = int(found["n"]) if is_django else 2 ** min(int(found["ln"]), 30)
    wanted = _decoded(found["digest"] or found["django_digest"])
    block, lanes = (int(found["dr"] or found["r"]), int(found["dp"] or found["p"]))
    if not wanted or 130 * cost * block > _MOST_MEMORY:
        return False
    try:
        made = hashlib.scrypt(
            password, salt=salt, n=cost, r=block, p=lanes, maxmem=_MOST_MEMORY, dklen=len(wanted)
        )
    except ValueError:
        return False
    return hmac.compare_digest(made, wanted)


def _decoded(text: str) -> bytes:
    plain = text.replace(".", "+").rstrip("=")
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except ValueError:
        return b""


_KINDS: Final[tuple[tuple[re.Pattern[str], Callable[[re.Match[str], bytes], bool]], ...]] = (
    (re.compile(r"(?:argon2)?(?P<hash>\$argon2id\$v=19\$[A-Za-z0-9+/=,$]+)"), _argon2),
    (
        re.compile(
            r"(?P<sha>bcrypt_sha256\$)?(?:bcrypt\$)?(?P<hash>\$2[aby]\$\d\d\$[./A-Za-z0-9]{53})"
        ),
        _bcrypt,
    ),
    (
        re.compile(
            r"(?:\$pbkdf2-|(?P<django>pbkdf2_))(?P<name>sha1|sha256|sha512)"
            r"\$(?P<rounds>\d{1,8})\$(?P<salt>[^$]+)\$(?P<digest>[A-Za-z0-9./+=]+)"
        ),
        _pbkdf2,
    ),
    (
        re.compile(
            r"\$scrypt\$ln=(?P<ln>\d{1,2}),r=(?P<r>\d{1,3}),p=(?P<p>\d{1,3})"
            r"\$(?P<salt>[A-Za-z0-9./+]+)\$(?P<digest>[A-Za-z0-9./+]+)"
            r"|scrypt\$(?P<n>\d{1,8})\$(?P<own>[^$]+)\$(?P<dr>\d{1,3})\$(?P<dp>\d{1,3})"
            r"\$(?P<django_digest>[A-Za-z0-9/+=]+)"
        ),
        _scrypt,
    ),
)
