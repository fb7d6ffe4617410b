"""For whoever reports errors: `redact` takes secrets out of text before it is stored.

It knows secrets by their form (keys of well-known services, JSON web tokens, private
keys) and by their place (passwords in URLs, Authorization headers, values named like
one). It can't know all: what is secret should not be written into messages at all.
"""

import re
from collections.abc import Iterable
from typing import Final

__all__ = ["REDACTED", "is_secret_name", "redact"]

REDACTED: Final = "[redacted]"

_NAMES_BY_WORD: Final = {
    "pass": r"passw(?:or)?d|passphrase",
    "pwd": "pwd",
    "secret": "secret",
    "token": "token",
    "credential": "credentials?",
    "key": r"(?:api|access|private|auth)[_-]?key",
    "authorization": "authorization",
    "cookie": "cookie",
}
"""The names of secrets, by a word that stands in each of them."""
_NAMES = "|".join(_NAMES_BY_WORD.values())
_SCHEMES = ("bearer", "basic")
_SECRET_NAME = re.compile(rf"(?:{_NAMES})\Z", re.IGNORECASE)

# A name, perhaps quoted, then = or :, then all up to a separator, or a quoted text, which may
# have been cut off.
_NAMED = re.compile(
    rf"""(?P<name>(?:{_NAMES})\\?["']?\s{{0,4}}[=:]\s{{0,4}})(?!\[redacted\])"""
    r"""(?P<value>\\"[^"\n]*"?|"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?|[^\s"'&,;)}\]]+)""",
    re.IGNORECASE,
)
# Words may follow too ("basic rules"): a credential is long, or has a digit.
_SCHEME = re.compile(r"\b(Bearer|Basic)\s+(?=\S*\d|\S{20})[\w.~+/=-]+", re.IGNORECASE)
_URL = re.compile(r"(?P<name>[a-zA-Z][a-zA-Z0-9+.-]{0,30}://[^\s/?#@:]*:)(?P<value>[^\s/]+)(?=@)")
_PRIVATE = re.compile(
    r"-----BEGIN (?P<kind>[A-Z ]{0,30}PRIVATE KEY)-----.*?(?:-----END (?P=kind)-----|\Z)", re.S
)
_KNOWN = re.compile(
    r"\b(?:"
    r"(?:sk|pk|rk)[-_](?:[\w-]{16,})"  # OpenAI, Anthropic, Stripe
    r"|gh[pousr]_\w{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}"
    r"|xox[a-z]-[\w-]{10,}|hf_\w{20,}|npm_\w{20,}|pypi-[\w-]{20,}"
    r"|A(?:KIA|SIA)[0-9A-Z]{16}|AIza[\w-]{30,}|ya29\.[\w-]{16,}"
    r"|sp[skr]_[\w-]{16,}"  # this package's own sessions, keys and resets
    r"|eyJ[\w-]{8,}\.[\w-]{4,}\.[\w-]*"
    r")"
)


def redact(text: str) -> str:
    """The text with every secret that is known as one replaced by `REDACTED`.

    Redacting again changes nothing.
    """
    # Other letters than those of ASCII may match them, whatever their case.
    lowered = text.lower() if text.isascii() else None
    if "-----BEGIN " in text:
        text = _PRIVATE.sub(REDACTED, text)
    if "://" in text:
        text = _URL.sub(_hide, text)
    if _may_have(lowered, _SCHEMES):
        text = _SCHEME.sub(rf"\1 {REDACTED}", text)
    if ("=" in text or ":" in text) and _may_have(lowered, _NAMES_BY_WORD):
        text = _NAMED.sub(_hide, text)
    return _KNOWN.sub(REDACTED, text)


def _may_have(lowered: str | None, words: Iterable[str]) -> bool:
    """Whether it is worth looking for more than these words: most texts have none."""
    return lowered is None or any(word in lowered for word in words)


def is_secret_name(name: str) -> bool:
    """Whether a value with this name, such as "db_password", is a secret as a whole."""
    return _SECRET_NAME.search(name) is not None


def _hide(found: re.Match[str]) -> str:
    value = found["value"]
    quote = value[0] if value[0] in "\"'" else ""
    return f"{found['name']}{quote}{REDACTED}{quote}"
