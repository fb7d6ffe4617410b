"""For everyone who calls or writes an error storage: its own error."""

from storeproof.reference.exceptions import StorageError

__all__ = ["ArchiveDamaged"]


class ArchiveDamaged(StorageError):
    """The file of the archive `id` does not read back as it was written."""

    def __init__(self, id: str) -> None:
        super().__init__(id)
        self.id = id

    def __str__(self) -> str:
        return (
            f"The file of archive {self.id!r} does not read back as it was written. "
            "Nothing was changed; check the disk that it is on, then repeat the call."
        )
