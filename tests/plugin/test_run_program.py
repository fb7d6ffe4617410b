"""A pasted program runs on a fresh storage, in a run's session or in one of its own."""

from __future__ import annotations

from contextlib import suppress
from typing import ClassVar

import plugin_toy as toy
import pytest
from plugin_project import Project

from storeproof.harness.backends.memory import MemoryStore
from storeproof.harness.exceptions import CheckFailed, ContractError, HarnessError, UnknownBackend
from storeproof.harness.session import run_program

pytest_plugins = ["pytester"]


async def kept(storage: toy.Notes) -> str:
    with pytest.raises(toy.Missing):
        await storage.get("a")
    await storage.put("a", "b")
    return await storage.get("a")


def test_outside_a_session_each_call_has_its_own() -> None:
    contract = toy.contract()
    assert run_program(contract, kept, backend="memory") == "b"
    contract.run(kept, backend="memory")


def test_an_error_is_the_program_s_own() -> None:
    async def missing(storage: toy.Notes) -> None:
        await storage.get("a")

    with pytest.raises(toy.Missing) as caught:
        run_program(toy.contract(), missing, backend="memory")
    names = [entry.name for entry in caught.traceback]
    assert names[-2:] == ["missing", "get"]
    assert not {"run", "run_until_complete"} & set(names)


def test_an_unknown_backend() -> None:
    with pytest.raises(UnknownBackend, match="no backend is called 'mysql'"):
        run_program(toy.contract(), kept, backend="mysql")


def test_a_contract_without_such_a_storage() -> None:
    with pytest.raises(HarnessError, match="nothing says how its storage is opened on sqlite"):
        run_program(toy.contract(), kept)


async def put_twice(store_1: toy.Notes, store_2: toy.Notes) -> None:
    await store_1.put("a", "b")
    with suppress(toy.Missing):
        await store_2.get("a")


class Sharing(toy.MemoryNotes):
    """Every instance has the same texts."""

    kept: ClassVar[dict[str, str]] = {}

    def __init__(self) -> None:
        self.texts = self.kept
        self.kept.clear()


def test_a_check_proves_a_pasted_program_again(monkeypatch: pytest.MonkeyPatch) -> None:
    contract = toy.contract()
    contract.prove(put_twice, check="isolation", backend="memory")

    monkeypatch.setattr(MemoryStore, "fresh", shared_from_its_beginning)
    with pytest.raises(CheckFailed, match=r"isolation is broken in Notes\.get"):
        contract.prove(put_twice, check="isolation", backend="memory")


async def shared_from_its_beginning(store: MemoryStore) -> Sharing:
    return Sharing()


def test_a_check_that_nobody_knows() -> None:
    with pytest.raises(ContractError, match=r"no check is called 'isolate'\. Known: .*isolation"):
        toy.contract().prove(put_twice, check="isolate", backend="memory")


IN_A_SESSION = """
async def kept(storage):
    assert storage.texts == {}
    await storage.put("a", "b")
    return await storage.get("a")

CONTRACT = toy.contract(stub=toy.MemoryNotes)
OTHER = toy.contract(other=toy.MemoryNotes)

class TestToy(toy.suite_class(CONTRACT, toy.ALL)):
    def test_zz_pasted(self):
        assert CONTRACT.run(kept, backend="stub") is None
        CONTRACT.run(kept, backend="stub")
        OTHER.run(kept, backend="other")
"""


def test_inside_a_session_it_shares_the_session_s_server_and_store(project: Project) -> None:
    project.write(IN_A_SESSION)
    project.run("--storage=stub").assert_outcomes(passed=4)
    starts = [line.split(" in ")[0] for line in project.notes if line.startswith("start")]
    assert starts == ["start stub", "start other"]
    assert len([line for line in project.notes if line.startswith("store ")]) == 2
    assert project.notes[-2:] == ["stop other", "stop stub"]
