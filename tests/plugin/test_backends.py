"""Servers: when they start and stop, and what a run says where one can't be had or dies."""

from __future__ import annotations

import pytest
from plugin_project import CLINGING, Project

pytest_plugins = ["pytester"]

TWO = """
TestToy = toy.suite(stub=toy.MemoryNotes)
TestOther = toy.suite(name="others", stub=toy.MemoryNotes)
"""
LOST = """
class Lost(toy.StubBackend):
    def start(self, options):
        raise {}

def pytest_storeproof_backends(config):
    return [Lost("lost")]
"""
NO_SERVER = 'BackendUnavailable("lost", "no server answers", "Start one")'
FOREIGN = 'ForeignData("lost", "db.example/prod", ["customers"])'
IMPORT = "from storeproof.harness.exceptions import BackendUnavailable, ForeignData\n"


def test_a_server_starts_once_and_stops_after_its_stores_closed(project: Project) -> None:
    project.write(TWO)
    result = project.run("--storage=memory,stub")
    assert result.ret == pytest.ExitCode.OK
    kinds = [line.split()[0] for line in project.notes if " on " not in line]
    assert kinds == ["start", "store", "store", "closed", "closed", "stop"]
    result.stdout.re_match_lines(
        [r"storeproof [\d.]+: memory; stub = Stub 1\.2 of stub; profile quick; seed \d+$"]
    )


@pytest.mark.parametrize(
    ("source", "arguments"),
    [
        ("def test_other(): pass", []),
        (TWO, ["--collect-only"]),
        (TWO, ["--fixtures"]),
        (TWO, ["--setup-plan"]),
        (TWO, ["-k", "memory"]),
    ],
)
def test_a_server_that_no_node_needs_is_not_started(
    project: Project, source: str, arguments: list[str]
) -> None:
    project.configure("storage = memory, stub")
    project.write(source)
    project.run(*arguments)
    assert not [line for line in project.notes if line.startswith("start")]


def test_no_server_starts_where_another_module_can_not_be_collected(project: Project) -> None:
    project.write("1 / 0", "test_broken")
    project.write(TWO)
    assert project.run("--storage=stub").ret == pytest.ExitCode.INTERRUPTED
    assert project.notes == []


def test_a_server_stops_when_the_run_is_interrupted(project: Project) -> None:
    project.write("""
def stop(context):
    raise KeyboardInterrupt

TestToy = toy.suite(toy.StubCheck("pages", toy.Stage.PAGES, stop), stub=toy.MemoryNotes)
""")
    result = project.run_apart("--storage=stub")
    assert result.ret == pytest.ExitCode.INTERRUPTED
    assert project.notes[-2:] == ["closed", "stop stub"]


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (NO_SERVER, "lost is not available: no server answers. Start one"),
        (FOREIGN, "lost: db.example/prod holds tables that storeproof did not create (customers)*"),
        ("KeyError('x')", "lost could not be started: KeyError('x')"),
    ],
)
def test_a_backend_that_can_not_be_had_is_told_of_once(
    project: Project, error: str, sentence: str
) -> None:
    project.extend_conftest(IMPORT + LOST.format(error))
    project.write(TWO)
    result, report = project.report("--storage=memory,lost")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.assert_outcomes(passed=6, skipped=6)
    assert [str(each.verdict) for each in report.judgements] == ["conformant", "incomplete"] * 2
    assert report.backends["lost"].problem
    result.stdout.fnmatch_lines([f"notes, others on lost: incomplete: {sentence}"])
    assert len([line for line in result.outlines if sentence[:20] in line]) == 1
    result.stdout.fnmatch_lines(["storeproof *: memory; lost = not available; *"])


def test_a_contract_that_names_no_storage_for_the_backend_is_incomplete(project: Project) -> None:
    project.write("TestToy = toy.suite()")
    result = project.run("--storage=stub")
    result.assert_outcomes(skipped=3)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        ["notes on stub: incomplete: Contract(notes): nothing says how its storage is opened on*"]
    )


