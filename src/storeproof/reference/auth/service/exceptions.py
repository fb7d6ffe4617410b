"""For callers of `AuthService`: what it refuses, beside what its storage raises.

    AuthError
    ├── SignInRefused                   whoever this is, they do not get in
    ├── NotAllowed(operation, reason)   they are in, but may not do this
    ├── WeakPassword(reason)            the policy does not accept the new password
    └── NotAudited(action, subject)     the change was made, its audit entry was not

Their texts may be shown to whoever made the request.
"""

__all__ = ["AuthError", "NotAllowed", "NotAudited", "SignInRefused", "WeakPassword"]


class AuthError(Exception):
    """The root of the errors that are the service's own."""


class SignInRefused(AuthError):
    """A sign-in, a token or a password is not accepted. It never says why.

    An unknown address, a wrong password, a disabled or locked-out user and an expired or revoked
    token look the same, so that nobody learns which accounts there are.
    """

    def __str__(self) -> str:
        return (
            "The sign-in was refused. Check the address and the password, wait if there were "
            "many attempts, or ask an administrator for a new token."
        )


class NotAllowed(AuthError):
    """The principal may not call `operation`; `reason` is a fixed phrase or names a permission."""

    def __init__(self, operation: str, reason: str) -> None:
        super().__init__(operation, reason)
        self.operation = operation
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.operation} is not allowed: {self.reason}. Nothing was changed."


class WeakPassword(AuthError):
    """The new password is refused; `reason` never quotes it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return f"The password {self.reason}. Nothing was changed; choose another one."


class NotAudited(AuthError):
    """The change was made, but its audit entry could not be stored; the cause is chained.

    Do not repeat the change: record by hand what the application knows of it.
    """

    def __init__(self, action: str, subject: str) -> None:
        super().__init__(action, subject)
        self.action = action
        self.subject = subject

    def __str__(self) -> str:
        return (
            f"{self.action} of {self.subject!r} was done, but its audit entry was not stored. "
            "Do not repeat it; record it by hand."
        )
