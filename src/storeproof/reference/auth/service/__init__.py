"""For applications: users sign in, and are managed, through `AuthService`."""

from storeproof.reference.auth.service.exceptions import (
    AuthError,
    NotAllowed,
    NotAudited,
    SignInRefused,
    WeakPassword,
)
from storeproof.reference.auth.service.service import AuthPolicy, AuthService

__all__ = [
    "AuthError",
    "AuthPolicy",
    "AuthService",
    "NotAllowed",
    "NotAudited",
    "SignInRefused",
    "WeakPassword",
]
