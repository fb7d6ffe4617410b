"""Hashing passwords, and the policy that says which are accepted."""

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

import argon2
import pytest

from storeproof.reference.passwords import MAX_PASSWORD, Argon2Hasher, PasswordPolicy

Result = TypeVar("Result")
CHEAP = {"time_cost": 1, "memory_cost": 8, "parallelism": 1}
POLICY = PasswordPolicy()


def run(operation: Coroutine[Any, Any, Result]) -> Result:
    return asyncio.run(operation)


@pytest.fixture(scope="module")
def hasher() -> Argon2Hasher:
    return Argon2Hasher(**CHEAP)


def test_a_hash_is_argon2id_with_its_own_salt(hasher: Argon2Hasher) -> None:
    one, two = (run(hasher.hash("password")) for _ in range(2))
    assert one.startswith("$argon2id$v=19$m=8,t=1,p=1$")
    assert one != two
    assert run(hasher.verify(one, "password")) is run(hasher.verify(two, "password")) is True


@pytest.mark.parametrize(
    "other", ["Password", "password ", "", "passwor", "p\u0430ssword", "\ud800"]
)
def test_another_password_does_not_match(hasher: Argon2Hasher, other: str) -> None:
    assert run(hasher.verify(run(hasher.hash("password")), other)) is False


def test_composition_matters(hasher: Argon2Hasher) -> None:
    assert not run(hasher.verify(run(hasher.hash("caf\u00e9")), "cafe\u0301"))


@pytest.mark.parametrize("hashed", [None, "", "plain", "$2b$12$abc", "$argon2id$v=19$broken"])
def test_what_is_no_hash_matches_nothing_for_the_same_work(
    hasher: Argon2Hasher, monkeypatch: pytest.MonkeyPatch, hashed: str | None
) -> None:
    compared: list[str] = []
    verify = argon2.PasswordHasher.verify

    def attempted(self: argon2.PasswordHasher, stored: str, password: bytes) -> bool:
        if stored.startswith("$argon2id$v=19$m=8,t=1,p=1$"):
            compared.append(stored)
        return verify(self, stored, password)

    monkeypatch.setattr(argon2.PasswordHasher, "verify", attempted)
    assert run(hasher.verify(hashed, "password")) is False
    assert len(compared) == 1


def test_overlong_passwords_are_neither_hashed_nor_matched(hasher: Argon2Hasher) -> None:
    longest = "x" * MAX_PASSWORD
    hashed = run(hasher.hash(longest))
    assert run(hasher.verify(hashed, longest))
    assert not run(hasher.verify(run(hasher.hash(longest + "x")), longest + "x"))


def test_other_parameters_need_a_rehash(hasher: Argon2Hasher) -> None:
    hashed = run(hasher.hash("password"))
    assert not hasher.needs_rehash(hashed)
    for name, more in (("time_cost", 2), ("memory_cost", 16)):
        assert Argon2Hasher(**(CHEAP | {name: more})).needs_rehash(hashed)
    for broken in ("plain", "$argon2id$v=19$broken"):
        assert hasher.needs_rehash(broken)


def test_old_parameters_still_match(hasher: Argon2Hasher) -> None:
    hashed = run(hasher.hash("password"))
    assert run(Argon2Hasher(**(CHEAP | {"time_cost": 2})).verify(hashed, "password"))


def test_no_more_are_hashed_at_once_than_was_said(monkeypatch: pytest.MonkeyPatch) -> None:
    hasher = Argon2Hasher(**CHEAP, concurrency=2)
    names: set[str] = set()
    real = argon2.PasswordHasher.hash

    def noting(self: argon2.PasswordHasher, password: str) -> str:
        names.add(threading.current_thread().name)
        return real(self, password)

    monkeypatch.setattr(argon2.PasswordHasher, "hash", noting)

    async def many() -> None:
        await asyncio.gather(*(hasher.hash("password") for _ in range(20)))

    run(many())
    assert names <= {"password_0", "password_1"}
    assert names


def test_the_default_parameters_are_the_librarys() -> None:
    assert (
        run(Argon2Hasher().hash("password")).split("$")[3]
        == argon2.PasswordHasher().hash("x").split("$")[3]
    )


REFUSED = {
    "x" * 14: "must have at least 15 characters",
    "x" * 257: "must have at most 256 characters",
    "\ud800" + "x" * 20: "must be text",
}


@pytest.mark.parametrize("password", REFUSED)
def test_lengths(password: str) -> None:
    assert POLICY.problem(password) == REFUSED[password]


@pytest.mark.parametrize(
    "password", ["x" * 15, "x" * 256, " " * 15, "\u00e9" * 15, "\U0001f40e" * 15, "a\0" * 8]
)
def test_there_are_no_rules_of_composition(password: str) -> None:
    assert POLICY.problem(password) is None


def test_common_passwords_are_denied_in_any_case() -> None:
    policy = PasswordPolicy(denied=frozenset({"Correct Horse Battery"}))
    assert policy.problem("correct horse BATTERY") == "is among the most common ones"
    assert policy.problem("correct horse batteries") is None


def test_names_are_not_enough() -> None:
    policy = PasswordPolicy(minimum=8, words=frozenset({"StoreProof"}))
    own = frozenset({"annabel", "anna", "st", ""})
    little = "consists of little more than names that others can guess"
    for password in ("storeproof", "STOREPROOF1234", "AnnabelStoreproof", "storeproof-anna!"):
        assert policy.problem(password, own) == little
    for password in ("storeproof likes horses", "anna likes horses", "st st st"):
        assert policy.problem(password, own) is None


@pytest.mark.parametrize(
    "lengths", [{"minimum": 7}, {"minimum": 65}, {"maximum": 63}, {"maximum": 1025}]
)
def test_policies_outside_the_standard_are_refused(lengths: Any) -> None:
    with pytest.raises(ValueError, match="give"):
        PasswordPolicy(**lengths)
