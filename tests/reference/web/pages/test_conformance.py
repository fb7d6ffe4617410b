"""The page about conformance shows a report, as text, or says how to have one."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

import pytest

from storeproof.harness.report import BackendInfo, Judgement, Report, Verdict, save
from storeproof.reference.web import WebSettings

from ..sites import NOW, Site
from .browsing import HOSTILE, Person, become, browse


def report(text: str = "notes") -> Report:
    judgement = Judgement(
        contract=text,
        backend="sqlite",
        verdict=Verdict.NON_CONFORMANT,
        as_recorded=False,
        only_deselected=False,
        why=(text,),
        checks=(),
    )
    return Report(
        started_at=NOW,
        seconds=5.0,
        passed=False,
        partial=False,
        profile="quick",
        programs=100,
        steps=20,
        seed=1,
        versions={},
        backends={text: BackendInfo(description=text)},
        problems=(text,),
        judgements=(judgement,),
    )


def over(path: Path | None) -> WebSettings:
    return WebSettings(secure_cookies=False, log_ins=1000, report=path)


def test_without_a_report_it_says_how_to_have_one() -> None:
    async def work(_: Site, person: Person) -> None:
        assert (await person.open("/conformance")).status_code == 200
        assert "--storage-report" in person.text
        assert (await person.open("/conformance/report")).status_code == 404

    browse(work, settings=over(None))


@pytest.mark.parametrize("content", [None, "{", "[]", '{"format": "other/1"}'])
def test_a_report_that_can_t_be_read_is_told(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "report.json"
    if content is not None:
        file.write_text(content)

    async def work(_: Site, person: Person) -> None:
        assert (await person.open("/conformance")).status_code == 200
        assert "report.json" in person.text
        assert 'role="alert"' in person.page
        assert (await person.open("/conformance/report")).status_code == 404

    browse(work, settings=over(file))


@pytest.mark.parametrize("text", ["notes", HOSTILE])
def test_a_report_is_shown_as_it_is_now(tmp_path: Path, text: str) -> None:
    file = tmp_path / "report.json"
    save(report(text), file)

    async def work(_: Site, person: Person) -> None:
        await person.open("/conformance")
        assert "0 of 1 conformant" in person.text
        assert "non-conformant" in person.text
        assert "<script>alert" not in person.page
        assert "<img" not in person.page
        file.unlink()
        await person.open("/conformance")
        assert "No report to show" in person.text

    browse(work, settings=over(file))


def test_the_whole_report_has_its_own_style_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    save(report(HOSTILE), file)

    async def work(_: Site, person: Person) -> None:
        answer = await person.open("/conformance/report")
        policy = answer.headers["content-security-policy"]
        (style,) = re.findall(r"<style>(.*?)</style>", person.page, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        assert f"style-src 'sha256-{digest}';" in policy
        assert "unsafe" not in policy
        assert "<script>alert" not in person.page

    browse(work, settings=over(file))


def test_it_needs_its_permission() -> None:
    async def work(site: Site, person: Person) -> None:
        await become(site, person, "vera", "viewer")
        assert (await person.open("/conformance")).status_code == 403
        assert (await person.open("/conformance/report")).status_code == 403

    browse(work)
