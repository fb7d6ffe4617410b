"""Upgrades and downgrades: what they do, refuse, leave when they fail, and that one waits."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from storeproof.reference.database import SchemaMismatch
from storeproof.reference.database.revisions import (
    History,
    LossNotAccepted,
    Patience,
    RevisionFailed,
    UnknownRevision,
    downgrade,
    upgrade,
)
from storeproof.reference.exceptions import Unavailable

from .histories import PARCELS, PARTS, execute, write


@pytest.fixture
def history(tmp_path: Path) -> History:
    return write(tmp_path / "history")


def numbers(revisions: object) -> list[int]:
    return [each.number for each in revisions]  # type: ignore[attr-defined]  # a list of revisions


def up(url: str, history: History, **options: object) -> list[int]:
    return numbers(asyncio.run(upgrade(url, history, **options)))  # type: ignore[arg-type]  # passed on


def down(url: str, history: History, to: int, **options: object) -> list[int]:
    return numbers(asyncio.run(downgrade(url, history, to=to, **options)))  # type: ignore[arg-type]  # passed on


def versions(url: str) -> dict[object, object]:
    rows = execute(url, "SELECT component, version FROM storeproof_schema_version")
    return {row[0]: row[1] for row in rows}


def test_an_empty_database_gets_everything_once(url: str, history: History) -> None:
    assert up(url, history) == [1, 2, 3, 4, 5]
    assert versions(url) == {"letters": 5, "parcels": 3}
    assert up(url, history) == []


def test_it_goes_and_comes_step_by_step(url: str, history: History) -> None:
    assert up(url, history, to=2) == [1, 2]
    assert versions(url) == {"letters": 2}
    assert up(url, history, components=["parcels"]) == [3, 4, 5]
    assert down(url, history, 4) == [5]
    assert versions(url) == {"letters": 4, "parcels": 3}
    assert down(url, history, 1, accept_loss=True) == [4, 3, 2]
    assert versions(url) == {"letters": 1}
    assert down(url, history, 0, accept_loss=True) == [1]
    assert versions(url) == {}


def test_components_that_are_not_there_are_passed_over(url: str, history: History) -> None:
    assert up(url, history, components=["parcels"]) == [3]
    assert up(url, history) == []
    assert up(url, history, components=["letters"]) == [1, 2, 4, 5]


def test_what_is_done_is_told(url: str, history: History) -> None:
    told: list[str] = []
    up(url, history, to=2, tell=told.append)
    down(url, history, 1, accept_loss=True, tell=told.append)
    assert told == [
        "0001 letters: Revision 1.",
        "0002 letters: Revision 2.",
        "0002 letters: undone",
    ]


def test_a_loss_must_be_accepted_before_anything_is_done(url: str, history: History) -> None:
    up(url, history)
    with pytest.raises(LossNotAccepted, match=r"0002: the subjects.*--accept-loss") as refused:
        down(url, history, 1)
    assert refused.value.losses == (
        "0004: the languages",
        "0003: the parcels",
        "0002: the subjects",
    )
    assert versions(url) == {"letters": 5, "parcels": 3}


@pytest.mark.parametrize("to", [-1, 6])
def test_an_unknown_revision_changes_nothing(url: str, history: History, to: int) -> None:
    up(url, history, to=0)
    with pytest.raises(UnknownRevision):
        up(url, history, to=to)
    assert versions(url) == {}


def test_tables_of_a_later_release_are_left_alone(url: str, history: History) -> None:
    up(url, history)
    execute(url, "UPDATE storeproof_schema_version SET version = 7 WHERE component = 'letters'")
    for move in (lambda: up(url, history), lambda: down(url, history, 0, accept_loss=True)):
        with pytest.raises(SchemaMismatch, match=r"version 7 of the letters.*downgrade URL --to 5"):
            move()


def test_tables_of_others_are_nobody_s_business(url: str, history: History) -> None:
    up(url, history)
    execute(url, "INSERT INTO storeproof_schema_version VALUES ('notes', 9)")
    assert up(url, history) == []
    down(url, history, 0, accept_loss=True)
    assert versions(url) == {"notes": 9}


def with_failing(folder: Path, place: int) -> History:
    """The history with a revision that fails when half of it is done."""
    parts = list(PARTS)
    component, loses, text = parts[place]
    half = (
        'def upgrade():\n    op.execute("CREATE TABLE half (id TEXT)")\n    op.execute("nonsense")'
    )
    parts[place] = (component, loses, text.replace("def upgrade():", half))
    return write(folder, tuple(parts))


def test_a_failure_leaves_nothing_of_its_revision(url: str, tmp_path: Path) -> None:
    broken = with_failing(tmp_path / "broken", 2)
    with pytest.raises(
        RevisionFailed, match=r"Revision 0003 failed .*syntax error.*Nothing"
    ) as failed:
        up(url, broken)
    assert (failed.value.revision, failed.value.stays) == ("0003", False)
    good = write(tmp_path / "good")
    assert up(url, good, components=good.components)[-3:] == [3, 4, 5]
    with pytest.raises(Unavailable, match="half"):
        execute(url, "SELECT * FROM half")


def test_postgres_keeps_the_revisions_before_a_failure(postgres_url: str, tmp_path: Path) -> None:
    with pytest.raises(RevisionFailed):
        up(postgres_url, with_failing(tmp_path / "broken", 2))
    assert versions(postgres_url) == {"letters": 2}


def test_sqlite_makes_all_revisions_or_none(sqlite_url: str, tmp_path: Path) -> None:
    with pytest.raises(RevisionFailed):
        up(sqlite_url, with_failing(tmp_path / "broken", 2))
    assert execute(sqlite_url, "SELECT name FROM sqlite_master") == []


def test_a_gradual_revision_goes_on_where_it_failed(postgres_url: str, tmp_path: Path) -> None:
    parts = list(PARTS)
    unique = parts[3][2].replace('where="lang', 'unique=True, where="lang IS NOT NULL OR lang')
    parts[3] = (*parts[3][:2], unique)
    up(postgres_url, write(tmp_path / "good"), to=3)
    for name in "abcde":
        insert = f"INSERT INTO letters VALUES ('{name}', NULL, 1, now(), NULL, NULL)"  # noqa: S608 - the test's own
        execute(postgres_url, insert)
    with pytest.raises(RevisionFailed, match=r"0004.*What it has done stays") as failed:
        up(postgres_url, write(tmp_path / "unique", tuple(parts)))
    assert failed.value.stays
    assert execute(postgres_url, "SELECT DISTINCT lang FROM letters") == [("en",)]
    assert execute(postgres_url, "SELECT 1 FROM pg_index WHERE NOT indisvalid") == []
    assert up(postgres_url, History(tmp_path / "good")) == [4, 5]


def test_rows_that_lose_what_they_refer_to_stop_sqlite(sqlite_url: str, tmp_path: Path) -> None:
    deleting = 'def upgrade():\n    op.execute("DELETE FROM letters WHERE answers IS NULL")'
    text = PARCELS.replace("def upgrade():", deleting)
    history = write(tmp_path / "history", (PARTS[0], ("letters", None, text)))
    up(sqlite_url, history, to=1)
    execute(
        sqlite_url,
        "INSERT INTO letters VALUES ('a', NULL, 1, 1, NULL)",
        "INSERT INTO letters VALUES ('b', NULL, 1, 1, 'a')",
    )
    with pytest.raises(RevisionFailed, match="rows of letters refer to rows of letters"):
        up(sqlite_url, history)
    assert execute(sqlite_url, "SELECT count(*) FROM letters") == [(2,)]


def test_a_server_that_is_not_there_is_unavailable(history: History) -> None:
    with pytest.raises(Unavailable):
        up("postgresql://nobody@127.0.0.1:1/none", history)


PROCESS = """
import asyncio, sys
from pathlib import Path
from storeproof.reference.database.revisions import History, upgrade
made = asyncio.run(upgrade(sys.argv[1], History(Path(sys.argv[2]))))
print([each.number for each in made])
"""


def test_of_two_processes_one_waits(url: str, history: History) -> None:
    """Each revision is made once, and both end well; with a concurrent index among them."""
    processes = [
        subprocess.Popen(  # noqa: S603 - the code is this test's own
            [sys.executable, "-c", PROCESS, url, str(history.folder)],
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    outputs = [process.communicate()[0].strip() for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    assert sorted(outputs) == ["[1, 2, 3, 4, 5]", "[]"]


def test_the_one_that_waits_begins_when_the_other_has_ended(url: str, history: History) -> None:
    """The first is held within its first revision until the second has waited twice."""

    async def both() -> tuple[list[int], list[int], list[str]]:
        waited, told = asyncio.Event(), list[str]()

        async def pause(_seconds: float) -> None:
            if told.count("paused") == 2:
                waited.set()
            told.append("paused")
            await asyncio.sleep(0.001)

        def tell_of_first(line: str) -> None:
            if line.startswith("0001"):
                from sqlalchemy.util import await_only

                second.append(asyncio.ensure_future(start_second()))
                await_only(asyncio.wait_for(waited.wait(), 60))

        async def start_second() -> list[int]:
            patience = Patience(interval=0, pause=pause)
            return numbers(await upgrade(url, history, patience=patience, tell=told.append))

        second: list[asyncio.Future[list[int]]] = []
        first = numbers(await upgrade(url, history, tell=tell_of_first))
        return first, await second[0], told

    first, second, told = asyncio.run(both())
    assert (first, second) == ([1, 2, 3, 4, 5], [])
    assert told[0].startswith("waiting for another process")