def test_a_storage_that_can_not_be_opened_is_shown_once(project: Project) -> None:
    project.write("""
def open_storage():
    raise OSError("no disk")

TestToy = toy.suite(stub=open_storage)
""")
    result, report = project.report("--storage=stub")
    result.assert_outcomes(failed=1, skipped=2)
    assert report.judgements[0].verdict == "incomplete"
    sentence = "the storage of notes can't be opened on stub: OSError: no disk"
    result.stdout.fnmatch_lines(["E *OSError: no disk", "E *It was opened on the address stub"])
    for ours in ("*proving.py*", "*session.py*", "*runners.py*"):
        result.stdout.no_fnmatch_line(ours)
    result.stdout.fnmatch_lines(
        [
            f"notes on stub: incomplete: signature could not be carried out: {sentence}; "
            f"2 checks and laws skipped: {sentence}"
        ]
    )


DYING = """
import socket

class Dying(toy.StubBackend):
    def start(self, options):
        toy.listener = socket.create_server(("127.0.0.1", 0))
        return super().start(options)

    def stop(self):
        toy.listener.close()

    async def create_store(self, contract, server):
        store = await super().create_store(contract, server)
        store.endpoint = toy.listener.getsockname()
        store.close = self.close
        return store

    async def close(self):
        if toy.listener.fileno() == -1:
            raise OSError("its server is gone")

def pytest_storeproof_backends(config):
    return [Dying("dying")]
"""
DIES = """
def dies(context):
    toy.listener.close()
    raise {}

FIRST = toy.StubCheck("signature", toy.Stage.SIGNATURE, dies)
TestToy = toy.suite(FIRST, toy.AGREEMENT, toy.PAGES, dying=toy.MemoryNotes)
TestOther = toy.suite(name="others", dying=toy.MemoryNotes)
"""


@pytest.mark.parametrize(
    "error", ["toy.CheckFailed('lost connection')", "ConnectionResetError('gone')"]
)
def test_a_server_that_dies_makes_the_rest_incomplete(project: Project, error: str) -> None:
    project.extend_conftest(DYING)
    project.write(DIES.format(error))
    result, report = project.report("--storage=dying")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.assert_outcomes(skipped=6)
    assert [str(each.verdict) for each in report.judgements] == ["incomplete"] * 2
    result.stdout.fnmatch_lines(
        [
            "notes, others on dying: incomplete: dying: the server at 127.0.0.1:* stopped "
            "answering in the middle of the run. Look at the server's log, then run again"
        ]
    )
    assert "gone" not in result.stdout.str()


def test_a_failure_is_a_failure_while_the_server_answers(project: Project) -> None:
    project.extend_conftest(DYING)
    project.write(
        "TestToy = toy.suite(toy.StubCheck('pages', toy.Stage.PAGES, toy.fails), "
        "dying=toy.MemoryNotes)"
    )
    result, report = project.report("--storage=dying")
    result.assert_outcomes(failed=1)
    assert report.judgements[0].verdict == "non-conformant"


def test_a_backend_lost_during_a_check_is_not_asked_again(project: Project) -> None:
    project.write(f"""
{IMPORT}
def lost(context):
    raise {NO_SERVER}

FIRST = toy.StubCheck("signature", toy.Stage.SIGNATURE, lost)
TestToy = toy.suite(FIRST, toy.PAGES, stub=toy.MemoryNotes)
""")
    result = project.run("--storage=stub")
    result.assert_outcomes(skipped=2)
    result.stdout.fnmatch_lines(["notes on stub: incomplete: lost is not available: *"])


def test_a_store_that_can_not_be_closed_and_a_server_that_can_not_be_stopped_fail_the_run(
    project: Project,
) -> None:
    project.extend_conftest(CLINGING)
    project.write("TestToy = toy.suite(clinging=toy.MemoryNotes)")
    result = project.run("--storage=clinging")
    result.assert_outcomes(passed=3)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        [
            "notes on clinging: the store could not be closed: OSError: still open",
            "clinging could not be stopped: OSError('busy')",
        ]
    )
