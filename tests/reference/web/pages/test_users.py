"""The pages about users make them, and grant and take away what they may do."""

from __future__ import annotations

import re

import pytest

from storeproof.reference.auth.entities import Email, GrantFilter, UserFilter, UserId

from ..sites import EMAIL, PASSWORD, Site
from .browsing import HOSTILE, Person, become, browse

NEW = {"email": "bob@example.org", "display_name": "Bob", "password": PASSWORD}


async def find(site: Site, email: str = NEW["email"]) -> UserId:
    page = await site.services.auth.list_users(
        site.administrator, UserFilter(email_contains=Email(email))
    )
    return page.items[0].id


async def roles_of(site: Site, user: UserId) -> set[tuple[str, str]]:
    page = await site.services.auth.list_grants(site.administrator, GrantFilter(user=user))
    return {(each.role, each.scope) for each in page.items}


def test_users_are_listed_as_the_address_says() -> None:
    async def work(site: Site, person: Person) -> None:
        await site.user("bob", "viewer")
        await person.open("/users")
        assert EMAIL in person.text
        await person.open("/users?contains=bob&role=viewer&enabled=yes")
        assert EMAIL not in person.text.split("Show")[1]
        assert "bob@example.org" in person.text
        for chosen in ("viewer", "yes"):
            assert f'value="{chosen}" selected' in person.page
        await person.open("/users?contains=nobody")
        assert "No user matches" in person.text

    browse(work)


def test_a_user_is_made_with_a_role_and_signs_in() -> None:
    async def work(site: Site, person: Person) -> None:
        await person.open("/new-user")
        await person.follow(await person.send("/new-user", **NEW, role="viewer"))
        assert "The user is made." in person.text
        assert await roles_of(site, await find(site)) == {("viewer", "")}
        assert (await person.sign_in(NEW["email"])).status_code == 303
        assert (await person.open("/users")).status_code == 200
        assert (await person.open("/errors")).status_code == 403
        assert "none of your roles allows it" in person.text

    browse(work)


def test_a_user_without_a_password_sets_one_with_a_token_once() -> None:
    async def work(site: Site, person: Person) -> None:
        await person.open("/new-user")
        await person.send("/new-user", email=NEW["email"], password="")
        found = re.search(r"spr_\w[\w-]*", person.page)
        assert found, person.text
        assert "/reset" in person.links
        site.client.cookies.clear()
        await person.open("/reset")
        weak = await person.send("/reset", token=found[0], password="short")
        assert weak.status_code == 422
        await person.follow(await person.send("/reset", token=found[0], password=PASSWORD))
        assert "Your password is set" in person.text
        await person.open("/reset")
        assert (await person.send("/reset", token=found[0], password=PASSWORD)).status_code == 401
        assert (await person.sign_in(NEW["email"])).status_code == 303

    browse(work)


@pytest.mark.parametrize(
    ("fields", "status", "said"),
    [
        ({"email": EMAIL.upper()}, 409, "email is taken"),
        ({"email": "nobody"}, 422, "email: "),
        ({"email": ""}, 422, "email: "),
        ({"password": "short"}, 422, "password"),
        ({"display_name": "x" * 2000}, 422, "display_name: "),
    ],
)
def test_a_user_that_can_t_be_is_told_beside_the_form(
    fields: dict[str, str], status: int, said: str
) -> None:
    async def work(site: Site, person: Person) -> None:
        await person.open("/new-user")
        answer = await person.send("/new-user", **{**NEW, **fields})
        assert answer.status_code == status
        assert said in person.text
        assert PASSWORD not in person.page
        page = await site.services.auth.list_users(site.administrator, UserFilter())
        assert len(page.items) == 1

    browse(work)


def test_a_role_is_granted_and_taken_away() -> None:
    async def work(site: Site, person: Person) -> None:
        await site.user("bob")
        user = await find(site)
        await person.open(f"/users/{user}")
        assert "This user may do nothing yet" in person.text
        await person.follow(
            await person.send(f"/users/{user}/grants", role="engineer", scope="acme")
        )
        assert "The role is granted." in person.text
        assert await roles_of(site, user) == {("engineer", "acme")}
        fields = {"role": "engineer", "scope": "acme"}
        await person.follow(await person.send(f"/users/{user}/revoking", **fields))
        assert await roles_of(site, user) == set()
        answer = await person.send(f"/users/{user}/grants", role="none", scope="")
        assert (answer.status_code, await roles_of(site, user)) == (404, set())

    browse(work)


