"""Looking for words first finds what the patterns alone do."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from storeproof.reference.errors import redaction
from storeproof.reference.errors.redaction import REDACTED, redact

PIECES = st.sampled_from(
    (
        *("password", "PassWord", "passphrase", "pwd", "Secret", "to\u212aen", "\u017fecret"),
        *(
            "credentials",
            "api_key",
            "private-key",
            "Authorization",
            "cookie",
            "Bearer ",
            "BA\u017fIC ",
        ),
        *("Basic ", "://", "http", "u:", "@", "=", ":", " ", '"', "x1" * 12, "\n", "sk-", "_"),
        *("-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----", "\u00e9"),
    )
)


@given(st.lists(PIECES, max_size=8).map("".join))
def test_what_is_found_is_the_same(text: str) -> None:
    found = redaction._PRIVATE.sub(REDACTED, text)
    found = redaction._URL.sub(redaction._hide, found)
    found = redaction._SCHEME.sub(rf"\1 {REDACTED}", found)
    found = redaction._NAMED.sub(redaction._hide, found)
    assert redact(text) == redaction._KNOWN.sub(REDACTED, found)
