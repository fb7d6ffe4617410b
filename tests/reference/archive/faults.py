"""For the tests of archives: small faults, planted in one field of one row, or in the rows."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import msgspec

from storeproof.reference.archive.digest import RowsDigest
from storeproof.reference.archive.manifest import MANIFEST, Manifest, sealed, text_of

Change = Callable[[list[bytes]], list[bytes]]


def in_row(number: int, old: str, new: str) -> Change:
    """Another text in one row; it must be there once."""

    def change(lines: list[bytes]) -> list[bytes]:
        line = lines[number].decode()
        assert line.count(old) == 1, line
        return [*lines[:number], line.replace(old, new).encode(), *lines[number + 1 :]]

    return change


def swapped(field: str, one: int, other: int) -> Change:
    """Two rows with each other's value of a field."""

    def change(lines: list[bytes]) -> list[bytes]:
        rows: list[dict[str, Any]] = [msgspec.json.decode(line) for line in lines]
        rows[one][field], rows[other][field] = rows[other][field], rows[one][field]
        return [msgspec.json.encode(row) for row in rows]

    return change


FAULTS: Final[dict[str, tuple[str, Change]]] = {
    "a changed microsecond": ("auth.users", in_row(1, "T12:30:15.123456Z", "T12:30:15.123457Z")),
    "a rounded Decimal": ("costs.charges", in_row(0, '"0.123456789"', '"0.12345679"')),
    "one lost row": ("auth.users", lambda lines: lines[1:]),
    "one duplicated row": ("auth.audit", lambda lines: [lines[0], *lines]),
    "two swapped values": ("auth.users", swapped("display_name", 0, 1)),
    "a truncated text": ("auth.audit", in_row(0, '\\"b\\":1}', '\\"b\\":1')),
    "another normal form": (
        "auth.users",
        in_row(0, "e\u0301", unicodedata.normalize("NFC", "e\u0301")),
    ),
    "an empty text for null": (
        "auth.users",
        in_row(1, '"password_hash":null', '"password_hash":""'),
    ),
    "null for an empty text": ("auth.sessions", in_row(1, '"label":""', '"label":null')),
    "a dropped offset": ("auth.users", in_row(1, "T12:30:15.123456Z", "T12:30:15.123456")),
    "another offset": ("auth.users", in_row(0, "T12:00:00Z", "T14:00:00+02:00")),
    "another order of keys in a text": (
        "auth.audit",
        in_row(0, '{\\"a\\":null,\\"b\\":1}', '{\\"b\\":1,\\"a\\":null}'),
    ),
    "another order of fields": (
        "auth.grants",
        in_row(0, '"role":"admin","scope":""', '"scope":"","role":"admin"'),
    ),
    "a float for a Decimal": ("costs.charges", in_row(2, '"amount":"5"', '"amount":5.0')),
    "a number that fits no column": (
        "auth.users",
        in_row(0, '"failures":0', '"failures":9223372036854775808'),
    ),
    "NUL": ("auth.users", in_row(0, '"ann@', '"a\\u0000n@')),
    "an unknown field": ("auth.grants", in_row(0, '"scope":""', '"scope":"","more":1')),
    "two rows exchanged": ("auth.users", lambda lines: [lines[1], lines[0], *lines[2:]]),
}


def plant(path: Path, fault: str, *, hidden: bool = False) -> None:
    """Plants a fault in the archive; `hidden`: in its manifest too, as if it belonged there."""
    collection, change = FAULTS[fault]
    file = path / f"{collection}.ndjson"
    lines = change(file.read_bytes().splitlines())
    file.write_bytes(b"".join(line + b"\n" for line in lines))
    if hidden:
        rewrite(path, lambda manifest: _hidden(manifest, collection, file, lines))


def _hidden(manifest: Manifest, collection: str, file: Path, lines: list[bytes]) -> Manifest:
    digest = RowsDigest()
    digest.add(lines)
    written = {
        "count": digest.count,
        "digest": digest.hexdigest(),
        "size": file.stat().st_size,
        "sha256": sha256(file.read_bytes()).hexdigest(),
    }
    parts = tuple(
        msgspec.structs.replace(part, **written) if part.collection == collection else part
        for part in manifest.parts
    )
    return msgspec.structs.replace(manifest, parts=parts)


def rewrite(path: Path, change: Callable[[Manifest], Manifest]) -> None:
    """Changes a manifest, and seals it again."""
    manifest = msgspec.json.decode((path / MANIFEST).read_bytes(), type=Manifest)
    (path / MANIFEST).write_bytes(text_of(sealed(change(manifest))))
