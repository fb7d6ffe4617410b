"""For authors of pages: what a page may say was done. Addresses name it, and can't word it."""

from collections.abc import Mapping
from typing import Final

__all__ = ["NOTICES"]

NOTICES: Final[Mapping[str, str]] = {
    "budget-changed": "The budget is changed.",
    "budget-made": "The budget is made. Requests count in it from now on.",
    "cooling-ended": "The cool-down is over. The provider is chosen again.",
    "group-ignored": "The group is ignored.",
    "group-resolved": "The group is resolved. An event that occurs from now on reopens it.",
    "group-unresolved": "The group is open again.",
    "password-set": "Your password is set. Sign in with it.",
    "provider-changed": "The provider is changed.",
    "role-granted": "The role is granted.",
    "role-revoked": "The role is taken away.",
    "signed-out": "You are signed out.",
    "user-changed": "The user is changed.",
    "user-made": "The user is made.",
    "user-unlocked": "The lock-out is over.",
}
