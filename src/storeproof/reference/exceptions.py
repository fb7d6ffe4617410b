"""For everyone who calls or writes a storage: the one closed tree of errors.

    StorageError
    ├── InvalidValue(field, reason)      the argument can never be stored or looked up
    ├── NotFound(kind, id)               nothing there has this id
    ├── VersionConflict(kind, id, expected)  it changed since the caller read it
    ├── Duplicate(field)                 something else has this value already
    ├── InUse(kind, id, by)              something else still needs it
    ├── Unavailable(reason)              nothing happened; safe to retry
    └── OutcomeUnknown(reason)           the change may or may not have happened

The attributes are the same on every backend: two storages agree on an error when its
class and its attributes are equal. What a driver said is chained (`raise ... from`),
never copied into an attribute.
"""

__all__ = [
    "Duplicate",
    "InUse",
    "InvalidValue",
    "NotFound",
    "OutcomeUnknown",
    "StorageError",
    "Unavailable",
    "VersionConflict",
]


class StorageError(Exception):
    """The only class of error that leaves a storage. Components may add subclasses."""


class InvalidValue(StorageError):
    """An argument that no backend may see.

    `field` names the parameter, or the field of the entity, patch or filter; `reason`
    is a fixed phrase that never quotes the value, which may be a secret.
    """

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(field, reason)
        self.field = field
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.field}: {self.reason}. Nothing was stored; correct the value."


class NotFound(StorageError):
    """No `kind` ("user", "role", ...) has this `id` (or this e-mail, or this digest)."""

    def __init__(self, kind: str, id: str) -> None:
        super().__init__(kind, id)
        self.kind = kind
        self.id = id

    def __str__(self) -> str:
        return f"There is no {self.kind} {self.id!r}. Check it, or create it first."


class VersionConflict(StorageError):
    """The stored version of `kind` `id` is not `expected`: someone else changed it."""

    def __init__(self, kind: str, id: str, expected: int) -> None:
        super().__init__(kind, id, expected)
        self.kind = kind
        self.id = id
        self.expected = expected

    def __str__(self) -> str:
        return (
            f"The {self.kind} {self.id!r} is no longer at version {self.expected}. "
            "Read it again, then repeat the change on what you read."
        )


class Duplicate(StorageError):
    """Another entity has the same `field`, which must be unique."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field

    def __str__(self) -> str:
        return f"The value of {self.field} is taken. Nothing was stored; choose another."


class InUse(StorageError):
    """The `kind` `id` can't lose what the call would take away, because of `by`."""

    def __init__(self, kind: str, id: str, by: str) -> None:
        super().__init__(kind, id, by)
        self.kind = kind
        self.id = id
        self.by = by

    def __str__(self) -> str:
        return f"The {self.kind} {self.id!r} is in use ({self.by}). Nothing was changed."


class Unavailable(StorageError):
    """The store could not be reached, or gave up; nothing happened. Retry later.

    `reason` is the storage's own short phrase, never the driver's text; `remedy` says what to do
    where trying again is not enough.
    """

    def __init__(self, reason: str, remedy: str = "retry") -> None:
        super().__init__(reason, remedy)
        self.reason = reason
        self.remedy = remedy

    def __str__(self) -> str:
        return f"The store is unavailable ({self.reason}). Nothing was changed; {self.remedy}."


class OutcomeUnknown(StorageError):
    """The connection died between the commit and its answer.

    The change either happened wholly or not at all. Read the entity to find out, or
    repeat the call where its operation says that repeating it is harmless.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return (
            f"The outcome is unknown ({self.reason}). The change happened wholly or not "
            "at all; read it back before repeating it."
        )
