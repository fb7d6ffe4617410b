"""The pages about errors show what is there, as text, and change it as the buttons say."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from storeproof.reference.errors.entities import GroupFilter, GroupId, Level, Status

from ..sites import Site
from .browsing import HOSTILE, Person, become, browse


async def report(site: Site, kind: str = "KeyError", **more: Any) -> GroupId:
    made = await site.services.errors.report(kind, **{"message": "it broke", **more})
    return made.group.id


def test_without_errors_it_says_what_to_do() -> None:
    async def work(_: Site, person: Person) -> None:
        assert (await person.open("/errors")).status_code == 200
        assert "/api/v1/errors/events" in person.text
        assert (await person.open("/errors/groups")).status_code == 200
        assert "No group matches" in person.text

    browse(work)


@pytest.mark.parametrize("bucket", ["hour", "day", "week", "month"])
@pytest.mark.parametrize("group_by", ["", "level", "group"])
def test_the_trend_is_a_chart_and_a_table(bucket: str, group_by: str) -> None:
    async def work(site: Site, person: Person) -> None:
        for number in range(7):
            await report(site, f"Error{number}", level=Level.WARNING)
        answer = await person.open(f"/errors?range=7d&bucket={bucket}&group_by={group_by}")
        assert answer.status_code == 200, person.text
        assert "7 events" in person.text
        assert "data-chart=" in person.page
        series = {"": "events", "level": "warning", "group": "2 others"}[group_by]
        assert f'class="number">{series}</th>' in person.page

    browse(work)


def test_the_filters_live_in_the_address() -> None:
    async def work(site: Site, person: Person) -> None:
        await report(site)
        asked = "range=custom&from=2026-02-01&to=2026-03-01&timezone=Asia%2FTokyo"
        await person.open(f"/errors?{asked}&bucket=week&group_by=level")
        for chosen in ("custom", "week", "level"):
            assert f'value="{chosen}" selected' in person.page
        for value in ("2026-02-01", "2026-03-01", "Asia/Tokyo"):
            assert f'value="{value}"' in person.page
        await person.open("/errors/groups?status=unresolved&level=error&contains=broke&sort=count")
        for chosen in ("unresolved", "error", "count"):
            assert f'value="{chosen}" selected' in person.page
        assert 'name="contains" value="broke"' in person.page
        assert "KeyError: it broke" in person.text
        await person.open("/errors/groups?status=resolved&level=&contains=&sort=")
        assert "No group matches" in person.text

    browse(work)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("range=x", "range"),
        ("timezone=Nowhere", "timezone"),
        ("bucket=year", "bucket"),
        ("group_by=x", "group_by"),
        ("range=365d&bucket=hour", "bucket"),
    ],
)
def test_a_filter_that_can_t_be_meant_is_told(query: str, field: str) -> None:
    async def work(_: Site, person: Person) -> None:
        assert (await person.open(f"/errors?{query}")).status_code == 422
        assert f"{field}: " in person.text

    browse(work)


def test_what_occurs_most_comes_first() -> None:
    async def work(site: Site, person: Person) -> None:
        await report(site, "Rare")
        for _ in range(3):
            await report(site, "Often")
        await person.open("/errors?range=1d")
        assert 0 < person.page.index("Often: it broke") < person.page.index("Rare: it broke")

    browse(work)


def test_a_long_list_leads_on() -> None:
    async def work(site: Site, person: Person) -> None:
        for number in range(51):
            site.time.pass_by(timedelta(seconds=1))
            await report(site, f"E{number}")
        await person.open("/errors/groups?sort=oldest&status=unresolved")
        assert "E49:" in person.text
        assert "E50:" not in person.text
        (further,) = (each for each in person.links if "cursor=" in each)
        assert "status=unresolved" in further
        await person.open(further)
        assert "E50:" in person.text
        assert "E49:" not in person.text

    browse(work)


def test_the_buttons_decide_about_a_group() -> None:
    async def work(site: Site, person: Person) -> None:
        group = await report(site)
        for status, said in [
            ("resolved", "is resolved"),
            ("unresolved", "is open again"),
            ("ignored", "is ignored"),
        ]:
            await person.open(f"/errors/groups/{group}")
            version = (await site.services.errors.get_group(group)).version
            answer = await person.send(
                f"/errors/groups/{group}/state", status=status, version=version
            )
            assert answer.status_code == 303, person.text
            await person.follow(answer)
            assert said in person.text
            assert (await site.services.errors.get_group(group)).state.status == status

    browse(work)


def test_a_group_can_be_ignored_for_a_while() -> None:
    async def work(site: Site, person: Person) -> None:
        group = await report(site)
        await person.open(f"/errors/groups/{group}")
        fields = {"status": "ignored", "pause": "day", "version": "1"}
        await person.send(f"/errors/groups/{group}/state", **fields)
        state = (await site.services.errors.get_group(group)).state
        assert state.at == site.time.now + timedelta(days=1)
        await person.open(f"/errors/groups/{group}")
        assert "until 2026-03-02 12:00 UTC" in person.text

    browse(work)


def test_a_decision_about_what_changed_meanwhile_is_not_made() -> None:
    async def work(site: Site, person: Person) -> None:
        group = await report(site)
        await person.open(f"/errors/groups/{group}")
        await site.services.errors.resolve(group, 1)
        answer = await person.send(f"/errors/groups/{group}/state", status="ignored", version=1)
        assert answer.status_code == 412
        assert "Somebody decided about this group" in person.text
        assert (await site.services.errors.get_group(group)).state.status is Status.RESOLVED
        assert 'name="version" value="2"' in person.page

    browse(work)


@pytest.mark.parametrize(
    "fields", [{}, {"status": "x"}, {"status": "ignored", "pause": "x"}, {"version": "-1"}]
)
def test_a_decision_that_is_none_is_refused(fields: dict[str, str]) -> None:
    async def work(site: Site, person: Person) -> None:
        group = await report(site)
        await person.open(f"/errors/groups/{group}")
        answer = await person.send(f"/errors/groups/{group}/state", **{"version": "1", **fields})
        assert answer.status_code == 422
        assert (await site.services.errors.get_group(group)).version == 1

    browse(work)


def test_what_came_back_is_shown() -> None:
    async def work(site: Site, person: Person) -> None:
        group = await report(site)
        await site.services.errors.resolve(group, 1)
        await person.open("/errors")
        assert "Nothing that was resolved occurred again" in person.text
        site.time.pass_by(timedelta(hours=1))
        await report(site)
        await person.open("/errors")
        assert "Resolved or ignored once, then seen again" in person.text
        await person.open(f"/errors/groups/{group}")
        assert "it came back" in person.text

    browse(work)


def test_who_may_only_read_has_no_buttons() -> None:
    async def work(site: Site, person: Person) -> None:
        group = await report(site)
        await become(site, person, "olga", "observer")
        await person.open(f"/errors/groups/{group}")
        assert "errors.write" in person.text
        assert 'name="status"' not in person.page
        answer = await person.send(f"/errors/groups/{group}/state", status="resolved", version=1)
        assert answer.status_code == 403
        assert (await site.services.errors.get_group(group)).version == 1

    browse(work)


def test_what_programs_send_is_text() -> None:
    async def work(site: Site, person: Person) -> None:
        group = await report(
            site, HOSTILE, message=HOSTILE, stack=HOSTILE, tags={HOSTILE: HOSTILE}, id=HOSTILE
        )
        for path in ("/errors?group_by=group", "/errors/groups", f"/errors/groups/{group}"):
            assert (await person.open(path)).status_code == 200
            assert "<script>alert" not in person.page, path
            assert "<img" not in person.page, path
            assert "&lt;script&gt;alert" in person.page, path

    browse(work)


def test_a_group_that_is_not_there_is_not_found() -> None:
    async def work(site: Site, person: Person) -> None:
        assert (await person.open("/errors/groups/none")).status_code == 404
        assert not (await site.services.errors.list_groups(GroupFilter())).items

    browse(work)
