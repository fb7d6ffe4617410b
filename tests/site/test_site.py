"""The site of docs/: it loads nothing from elsewhere, and a link that leads nowhere fails it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BUILD = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir"]
LOADED = re.compile(
    r"""<(?:script|img|iframe|link)\b[^>]*?\b(?:src|href)=["']?((?:https?:)?//[^"' >]+)"""
)
BROKEN = {
    "a page": "[no page](missing.md)",
    "an anchor": "[no anchor](report.md#missing)",
    "an anchor of its own": "[no anchor](#missing)",
    "a file beside the pages": "[no page](../pyproject.toml)",
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Give a copy of all that the site is made of."""
    for name in ("mkdocs.yml", "docs_hooks.py"):
        if (ROOT / name).exists():
            shutil.copy(ROOT / name, tmp_path)
    for name in ("docs", "src"):
        shutil.copytree(ROOT / name, tmp_path / name)
    return tmp_path


def build(project: Path) -> subprocess.CompletedProcess[str]:
    command = [*BUILD, str(project / "site")]
    return subprocess.run(  # noqa: S603 - this repository's own
        command, cwd=project, capture_output=True, text=True, check=False
    )


def test_nothing_is_loaded_from_elsewhere(project: Path) -> None:
    done = build(project)

    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    pages = sorted((project / "site").rglob("*.html"))
    assert len(pages) > len(list((project / "docs").glob("*.md")))
    assert [url for each in pages for url in LOADED.findall(each.read_text("utf-8"))] == []


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
def test_a_link_that_leads_nowhere_fails_the_build(project: Path, text: str) -> None:
    with (project / "docs" / "index.md").open("a", encoding="utf-8") as page:
        page.write(f"\n{text}\n")

    done = build(project)

    assert done.returncode == 1
    assert "index.md" in done.stderr


def test_what_would_be_loaded_is_seen() -> None:
    assert LOADED.findall('<script defer src="https://cdn.example/a.js"></script>')
    assert LOADED.findall("<link rel=stylesheet href=//fonts.example/css>")
    assert not LOADED.findall('<a href="https://example.org">elsewhere</a>')
