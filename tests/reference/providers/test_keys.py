"""Keys of a file: the first encrypts, the others still decrypt."""

from __future__ import annotations

import pytest

from storeproof.reference.config import ConfigurationError
from storeproof.reference.providers.entities import ProviderId, SecretName
from storeproof.reference.providers.service import SecretText, new_key_line, read_key_ring

OLD, NEW = new_key_line("old"), new_key_line("new")
PLACE = ProviderId("p"), SecretName("s")


def test_the_first_key_encrypts_and_older_ones_decrypt() -> None:
    sealed = read_key_ring(OLD, "here").seal(*PLACE, SecretText("hush"))
    both = read_key_ring(f"# since Monday\n\n{NEW}\n  {OLD}\n", "here")
    assert both.current == "new"
    assert both.open(sealed) == SecretText("hush")
    assert both.seal(*PLACE, SecretText("hush")).key == "new"


def test_two_keys_of_one_name_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="two keys"):
        read_key_ring(f"{OLD}\n{new_key_line('old')}", "here")


def test_every_new_key_is_another() -> None:
    assert new_key_line("a") != new_key_line("a")
