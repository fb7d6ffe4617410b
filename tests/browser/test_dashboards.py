"""The pages in a real browser: what people do there, and that everybody can."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Request, expect
from reference.web.sites import EMAIL, PASSWORD
from views.reports import EVERYTHING

from storeproof.harness.report import save
from storeproof.reference.errors.entities import GroupFilter, Status
from storeproof.reference.providers.entities import ProviderId

from .served import Served, served

Scheme = Literal["light", "dark"]
PHONE, DESK = 375, 1280
AXE = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
}
AGAIN = Axe(axe_script="undefined")
"""For a page that axe is in already, which takes longer than to use it."""
SCREENSHOTS = Path(os.environ.get("STOREPROOF_SCREENSHOTS", "build/screenshots"))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    report = tmp_path_factory.mktemp("report") / "report.json"
    save(EVERYTHING, report)
    with served(report) as made:
        yield made


class Visit:
    """A window of its own, whoever is signed in there, and what went wrong in it."""

    def __init__(self, browser: Browser, site: Served) -> None:
        context = browser.new_context(
            viewport={"width": DESK, "height": 900}, base_url=site.address
        )
        self.page: Page = context.new_page()
        self.site = site
        self.elsewhere: list[str] = []
        self.said: list[str] = []
        self.page.on("request", self._request)
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("console", lambda message: self.said.append(message.text))

    def _request(self, request: Request) -> None:
        if not request.url.startswith(self.site.address):
            self.elsewhere.append(request.url)

    def sign_in(self, email: str = EMAIL) -> None:
        self.page.goto("/login")
        self.page.get_by_label("E-mail").fill(email)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Sign in").click()
        expect(self.page.get_by_role("heading", name="Overview")).to_be_visible()

    @property
    def sideways(self) -> int:
        """How many pixels of the page are beyond its right edge."""
        width = "document.scrollingElement.scrollWidth - document.scrollingElement.clientWidth"
        return int(self.page.evaluate(width))

    def look(self, scheme: Scheme, width: int) -> None:
        """Has the page that is open shown like this."""
        self.page.emulate_media(color_scheme=scheme)
        self.page.set_viewport_size({"width": width, "height": 900})

    def faults(self, name: str, axe: Axe) -> dict[str, str]:
        """What is wrong with the page for some, by what it is called."""
        found = {}
        result = axe.run(self.page, options=AXE)
        if result.violations_count:
            found[name] = result.generate_report()
        if self.sideways:
            found[f"{name}, wider than the screen"] = f"{self.sideways} pixels"
        return found

    def shoot(self, name: str) -> None:
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)

    def end(self) -> None:
        assert self.elsewhere == []
        assert self.said == []
        self.page.context.close()


@pytest.fixture
def visit(browser: Browser, site: Served) -> Iterator[Visit]:
    made = Visit(browser, site)
    made.sign_in()
    yield made
    made.end()


def group_of(site: Served) -> str:
    wanted = GroupFilter(status=Status.UNRESOLVED)
    return site.run(site.services.errors.list_groups(wanted)).items[0].id


def test_every_page_can_be_used_by_everybody(browser: Browser, site: Served) -> None:
    it = Visit(browser, site)
    paths = {
        "login": "/login",
        "reset": "/reset",
        "overview": "/",
        "errors": "/errors?range=30d&group_by=level",
        "groups": "/errors/groups",
        "group": f"/errors/groups/{group_of(site)}",
        "costs": "/costs",
        "budget": "/costs/budgets/search",
        "new-budget": "/costs/new-budget",
        "providers": "/providers?range=30d",
        "provider": "/providers/east?range=30d",
        "users": "/users",
        "user": f"/users/{site.run(site.services.auth.log_in(EMAIL, PASSWORD)).session.user}",
        "new-user": "/new-user",
        "roles": "/roles",
        "conformance": "/conformance",
        "report": "/conformance/report",
        "lost": "/users/nobody",
    }
    it.page.goto("/login")
    found: dict[str, str] = {}
    for name, path in paths.items():
        if name == "overview":
            it.sign_in()
        it.page.goto(path)
        it.look("light", DESK)
        it.shoot(f"{name}-light")
        found |= it.faults(f"{name} in light", Axe())
        it.look("dark", PHONE)
        it.shoot(f"{name}-dark-phone")
        found |= it.faults(f"{name} in dark", AGAIN)
    # A browser says so of each page that is not found.
    it.said = [each for each in it.said if "404 (Not Found)" not in each]
    it.end()
    assert not found, "\n".join(f"{name}: {each}" for name, each in found.items())


# Not `wait_for_function`: it has the page evaluate text, which its policy forbids.
NARROWS = """
most => new Promise(done => {
    let frames = 300;
    const look = () => {
        const width = document.querySelector("figure.chart canvas").clientWidth;
        if (width < most || frames-- === 0) done(width < most);
        else requestAnimationFrame(look);
    };
    look();
})
"""


def test_charts_are_drawn_and_follow_the_width(visit: Visit) -> None:
    visit.page.goto("/errors?range=30d")
    canvas = visit.page.locator("figure.chart canvas")
    expect(canvas).to_have_count(1)
    drawn = canvas.evaluate(
        "each => new Set(each.getContext('2d')"
        ".getImageData(0, 0, each.width, each.height).data).size"
    )
    assert drawn > 5
    before = canvas.bounding_box()
    visit.page.set_viewport_size({"width": PHONE, "height": 900})
    assert visit.page.evaluate(NARROWS, PHONE)
    assert before is not None
    assert before["width"] > PHONE
    assert visit.sideways == 0


def test_the_keyboard_skips_to_the_content(visit: Visit) -> None:
    visit.page.goto("/errors")
    visit.page.keyboard.press("Tab")
    assert visit.page.evaluate("document.activeElement.textContent") == "Skip to the content"
    visit.page.keyboard.press("Enter")
    assert visit.page.evaluate("document.activeElement.id") == "main"


def test_a_user_is_made_and_sees_what_a_viewer_may(
    browser: Browser, site: Served, visit: Visit
) -> None:
    page = visit.page
    page.get_by_role("link", name="Users", exact=True).first.click()
    page.get_by_role("link", name="New user").click()
    page.get_by_label("E-mail").fill("vera@example.org")
    page.get_by_label("Name").fill("Vera")
    page.get_by_label(re.compile("^Password")).fill(PASSWORD)
    page.get_by_label("Role").select_option("viewer")
    page.get_by_role("button", name="Make the user").click()
    expect(page.get_by_role("status")).to_have_text("The user is made.")

    other = Visit(browser, site)
    other.sign_in("vera@example.org")
    expect(other.page.get_by_role("navigation").get_by_role("link")).to_have_text(
        ["Users", "Roles"]
    )
    other.page.goto("/errors")
    expect(other.page.get_by_role("heading", name="Forbidden")).to_be_visible()
    other.shoot("forbidden")
    other.said.clear()  # a browser says so of each page that is refused
    other.end()


def test_an_error_is_resolved(site: Served, visit: Visit) -> None:
    page = visit.page
    page.get_by_role("navigation").get_by_role("link", name="Errors").click()
    page.get_by_role("link", name="All groups").click()
    page.get_by_label("Status").select_option("unresolved")
    page.get_by_role("button", name="Show").click()
    page.locator("tbody a").first.click()
    group = page.url.rpartition("/")[2]
    page.get_by_role("button", name="Resolve").click()
    expect(page.get_by_role("status")).to_contain_text("The group is resolved.")
    found = site.run(site.services.errors.list_groups(GroupFilter(status=Status.RESOLVED)))
    assert group in {each.id for each in found.items}


def test_an_alert_appears_by_itself(site: Served, visit: Visit) -> None:
    page = visit.page
    page.clock.install()
    page.goto("/costs/budgets/chat")
    expect(page.get_by_text("No budget passed a threshold lately.")).to_be_visible()
    site.run(site.spend("3500", "acme/chat/eve"))
    page.clock.run_for(31_000)
    expect(page.get_by_role("cell", name="80 %")).to_be_visible()
    expect(page.locator("figure.chart canvas")).to_have_count(1)
    visit.shoot("alert")

    page.get_by_role("button", name="Pause updates").click()
    site.run(site.spend("1000", "acme/chat/eve"))
    page.clock.run_for(61_000)
    expect(page.get_by_role("cell", name="100 %")).to_have_count(0)


def test_a_provider_is_changed(site: Served, visit: Visit) -> None:
    page = visit.page
    page.get_by_role("navigation").get_by_role("link", name="Providers").click()
    page.get_by_role("link", name="west").click()
    page.get_by_label("Weight").fill("7")
    page.get_by_role("button", name="Change").click()
    expect(page.get_by_role("status")).to_have_text("The provider is changed.")
    page.get_by_role("button", name="Disable").click()
    expect(page.get_by_role("button", name="Enable")).to_be_visible()
    made = site.run(site.services.providers.get(ProviderId("west")))
    assert (made.weight, made.enabled) == (7, False)


def test_who_signs_out_comes_back_to_the_form(visit: Visit) -> None:
    visit.page.get_by_role("button", name="Sign out").click()
    expect(visit.page.get_by_role("status")).to_have_text("You are signed out.")
    visit.page.goto("/costs")
    expect(visit.page).to_have_url(re.compile("/login"))
