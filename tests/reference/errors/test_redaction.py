"""Known forms of secrets never get through; other text does, unchanged."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storeproof.reference.errors import redact
from storeproof.reference.errors.redaction import REDACTED, is_secret_name

SECRET = "s3cr3tV4lue0fTwentyTwo"
FORMS = [
    "postgresql://ann:{}@db.example.org:5432/app",
    "redis://:{}@localhost",
    "https://ann:pa@{}@example.org/x",
    "Authorization: Bearer {}",
    "authorization: basic {}==",
    "{{'Authorization': 'Bearer {}'}}",
    'Bearer "x", bearer {}',
    "password={}",
    "PGPASSWORD={} psql",
    "Passwd: {}",
    '{{"password": "{} with more words"}}',
    '{{\\"password\\": \\"{}\\"}}',
    "{{'api_key': '{}'}}",
    "password='{}",
    'cut: "token": "{}',
    "{{'password': 'it\\'s {}'}}",
    '{{"secret": "\\"{}"}}',
    "apikey={}&x=1",
    "?access_key={}&client_secret={}",
    "X-Api-Key: {}",
    "refresh_token={}; Path=/",
    "Cookie: {}",
    "key sk-{}",
    "sk_live_{} is wrong",
    "ghp_{}",
    "github_pat_{}",
    "glpat-{}",
    "xoxb-{}",
    "hf_{}",
    "AIza{}0123456789abcdef",
    "sps_{}",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.{}",
    "-----BEGIN RSA PRIVATE KEY-----\n{}\n-----END RSA PRIVATE KEY-----",
    "-----BEGIN PRIVATE KEY-----\n{}\ncut",
]
HARMLESS = [
    "disk full",
    "user ann@example.org not found",
    "https://example.org:8080/a/b?c=d#e",
    "the token expired",
    "basic rules apply to the bearer of news",
    "max_tokens=100",
    "task-force-of-many-people-meets",
    "KeyError: 'password'",
    "",
]


@pytest.mark.parametrize("form", FORMS)
def test_secrets_are_taken_out(form: str) -> None:
    redacted = redact(f"before {form.format(SECRET, SECRET)} after")
    assert SECRET not in redacted
    assert REDACTED in redacted
    assert redacted.startswith("before ")


@pytest.mark.parametrize("form", FORMS)
def test_redacting_again_changes_nothing(form: str) -> None:
    redacted = redact(form.format(SECRET, SECRET))
    assert redact(redacted) == redacted


@pytest.mark.parametrize("text", HARMLESS)
def test_other_text_is_left(text: str) -> None:
    assert redact(text) == text


def test_what_is_around_a_secret_is_left() -> None:
    url = f"postgresql://ann:{SECRET}@db/app?x=1 failed"
    assert redact(url) == f"postgresql://ann:{REDACTED}@db/app?x=1 failed"
    assert redact("AKIAIOSFODNN7EXAMPLE used") == f"{REDACTED} used"
    assert redact(f'{{"token": "{SECRET}", "a": 1}}') == f'{{"token": "{REDACTED}", "a": 1}}'


@settings(deadline=None)
@given(st.sampled_from(FORMS), st.text(), st.text())
def test_no_surrounding_text_hides_a_secret(form: str, before: str, after: str) -> None:
    text = f"{before} {form.format(SECRET, SECRET)} {after}"
    redacted = redact(text)
    assert SECRET not in redacted
    assert redact(redacted) == redacted


@pytest.mark.parametrize("name", ["password", "DB_PASSWORD", "api-key", "clientSecret", "token"])
def test_names_of_secrets(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize("name", ["release", "max_tokens", "passwords_checked", "author", ""])
def test_other_names(name: str) -> None:
    assert not is_secret_name(name)
