"""README must not lie: what its blocks do not show of themselves; test_pages.py runs them."""

import re
import subprocess
import sys
from pathlib import Path

from .pages import ROOT, Page

README = Page(ROOT / "README.md")
EXAMPLE = ROOT / "examples" / "notes"


def test_the_test_shown_fails_on_the_storage_and_passes_on_the_model(tmp_path: Path) -> None:
    shown = README.only("output").text.partition("as a test to paste:\n")[2]
    source = re.sub(r"^    ", "", shown, flags=re.MULTILINE)
    (tmp_path / "test_pasted.py").write_text(source, "utf-8")
    (tmp_path / "test_model.py").write_text(source.replace('"sqlite"', '"memory"'), "utf-8")

    options = ["-p", "no:cacheprovider", f"--rootdir={tmp_path}", "--import-mode=importlib", "-v"]
    done = subprocess.run(  # noqa: S603 - the arguments are this test's own
        [sys.executable, "-m", "pytest", *options, str(tmp_path)],
        cwd=EXAMPLE,
        capture_output=True,
        text=True,
        check=False,
    )

    assert "test_pasted.py::test_program FAILED" in done.stdout
    assert "test_model.py::test_program PASSED" in done.stdout


def test_the_links_lead_somewhere() -> None:
    links = [each for each in re.findall(r"\]\(([^)]+)\)", README.text) if "://" not in each]

    assert links
    assert [each for each in links if not (ROOT / each).exists()] == []


def test_the_commands_that_ci_runs_are_on_one_line() -> None:
    assert README.only("step", "main").text.count("\n") == 1
    assert README.only("step", "test").text.count("\n") == 1
