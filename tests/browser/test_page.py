"""The page of a report in a real browser."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Request
from views.reports import EVERYTHING, NOTHING, hostile

from storeproof.harness.report import Report
from storeproof.harness.views import write_view

Scheme = Literal["light", "dark"]
PHONE, DESK = 360, 1280
REPORTS = {"everything": EVERYTHING, "hostile": hostile(EVERYTHING), "nothing": NOTHING}
AXE = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]}


@dataclass
class Opened:
    """A page in the browser, and what went wrong there."""

    page: Page
    requests: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def request(self, request: Request) -> None:
        self.requests.append(request.url)

    @property
    def sideways(self) -> int:
        """How many pixels of the page are beyond its right edge."""
        width = "document.scrollingElement.scrollWidth - document.scrollingElement.clientWidth"
        return int(self.page.evaluate(width))

    def unfold(self) -> None:
        """Open everything that is folded."""
        folded = self.page.locator("details:not([open]) > summary")
        while folded.count():
            folded.first.evaluate("each => each.parentElement.open = true")


def opened(
    browser: Browser, file: Path, report: Report, *, width: int, scheme: Scheme = "light"
) -> Opened:
    """Write a report's page and open it."""
    write_view("html", report, file)
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    it = Opened(context.new_page())
    it.page.on("request", it.request)
    it.page.on("pageerror", lambda error: it.errors.append(str(error)))
    it.page.on("console", lambda message: it.errors.append(message.text))
    it.page.on("dialog", lambda dialog: it.errors.append(dialog.message))
    it.page.goto(file.as_uri())
    return it


@pytest.mark.parametrize("name", REPORTS)
@pytest.mark.parametrize("width", [PHONE, DESK])
def test_nothing_is_loaded_said_or_wider_than_the_screen(
    browser: Browser, tmp_path: Path, name: str, width: int
) -> None:
    file = tmp_path / "page.html"
    it = opened(browser, file, REPORTS[name], width=width)
    folded = it.sideways
    it.unfold()

    assert it.requests == [file.as_uri()]
    assert it.errors == []
    assert (folded, it.sideways) == (0, 0)


@pytest.mark.parametrize("name", REPORTS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(browser: Browser, tmp_path: Path, name: str, scheme: Scheme) -> None:
    it = opened(browser, tmp_path / "page.html", REPORTS[name], width=PHONE, scheme=scheme)
    it.unfold()

    # The page forbids scripts, so axe comes in beside it, through the debugger.
    found = Axe().run(it.page, options=AXE)
    assert found.violations_count == 0, found.generate_report()


def test_the_keyboard_reaches_and_opens_everything(browser: Browser, tmp_path: Path) -> None:
    it = opened(browser, tmp_path / "page.html", EVERYTHING, width=DESK)
    it.page.keyboard.press("Tab")
    assert it.page.evaluate("document.activeElement.textContent") == "Skip to the verdicts"
    memory = it.page.locator("summary", has_text="memory").first
    for _ in range(20):
        it.page.keyboard.press("Tab")
        if memory.evaluate("each => each === document.activeElement"):
            break
    assert it.page.locator("h3", has_text="names on memory").is_hidden()
    it.page.keyboard.press("Enter")
    assert it.page.locator("h3", has_text="names on memory").is_visible()


def test_a_verdict_s_link_opens_what_it_rests_on(browser: Browser, tmp_path: Path) -> None:
    it = opened(browser, tmp_path / "page.html", EVERYTHING, width=DESK)
    heading = it.page.locator("h3", has_text="names on memory")
    assert heading.is_hidden()
    it.page.locator("table a", has_text="memory").first.click()
    heading.wait_for(state="visible")


def test_dark_is_dark(browser: Browser, tmp_path: Path) -> None:
    colour = "getComputedStyle(document.body).backgroundColor"
    schemes: list[Scheme] = ["light", "dark"]
    light, dark = (
        opened(browser, tmp_path / "page.html", NOTHING, width=DESK, scheme=each).page.evaluate(
            colour
        )
        for each in schemes
    )
    assert (light, dark) == ("rgb(251, 251, 250)", "rgb(21, 24, 27)")
