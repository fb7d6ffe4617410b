"""A history is one line of complete revisions, or refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from storeproof.reference.database.revisions import (
    HISTORY,
    History,
    HistoryBroken,
    UnknownRevision,
)

from .histories import PARTS, write


@pytest.fixture
def history(tmp_path: Path) -> History:
    return write(tmp_path / "history")


def test_revisions_are_in_order_and_complete(history: History) -> None:
    found = [(each.id, each.component, each.gradual) for each in history.revisions]
    assert found == [
        ("0001", "letters", False),
        ("0002", "letters", False),
        ("0003", "parcels", False),
        ("0004", "letters", True),
        ("0005", "letters", False),
    ]
    assert [each.loses for each in history.revisions] == [loses for _, loses, _ in PARTS]
    assert history.revisions[-1].rewrites == ("letters.n",)
    assert history.revisions[0].summary == "Revision 1."
    assert (history.components, history.last) == ({"letters", "parcels"}, 5)


def test_versions_are_the_last_revisions_of_components(history: History) -> None:
    both = ["letters", "parcels", "others"]
    assert history.versions(both) == {"letters": 5, "parcels": 3}
    assert history.versions(both, at=2) == {"letters": 2}
    assert history.versions(both, at=0) == {}


def numbers(revisions: object) -> list[int]:
    return [each.number for each in revisions]  # type: ignore[attr-defined]  # a list of revisions


def test_what_lies_ahead_and_behind_is_of_the_components_that_are_there(history: History) -> None:
    assert numbers(history.ahead({"letters": 0, "parcels": 0})) == [1, 2, 3, 4, 5]
    assert numbers(history.ahead({"letters": 2}, to=4)) == [4]
    assert numbers(history.ahead({"parcels": 3})) == []
    assert numbers(history.behind({"letters": 5, "parcels": 3}, to=2)) == [5, 4, 3]
    assert numbers(history.behind({"letters": 4}, to=0)) == [4, 2, 1]


@pytest.mark.parametrize("to", [-1, 6])
def test_an_unknown_number_is_refused(history: History, to: int) -> None:
    with pytest.raises(UnknownRevision, match=r"from 0 .* to 5"):
        history.ahead({}, to)
    with pytest.raises(UnknownRevision):
        history.behind({}, to)


def change(folder: Path, name: str, old: str, new: str) -> None:
    text = (folder / name).read_text()
    assert old in text
    (folder / name).write_text(text.replace(old, new))


@pytest.mark.parametrize(
    ("breaking", "says"),
    [
        (lambda at: change(at, "r0005.py", '= "0004"', '= "0003"'), "several ends, 0004, 0005"),
        (lambda at: change(at, "r0005.py", '= "0004"', '= "0009"'), "0009"),
        (lambda at: (at / "r0003.py").unlink(), "0003"),
        (lambda at: change(at, "r0005.py", '"0005"', '"0006"'), "0006 stands where 0005"),
        (lambda at: change(at, "r0005.py", "loses", "loss"), "does not say 'loses'"),
        (lambda at: change(at, "r0005.py", "component", "part"), "does not say 'component'"),
        (lambda at: change(at, "r0004.py", "def downgrade", "def undo"), "'downgrade'"),
        (lambda at: change(at, "r0002.py", "revision =", "version ="), "r0002"),
        (lambda at: change(at, "r0001.py", "= None", '= "0005"'), "ycle"),
    ],
)
def test_a_broken_history_is_refused(
    breaking: Callable[[Path], None], says: str, history: History
) -> None:
    breaking(history.folder)
    with pytest.raises(HistoryBroken, match=says):
        assert history.revisions


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HistoryBroken, match="none"):
        assert History(tmp_path / "none").revisions


def test_importing_the_history_reads_nothing() -> None:
    assert HISTORY.folder.is_dir()
