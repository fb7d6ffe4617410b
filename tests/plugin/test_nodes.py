"""The nodes of a suite: names, order, what may be overridden."""

from __future__ import annotations

import pytest
from plugin_project import Project

pytest_plugins = ["pytester"]

LAWS = """
@law("TOY-002", MUST)
async def a_text_is_kept(storage):
    '''A text that was put is got.'''
    await storage.put("a", "b")
    assert await storage.get("a") == "b"

@law("TOY-001", SHOULD)
async def another_handle_sees_it(storage, second):
    '''Another handle sees a text at once.'''
    await storage.put("a", "b")
    assert await second.get("a") == "b"
"""
SUITE = f"""
{LAWS}
Base = toy.suite(laws=[a_text_is_kept, another_handle_sees_it], stub=toy.MemoryNotes)
"""

IN_ORDER = [
    "test_toy.py::TestToy::test_signature",
    "test_toy.py::TestToy::test_toy_001_another_handle_sees_it",
    "test_toy.py::TestToy::test_toy_002_a_text_is_kept",
    "test_toy.py::TestToy::test_agreement",
    "test_toy.py::TestToy::test_pages",
]


def collected(result: pytest.RunResult) -> list[str]:
    return [line for line in result.outlines if "::" in line]


def test_a_node_for_each_check_and_law_on_each_backend_in_the_order_of_the_stages(
    project: Project,
) -> None:
    project.write(SUITE + "TestToy = Base")
    result = project.run("--collect-only", "-q", "--storage=memory,stub")
    expected = [f"{node}[{backend}]" for backend in ("memory", "stub") for node in IN_ORDER]
    assert collected(result) == expected


def test_pytest_randomly_does_not_change_the_order(project: Project) -> None:
    project.write(SUITE + "TestToy = Base")
    result = project.run("--collect-only", "-q", "-p", "randomly", "-p", "no:cacheprovider")
    assert collected(result) == [f"{node}[memory]" for node in IN_ORDER]


def test_shuffled_nodes_are_put_in_order_again(project: Project) -> None:
    project.extend_conftest("""
def pytest_collection_modifyitems(items):
    items[:] = items[1::2] + items[::2][::-1]
""")
    project.write(SUITE + "TestToy = Base\ndef test_other(): pass")
    result = project.run("--collect-only", "-q")
    nodes = [node for node in collected(result) if "TestToy" in node]
    assert nodes == [f"{node}[memory]" for node in IN_ORDER]


def test_a_check_that_does_not_apply_makes_no_node(project: Project) -> None:
    project.write("""
class Never(toy.StubCheck):
    def applies(self, contract):
        return False

TestToy = toy.suite(toy.SIGNATURE, Never("pages", toy.Stage.PAGES, toy.fails))
""")
    result, report = project.report()
    result.assert_outcomes(passed=1)
    assert [each.check for each in report.judgements[0].checks] == ["signature"]


def test_a_law_takes_nothing_but_storage_and_second(project: Project) -> None:
    project.write("""
@law("TOY-003", MUST)
async def a_law(storage, clock):
    '''A sentence.'''

TestToy = toy.suite(laws=[a_law])
""")
    result = project.run()
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(["*Contract(notes): the test of TOY-003 takes (clock, storage)*"])


def test_a_subclass_may_add_tests_which_may_take_the_backend(project: Project) -> None:
    project.write(
        SUITE
        + """
class TestToy(Base):
    def test_extra(self):
        pass
    def test_on_each(self, storage_backend):
        assert storage_backend in ("memory", "stub")
"""
    )
    result = project.run("--storage=memory,stub", "-k", "extra or on_each", "--storage-partial")
    result.assert_outcomes(passed=3, deselected=10)


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("def test_pages(self): pass", "TestToy overrides test_pages without a reason"),
        ("test_pages = None", "TestToy overrides test_pages without a reason"),
        ("drop = {'pages': ' '}", "TestToy drops pages without a reason"),
        ("drop = {'TOY-9': 'why'}", "TestToy drops 'TOY-9', which is none of its checks and laws"),
        (
            "@replaces('pages', reason='why')\n    def test_pages(self): pass",
            "TestToy replaces pages by what is not async",
        ),
        (
            "@replaces('agreement', reason='why')\n    async def test_pages(self, storage): pass",
            "TestToy overrides test_pages without a reason",
        ),
    ],
)
def test_overriding_without_a_reason_fails(project: Project, body: str, sentence: str) -> None:
    project.write(SUITE + f"class TestToy(Base):\n    {body}")
    result = project.run()
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines([f"E *ContractError: Contract(notes): {sentence}. *"])
    result.stdout.no_fnmatch_line("*suite.py*")


def test_a_mixin_can_not_override_either(project: Project) -> None:
    project.write(
        SUITE + "class Mixin:\n    test_pages = None\nclass TestToy(Mixin, Base):\n    pass"
    )
    project.run().stdout.fnmatch_lines(["*TestToy overrides test_pages without a reason*"])


def test_one_class_is_of_one_contract(project: Project) -> None:
    project.write(SUITE + "class TestToy(Base, toy.suite(name='others')):\n    pass")
    project.run().stdout.fnmatch_lines(["*TestToy is made of two contracts' suites*"])


def test_a_replacement_needs_a_reason(project: Project) -> None:
    project.write(SUITE + "replaces('pages', reason=' ')")
    project.run().stdout.fnmatch_lines(["*@replaces('pages') needs a reason*"])


def test_a_dropped_must_makes_the_verdict_incomplete(project: Project) -> None:
    project.write(SUITE + "class TestToy(Base):\n    drop = {'TOY-002': 'our texts are short'}")
    result, report = project.report()
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert report.judgements[0].verdict == "incomplete"
    assert report.judgements[0].why == ("TOY-002 dropped: our texts are short",)
    result.assert_outcomes(passed=4)


def test_a_dropped_should_does_not(project: Project) -> None:
    project.write(SUITE + "class TestToy(Base):\n    drop = {'TOY-001': 'one handle'}")
    result, report = project.report()
    assert (result.ret, report.judgements[0].verdict) == (pytest.ExitCode.OK, "conformant")
    assert "dropped" in [each.status for each in report.judgements[0].checks]


REPLACED = """
class TestToy(Base):
    tries = 0

    @replaces("TOY-002", reason="we keep capitals only")
    async def test_toy_002_a_text_is_kept(self, storage):
        await storage.put("a", "B")
        assert await storage.get("a") == {!r}
"""


def test_a_replaced_must_runs_in_its_place_and_makes_the_verdict_incomplete(
    project: Project,
) -> None:
    project.write(SUITE + REPLACED.format("B"))
    result, report = project.report()
    result.assert_outcomes(passed=5)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert report.judgements[0].verdict == "incomplete"
    assert report.judgements[0].why == ("TOY-002 was replaced: we keep capitals only",)


def test_a_replacement_that_fails_breaks_its_stage(project: Project) -> None:
    project.write(SUITE + REPLACED.format("C"))
    result, report = project.report()
    result.assert_outcomes(passed=2, failed=1, skipped=2)
    assert report.judgements[0].verdict == "non-conformant"
    sentence = "TOY-002 (MUST) on memory: A text that was put is got."
    result.stdout.fnmatch_lines([sentence, "E *assert 'B' == 'C'*"])
