"""The page: what it tells, and that nothing in it can do harm."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

import pytest

from storeproof.harness.lanes import plain
from storeproof.harness.report import Report
from storeproof.harness.views import write_view
from storeproof.harness.views.html import render

from .reports import EVERYTHING, HOSTILE, NOTHING, hostile

_VOID = {"circle", "line", "meta", "polyline", "rect"}
_LOADING = {"script", "img", "image", "link", "iframe", "object", "embed", "base", "form", "use"}


class Page(HTMLParser):
    """Reads a page, and sees that its tags are closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.ids: list[str] = []
        self.attributes: set[str] = set()
        self.text: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links += [
            value or "" for name, value in attrs if name in ("href", "src", "xlink:href")
        ]
        self.ids += [value or "" for name, value in attrs if name == "id"]
        if tag not in _VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert tag in _VOID or self._open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_data(self, data: str) -> None:
        if self._open[-1:] != ["style"]:
            self.text.append(data)

    def shows(self, text: str) -> bool:
        return text in "".join(self.text)


def test_the_page_tells_everything() -> None:
    page = Page(render(EVERYTHING))

    told = [
        "1 of 4 conformant",
        "the run fails",
        "2 min 5 s",
        "a sentence on a problem",
        "1 program · 2,142 operations · 0.40 s",
        "3 programs · 2 contended",
        "names on sqlite: bursts is broken in Names.take (2 clients, one handle)",
        "The Protocol says: “Raises Taken when somebody has it.”",
        "No order of these calls gives these outcomes on the model.",
        "async def program(storage):\n    await storage.take(name='a')",
        "pytest test_names.py --storage-replay .storeproof/programs/names.json",
        "E   assert 1 == 2",
        "takes twice",
        "takes thrice",
        "names on sqlite: only errors were compared of count: no call succeeded",
        "left out: count",
        "it is slower here",
        *(f"why {status}" for status in ("error", "not run", "not applicable", "skipped")),
        *(f"why {status}" for status in ("deselected", "dropped")),
        "pytest --storage=memory,sqlite --storage-seed=7",
        "networked",
        "3.11.7",
        "1.25 [1.20, 1.31]",
        "names.take on sqlite: 1st to 99th percentile",
        "names.take on sqlite: load",
    ]
    assert [each for each in told if not page.shows(each)] == []


def test_every_verdict_leads_to_what_it_rests_on() -> None:
    page = Page(render(EVERYTHING))

    assert len(page.ids) == len(set(page.ids)) > len(EVERYTHING.judgements)
    assert {each.removeprefix("#") for each in page.links} <= set(page.ids)


@pytest.mark.parametrize("report", [EVERYTHING, hostile(EVERYTHING), NOTHING])
def test_the_page_loads_nothing_and_runs_nothing(report: Report) -> None:
    page = Page(render(report))

    assert page.tags <= Page(render(EVERYTHING)).tags - _LOADING
    assert [each for each in page.links if not each.startswith("#")] == []
    assert [each for each in page.attributes if each.startswith("on") or each == "style"] == []


def test_what_is_hostile_is_shown_as_it_is() -> None:
    text = render(hostile(EVERYTHING))
    page = Page(text)

    free = [
        "a sentence on a problem",
        "The sentence of agreement.",
        "No order of these calls gives these outcomes on the model.",
        "pytest test_names.py --storage-replay .storeproof/programs/names.json",
        "take(name='a')",
        "raised Taken()",
        "takes twice",
        "why skipped",
        "it is slower here",
        "pytest --storage=memory,sqlite --storage-seed=7",
        "networked",
        "3.11.7",
        "p50 <= 1.5 x read",
        "names.take on sqlite p50 <= 1.5 x read: 1.25 [1.20, 1.31], pass",
    ]
    shown = plain(HOSTILE)
    assert [each for each in free if not page.shows(each + shown)] == []
    assert "<script>" not in text


def test_a_page_of_nothing_says_so() -> None:
    assert Page(render(NOTHING)).shows("no contract was judged")


def test_a_page_is_written_as_utf_8(tmp_path: Path) -> None:
    write_view("html", EVERYTHING, tmp_path / "page.html")

    assert "“Raises Taken" in (tmp_path / "page.html").read_text("utf-8")
