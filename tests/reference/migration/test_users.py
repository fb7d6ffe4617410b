"""Users of other programs are moved with their passwords, or all that is wrong is told at once."""

from __future__ import annotations

import json
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from storeproof.reference.auth import UserFilter
from storeproof.reference.migration import DoesNotFit, UsersSource, migrate
from storeproof.reference.passwords import Argon2Hasher

from ..archive.examples import NOW, fill, opened, run
from ..auth.examples import ANN

OURS = "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$aaaaaaaaaaaaaaaaaaaaaa"


def moved(url: str, source: UsersSource, folder: Path) -> Any:
    async def work() -> Any:
        async with opened(url) as target:
            await fill(target)
            await migrate(source, target, folder, id="m", actor="ann", clock=lambda: NOW)
            found = [await target.auth.find_by_email(f"new{n}@example.org") for n in (1, 2)]
            assert (await target.auth.get_by_id(ANN)).id == ANN
            return found

    return run(work())


def source(path: Path, **options: Any) -> UsersSource:
    numbers = count(1)
    return UsersSource(path, lambda: f"made {next(numbers)}", **options)


def test_users_of_csv_are_added_to_those_that_are_there(url: str, tmp_path: Path) -> None:
    file = tmp_path / "users.csv"
    file.write_text(
        "email,display_name,password_hash,enabled,created_at,id\n"
        f'New1@example.org,,"{OURS}",FALSE,2020-01-01T00:00:00+02:00,7\n'
        'new2@example.org,"a ""b"", c",,,,\n',
        "utf-8",
    )
    one, other = moved(url, source(file), tmp_path)
    assert (one.id, one.email, one.enabled, one.password_hash) == (
        "7",
        "New1@example.org",
        False,
        OURS,
    )
    assert one.created_at.isoformat() == "2019-12-31T22:00:00+00:00"
    assert (other.id, other.display_name, other.created_at) == ("made 2", 'a "b", c', NOW)


@pytest.mark.parametrize("lines", [True, False])
def test_users_of_json_are_added(sqlite_url: str, tmp_path: Path, lines: bool) -> None:
    users = [{"email": "new1@example.org"}, {"email": "new2@example.org", "verified": True}]
    file = tmp_path / "users.json"
    text = "\n".join(map(json.dumps, users)) if lines else json.dumps(users)
    file.write_text(text, "utf-8")
    assert [each.verified for each in moved(sqlite_url, source(file), tmp_path)] == [False, True]


BAD = [
    {"email": "new1@example.org"},
    {"email": "NEW1@example.org"},
    {"email": "ann@EXAMPLE.org"},
    {"email": "x@example.org", "id": "ann"},
    {"email": "a b@example.org"},
    {"email": "nul\0@example.org"},
    {"email": "y@example.org", "password_hash": "secret"},
    {"email": "y@example.org", "password_hash": "5f4dcc3b5aa765d61d8327deb882cf99"},
    {"email": "y@example.org", "created_at": "2020-01-01T00:00:00"},
    {"email": "y@example.org", "is_admin": True},
    {"email": "y@example.org", "enabled": "perhaps"},
    {"email": "y@example.org", "failures": 2**63},
    {"id": "z"},
    ["y@example.org"],
    {"email": "new2@example.org"},
]
WRONG = [
    (2, "email", "is another user's too"),
    (3, "email", "is another user's too"),
    (4, "id", "is another user's too"),
    (5, "email", "must be printable without spaces"),
    (6, "email", "must not contain NUL"),
    (7, "password_hash", "is of no kind that can be compared with"),
    (8, "password_hash", "is of no kind that can be compared with"),
    (9, "created_at", "must have a time zone"),
    (10, "is_admin", "is not a field of users"),
    (11, "", "Expected `bool`, got `str` - at `$.enabled`"),
    (12, "failures", "is not a field of users"),
    (13, "", "Object missing required field `email`"),
    (14, "", "is no object"),
]


def test_all_that_does_not_fit_is_told_and_nothing_moved(url: str, tmp_path: Path) -> None:
    file = tmp_path / "users.jsonl"
    file.write_text("\n".join(map(json.dumps, BAD)), "utf-8")

    async def work() -> None:
        async with opened(url) as target:
            await fill(target)
            with pytest.raises(DoesNotFit) as caught:
                await migrate(source(file), target, tmp_path, id="m", actor="x", clock=lambda: NOW)
            found = [(each.number, each.field, each.reason) for each in caught.value.problems]
            assert found == WRONG
            assert "user 2, email: is another user's too" in str(caught.value)
            assert "secret" not in str(caught.value)
            assert len((await target.auth.list_users(UserFilter())).items) == 4

    run(work())


def test_what_does_not_fit_is_written_apart_when_that_is_asked_for(
    sqlite_url: str, tmp_path: Path
) -> None:
    file, rejects = tmp_path / "users.jsonl", tmp_path / "rejects.jsonl"
    file.write_text("\n".join(map(json.dumps, BAD)), "utf-8")
    moved(sqlite_url, source(file, rejects=rejects), tmp_path)
    left = [json.loads(line) for line in rejects.read_text("utf-8").splitlines()]
    assert left == BAD[1:-1]


def test_a_file_that_can_t_be_read_to_its_end_moves_nothing(
    sqlite_url: str, tmp_path: Path
) -> None:
    file = tmp_path / "users.jsonl"
    file.write_bytes(b'{"email":"new1@example.org"}\n{"email":')
    with pytest.raises(DoesNotFit, match="user 2: the file can't be read from here on"):
        moved(sqlite_url, source(file), tmp_path)


FOREIGN = {
    "passlib pbkdf2": (
        "password",
        "$pbkdf2-sha256$1212$4vjV83LKPjQzk31VI4E0Vw$hsYF68OiOUPdDZ1Fg.fJPeq1h/gXXY7acBp9/6c.tmQ",
    ),
    "Django pbkdf2": (
        "l\u00e8tmein",
        "pbkdf2_sha256$20000$seasalt$oBSd886ysm3AqYun62DOdin8YcfbU1z9cksZSuLP9r0=",
    ),
    "passlib scrypt": (
        "password",
        "$scrypt$ln=16,r=8,p=1$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E",
    ),
    "Django scrypt": (
        "l\u00e8tmein",
        "scrypt$16384$seasalt$8$1$Qj3+9PPyRjSJIebHnG81TMjsqtaIGxNQG/aEB/NYafTJ7tibgfYz71m0ldQESkXF"
        "RkdVCBhhY8mx7rQwite/Pw==",
    ),
    "bcrypt": ("U*U", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"),
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_hashes_of_other_programs_are_compared_with_and_to_be_replaced(kind: str) -> None:
    password, foreign = FOREIGN[kind]
    hasher = Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1)

    async def work() -> list[bool]:
        return [
            await hasher.verify(foreign, password),
            await hasher.verify(foreign, password + "x"),
            hasher.needs_rehash(foreign),
        ]

    assert run(work()) == [True, False, True]
