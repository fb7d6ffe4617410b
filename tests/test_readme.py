"""README must not lie: its files are the files, its output is what the example prints."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
EXAMPLE = ROOT / "examples" / "notes"


def block(marker: str) -> str:
    """Give the fenced block after a marker."""
    found = re.search(rf"<!-- {re.escape(marker)} -->\n```\w*\n(.*?)```", README, re.DOTALL)
    assert found is not None, f"README has no block marked {marker!r}"
    return found.group(1)


def run_example(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the example's suite from its own folder."""
    return subprocess.run(  # noqa: S603 - the arguments are this test's own
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments],
        cwd=EXAMPLE,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def run() -> subprocess.CompletedProcess[str]:
    return run_example("--storage=memory,sqlite", "--storage-seed=1")


def test_the_contract_shown_is_the_example_s() -> None:
    path = ROOT / "examples" / "notes" / "test_notes.py"

    assert block("ci:file examples/notes/test_notes.py") == path.read_text("utf-8")


def test_the_output_shown_is_what_the_example_prints(
    run: subprocess.CompletedProcess[str],
) -> None:
    shown = [line for line in map(varying, block("ci:output examples/notes").splitlines()) if line]
    printed = [varying(line) for line in run.stdout.splitlines()]

    assert run.returncode == 1
    assert [line for line in shown if line not in printed] == []


def varying(line: str) -> str:
    """Take out what differs from run to run."""
    return re.sub(r"\d+ programs, \d+ operations", "", line).strip()


def test_the_example_is_conformant_on_memory(run: subprocess.CompletedProcess[str]) -> None:
    assert re.search(r"^Notes +memory +conformant", run.stdout, re.MULTILINE)
    assert re.search(r"^Notes +sqlite +non-conformant", run.stdout, re.MULTILINE)


def test_the_test_shown_fails_on_the_storage_and_passes_on_the_model(tmp_path: Path) -> None:
    shown = block("ci:output examples/notes").partition("as a test to paste:\n")[2]
    source = re.sub(r"^    ", "", shown, flags=re.MULTILINE)
    (tmp_path / "test_pasted.py").write_text(source, "utf-8")
    (tmp_path / "test_model.py").write_text(source.replace('"sqlite"', '"memory"'), "utf-8")

    done = run_example(f"--rootdir={tmp_path}", "--import-mode=importlib", "-v", str(tmp_path))

    assert "test_pasted.py::test_program FAILED" in done.stdout
    assert "test_model.py::test_program PASSED" in done.stdout


def test_the_links_lead_somewhere() -> None:
    links = [each for each in re.findall(r"\]\(([^)]+)\)", README) if "://" not in each]

    assert links
    assert [each for each in links if not (ROOT / each).exists()] == []


def test_the_commands_are_on_one_line() -> None:
    assert block("ci:main").count("\n") == 1
    assert block("ci:test").count("\n") == 1