def test_the_last_administrator_stays_one() -> None:
    async def work(site: Site, person: Person) -> None:
        me = site.administrator.user
        await person.open(f"/users/{me}")
        answer = await person.send(f"/users/{me}/revoking", role="administrator", scope="")
        assert answer.status_code == 409
        assert "in use" in person.text
        version = (await site.services.auth.get_user(site.administrator, me)).version
        answer = await person.send(f"/users/{me}", enabled="no", version=version)
        assert answer.status_code == 409

    browse(work)


def test_who_is_disabled_is_out() -> None:
    async def work(site: Site, person: Person) -> None:
        token = await site.user("bob", "viewer")
        user = await find(site)
        await person.open(f"/users/{user}")
        answer = await person.send(f"/users/{user}", enabled="no", version="7")
        assert answer.status_code == 412
        assert "was changed while you looked" in person.text
        await person.follow(await person.send(f"/users/{user}", enabled="no", version="1"))
        assert "disabled" in person.text
        assert (await site.call("GET", "/sessions/me", token=token)).status_code == 401
        await person.send(f"/users/{user}", enabled="yes", version="2")
        assert (await person.sign_in(NEW["email"])).status_code == 303

    browse(work)


def test_who_is_locked_out_can_be_let_in_again() -> None:
    async def work(site: Site, person: Person) -> None:
        await site.user("bob")
        for _ in range(10):
            await person.sign_in(NEW["email"], "wrong")
        user = await find(site)
        await person.sign_in()
        await person.open(f"/users/{user}")
        assert "locked until" in person.text
        await person.follow(await person.send(f"/users/{user}/unlocking"))
        assert "locked until" not in person.text

    browse(work)


def test_a_password_is_reset_with_a_token_that_is_shown_once() -> None:
    async def work(site: Site, person: Person) -> None:
        await site.user("bob")
        user = await find(site)
        await person.open(f"/users/{user}")
        assert (await person.send(f"/users/{user}/password-reset")).status_code == 200
        assert "spr_" in person.page
        await person.open(f"/users/{user}")
        assert "spr_" not in person.page
        assert (await person.sign_in(NEW["email"])).status_code == 401

    browse(work)


def test_a_viewer_sees_but_changes_nothing() -> None:
    async def work(site: Site, person: Person) -> None:
        await become(site, person, "vera", "viewer")
        me = site.administrator.user
        await person.open(f"/users/{me}")
        assert "administrator" in person.text
        assert "Disable" not in person.text
        assert "Revoke" not in person.text
        for path in (f"/users/{me}", f"/users/{me}/grants", f"/users/{me}/revoking"):
            fields = {"role": "administrator", "scope": "", "enabled": "no", "version": "1"}
            assert (await person.send(path, **fields)).status_code == 403
            await person.open("/users")
        assert "/new-user" not in person.links
        assert (await person.open("/new-user")).status_code == 403

    browse(work)


def test_everybody_sees_themselves_without_what_they_may_not_see() -> None:
    async def work(site: Site, person: Person) -> None:
        await become(site, person, "nora")
        user = await find(site, "nora@example.org")
        assert (await person.open(f"/users/{user}")).status_code == 200
        assert "grants.read" in person.text
        assert (await person.open(f"/users/{site.administrator.user}")).status_code == 403

    browse(work)


def test_roles_say_what_they_allow() -> None:
    async def work(_: Site, person: Person) -> None:
        await person.open("/roles")
        assert "administrator everything" in person.text
        assert "errors.write" in person.text
        assert "/users?role=observer" in person.links

    browse(work)


def test_names_are_text() -> None:
    async def work(site: Site, person: Person) -> None:
        await person.open("/new-user")
        await person.send("/new-user", **{**NEW, "display_name": HOSTILE})
        user = await find(site)
        for path in ("/users", f"/users/{user}"):
            await person.open(path)
            assert "<script>alert" not in person.page
            assert "&lt;script&gt;" in person.page
        await person.open("/new-user")
        await person.send("/new-user", email=HOSTILE, display_name=HOSTILE)
        assert "<script>alert" not in person.page
        await person.send(f"/users/{user}/grants", role=HOSTILE)
        assert "<script>alert" not in person.page

    browse(work)
