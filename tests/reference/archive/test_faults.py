"""No fault in an archive is loaded, or taken for equal, and each is told by its name."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec
import pytest

from storeproof.reference.archive import (
    ArchiveEdited,
    ArchiveError,
    ArchiveReordered,
    ArchiveTruncated,
    BadRow,
    CollectionMissing,
    ForeignCollection,
    Kind,
    NewerArchive,
    NotAnArchive,
    OlderArchive,
    Orphan,
    RepeatedRow,
    RepeatedValue,
    TargetNotEmpty,
    import_archive,
    verify_archive,
)
from storeproof.reference.archive.manifest import MANIFEST
from storeproof.reference.selection import CONTENTS, Storages

from ..costs.examples import charge
from .examples import export, fill, opened, run
from .faults import FAULTS, plant, rewrite

SHORTER = {"one lost row", "a truncated text", "a dropped offset", "a rounded Decimal"}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("archive") / "whole"

    async def work() -> None:
        async with opened(None) as memory:
            await fill(memory)
            await export(memory, path)

    run(work())
    return path


@pytest.fixture
def archive(written: Path, tmp_path: Path) -> Path:
    """A copy of an archive that is whole."""
    return Path(shutil.copytree(written, tmp_path / "archive"))


def refusal(path: Path, kind: type[ArchiveError], url: str | None = None) -> ArchiveError:
    """The error by which an archive is neither found whole nor loaded; storages stay empty."""

    async def work() -> ArchiveError:
        async with opened(url) as storages:
            with pytest.raises(kind):
                await verify_archive(path)
            with pytest.raises(kind) as caught:
                await import_archive(path, storages)
            assert await is_empty(storages, path.parent)
        return caught.value

    found = run(work())
    assert type(found) is kind
    assert str(found)
    return found


async def is_empty(storages: Storages, folder: Path) -> bool:
    manifest = await export(storages, folder / "after")
    return {part.count for part in manifest.parts} == {0}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_changed_file_is_refused(archive: Path, fault: str) -> None:
    plant(archive, fault)
    reordered = fault == "two rows exchanged"
    kinds = (ArchiveReordered,) if reordered else (ArchiveEdited, ArchiveTruncated)
    with pytest.raises(kinds):
        run(verify_archive(archive))


NAMED = {
    "one duplicated row": RepeatedRow,
    "two rows exchanged": ArchiveReordered,
    "a truncated text": BadRow,
    "an empty text for null": BadRow,
    "null for an empty text": BadRow,
    "a dropped offset": BadRow,
    "another offset": BadRow,
    "another order of keys in a text": BadRow,
    "another order of fields": BadRow,
    "a float for a Decimal": BadRow,
    "a number that fits no column": BadRow,
    "NUL": BadRow,
    "an unknown field": BadRow,
}


@pytest.mark.parametrize("fault", NAMED)
def test_a_row_that_no_storage_wrote_is_refused_whatever_the_manifest_says(
    archive: Path, fault: str
) -> None:
    plant(archive, fault, hidden=True)
    refusal(archive, NAMED[fault])


@pytest.mark.parametrize("fault", [each for each in FAULTS if each not in NAMED])
def test_a_fault_that_an_archive_does_not_show_is_found_in_the_storages(
    archive: Path, fault: str, sqlite_url: str
) -> None:
    """Whoever writes a manifest anew can make an archive of other rows, but not of these."""

    async def work() -> list[tuple[str, Kind, list[str]]]:
        async with opened(sqlite_url) as storages:
            await import_archive(archive, storages)
            plant(archive, fault, hidden=True)
            assert (await verify_archive(archive)).equal
            found = await verify_archive(archive, against=storages)
            assert found.collections == (FAULTS[fault][0],)
            return [
                (each.key[0], each.kind, [field.field for field in each.fields])
                for each in found.differences
            ]

    assert (
        run(work())
        == {
            "a changed microsecond": [("bob", Kind.CHANGED, ["created_at"])],
            "a rounded Decimal": [("c1", Kind.CHANGED, ["amount"])],
            "one lost row": [("ann", Kind.UNEXPECTED, [])],
            "two swapped values": [
                ("ann", Kind.CHANGED, ["display_name"]),
                ("bob", Kind.CHANGED, ["display_name"]),
            ],
            "another normal form": [("ann", Kind.CHANGED, ["display_name"])],
        }[fault]
    )


def test_a_difference_shows_values_but_no_secrets(archive: Path, sqlite_url: str) -> None:
    async def work() -> list[str]:
        async with opened(sqlite_url) as storages:
            await import_archive(archive, storages)
            await storages.auth.replace_password_hash("ann", "$argon2id$v=19$x", "$other")
            await storages.costs.create(charge("new"))
            found = await verify_archive(archive, against=storages)
            return [str(each) for each in found.differences]

    assert run(work()) == [
        "auth.users 'ann': changed; password_hash (secret) became (secret)",
        "costs.charges 'new': unexpected",
    ]


def test_a_file_that_lost_its_end_or_is_gone_is_truncated(archive: Path) -> None:
    file = archive / "errors.events.ndjson"
    file.write_bytes(file.read_bytes()[:-1])
    assert vars(refusal(archive, ArchiveTruncated))["file"] == file.name
    file.unlink()
    refusal_again = archive.rename(archive.with_name("again"))
    with pytest.raises(ArchiveTruncated):
        run(verify_archive(refusal_again))


def test_a_compressed_file_that_was_changed_is_refused(tmp_path: Path) -> None:
    async def work() -> None:
        async with opened(None) as memory:
            await fill(memory)
            await export(memory, tmp_path / "small", compress=True)

    run(work())
    file = tmp_path / "small" / "auth.users.ndjson.zst"
    text = file.read_bytes()
    file.write_bytes(text[:-8] + b"12345678")
    refusal(tmp_path / "small", ArchiveEdited)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (None, NotAnArchive),
        (b"", NotAnArchive),
        (b"{}", NotAnArchive),
        (b"[1]", NotAnArchive),
        (b'{"format": "other", "version": 1}', NotAnArchive),
        (b'{"format": "storeproof-archive", "version": 3}', NewerArchive),
        (b'{"format": "storeproof-archive", "version": 2}', ArchiveEdited),
        (b'{"format": "storeproof-archive", "version": 1}', OlderArchive),
        (b'{"format": "storeproof-archive", "ver', ArchiveEdited),
        (b"\xff", NotAnArchive),
    ],
)
def test_something_else_is_no_archive(
    archive: Path, text: bytes | None, kind: type[ArchiveError]
) -> None:
    if text is None:
        (archive / MANIFEST).unlink()
    else:
        (archive / MANIFEST).write_bytes(text)
    refusal(archive, kind)


def test_a_manifest_that_was_changed_is_refused(archive: Path) -> None:
    text = (archive / MANIFEST).read_bytes()
    (archive / MANIFEST).write_bytes(text.replace(b'"count": 4', b'"count": 5', 1))
    refusal(archive, ArchiveEdited)


def test_a_component_of_another_version_is_refused(archive: Path) -> None:
    def with_version(number: int) -> None:
        rewrite(
            archive,
            lambda manifest: msgspec.structs.replace(
                manifest, components={**manifest.components, "costs": number}
            ),
        )

    known = next(each.schema.version for each in CONTENTS if each.component == "costs")
    with_version(known + 1)
    assert "version" in str(refusal(archive, NewerArchive))
    shutil.rmtree(archive.parent / "after")
    with_version(known - 1)
    refusal(archive, OlderArchive)


def test_a_collection_of_another_program_is_refused(archive: Path) -> None:
    rewrite(
        archive,
        lambda manifest: msgspec.structs.replace(
            manifest,
            parts=(*manifest.parts, msgspec.structs.replace(manifest.parts[0], collection="x.y")),
        ),
    )
    refusal(archive, ForeignCollection)


def test_a_file_elsewhere_is_refused(archive: Path) -> None:
    rewrite(
        archive,
        lambda manifest: msgspec.structs.replace(
            manifest,
            parts=(
                msgspec.structs.replace(manifest.parts[0], file="../secret"),
                *manifest.parts[1:],
            ),
        ),
    )
    refusal(archive, ForeignCollection)


def test_a_collection_that_is_missing_is_refused(archive: Path) -> None:
    rewrite(archive, lambda manifest: msgspec.structs.replace(manifest, parts=manifest.parts[:-1]))
    refusal(archive, CollectionMissing)


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def place(request: pytest.FixtureRequest) -> str | None:
    return None if request.param == "memory" else request.getfixturevalue(f"{request.param}_url")


def loading(path: Path, url: str | None, kind: type[ArchiveError]) -> ArchiveError:
    """The error by which an archive that looks whole is not loaded; storages stay empty."""

    async def work() -> ArchiveError:
        async with opened(url) as storages:
            with pytest.raises(kind) as caught:
                await import_archive(path, storages)
            assert await is_empty(storages, path.parent)
        return caught.value

    return run(work())


ORPHANS = {
    "costs.corrections": ('"charge":"c1"', '"charge":"cx"'),
    "costs.held": ('"reservation":"r5"', '"reservation":"r6"'),
    "errors.merges": ('"id":"g1","merged_into":"g2"', '"id":"g1","merged_into":"g9"'),
    "errors.events": ('"id":"e20","fingerprint":"g0"', '"id":"e20","fingerprint":"gx"'),
    "auth.roles": ('"parents":["reader"]', '"parents":["nobody"]'),
    "auth.grants": ('"user":"bob"', '"user":"bot"'),
}


@pytest.mark.parametrize("collection", ORPHANS)
def test_a_row_that_names_a_missing_one_is_refused(
    archive: Path, place: str | None, collection: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = ORPHANS[collection]

    def change(lines: list[bytes]) -> list[bytes]:
        assert sum(old.encode() in line for line in lines) == 1
        return [line.replace(old.encode(), new.encode()) for line in lines]

    monkeypatch.setitem(FAULTS, "an orphan", (collection, change))
    plant(archive, "an orphan", hidden=True)
    error = loading(archive, place, Orphan)
    assert vars(error)["collection"] == collection


SAME = {
    "auth.users": ("x@example.org", "ANN@Example.org"),
    "auth.sessions": ('"digest":"' + "2" * 64, '"digest":"' + "3" * 64),
    "providers.providers": ('"revision":2', '"revision":3'),
}


@pytest.mark.parametrize("collection", SAME)
def test_two_rows_with_a_value_that_must_be_one_s_own_are_refused(
    archive: Path, place: str | None, collection: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = (text.encode() for text in SAME[collection])

    def change(lines: list[bytes]) -> list[bytes]:
        return [line.replace(old, new) for line in lines]

    monkeypatch.setitem(FAULTS, "the same value", (collection, change))
    plant(archive, "the same value", hidden=True)
    assert vars(loading(archive, place, RepeatedValue))["collection"] == collection


def test_storages_that_hold_anything_are_left_alone(archive: Path, place: str | None) -> None:
    async def work() -> None:
        async with opened(place) as storages:
            await storages.costs.create(charge("c1"))
            with pytest.raises(TargetNotEmpty) as caught:
                await import_archive(archive, storages)
            assert caught.value.collection == "costs.charges"
            manifest = await export(storages, archive.parent / "after")
            assert sum(part.count for part in manifest.parts) == 1

    run(work())
