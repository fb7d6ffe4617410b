"""For authors of components: what the service of every component has in common."""

from copy import copy
from typing import Generic, Self, TypeVar

__all__ = ["ComponentService"]

Storage = TypeVar("Storage")


class ComponentService(Generic[Storage]):
    """A service works on the storage that it was given, and on no other."""

    _storage: Storage

    def on(self, storage: Storage) -> Self:
        """This service on another storage, as `Storages.together` gives one; all else is shared."""
        other = copy(self)
        other._storage = storage
        return other
