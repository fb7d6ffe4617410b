"""For services that let people sign in: hashing passwords, and which passwords are accepted."""

import asyncio
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, TypeVar

import argon2
import msgspec
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

from storeproof.reference.foreign_passwords import is_known, matches

__all__ = ["MAX_PASSWORD", "Argon2Hasher", "PasswordHasher", "PasswordPolicy"]

Result = TypeVar("Result")

MAX_PASSWORD = 1024
"""No longer password is ever accepted, hashed or compared, whatever the policy."""

LEAST_MINIMUM, LEAST_MAXIMUM = 8, 64
SHORTEST_WORD = 3


class PasswordHasher(Protocol):
    """Turns passwords into hashes and compares them, without blocking the event loop."""

    async def hash(self, password: str) -> str:
        """A new hash, with its parameters and its own random salt."""
        ...

    async def verify(self, hash: str | None, password: str) -> bool:
        """Whether this password was hashed to `hash`.

        The same work is done for None, for a hash that can't be read, and for a password over
        MAX_PASSWORD; the answer is then False.
        """
        ...

    def needs_rehash(self, hash: str) -> bool:
        """Whether `hash` was made with other parameters than `hash()` uses now."""
        ...


class Argon2Hasher:
    """Argon2id; by default with the parameters that argon2-cffi recommends (RFC 9106).

    Hashes of other kinds (`foreign_passwords`) are compared with, but never made.

    time_cost: passes; memory_cost: kibibytes; parallelism: lanes.
    concurrency: how many hashes are computed at once, each in a thread with its own memory; others
    wait. Making a hasher computes one hash.
    """

    def __init__(
        self,
        *,
        time_cost: int = argon2.DEFAULT_TIME_COST,
        memory_cost: int = argon2.DEFAULT_MEMORY_COST,
        parallelism: int = argon2.DEFAULT_PARALLELISM,
        concurrency: int = 4,
    ) -> None:
        self._argon2 = argon2.PasswordHasher(time_cost, memory_cost, parallelism)
        self._threads = ThreadPoolExecutor(concurrency, thread_name_prefix="password")
        self._nobody = self._argon2.hash(secrets.token_bytes(32))

    async def hash(self, password: str) -> str:
        return await self._run(lambda: self._argon2.hash(password))

    async def verify(self, hash: str | None, password: str) -> bool:
        return await self._run(lambda: self._verify(hash, password))

    def needs_rehash(self, hash: str) -> bool:
        try:
            return self._argon2.check_needs_rehash(hash)
        except InvalidHashError:
            return True

    async def _run(self, work: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def _verify(self, hash: str | None, password: str) -> bool:
        if hash is None or len(password) > MAX_PASSWORD:
            return self._waste()
        given = password.encode(errors="surrogatepass")
        try:
            return self._argon2.verify(hash, given)
        except VerifyMismatchError:
            return False
        except InvalidHashError:
            return matches(hash, given) if is_known(hash) else self._waste()
        except VerificationError:
            return self._waste()

    def _waste(self) -> bool:
        """Takes as long as a comparison, so that nobody can tell that there was none."""
        try:
            return self._argon2.verify(self._nobody, b"")
        except VerifyMismatchError:
            return False


class PasswordPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """Which passwords may be chosen: OWASP ASVS 5, section 6.2. Lengths count code points.

    There are no rules of composition, and a password is neither trimmed, cut nor normalised.
    minimum: 15 as ASVS recommends; at least 8. maximum: at least 64, at most MAX_PASSWORD.
    denied: passwords that everybody knows, such as the most common ones, in any case.
    words: names of the product or the company; a password must have 8 characters besides them and
    besides the words that belong to its user.
    """

    minimum: int = 15
    maximum: int = 256
    denied: frozenset[str] = frozenset()
    words: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if not LEAST_MINIMUM <= self.minimum <= LEAST_MAXIMUM:
            raise ValueError(f"minimum is {self.minimum}; give 8 to 64")
        if not LEAST_MAXIMUM <= self.maximum <= MAX_PASSWORD:
            raise ValueError(f"maximum is {self.maximum}; give 64 to {MAX_PASSWORD}")

    def problem(self, password: str, about: frozenset[str] = frozenset()) -> str | None:
        """Why a password is not accepted, as a phrase that does not quote it; None if it is.

        about: words that belong to its user, such as the parts of the e-mail address.
        """
        if len(password) < self.minimum:
            return f"must have at least {self.minimum} characters"
        if len(password) > self.maximum:
            return f"must have at most {self.maximum} characters"
        if any("\ud800" <= character <= "\udfff" for character in password):
            return "must be text"
        folded = password.casefold()
        if folded in {each.casefold() for each in self.denied}:
            return "is among the most common ones"
        if len(_without(folded, self.words | about)) < LEAST_MINIMUM:
            return "consists of little more than names that others can guess"
        return None


def _without(text: str, words: frozenset[str]) -> str:
    """Longer words are taken out first, so that the order of the set does not matter."""
    for word in sorted((each.casefold() for each in words), key=lambda each: (-len(each), each)):
        if len(word) >= SHORTEST_WORD:
            text = text.replace(word, "")
    return text
