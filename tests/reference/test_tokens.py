"""Tokens: their randomness, kind and digest."""

import hashlib
import hmac

import pytest

from storeproof.reference import tokens
from storeproof.reference.auth import Digest
from storeproof.reference.auth.entities import canonical_digest


def test_tokens_have_256_random_bits_after_their_prefix() -> None:
    made = {tokens.new_token("a_") for _ in range(100)}
    assert len(made) == 100
    assert all(len(token) == 45 and token.startswith("a_") for token in made)


def test_the_digest_is_sha256() -> None:
    digest = tokens.digest_of("a_token")
    assert digest == hashlib.sha256(b"a_token").hexdigest()
    assert canonical_digest("digest", Digest(digest)) == digest


@pytest.mark.parametrize("token", ["", "\0", "\ud800", "é", "x" * 10_000])
def test_whatever_is_presented_has_a_digest(token: str) -> None:
    assert len(tokens.digest_of(token)) == 64


def test_prefixes_tell_kinds() -> None:
    assert tokens.has_prefix("a_" + "x" * 254, "a_")
    for token in ("a_" + "x" * 255, "b_x", "A_x", "", " a_x"):
        assert not tokens.has_prefix(token, "a_")


def test_digests_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[str, str]] = []

    def compare(one: str, other: str) -> bool:
        compared.append((one, other))
        return one == other

    monkeypatch.setattr(hmac, "compare_digest", compare)
    assert tokens.same_digest("a" * 64, "a" * 64)
    assert not tokens.same_digest("a" * 64, "a" * 63 + "b")
    assert not tokens.same_digest(None, "a" * 64)
    assert len(compared) == 2
