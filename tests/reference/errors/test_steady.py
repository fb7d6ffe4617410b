"""Long messages cost no more than they are long, and are what they were."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storeproof.reference.errors.grouping import _without_emails, steady

PLAIN = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")


@given(st.text(alphabet="a.+-@ \u00e9_", max_size=30))
def test_addresses_are_those_of_the_rule(text: str) -> None:
    assert _without_emails(text) == PLAIN.sub("<email>", text)


@pytest.mark.parametrize("part", ["x", "1", "a.", "f0", "a@", "1.", "1-", "@", "a@b.", "0x"])
def test_a_megabyte_is_soon_done(part: str) -> None:
    """By the plain pattern it would take hours."""
    assert steady(part * (2**20 // len(part)))
