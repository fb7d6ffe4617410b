"""The site of docs/ loads nothing from elsewhere, and a link that leads nowhere fails its build.

`tox -e docs` has built it before.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
# Not --quiet: warnings that are not told are not counted.
BUILD = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir"]
LOADED = re.compile(
    r"""<(?:script|img|iframe|link)\b[^>]*?\b(?:src|href)=["']?((?:https?:)?//[^"' >]+)"""
)
BROKEN = {
    "a page": "[no page](missing.md)",
    "an anchor": "[no anchor](other.md#missing)",
    "an anchor of its own": "[no anchor](#missing)",
    "a file beside the pages": "[no page](../pyproject.toml)",
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Give a small project with this one's settings, and without what is made of code."""
    settings = yaml.safe_load((ROOT / "mkdocs.yml").read_text("utf-8"))
    settings |= {"plugins": [], "nav": ["index.md", "other.md"]}
    (tmp_path / "mkdocs.yml").write_text(yaml.safe_dump(settings), "utf-8")
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "index.md").write_text("# Home\n\n[Other](other.md#part)\n", "utf-8")
    (tmp_path / "docs" / "other.md").write_text("# Other\n\n## Part\n", "utf-8")
    return tmp_path


def build(project: Path, site: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - this repository's own
        [*BUILD, str(site)], cwd=project, capture_output=True, text=True, check=False
    )


def test_nothing_is_loaded_from_elsewhere() -> None:
    pages = sorted((ROOT / "site").rglob("*.html"))

    assert len(pages) > len(list((ROOT / "docs").glob("*.md")))
    assert [url for each in pages for url in LOADED.findall(each.read_text("utf-8"))] == []


def test_links_that_lead_somewhere_are_spared(project: Path) -> None:
    assert build(project, project / "site").returncode == 0


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
def test_a_link_that_leads_nowhere_fails_the_build(project: Path, text: str) -> None:
    with (project / "docs" / "index.md").open("a", encoding="utf-8") as page:
        page.write(f"\n{text}\n")

    done = build(project, project / "site")

    assert done.returncode == 1
    assert "index.md" in done.stdout + done.stderr


def test_what_would_be_loaded_is_seen() -> None:
    assert LOADED.findall('<script defer src="https://cdn.example/a.js"></script>')
    assert LOADED.findall("<link rel=stylesheet href=//fonts.example/css>")
    assert not LOADED.findall('<a href="https://example.org">elsewhere</a>')
