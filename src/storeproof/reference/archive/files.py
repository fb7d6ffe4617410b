"""For archives: the file of one collection, written and read some lines at a time."""

import io
import os
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO

from storeproof.reference.archive.digest import RowsDigest
from storeproof.reference.archive.lines import lines_in
from storeproof.reference.archive.manifest import SUFFIXES, Part
from storeproof.reference.config import ConfigurationError

__all__ = ["PartFile", "hash_of", "sync_folder", "texts_in"]

CHUNK = 2**20
_PLAIN, _COMPRESSED = SUFFIXES


class PartFile:
    """The new file of a collection in `folder`; compressed by zstd if that is asked for."""

    def __init__(self, folder: Path, collection: str, *, compress: bool) -> None:
        self._collection = collection
        self._name = collection + (_COMPRESSED if compress else _PLAIN)
        self._digest = RowsDigest()
        self._hash = sha256()
        self._size = 0
        self._compressor = zstandard().ZstdCompressor().compressobj() if compress else None
        self._file = (folder / self._name).open("xb")

    @property
    def count(self) -> int:
        """How many rows there are by now."""
        return self._digest.count

    def write(self, text: bytes) -> None:
        """Adds rows, given as their canonical lines with ends."""
        self._digest.add(lines_in(text))
        self._put(text if self._compressor is None else self._compressor.compress(text))

    def finish(self) -> Part:
        """Brings the file to the disk; gives what the manifest says of it."""
        if self._compressor is not None:
            self._put(self._compressor.flush())
        self._file.flush()
        os.fsync(self._file.fileno())
        return Part(
            collection=self._collection,
            file=self._name,
            count=self._digest.count,
            size=self._size,
            sha256=self._hash.hexdigest(),
            digest=self._digest.hexdigest(),
        )

    def close(self) -> None:
        """Closes the file."""
        self._file.close()

    def _put(self, data: bytes) -> None:
        self._hash.update(data)
        self._size += len(data)
        self._file.write(data)


def hash_of(path: Path) -> str:
    """The SHA-256 of a file, as 64 hexadecimal digits."""
    total = sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            total.update(chunk)
    return total.hexdigest()


def texts_in(path: Path) -> Iterator[bytes]:
    """What a collection's file says: whole lines, with their ends, of CHUNK bytes together.

    Raises ConfigurationError where it is compressed and zstandard is not installed, EOFError or
    ValueError for what can't be decompressed.
    """
    with path.open("rb") as raw:
        if path.name.endswith(_COMPRESSED):
            yield from _decompressed(raw)
        else:
            yield from _texts(raw)


def _texts(file: BinaryIO) -> Iterator[bytes]:
    while text := file.read(CHUNK):
        yield text + file.readline()


def _decompressed(raw: Any) -> Iterator[bytes]:
    module = zstandard()
    reader = module.ZstdDecompressor().stream_reader(raw)
    try:
        yield from _texts(io.BufferedReader(reader, CHUNK))
    except module.ZstdError as error:
        raise ValueError("it can't be decompressed") from error


def zstandard() -> Any:
    """The module of that name. Raises ConfigurationError where it is not installed."""
    try:
        import zstandard as module
    except ModuleNotFoundError:
        remedy = "Run: pip install 'storeproof[zstd]'"
        raise ConfigurationError("zstd", "zstandard is not installed", remedy) from None
    return module


def sync_folder(path: Path) -> None:
    """Brings the names in a folder to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
