"""For authors of routes that make something whose id the client does not choose.

A request with the header `Idempotency-Key` may be repeated, to whichever process: the id of what it
makes is derived from the key and its caller, so nothing has to be remembered beside what is made.
"""

import hashlib
import re
from typing import Annotated, Final

from litestar.params import HeaderParameter

from storeproof.reference.auth.service.access import Principal
from storeproof.reference.web.problems import Refusal

__all__ = ["IdempotencyKey", "id_of"]

IdempotencyKey = Annotated[str | None, HeaderParameter(name="Idempotency-Key")]

_KEY: Final = re.compile(r"[!-~]{1,255}")


def id_of(key: str | None, by: Principal, what: str) -> str | None:
    """The id of what a caller makes with this key; None without one.

    Raises Refusal for a key that is not 1 to 255 visible characters of ASCII.
    """
    if key is None:
        return None
    if _KEY.fullmatch(key) is None:
        raise Refusal(400, "request", "Idempotency-Key: must be 1 to 255 characters of ASCII.")
    return hashlib.sha256(f"{what} {by.user} {key}".encode()).hexdigest()[:32]
